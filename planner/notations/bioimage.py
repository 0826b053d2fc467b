"""Accepted sizes for bioimage.io: minimum and step of each input axis; size, offset and halo of each output axis.

An input size is ``min + k*step``, an output size is ``input / scale + offset``. Both are linear, so this module
chooses a progression of accepted sizes along which every output size is linear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import lcm
from textwrap import fill

import planner.symbols as sy
from planner.domain.domain import Domain
from planner.domain.sizeset import SizeSet
from planner.layers.spatial import rank
from planner.notations.halo import halos
from planner.notations.pieces import Piece, identifier, simplest
from planner.plan.node import PlannedNode
from planner.plan.plan import Plan
from planner.solver.wants import example
from planner.symbols import Shape, Size

SPACE = {1: ("x",), 2: ("y", "x"), 3: ("z", "y", "x")}
LINED = 8
"""Number of steps along a progression at which an output size is checked to be linear."""

MOST_RESIDUES = 4096

MOST_TURNS = 200
"""Maximum number of sizes tried until a halo is the same at two consecutive sizes."""


@dataclass(frozen=True)
class Line:
    """An output size along a progression of input sizes: ``input / scale + offset``, or a fixed size if scale is None.

    `halo` is the number of positions at each end that see padding.
    """

    scale: Fraction | None
    offset: int
    halo: int


def as_bioimageio(plan: Plan, domain: Domain) -> str:
    """Return the axes of inputs and outputs for a model description in format 0.5, as YAML.

    Source: bioimage.io model description 0.5, ``ParameterizedSize``, ``SizeReference``, ``halo``.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"x": ("N", 1, "H", 8)}, layers=[layer("conv", name="c", filters=1, kernel=3)])
    >>> plan = net.check()
    >>> print(as_bioimageio(plan, plan.domain))
    inputs:
    - id: x
      axes:
      - {type: batch}
      - {type: channel, channel_names: [c1]}
      - {type: space, id: y, size: {min: 3, step: 1}}
      - {type: space, id: x, size: 8}
    outputs:
    - id: c
      axes:
      - {type: batch}
      - {type: channel, channel_names: [c1]}
      - {type: space, id: y, size: {tensor_id: x, axis_id: y, offset: -2}}
      - {type: space, id: x, size: 6}
    """
    batch = frozenset().union(*(sy.free(shape[0]) for shape in plan.input_shapes.values()))
    simple = simplest(domain)
    notes = list(simple.omitted)
    chosen: dict[str, Piece] = {}
    lines: dict[Size, Line] = {}
    for name, piece in simple.pieces.items():
        if name in batch:
            continue
        found = _progression(plan, name, domain[name], piece)
        if found is None:
            notes.append(
                f"no progression of {name} gives outputs of size input/scale + a whole offset: one size is used"
            )
            chosen[name] = Piece(1, piece.first, piece.first)
        elif piece.last is not None and piece.only is None:
            chosen[name], _ = found
            notes.append(f"bioimage.io has no largest size: the first of {piece.text(name)} is used")
        else:
            chosen[name], of_name = found
            lines |= of_name
    homes = _homes(plan)
    text = ["inputs:"]
    for name, shape in plan.input_shapes.items():
        text += _tensor(name, shape, lambda size: _input_size(size, chosen))
    text.append("outputs:")
    for public, node in plan.outputs.items():
        shape = plan.by_name[node].output_shape
        text += _tensor(public, shape, lambda size: _output_size(size, chosen, lines, homes, notes))
    return "\n".join([*(f"# {note}" for note in dict.fromkeys(notes)), *text])


def _tensor(name: str, shape: Shape, sized: Callable[[Size], str]) -> Iterator[str]:
    """Yield the lines of one tensor; `sized` returns the keys of a spatial axis."""
    yield f"- id: {identifier(name)}"
    yield "  axes:"
    yield "  - {type: batch}"
    channels = sy.constant(shape[1])
    listed = ", ".join(f"c{number}" for number in range(1, (channels or 0) + 1))
    names = fill(f"[{listed}]", 96, subsequent_indent="      ")
    wanted = "" if channels is not None else f"  # needs {sy.text(shape[1])} names"
    yield f"  - {{type: channel, channel_names: {names}}}{wanted}"
    for axis, size in zip(SPACE.get(rank(shape), ()), shape[2:], strict=True):
        yield f"  - {{type: space, id: {axis}, {sized(size)}}}"


def _input_size(size: Size, chosen: Mapping[str, Piece]) -> str:
    known = sy.constant(size)
    if known is not None:
        return f"size: {known}"
    piece = chosen[sy.text(size)]
    return f"size: {piece.only}" if piece.only is not None else f"size: {{min: {piece.first}, step: {piece.step}}}"


def _output_size(
    size: Size,
    chosen: Mapping[str, Piece],
    lines: Mapping[Size, Line],
    homes: Mapping[str, tuple[str, str]],
    notes: list[str],
) -> str:
    known = sy.constant(size)
    if known is not None:
        return f"size: {known}"
    fixed = {name: only for name, piece in chosen.items() if (only := piece.only) is not None}
    if sy.free(size) <= set(fixed):
        return f"size: {sy.evaluate(size, fixed)}"
    line = lines.get(size)
    if line is None:
        notes.append(
            f"an output size is {sy.text(size)}, which depends on several axes: replace it by the size for your input"
        )
        return "size: 1"
    if line.scale is None:
        return f"size: {line.offset}"
    (name,) = sy.free(size)
    tensor, axis = homes[name]
    keys = f"size: {{tensor_id: {identifier(tensor)}, axis_id: {axis}, offset: {line.offset}}}"
    keys += "" if line.scale == 1 else f", scale: {_number(line.scale)}"
    return keys + (f", halo: {line.halo}" if line.halo else "")


def _number(value: Fraction) -> str:
    return str(value) if value.denominator == 1 else repr(float(value))


def _homes(plan: Plan) -> dict[str, tuple[str, str]]:
    """Return the input and axis in which each name occurs first."""
    found: dict[str, tuple[str, str]] = {}
    for tensor, shape in plan.input_shapes.items():
        for axis, size in zip(SPACE.get(rank(shape), ()), shape[2:], strict=True):
            if sy.constant(size) is None:
                found.setdefault(sy.text(size), (tensor, axis))
    return found


def _progression(plan: Plan, name: str, accepted: SizeSet, piece: Piece) -> tuple[Piece, dict[Size, Line]] | None:
    """Return a progression of sizes along which every output size in this name is linear with a whole offset.

    Among the suitable remainders, one that drops no border pixels is preferred, then the one with the smallest size.
    """
    if piece.last is not None:
        return Piece(1, piece.first, piece.first), {}
    ends = [plan.by_name[node] for node in plan.outputs.values()]
    every = [(size, axis, end) for end in ends for axis, size in enumerate(end.output_shape[2:])]
    sizes = [(size, axis, end) for size, axis, end in every if sy.free(size) == {name}]
    step = reduce(lcm, (sy.period(size) for size, _, _ in sizes), piece.step)
    lossless = plan.lossless[name]
    best: tuple[tuple[bool, int], Piece, dict[Size, Line]] | None = None
    for shift in range(min(step, MOST_RESIDUES)):
        start = piece.first + shift
        if start not in accepted:
            continue
        found = _lines(sizes, name, start, step)
        if found is None or any(start + k * step not in accepted for k in range(LINED)):
            continue
        merit = (start + LINED * step not in lossless, start)
        if best is None or merit < best[0]:
            best = (merit, Piece(step, start), found)
    return None if best is None else _with_halos(plan, sizes, best[1], best[2], name)


def _lines(sizes: list[tuple[Size, int, PlannedNode]], name: str, start: int, step: int) -> dict[Size, Line] | None:
    """Return the lines of output sizes from a size on; None if one is not linear with a whole offset."""
    found: dict[Size, Line] = {}
    for size, _, _ in sizes:
        values = [sy.evaluate(size, {name: start + k * step}) for k in range(LINED)]
        rise = values[1] - values[0]
        if any(values[k] != values[0] + k * rise for k in range(LINED)):
            return None
        if rise == 0:
            found[size] = Line(None, values[0], 0)
            continue
        scale = Fraction(step, rise)
        offset = values[0] - start / scale
        if offset.denominator != 1:
            return None
        found[size] = Line(scale, int(offset), 0)
    return found


def _with_halos(
    plan: Plan, sizes: list[tuple[Size, int, PlannedNode]], piece: Piece, lines: dict[Size, Line], name: str
) -> tuple[Piece, dict[Size, Line]] | None:
    """Return the lines with their halos, and the smallest size of the progression larger than all halos.

    A halo is final if it is the same at two consecutive sizes and the middle of the feature map sees no padding.
    """
    if not sizes:
        return piece, lines
    before: dict[Size, int] = {}
    for turn in range(MOST_TURNS):
        first = piece.first + turn * piece.step
        values = example(plan, {name: first})
        if values is None:
            return None
        bound = plan.bind(dtype="float32", **values)
        found: dict[Size, int] = {}
        for size, axis, node in sizes:
            found[size] = max(found.get(size, 0), *halos(bound, node.name, axis))
        settled = {size: Line(line.scale, line.offset, found[size]) for size, line in lines.items()}
        if found == before and _roomy(sizes, settled, name, first):
            earlier = first - piece.step
            return Piece(piece.step, earlier if _roomy(sizes, settled, name, earlier) else first), settled
        before = found
    return None


def _roomy(sizes: list[tuple[Size, int, PlannedNode]], lines: Mapping[Size, Line], name: str, first: int) -> bool:
    """Return whether every output is larger than its halos at both ends."""
    return all(
        lines[size].scale is None or sy.evaluate(size, {name: first}) > 2 * lines[size].halo for size, _, _ in sizes
    )
