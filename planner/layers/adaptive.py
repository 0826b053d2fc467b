"""Pooling to a map of a size that is given, whatever the size of the input."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd
from typing import Any, ClassVar

import planner.symbols as sy
from planner.conditions import Requirement
from planner.layers.base import AxisField, Category, Keep, Layer, needs_rank, pair, setting, settle
from planner.layers.scratch import mask_elements
from planner.symbols import Shape, Size


def share(position: int, size: int, count: int) -> tuple[int, int]:
    """Return the half-open window of one of `count` positions on an axis of `size`.

    Neighbours overlap where the size is no multiple, and repeat positions where there are more of them than
    the axis has.

    References
    ----------
    torch.nn.AdaptiveAvgPool2d: ``floor(p*n/o)`` up to ``ceil((p + 1)*n/o)``.

    Examples
    --------
    >>> [share(position, 7, 3) for position in range(3)]
    [(0, 3), (2, 5), (4, 7)]
    >>> [share(position, 2, 3) for position in range(3)]
    [(0, 1), (0, 2), (1, 2)]
    """
    return position * size // count, -(-(position + 1) * size // count)


@dataclass(frozen=True)
class AdaptivePool(Layer):
    """What both share: (N, C, H, W) -> (N, C, *size), from equal shares of the map; every input is large enough."""

    size: Any = setting("height and width of the output: one number or [height, width]")

    category: ClassVar[Category] = "pool"

    def __post_init__(self) -> None:
        settle(self, size=pair("size", self.size))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield needs_rank(inputs[0], 4, "put this layer before `flatten`")

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (*inputs[0][:2], *self.size)

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, AxisField] | None:
        high, wide = (_field(size, count) for size, count in zip(inputs[0][2:], self.size, strict=True))
        return high, wide


def _field(size: Size, count: Size) -> AxisField:
    """Return how shares of an axis see it; their extent is the largest, known where the sizes are."""
    if sy.constant(count) == 1:
        return AxisField(None)
    n, o = sy.constant(size), sy.constant(count)
    if n is None or o is None:
        return AxisField(None, size, repeat=count, relative=True)
    whole, rest = divmod(n, o)
    if not rest:
        return AxisField(whole, whole, relative=True)
    # the first position of a window is ahead of its share by up to 1 - gcd/o
    common = gcd(n, o)
    return AxisField(whole + (1 if rest == common else 2), n // common, repeat=o // common, relative=True)


@dataclass(frozen=True)
class AdaptiveAvgPool(AdaptivePool):
    """Mean of equal shares of each channel's map.

    Output p along an axis of n is the mean of positions ``floor(p*n/o)`` up to ``ceil((p + 1)*n/o)``.

    References
    ----------
    torch.nn.AdaptiveAvgPool2d documentation.

    Examples
    --------
    >>> AdaptiveAvgPool(size=7).output_shape(((1, 512, 13, 5),))
    (1, 512, 7, 7)
    """

    kind: ClassVar[str] = "adaptive_avgpool"
    summary: ClassVar[str] = "mean of equal shares of the map: an output of a given size from any input"

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return one number for each row of the input and column of the output, and the output's scaled gradient."""
        return int(sy.product((*inputs[0][:3], output[3]))) + (int(sy.product(output)) if training else 0)


@dataclass(frozen=True)
class AdaptiveMaxPool(AdaptivePool):
    """Largest value of equal shares of each channel's map; the shares are those of :class:`AdaptiveAvgPool`.

    References
    ----------
    torch.nn.AdaptiveMaxPool2d documentation.

    Examples
    --------
    >>> AdaptiveMaxPool(size=(2, 3)).output_shape(((1, 512, 13, 5),))
    (1, 512, 2, 3)
    """

    kind: ClassVar[str] = "adaptive_maxpool"
    summary: ClassVar[str] = "largest value of equal shares of the map: an output of a given size from any input"
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input", "output"})

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the maxima of each row; while training their gradients, and two lines with their marks."""
        batch, channels, high, _ = inputs[0]
        rows = int(batch * channels * high * output[3])
        if not training:
            return rows
        line = int(batch * channels) * max(int(high), int(output[3]))
        return 2 * rows + 2 * line + mask_elements(line)
