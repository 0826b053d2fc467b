"""Pooling to a feature map of a given size, for inputs of any size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd, prod
from typing import Any, ClassVar

import planner.symbols as sy
from planner.conditions import Requirement
from planner.layers.axes import needs_map
from planner.layers.base import AxisField, Category, Keep, Layer
from planner.layers.settings import setting, settle
from planner.layers.spatial import along, between, fits, per_axis, rank
from planner.layers.tiling.workspace import mask_elements
from planner.symbols import Shape, Size


def share(position: int, size: int, count: int) -> tuple[int, int]:
    """Return the half-open window of one of `count` positions on an axis of `size`.

    Neighbouring windows overlap if `size` is not a multiple of `count`. They repeat positions if `count` is larger
    than `size`.

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
    """Base of the adaptive poolings: (N, C, H, W) -> (N, C, *size), from equal shares of an input of any size."""

    size: Any = setting("size of the output: one number or one for each axis ([height, width])")

    category: ClassVar[Category] = "pool"
    by_channel: ClassVar[bool] = True

    def __post_init__(self) -> None:
        settle(self, size=per_axis("size", self.size))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield needs_map(inputs[0])
        yield from fits("size", self.size, inputs[0])

    def shares(self, shape: Shape) -> tuple[Size, ...]:
        """Return the output's size along each axis."""
        return along(self.size, rank(shape))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (*inputs[0][:2], *self.shares(inputs[0]))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        return tuple(_field(*both) for both in zip(inputs[0][2:], self.shares(inputs[0]), strict=True))


def _field(size: Size, count: Size) -> AxisField:
    """Return how the shares of an axis see it; the extent is the largest one, and None for unknown sizes."""
    if sy.constant(count) == 1:
        return AxisField(None)
    n, o = sy.constant(size), sy.constant(count)
    if n is None or o is None:
        return AxisField(None, size, repeat=count, relative=True)
    whole, rest = divmod(n, o)
    if not rest:
        return AxisField(whole, whole, relative=True)
    # a window begins up to 1 - gcd/o before its share
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
    aliases: ClassVar[tuple[str, ...]] = ("adaptiveavgpool", "adaptiveavgpool2d", "adaptivepool")

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of the intermediate maps between input and output."""
        return sum(map(prod, between(inputs[0], output)))

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the elements of the intermediate maps and of the output's scaled gradient."""
        return sum(map(prod, between(inputs[0], output))) + prod(map(int, output))


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
    aliases: ClassVar[tuple[str, ...]] = ("adaptivemaxpool", "adaptivemaxpool2d")
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input", "output"})

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of the intermediate maxima between input and output."""
        return sum(map(prod, between(inputs[0], output)))

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the elements of the intermediate maxima, their gradients, and two faces of a map with byte masks."""
        maps = between(inputs[0], output)
        maxima: int = sum(map(prod, maps))
        axes = reversed(range(2, len(output)))
        face: int = max(prod(shape) // shape[axis] for axis, shape in zip(axes, (*maps, output), strict=True))
        return 2 * maxima + 2 * face + mask_elements(face)
