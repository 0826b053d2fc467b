"""Layers that join several tensors."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import planner.symbols as sy
from planner.conditions import Equal, Requirement
from planner.layers.base import Category, Keep, Layer
from planner.layers.scratch import norm_elements
from planner.symbols import Shape

AXES = ("batch", "channels", "height", "width")


@dataclass(frozen=True)
class Merge(Layer):
    """What joins of two or more tensors share."""

    category: ClassVar[Category] = "merge"
    inputs_at_least: ClassVar[int] = 2
    inputs_at_most: ClassVar[int | None] = None

    def _alike(self, inputs: tuple[Shape, ...], skip: Collection[int] = ()) -> Iterable[Requirement]:
        first = inputs[0]
        for position, other in enumerate(inputs[1:], start=2):
            differ = partial(_difference, position, first, other)
            yield Requirement("S202", Equal(len(first), len(other)), differ, partial(differ, short=True), "from")
            for axis, (left, right) in enumerate(zip(first, other, strict=False)):
                if axis not in skip:
                    at = partial(_difference, position, first, other, axis=axis)
                    yield Requirement("S202", Equal(left, right), at, partial(at, short=True), "from")

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]


def _difference(position: int, first: Shape, other: Shape, *, axis: int | None = None, short: bool = False) -> str:
    """Return in words how input `position` differs from the first, along one axis or in their number."""
    if axis is None:
        what = f"{len(first)} and {len(other)} axes"
    else:
        name = "features" if axis == 1 and len(first) == 2 else AXES[axis]
        what = f"{name} {sy.text(first[axis])} and {sy.text(other[axis])}"
    if short:
        return what
    return f"input 1 is {sy.shape_text(first)} but input {position} is {sy.shape_text(other)}: {what} differ"


@dataclass(frozen=True)
class Add(Merge):
    """Sum of tensors of one shape; `Add(x, x)` is ``2x``.

    References
    ----------
    He et al., arXiv:1512.03385, equation 1.

    Examples
    --------
    >>> Add().output_shape(((1, 64, 56, 56), (1, 64, 56, 56)))
    (1, 64, 56, 56)
    """

    kind: ClassVar[str] = "add"
    summary: ClassVar[str] = "sum of tensors of one shape"

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield from self._alike(inputs)


@dataclass(frozen=True)
class Multiply(Merge):
    """Product of two tensors of one shape, or of a map and one number for each of its channels, (N, C, 1, 1).

    Whether the second is such a gate is told by its 1s in the plan, not by a free size that may be 1.

    References
    ----------
    Hu et al., *Squeeze-and-Excitation Networks*, arXiv:1709.01507, equation 4.

    Examples
    --------
    >>> Multiply().output_shape(((1, 64, 56, 56), (1, 64, 1, 1)))
    (1, 64, 56, 56)
    """

    kind: ClassVar[str] = "multiply"
    summary: ClassVar[str] = "product of two tensors of one shape, or of a map and a number for each channel"
    inputs_at_most: ClassVar[int | None] = 2
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        gate = len(inputs[0]) == len(inputs[1]) == 4 and all(sy.constant(size) == 1 for size in inputs[1][2:])
        yield from self._alike(inputs, skip=(2, 3) if gate else ())

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return a piece of some channels and its rows while training with a gate."""
        if not training or inputs[0] == inputs[1]:
            return 0
        batch, channels, high, wide = map(int, output)
        elements = norm_elements(channels, high * wide * batch)
        return elements + elements // wide


@dataclass(frozen=True)
class Concat(Merge):
    """Tensors one behind the other along the channels (axis 1).

    References
    ----------
    Szegedy et al., arXiv:1409.4842, section 4.

    Examples
    --------
    >>> Concat().output_shape(((1, 64, 28, 28), (1, 128, 28, 28)))
    (1, 192, 28, 28)
    """

    kind: ClassVar[str] = "concat"
    summary: ClassVar[str] = "tensors one behind the other along the channels"

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield from self._alike(inputs, skip=(1,))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        first = inputs[0]
        return (first[0], sy.total(shape[1] for shape in inputs), *first[2:])
