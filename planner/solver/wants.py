"""Input sizes that give wanted output shapes.

A want is an additional condition on the sizes and is solved together with all others, without trial and error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import planner.symbols as sy
from planner.findings import Finding, ShapeError, nearest
from planner.fixes import with_free_sizes
from planner.layers.spatial import LETTERS, is_map, letters
from planner.network.network import Network
from planner.network.node import Expectation
from planner.plan.diagnose import Diagnosis, diagnose
from planner.plan.plan import Plan
from planner.symbols import Shape, Size
from planner.wording import listed

MOST_WALKED = 4096
"""Maximum number of accepted sizes searched for values next to an unreachable one."""

_WANT = re.compile(r"\s*([^\s=]+)\s*=\s*([\w*]+(?:\s*,\s*[\w*]+)*)\s*\Z", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}\Z")
ANY = "*"


@dataclass(frozen=True)
class Want:
    """A wanted shape, or one wanted size, of a layer or output.

    Attributes
    ----------
    target : str
        Public name of an output, or name of a layer.
    axis : str
        ``N``, ``C``, ``H`` or ``W``; "" for the whole shape.
    sizes : tuple of int or str
        Numbers, names of free sizes, or ``*`` for any size.
    """

    target: str
    axis: str
    sizes: tuple[int | str, ...]

    @classmethod
    def read(cls, text: str) -> Want:
        """Return the want for a text such as ``out.H=1`` or ``out=N,10,7,7``.

        Raises
        ------
        ValueError
            If the text has another form.

        Examples
        --------
        >>> Want.read("out=N,10,*,7")
        Want(target='out', axis='', sizes=('N', 10, '*', 7))
        """
        match = _WANT.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not a wanted size; write  out.H=1  or  out=N,10,7,7")
        sizes = tuple(int(part) if _NUMBER.match(part) else part for part in re.split(r"\s*,\s*", match[2]))
        name, dot, axis = match[1].rpartition(".")
        if not dot or axis not in ("N", "C", *{letter for some in LETTERS.values() for letter in some}):
            return cls(match[1], "", sizes)
        if len(sizes) != 1:
            raise ValueError(f"{text!r}: one axis has one size; write  {match[1]}={sizes[0]}")
        return cls(name, axis, sizes)

    @property
    def text(self) -> str:
        """The want as text: ``out.H = 1``."""
        return f"{self.target}{'.' * bool(self.axis)}{self.axis} = {' x '.join(map(str, self.sizes))}"

    def shape(self, actual: Shape) -> Shape | None:
        """Return the wanted shape for a tensor of shape `actual`; None if the tensor has no such axis."""
        if not self.axis:
            if len(self.sizes) != len(actual):
                return None
            return tuple(a if s == ANY else sy.size(s) for a, s in zip(actual, self.sizes, strict=True))
        if self.axis not in letters(actual):
            return None
        position = letters(actual).index(self.axis)
        wanted = actual[position] if self.sizes[0] == ANY else sy.size(self.sizes[0])
        return (*actual[:position], wanted, *actual[position + 1 :])


@dataclass(frozen=True)
class Answer:
    """Sizes that give the wanted shapes.

    Attributes
    ----------
    wants : tuple of Want
    plan : Plan
        The plan of the network with the wants asserted; its domain is the answer.
    example : Mapping of str to int, or None
        Sizes that give the wanted shapes, verified by planning.
    shapes : Mapping of str to tuple of int
        The wanted shapes at the sizes of the example.
    """

    wants: tuple[Want, ...]
    plan: Plan
    example: Mapping[str, int] | None
    shapes: Mapping[str, tuple[int, ...]]

    def json(self) -> dict[str, Any]:
        """Return the answer as JSON-compatible data."""
        return {
            "want": [want.text for want in self.wants],
            "accepted": self.plan.domain.json(),
            "example": None if self.example is None else {"sizes": dict(self.example), "shapes": dict(self.shapes)},
        }


def loosened(plan: Plan) -> Plan | None:
    """Return the plan with fixed heights and widths of inputs made free; None if no height or width is fixed.

    Examples
    --------
    >>> from planner import layer
    >>> net = Network(name="n", input={"x": ("N", 1, 8, 8)}, layers=[layer("conv", filters=1, kernel=3)])
    >>> loosened(net.check()).domain.text()
    'N >= 1, H >= 3, W >= 3'
    """
    maps = [shape for shape in plan.input_shapes.values() if is_map(shape)]
    if not any(sy.constant(size) is not None for shape in maps for size in shape[2:]):
        return None
    network = with_free_sizes(plan.network)
    return None if network is None else diagnose(network).plan


def sizes_giving(plan: Plan, wants: Sequence[Want], given: Mapping[str, int] | None = None) -> Answer:
    """Return the free sizes of a plan that give the wanted shapes; the example includes the given sizes.

    Raises
    ------
    ShapeError
        If a layer, axis or name does not exist (N103, S212), or no accepted sizes that include the given ones
        give the wanted shapes (S212).

    Examples
    --------
    >>> from planner import layer
    >>> net = Network(name="n", input={"x": ("N", 1, "H", "W")},
    ...               layers=[layer("conv", name="c", filters=1, kernel=3, stride=2)])
    >>> sizes_giving(net.check(), [Want.read("c.H=7")]).plan.domain["H"].text("H")
    'H in {15, 16}'
    """
    network = asserted(plan, wants)
    found = diagnose(network)
    if found.plan is None:
        raise ShapeError([_impossible(plan, wants, found)])
    fixed = {name: size for name, size in (given or {}).items() if name in plan.free}
    if not found.plan.domain.accepts(fixed):
        at = ", ".join(f"{name} = {size}" for name, size in fixed.items())
        message = f"no accepted size gives {' and '.join(want.text for want in wants)} at {at}"
        raise ShapeError([Finding("S212", message, notes=(f"sizes that do: {found.plan.domain.text()}",))])
    sizes = example(found.plan, fixed)
    shapes: Mapping[str, tuple[int, ...]] = {}
    if sizes is not None:
        bound = found.plan.bind(dtype="float32", **sizes)
        shapes = {want.target: bound.by_name[node_of(plan, want.target)].output_shape for want in wants}
    return Answer(tuple(wants), found.plan, sizes, shapes)


def asserted(plan: Plan, wants: Sequence[Want]) -> Network:
    """Return the plan's network with the wanted shapes added as expectations.

    Raises
    ------
    ShapeError
        If a layer, axis or name does not exist.
    """
    findings: list[Finding] = []
    added: list[Expectation] = []
    for want in wants:
        shape, finding = _asked(plan, want)
        if finding is not None:
            findings.append(finding)
        elif shape is not None:
            added.append(Expectation(node_of(plan, want.target), shape))
    if findings:
        raise ShapeError(findings)
    return plan.network.altered(expectations=(*plan.network.expectations, *added))


def node_of(plan: Plan, target: str) -> str:
    """Return the node for the public name of an output, the name of a layer or the name of a block."""
    if target in plan.outputs:
        return plan.outputs[target]
    inside = [node.name for node in plan.nodes if node.name.startswith(f"{target}.")]
    return inside[-1] if target not in plan.by_name and inside else target


def example(plan: Plan, values: Mapping[str, int] | None = None) -> dict[str, int] | None:
    """Return accepted sizes for every free name, including the given ones; None if none are found.

    Coupled sizes are taken from a common box, so that they fit together.

    Examples
    --------
    >>> from planner import layer
    >>> net = Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=[layer("conv", filters=1, kernel=3)])
    >>> example(net.check(), {"W": 9})
    {'N': 1, 'H': 3, 'W': 9}
    """
    given = dict(values or {})
    for box in plan.domain.boxes or ({},):
        columns = []
        for name in plan.free:
            sizes = plan.domain[name] & box[name] if name in box else plan.domain[name]
            if name in given:
                columns.append([given[name]] if given[name] in sizes else [])
            else:
                columns.append(list(islice(sizes, 1 if not plan.domain.assumptions else 48)))
        for chosen in islice(product(*columns), MOST_WALKED):
            found = dict(zip(plan.free, chosen, strict=True))
            if plan.domain.accepts(found):
                return found
    return None


def _asked(plan: Plan, want: Want) -> tuple[Shape | None, Finding | None]:
    """Return the wanted shape, or a finding if the want is invalid."""
    node = plan.by_name.get(node_of(plan, want.target))
    if node is None:
        known = (*plan.outputs, *plan.by_name)
        close = nearest(want.target, known)
        fix = f"did you mean `{close}`?" if close else f"outputs are {listed(plan.outputs)}"
        return None, Finding("N103", f"`{want.target}` is neither an output nor a layer", fixes=(fix,))
    unknown = [str(size) for size in want.sizes if isinstance(size, str) and size not in (ANY, *plan.free)]
    if unknown:
        fix = f"free sizes are {listed(plan.free) or 'none'}; * is any size"
        return None, Finding("S212", f"{want.text}: the network has no size {listed(unknown)}", fixes=(fix,))
    shape = want.shape(node.output_shape)
    if shape is None:
        axes = ", ".join(letters(node.output_shape)) if is_map(node.output_shape) else "N, C (its features)"
        message = f"{want.text}: `{want.target}` has {len(node.output_shape)} axes, {axes}"
        return None, Finding("S212", message, fixes=(f"it is {sy.shape_text(node.output_shape)}",))
    return shape, None


def _impossible(plan: Plan, wants: Sequence[Want], found: Diagnosis) -> Finding:
    """Return why no sizes give the wanted shapes: one want is unreachable, or they exclude each other."""
    for want in wants:
        if diagnose(asserted(plan, [want])).plan is None:
            return _unreachable(plan, want)
    named = " and ".join(want.text for want in wants)
    notes = tuple(dict.fromkeys(note for finding in found.errors for note in finding.notes))
    return Finding("S212", f"no accepted size gives {named} together, only separately", notes=notes)


def _unreachable(plan: Plan, want: Want) -> Finding:
    actual = plan.by_name[node_of(plan, want.target)].output_shape
    wanted = want.shape(actual) or ()
    notes = [f"`{want.target}` is {sy.shape_text(actual)}", f"accepted: {plan.domain.text()}"]
    fixes: list[str] = []
    for letter, have, want_size in zip("NCHW", actual, wanted, strict=False):
        target = sy.constant(want_size)
        if target is not None and have != want_size:
            fixes += [
                f"{want.target}.{letter} = {value} is close, at {where}" for value, where in _around(plan, have, target)
            ]
    return Finding("S212", f"no accepted size gives {want.text}", notes=tuple(notes), fixes=tuple(fixes))


def _around(plan: Plan, size: Size, target: int) -> Iterable[tuple[int, str]]:
    """Yield the values next to a target that a size in one name can reach, and the sizes that reach them."""
    names = sorted(sy.free(size))
    if len(names) != 1:
        return
    (name,) = names
    below: tuple[int, int] | None = None
    above: tuple[int, int] | None = None
    for n in islice(plan.domain[name], MOST_WALKED):
        value = sy.evaluate(size, {name: n})
        if value < target and (below is None or value > below[0]):
            below = (value, n)
        if value > target and (above is None or value < above[0]):
            above = (value, n)
    for nearby in (below, above):
        if nearby is not None:
            yield nearby[0], f"{name} = {nearby[1]}"
