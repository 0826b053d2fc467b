"""Search for settings of one or a few layers that give a wanted shape: plan every combination of declared ranges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import planner.symbols as sy
from planner.conditions import Equal, Verdict
from planner.domain.domain import Domain
from planner.findings import Finding, SettingError, Severity, ShapeError, nearest
from planner.layers.base import Layer
from planner.network.network import Network
from planner.plan.diagnose import diagnose
from planner.plan.plan import Plan
from planner.solver.wants import Want, asserted, node_of
from planner.wording import listed

RANGES: Mapping[str, tuple[int | str, ...]] = {
    "kernel": tuple(range(1, 12)),
    "size": tuple(range(1, 12)),
    "pad": (*range(9), "same"),
    "stride": tuple(range(1, 5)),
    "dilation": tuple(range(1, 5)),
    "output_pad": tuple(range(4)),
    "scale": tuple(range(1, 9)),
    "rounding": ("floor", "ceil"),
}
"""Values to try for each setting, equal along both axes."""

OTHER_WORDS = {"padding": "pad", "output_padding": "output_pad", "kernel_size": "kernel"}
"""Names of the settings in other libraries."""

MOST_TRIES = 2000
"""Maximum number of combinations to plan."""


@dataclass(frozen=True)
class Knob:
    """A setting of a layer that may be changed."""

    node: str
    setting: str

    @classmethod
    def read(cls, text: str) -> Knob:
        """Return the knob for a text such as ``conv1.pad``.

        Raises
        ------
        ValueError
            If the text has another form.

        Examples
        --------
        >>> Knob.read("conv1.padding")
        Knob(node='conv1', setting='pad')
        """
        node, dot, setting = text.strip().rpartition(".")
        if not dot or not node or not setting:
            raise ValueError(f"{text!r} is not a setting of a layer; write  conv1.pad")
        return cls(node, OTHER_WORDS.get(setting, setting))

    @property
    def text(self) -> str:
        """The setting in dotted form: ``conv1.pad``."""
        return f"{self.node}.{self.setting}"


@dataclass(frozen=True)
class Found:
    """Settings that give the wanted shapes, proved by planning with them.

    Attributes
    ----------
    values : Mapping of str to int or str
        Values by the text of the knob.
    domain : Domain
        The input sizes at which the settings give the wanted shapes.
    always : bool
        Whether they do so at every size that the changed network accepts.
    warnings : tuple of str
        New warnings of the plan, such as dropped border pixels.
    changes : int
        Distance of the values from those of the spec, in steps of the ranges.
    """

    values: Mapping[str, int | str]
    domain: Domain
    always: bool
    warnings: tuple[str, ...]
    changes: int

    @property
    def text(self) -> str:
        """The settings in one line: ``conv1.pad = 2``."""
        return ", ".join(f"{name} = {value}" for name, value in self.values.items())

    def json(self) -> dict[str, Any]:
        """Return the settings as JSON-compatible data."""
        return {
            "settings": dict(self.values),
            "accepted": self.domain.json(),
            "always": self.always,
            "warnings": list(self.warnings),
        }


def settings_giving(
    plan: Plan, knobs: Sequence[Knob], wants: Sequence[Want], sizes: Mapping[str, int] | None = None
) -> tuple[Found, ...]:
    """Return every combination of settings that gives the wanted shapes, best first.

    All values in :data:`RANGES` are tried. Combinations that hold at all sizes come first, then those without new
    warnings, such as dropped border pixels, then those that change the spec least. If `sizes` are given, the network
    must give the wanted shapes at these sizes.

    Raises
    ------
    ShapeError
        If a layer or setting does not exist or has no range (N103, S212), there are too many combinations, or none
        gives the wanted shapes (S212).

    Examples
    --------
    >>> from planner import layer
    >>> net = Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=[layer("conv", name="c", filters=1, kernel=5)])
    >>> found = settings_giving(net.check(), [Knob("c", "pad")], [Want.read("c.H=H"), Want.read("c.W=W")])
    >>> [answer.text for answer in found], found[0].always
    (['c.pad = 2', 'c.pad = same'], True)
    """
    _refuse(plan, knobs, wants)
    given = dict(sizes or {})
    found = []
    for values, network in _variants(plan.network, knobs):
        answer = _judged(network, values, plan, wants, given)
        if answer is not None:
            found.append(answer)
    if not found:
        raise ShapeError([_none(plan, knobs, wants, given)])
    return tuple(sorted(found, key=lambda answer: (not answer.always, bool(answer.warnings), answer.changes)))


def _refuse(plan: Plan, knobs: Sequence[Knob], wants: Sequence[Want]) -> None:
    """Raise ShapeError for invalid knobs or wants, so that wants are not checked again for every variant."""
    findings = []
    count = 1
    for knob in knobs:
        layer = plan.network.by_name[knob.node].layer if knob.node in plan.network.by_name else None
        if layer is None:
            close = nearest(knob.node, plan.by_name)
            fix = f"did you mean `{close}`?" if close else f"layers are {listed(plan.by_name)}"
            findings.append(Finding("N103", f"there is no layer `{knob.node}`", fixes=(fix,)))
            continue
        searchable = [name for name in RANGES if hasattr(layer, name)]
        if knob.setting not in searchable:
            close = nearest(knob.setting, searchable)
            known = f"`{knob.node}` has {listed(searchable)}" if searchable else f"a {layer.kind} layer has none"
            fix = f"did you mean `{knob.node}.{close}`?" if close else f"settings that can be solved for: {known}"
            message = f"`{knob.setting}` of `{knob.node}` is not a setting that can be solved for"
            findings.append(Finding("S212", message, layer=knob.node, fixes=(fix,)))
            continue
        count *= len(RANGES[knob.setting])
    if not findings and count > MOST_TRIES:
        message = f"{len(knobs)} settings have {count:,} combinations; at most {MOST_TRIES:,} are tried"
        findings.append(Finding("S212", message, fixes=("solve for only one or two settings",)))
    if findings:
        raise ShapeError(findings)
    asserted(plan, wants)


def _variants(network: Network, knobs: Sequence[Knob]) -> Iterator[tuple[dict[str, int | str], Network]]:
    """Yield the network for every valid combination of values."""
    for values in product(*(RANGES[knob.setting] for knob in knobs)):
        changed: dict[str, Layer] = {}
        try:
            for knob, value in zip(knobs, values, strict=True):
                layer = changed.get(knob.node) or network.by_name[knob.node].layer
                assert layer is not None
                changed[knob.node] = _changed(layer, knob.setting, value)
        except SettingError:
            continue
        yield {knob.text: value for knob, value in zip(knobs, values, strict=True)}, network.with_nodes(changed)


def _changed(layer: Layer, setting: str, value: int | str) -> Layer:
    """Return a layer with one setting changed; a pooling stride equal to the window size follows it."""
    follows = setting == "size" and getattr(layer, "stride", None) == getattr(layer, "size", None)
    return replace(layer, **({"size": value, "stride": None} if follows else {setting: value}))


def _judged(
    network: Network, values: dict[str, int | str], plan: Plan, wants: Sequence[Want], given: Mapping[str, int]
) -> Found | None:
    """Return the settings of one variant if planning shows that it gives the wanted shapes, else None."""
    alone = diagnose(network).plan
    if alone is None or any(name not in alone.free for name in given):
        return None
    try:
        found = diagnose(asserted(alone, wants))
    except ShapeError:
        return None
    if found.plan is None or not found.plan.domain.accepts(given):
        return None
    warnings = tuple(f.message for f in found.findings if f.severity is Severity.WARNING)
    known = tuple(f.message for f in plan.warnings)
    new = tuple(message for message in warnings if message not in known)
    return Found(values, found.plan.domain, _always(alone, wants), new, _changes(plan, values))


def _always(plan: Plan, wants: Sequence[Want]) -> bool:
    """Return whether the wants hold at all sizes that the plan accepts."""
    for want in wants:
        actual = plan.by_name[node_of(plan, want.target)].output_shape
        wanted = want.shape(actual)
        assert wanted is not None  # _refuse has checked the wants
        if any(Equal(a, w).verdict() is not Verdict.HOLDS for a, w in zip(actual, wanted, strict=True)):
            return False
    return True


def _changes(plan: Plan, values: Mapping[str, int | str]) -> int:
    total = 0
    for name, value in values.items():
        node, _, setting = name.rpartition(".")
        now = getattr(plan.by_name[node].layer, setting)
        first = now if isinstance(now, str) else sy.constant(now[0]) if isinstance(now, tuple) else None
        steps = RANGES[setting]
        here = steps.index(first) if first in steps else 0
        total += abs(steps.index(value) - here)
    return total


def _none(plan: Plan, knobs: Sequence[Knob], wants: Sequence[Want], given: Mapping[str, int]) -> Finding:
    named = " and ".join(want.text for want in wants)
    at = f" at {', '.join(f'{name} = {size}' for name, size in given.items())}" if given else ""
    tried = tuple(f"tried {knob.text} = {range_text(knob.setting)}" for knob in knobs)
    now = tuple(
        f"with the spec's settings, `{want.target}` is "
        f"{sy.shape_text(plan.by_name[node_of(plan, want.target)].output_shape)}"
        for want in wants
    )
    fix = "free another setting too, or solve for input sizes (without --free)"
    return Finding("S212", f"no value tried gives {named}{at}", notes=(*now, *tried), fixes=(fix,))


def range_text(setting: str) -> str:
    """Return the values tried for a setting as text.

    Examples
    --------
    >>> range_text("pad"), range_text("rounding")
    ('0 to 8, same', 'floor, ceil')
    """
    numbers = [value for value in RANGES[setting] if isinstance(value, int)]
    words = [value for value in RANGES[setting] if isinstance(value, str)]
    return ", ".join([*([f"{numbers[0]} to {numbers[-1]}"] if numbers else []), *words])
