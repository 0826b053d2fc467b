"""Arithmetic of several tensors, number by number, and how a smaller one is repeated to fit.

One rule for all: the tensors have the same number of axes, the same batch, and along every other axis the same size or
1; one that is 1 there is repeated. Whether a size *is* 1 is told by the plan: a free size that happens to be 1 is never
repeated, so that a network does not change its meaning from one image size to the next. Otherwise this is PyTorch's
broadcasting, which also puts missing axes in front and repeats batches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import planner.symbols as sy
from planner.conditions import Equal, Requirement
from planner.layers.axes import difference, same_axes
from planner.layers.base import Keep
from planner.layers.merge import Merge
from planner.layers.tiling.workspace import norm_elements
from planner.symbols import Shape


@dataclass(frozen=True)
class Arithmetic(Merge):
    """What sums, products, differences and maxima share.

    `pieces` says in how many pieces of some channels the backward pass works, beside those for gradients that are
    summed where an input was repeated.
    """

    pieces: ClassVar[int] = 0
    by_channel: ClassVar[bool] = True
    mixes_positions: ClassVar[bool] = False

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        first = inputs[0]
        likes = [_whole(inputs, axis) for axis in range(len(first))]
        for place, other in enumerate(inputs[1:], start=1):
            yield same_axes(inputs, place)
            for axis in range(min(len(first), len(other))):
                like = likes[axis]
                if place != like and (axis == 0 or sy.constant(other[axis]) != 1):
                    say = partial(difference, inputs, like, place, axis)
                    yield Requirement(
                        "S202", Equal(inputs[like][axis], other[axis]), say, partial(say, short=True), "from"
                    )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return tuple(inputs[_whole(inputs, axis)][axis] for axis in range(len(inputs[0])))

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return its pieces, and two more where an input was repeated."""
        channels, count = int(output[1]), int(sy.product(output))
        repeated = any(shape != output for shape in inputs)
        return (self.pieces + (2 if repeated else 0)) * norm_elements(channels, count // channels)


def _whole(inputs: tuple[Shape, ...], axis: int) -> int:
    """Return the first input that is not repeated along an axis."""
    sizes = (shape[axis] if axis < len(shape) else 1 for shape in inputs)
    return next((place for place, size in enumerate(sizes) if axis == 0 or sy.constant(size) != 1), 0)


@dataclass(frozen=True)
class Add(Arithmetic):
    """Sum of tensors; `Add(x, x)` is ``2x``.

    References
    ----------
    He et al., arXiv:1512.03385, equation 1; torch.add documentation.

    Examples
    --------
    >>> Add().output_shape(((1, 64, 56, 56), (1, 64, 56, 56)))
    (1, 64, 56, 56)
    """

    kind: ClassVar[str] = "add"
    summary: ClassVar[str] = "sum of tensors"
    aliases: ClassVar[tuple[str, ...]] = ("sum", "plus", "residual", "skip")


@dataclass(frozen=True)
class Subtract(Arithmetic):
    """The first tensor less all the others.

    References
    ----------
    torch.sub documentation.

    Examples
    --------
    >>> Subtract().output_shape(((1, 64, 56, 56), (1, 64, 1, 1)))
    (1, 64, 56, 56)
    """

    kind: ClassVar[str] = "subtract"
    summary: ClassVar[str] = "the first tensor less all others"
    aliases: ClassVar[tuple[str, ...]] = ("sub", "minus", "difference")


@dataclass(frozen=True)
class Multiply(Arithmetic):
    """Product of tensors, such as a map and one number for each of its channels, (N, C, 1, 1).

    References
    ----------
    Hu et al., *Squeeze-and-Excitation Networks*, arXiv:1709.01507, equation 4; torch.mul documentation.

    Examples
    --------
    >>> Multiply().output_shape(((1, 64, 56, 56), (1, 64, 1, 1)))
    (1, 64, 56, 56)
    """

    kind: ClassVar[str] = "multiply"
    summary: ClassVar[str] = "product of tensors, such as a map and a number for each channel"
    aliases: ClassVar[tuple[str, ...]] = ("mul", "times", "scale", "gate", "product")
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})


@dataclass(frozen=True)
class Maximum(Arithmetic):
    """The largest number of several tensors, place by place; equal ones share the gradient.

    References
    ----------
    Goodfellow et al., *Maxout Networks*, arXiv:1302.4389, section 2; torch.maximum and, for several, torch.amax
    documentation.

    Examples
    --------
    >>> Maximum().output_shape(((1, 64, 56, 56), (1, 64, 56, 56)))
    (1, 64, 56, 56)
    """

    kind: ClassVar[str] = "maximum"
    summary: ClassVar[str] = "largest number of several tensors, place by place"
    aliases: ClassVar[tuple[str, ...]] = ("max", "maxout", "greatest")
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input", "output"})
    pieces: ClassVar[int] = 2
