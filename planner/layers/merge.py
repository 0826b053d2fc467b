"""Layers that join several tensors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import planner.symbols as sy
from planner.conditions import Equal, Requirement
from planner.layers.axes import axis, needs_axis, position, word
from planner.layers.base import Category, Layer, setting, settle
from planner.symbols import Shape


@dataclass(frozen=True)
class Merge(Layer):
    """What joins of two or more tensors share."""

    category: ClassVar[Category] = "merge"
    inputs_at_least: ClassVar[int] = 2
    inputs_at_most: ClassVar[int | None] = None

    def same_axes(self, inputs: tuple[Shape, ...], place: int) -> Requirement:
        """Return the requirement (S202) that an input has as many axes as the first."""
        say = partial(difference, inputs, 0, place)
        return Requirement("S202", Equal(len(inputs[0]), len(inputs[place])), say, partial(say, short=True), "from")


def difference(
    inputs: tuple[Shape, ...], left: int, right: int, axis: int | None = None, *, short: bool = False
) -> str:
    """Return in words how one input differs from another, along one axis or in their number.

    Examples
    --------
    >>> difference(((8, 4, 5, 5), (8, 3, 5, 5)), 0, 1, 1, short=True)
    'channels 4 and 3'
    """
    one, other = inputs[left], inputs[right]
    if axis is None:
        what = f"{len(one)} and {len(other)} axes"
    else:
        what = f"{word(len(one), axis)} {sy.text(one[axis])} and {sy.text(other[axis])}"
    if short:
        return what
    return f"input {left + 1} is {sy.shape_text(one)} but input {right + 1} is {sy.shape_text(other)}: {what} differ"


@dataclass(frozen=True)
class Concat(Merge):
    """Tensors one behind the other along an axis, the channels unless told; they agree along all others.

    References
    ----------
    Szegedy et al., arXiv:1409.4842, section 4; torch.cat documentation.

    Examples
    --------
    >>> Concat().output_shape(((1, 64, 28, 28), (1, 128, 28, 28)))
    (1, 192, 28, 28)
    >>> Concat(axis=-1).output_shape(((1, 64, 28, 28), (1, 64, 28, 4)))
    (1, 64, 28, 32)
    """

    axis: int = setting("1 the channels, 2 and on the map, negative from the end", 1)

    kind: ClassVar[str] = "concat"
    summary: ClassVar[str] = "tensors one behind the other along an axis"

    def __post_init__(self) -> None:
        settle(self, axis=axis("axis", self.axis))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield needs_axis(self.axis, inputs[0])
        along = position(self.axis, len(inputs[0]))
        for place, other in enumerate(inputs[1:], start=1):
            yield self.same_axes(inputs, place)
            for at, (left, right) in enumerate(zip(inputs[0], other, strict=False)):
                if at != along:
                    say = partial(difference, inputs, 0, place, at)
                    yield Requirement("S202", Equal(left, right), say, partial(say, short=True), "from")

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        first, along = inputs[0], position(self.axis, len(inputs[0]))
        return (*first[:along], sy.total(shape[along] for shape in inputs), *first[along + 1 :])

    def in_blocks(self, output: Shape) -> bool:
        """Tell whether each input is one stretch of the output's memory, where the batch is last."""
        return position(self.axis, len(output)) == 1
