"""Make the layer of an entry from its settings, and report every faulty setting, not only the first.

:mod:`planner.network.builder` handles the inputs of the entry and the layers of its `norm` and `act`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from typing import TypeAlias

from planner.conditions import Verdict
from planner.findings import SettingError, nearest
from planner.layers import KINDS, Input, Layer
from planner.network.entry import Entry
from planner.network.node import Node
from planner.network.references import named, naming
from planner.symbols import Shape
from planner.wording import listed

PLACEHOLDER = "_"
"""Size used instead of a faulty setting, so that the remaining settings are checked too."""

Report: TypeAlias = Callable[..., None]
"""``report(code, message, entry, key, fixes)``."""


def make(
    entry: Entry, name: str, known: Mapping[str, Node], report: Report, guess: bool = True
) -> tuple[Layer | None, str]:
    """Return the layer of an entry (None if its settings are faulty) and the node it takes settings from (or "").

    Parameters
    ----------
    entry : Entry
    name : str
        Name of the layer in messages.
    known : Mapping of str to Node
        The layers declared so far, which its settings may name.
    report : callable
        Called with every fault.
    guess : bool
        Suggest a close match for an unknown name; slow among thousands of names.
    """
    cls = _kind(entry, report)
    if cls is None or not _keys_fit(entry, name, cls, report):
        return None, ""
    settings, partner = dict(entry.settings), ""
    for item in naming(cls):
        try:
            node = named(item, settings[item.name], known, guess)
        except SettingError as error:
            report(error.code, f"`{name}`: {error.problem}", entry, error.setting, (error.fix,))
            return None, ""
        if node.layer is None or node.broken:  # reported for that node
            return None, ""
        settings[item.name], partner = node.layer, node.name
    required = [item.name for item in fields(cls) if item.default is MISSING]
    made: Layer | None = None
    faulty = False
    replaced: set[str] = set()
    while made is None:
        try:
            made = cls(**settings)
        except SettingError as error:
            faulty = True
            if error.setting in replaced:  # the placeholder is faulty too; reported already
                return None, ""
            report(error.code, f"`{name}`: {error.problem}", entry, error.setting, (error.fix,))
            if error.setting not in settings:
                return None, ""
            replaced.add(error.setting)
            if error.setting in required:  # check the others as if this one were right
                settings[error.setting] = PLACEHOLDER
            else:
                del settings[error.setting]
    return (None, "") if faulty else (made, partner)


def one_meaning(nodes: list[Node]) -> list[Node]:
    """Return nodes in which a name used both as padding and as a size is a size, so never 0."""
    layers = [node.layer for node in nodes if node.layer is not None]
    zeros = frozenset().union(*(layer.zeros for layer in layers))
    both = zeros and zeros & frozenset().union(*(layer.counts for layer in layers))
    if not both:
        return nodes
    return [node if node.layer is None else replace(node, layer=node.layer.counting(both)) for node in nodes]


def shape_of(layer: Layer, inputs: Sequence[Shape | None]) -> Shape | None:
    """Return the output shape of a layer; None if an input is unknown or a requirement is certain to fail."""
    known = tuple(shape for shape in inputs if shape is not None)
    if len(known) != len(inputs):
        return None
    if any(r.condition.verdict() is Verdict.FAILS for r in layer.requires(known)):
        return None
    return layer.output_shape(known)


def _kind(entry: Entry, report: Report) -> type[Layer] | None:
    cls = KINDS.get(entry.kind)
    if cls is not None and cls is not Input:
        return cls
    close = nearest(entry.kind, [kind for kind in KINDS if kind != "input"])
    hint = "declare inputs under `input:`" if cls is Input else f"did you mean `{close}`?" if close else ""
    report("N102", f"there is no layer kind `{entry.kind}`", entry, "", (hint,) if hint else ())
    return None


def _keys_fit(entry: Entry, name: str, cls: type[Layer], report: Report) -> bool:
    """Return whether an entry has only settings of its kind, and all those without a default."""
    known = [item.name for item in fields(cls)]
    faulty, meant = False, set()
    for key in entry.settings:
        if key not in known:
            faulty = True
            close = nearest(key, known)
            meant.add(close)
            fix = f"did you mean `{close}`?" if close else f"{entry.kind} takes {listed(known) or 'no settings'}"
            report("N101", f"`{name}`: {entry.kind} has no setting `{key}`", entry, key, (fix,))
    missing = [item.name for item in fields(cls) if item.default is MISSING and item.name not in entry.settings]
    for key in missing:
        if key not in meant:  # else it is misspelt, and reported as such
            report("N108", f"`{name}`: {entry.kind} needs `{key}`", entry, "", (f"add `{key}`",))
    return not (missing or faulty)
