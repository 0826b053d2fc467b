"""Elementwise arithmetic of several tensors, and how a smaller one is broadcast.

One rule holds for all layers: the tensors have the same number of axes and the same batch. Along every other axis they
have the same size or 1, and a tensor with size 1 is repeated there. The plan decides whether a size *is* 1: a free size
that happens to be 1 is never repeated, so that a network means the same at every image size. The rule is PyTorch's
broadcasting without two of its features: PyTorch also prepends missing axes and repeats batches.
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
    """Base of sums, products, differences and maxima.

    `pieces` is the number of workspace pieces (a few channels each) of the backward pass, not counting the pieces for
    summing the gradients of repeated inputs.
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
        """Return the elements of the pieces, with two more pieces if an input is repeated."""
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
    """The first tensor minus all the others.

    References
    ----------
    torch.sub documentation.

    Examples
    --------
    >>> Subtract().output_shape(((1, 64, 56, 56), (1, 64, 1, 1)))
    (1, 64, 56, 56)
    """

    kind: ClassVar[str] = "subtract"
    summary: ClassVar[str] = "the first tensor minus all others"
    aliases: ClassVar[tuple[str, ...]] = ("sub", "minus", "difference")


@dataclass(frozen=True)
class Multiply(Arithmetic):
    """Product of tensors, such as a feature map and one factor per channel, (N, C, 1, 1).

    References
    ----------
    Hu et al., *Squeeze-and-Excitation Networks*, arXiv:1709.01507, equation 4; torch.mul documentation.

    Examples
    --------
    >>> Multiply().output_shape(((1, 64, 56, 56), (1, 64, 1, 1)))
    (1, 64, 56, 56)
    """

    kind: ClassVar[str] = "multiply"
    summary: ClassVar[str] = "product of tensors, such as a feature map and one factor per channel"
    aliases: ClassVar[tuple[str, ...]] = ("mul", "times", "scale", "gate", "product")
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})


@dataclass(frozen=True)
class Maximum(Arithmetic):
    """Elementwise maximum of several tensors; equal elements share the gradient.

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
    summary: ClassVar[str] = "elementwise maximum of several tensors"
    aliases: ClassVar[tuple[str, ...]] = ("max", "maxout", "greatest")
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input", "output"})
    pieces: ClassVar[int] = 2
