"""Receptive fields: the input rows and columns that a position of a feature map sees.

There are three numbers along each axis: `size`, the number of input positions that one output position sees; `jump`,
the distance in the input between neighbouring output positions; `start`, the first input position that the first
output position sees, negative if that is padding.

Upsampling makes steps smaller than one input position. All numbers stay exact: a fraction is
a sympy rational, printed as ``1/2``. A window over such steps sees one position more or less, depending on
its position; its `size` is then the mean, and `start` is that of the first position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import planner.symbols as sy
from planner.conditions import AtLeast, bounds
from planner.domain.affine import solve_condition
from planner.domain.sizeset import SizeSet
from planner.layers.base import Layer
from planner.layers.spatial import along, is_map, rank
from planner.symbols import Shape, Size


@dataclass(frozen=True)
class ReceptiveField:
    """Size, jump and start along each axis of the input.

    References
    ----------
    Araujo, Norris, Sim, *Computing Receptive Fields of Convolutional Neural Networks*, Distill 2019.
    """

    size: tuple[Size, ...]
    jump: tuple[Size, ...]
    start: tuple[Size, ...]


def itself(axes: int) -> ReceptiveField:
    """Return the field of an input: every position sees itself.

    Examples
    --------
    >>> itself(2)
    ReceptiveField(size=(1, 1), jump=(1, 1), start=(0, 0))
    """
    return ReceptiveField((1,) * axes, (1,) * axes, (0,) * axes)


LARGEST_FORMULA = 80
"""Maximum number of parts of a symbolic receptive field; with bound sizes there is no limit."""


@dataclass(frozen=True)
class Seen:
    """One node of a plan, as input for computing receptive fields."""

    layer: Layer
    inputs: tuple[str, ...]
    shapes: tuple[Shape, ...]
    output: Shape


class ReceptiveFields:
    """Receptive fields of the nodes of a plan, computed on demand.

    Checking a network does not need them, and with `pad: same` and free sizes they can be long formulas.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, Seen] = {}
        self._found: dict[str, ReceptiveField | None] = {}

    def add(self, name: str, node: Seen) -> None:
        """Add a node; its inputs must have been added before."""
        self._nodes[name] = node

    def __getitem__(self, name: str) -> ReceptiveField | None:
        """Return the receptive field of a node; None if it has none, or if its formula is too long."""
        waiting = [name]
        while waiting:
            node = self._nodes[waiting[-1]]
            missing = [source for source in node.inputs if source not in self._found]
            if missing:
                waiting += missing
                continue
            before = [self._found[source] for source in node.inputs]
            self._found[waiting.pop()] = through(node.layer, node.shapes, node.output, before)
        return self._found[name]


def through(
    layer: Layer, shapes: tuple[Shape, ...], output: Shape, before: Sequence[ReceptiveField | None]
) -> ReceptiveField | None:
    """Return the receptive field after a layer, given the receptive fields of its inputs.

    With s, j and t of the input, a window of extent e, stride d and padding p gives size ``s + (e-1)*j``,
    jump ``j*d``, start ``t - p*j``; a layer that makes r positions of each step has jump ``j*d/r``. The field of merged
    branches is the union of their fields. Inputs of which only the shape is used do not count.

    Examples
    --------
    >>> from planner.layers import Conv
    >>> through(Conv(filters=1, kernel=7, stride=2, pad=3), ((1, 3, 224, 224),), (1, 1, 112, 112), [itself(2)]).start
    (-3, -3)
    """
    if not shapes:
        return itself(rank(output)) if is_map(output) else None
    read = [f for slot, f in enumerate(before) if slot not in layer.shape_only]
    known = [f for f in read if f is not None]
    if not known or (len(known) < len(read) and is_map(output)) or len({len(field.size) for field in known}) > 1:
        return None
    joined = known[0] if len(known) == 1 else _union(known)
    view = layer.fields_of_view(shapes)
    if view is None:
        return joined
    if any(seen.relative and seen.extent is None for seen in view):
        return None
    if not is_map(shapes[0]):
        view = along(view, len(joined.size))
    if len(view) != len(joined.size):
        # The axes are not those of the input any more. A position that already sees everything keeps its field.
        return None if any(joined.jump) else joined
    axes = []
    for axis, seen in enumerate(view):
        extent = shapes[0][2 + axis] if seen.extent is None else seen.extent
        size, jump, start = joined.size[axis], joined.jump[axis], joined.start[axis]
        axes.append(
            (
                sy.total([size, (extent - 1) * jump]),
                sy.quotient(jump * seen.stride, seen.repeat),
                sy.difference(start, seen.before * jump),
            )
        )
    if any(sy.weight(size) > LARGEST_FORMULA for axis in axes for size in axis):
        return None
    sizes, jumps, starts = zip(*axes, strict=True)
    return ReceptiveField(sizes, jumps, starts)


def _union(fields: Sequence[ReceptiveField]) -> ReceptiveField:
    axes = []
    for axis in range(len(fields[0].size)):
        start, end, jump = fields[0].start[axis], fields[0].start[axis] + fields[0].size[axis], fields[0].jump[axis]
        for other in fields[1:]:
            start = _smaller(start, other.start[axis])
            end = _larger(end, other.start[axis] + other.size[axis])
            jump = _larger(jump, other.jump[axis])
        axes.append((sy.difference(end, start), jump, start))
    sizes, jumps, starts = zip(*axes, strict=True)
    return ReceptiveField(sizes, jumps, starts)


def _smaller(left: Size, right: Size) -> Size:
    return left if _never_above(left, right) else right if _never_above(right, left) else sy.minimum(left, right)


def _larger(left: Size, right: Size) -> Size:
    return right if _never_above(left, right) else left if _never_above(right, left) else sy.maximum(left, right)


def _never_above(left: Size, right: Size) -> bool:
    """Return whether left <= right for all sizes, as far as that can be decided.

    The first row of a crop depends on the size, within limits that residues find.
    """
    gap = sy.difference(right, left)
    low, high = bounds(gap)
    if low is not None and low >= 0:
        return True
    names = sy.free(gap)
    if len(names) != 1 or (high is not None and high < 0):
        return False
    always = solve_condition(AtLeast(gap, 0), *names)
    return always is not None and always == SizeSet.everything()
