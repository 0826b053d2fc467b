"""Receptive fields: which input rows and columns a position of a map sees.

Along each axis three numbers: `size`, how many input positions one output position sees; `jump`, how far
apart neighbouring output positions look; `start`, the first input position that the first output
position sees, negative where that is padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import planner.symbols as sy
from planner.layers.base import Layer
from planner.symbols import Shape, Size


@dataclass(frozen=True)
class ReceptiveField:
    """Size, jump and start along H and W.

    References
    ----------
    Araujo, Norris, Sim, *Computing Receptive Fields of Convolutional Neural Networks*, Distill 2019.
    """

    size: tuple[Size, Size]
    jump: tuple[Size, Size]
    start: tuple[Size, Size]


SELF = ReceptiveField((1, 1), (1, 1), (0, 0))
"""Of an input: every position sees itself."""


def through(
    layer: Layer, shapes: tuple[Shape, ...], output: Shape, before: Sequence[ReceptiveField | None]
) -> ReceptiveField | None:
    """Return the receptive field behind a layer, given those of what it reads.

    With s, j and t of the input, a window of extent e, stride d and padding p gives size ``s + (e-1)*j``,
    jump ``j*d``, start ``t - p*j``. Branches that meet see all that any of them sees.

    Examples
    --------
    >>> from planner.layers import Conv
    >>> through(Conv(filters=1, kernel=7, stride=2, pad=3), ((1, 3, 224, 224),), (1, 1, 112, 112), [SELF]).start
    (-3, -3)
    """
    if not shapes:
        return SELF if len(output) == 4 else None
    known = [field for field in before if field is not None]
    if not known:
        return None
    joined = known[0] if len(known) == 1 else _union(known)
    view = layer.fields_of_view(shapes)
    if view is None:
        return joined
    axes = []
    for axis, seen in enumerate(view):
        extent = shapes[0][2 + axis] if seen.extent is None else seen.extent
        size, jump, start = joined.size[axis], joined.jump[axis], joined.start[axis]
        axes.append(
            (
                sy.total([size, (extent - 1) * jump]),
                sy.total([jump * seen.stride]),
                sy.difference(start, seen.before * jump),
            )
        )
    (s0, j0, t0), (s1, j1, t1) = axes
    return ReceptiveField((s0, s1), (j0, j1), (t0, t1))


def _union(fields: Sequence[ReceptiveField]) -> ReceptiveField:
    axes = []
    for axis in (0, 1):
        start, end, jump = fields[0].start[axis], fields[0].start[axis] + fields[0].size[axis], fields[0].jump[axis]
        for other in fields[1:]:
            start = sy.minimum(start, other.start[axis])
            end = sy.maximum(end, other.start[axis] + other.size[axis])
            jump = sy.maximum(jump, other.jump[axis])
        axes.append((sy.difference(end, start), jump, start))
    (s0, j0, t0), (s1, j1, t1) = axes
    return ReceptiveField((s0, s1), (j0, j1), (t0, t1))
