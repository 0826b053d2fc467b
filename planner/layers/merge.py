"""Layers that join several tensors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import planner.symbols as sy
from planner.conditions import Equal, Requirement
from planner.layers.axes import axis, difference, needs_axis, position, same_axes
from planner.layers.base import AxisField, Category, Layer
from planner.layers.settings import setting, settle
from planner.symbols import Shape


@dataclass(frozen=True)
class Merge(Layer):
    """Base of layers that join two or more tensors."""

    category: ClassVar[Category] = "merge"
    inputs_at_least: ClassVar[int] = 2
    inputs_at_most: ClassVar[int | None] = None


@dataclass(frozen=True)
class Concat(Merge):
    """Concatenation of tensors along an axis (default: the channels); the sizes along all other axes are equal.

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

    axis: int = setting("1: channels, 2 and up: axes of the map, negative: counted from the end", 1)

    kind: ClassVar[str] = "concat"
    summary: ClassVar[str] = "concatenation of tensors along an axis"
    aliases: ClassVar[tuple[str, ...]] = ("concatenate", "cat", "join")

    def __post_init__(self) -> None:
        settle(self, axis=axis("axis", self.axis))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield needs_axis(self.axis, inputs[0])
        along = position(self.axis, len(inputs[0]))
        for place, other in enumerate(inputs[1:], start=1):
            yield same_axes(inputs, place)
            for at, (left, right) in enumerate(zip(inputs[0], other, strict=False)):
                if at != along:
                    say = partial(difference, inputs, 0, place, at)
                    yield Requirement("S202", Equal(left, right), say, partial(say, short=True), "from")

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        first, along = inputs[0], position(self.axis, len(inputs[0]))
        return (*first[:along], sy.total(shape[along] for shape in inputs), *first[along + 1 :])

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        """Return None for channels; an axis of the map along which inputs are concatenated has no single window."""
        place = position(self.axis, len(inputs[0])) - 2
        if place < 0:
            return None
        joined = AxisField(None, relative=True)
        return tuple(joined if axis == place else AxisField(1) for axis in range(len(inputs[0]) - 2))

    def in_blocks(self, output: Shape) -> bool:
        """Return whether each input is one contiguous part of the output's memory, with the batch last."""
        return position(self.axis, len(output)) == 1
