"""Max, average, sum and Lp pooling."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import planner.symbols as sy
from planner.conditions import AtLeast, Requirement
from planner.layers.base import Category, Keep
from planner.layers.settings import choice, count, flag, number, setting, settle
from planner.layers.spatial import Padding, PerAxis, along, by, lifted, per_axis, rank, read_padding, sides
from planner.layers.tiling.workspace import Tiles, mask_elements
from planner.layers.window import Window, WindowLayer
from planner.symbols import Shape, Size

LARGEST_GAP = 256
"""Largest dilation for which small input sizes are tried one by one."""


@dataclass(frozen=True)
class Pool(WindowLayer):
    """Base of the poolings with a window; `stride` defaults to the window's size."""

    size: Any = setting("size of the window: one number or one for each axis ([height, width])")
    stride: Any = setting(
        "step of the window: one number or one for each axis; default: its size", None, unset="the size"
    )
    pad: Any = setting("padding around the map: a number, [h, w], [top, bottom, left, right] or same", 0, least=0)
    rounding: str = setting(
        "floor, ceil (the last window may overhang the end) or exact (an overhang is an error)",
        "floor",
        choices=("floor", "ceil", "exact"),
    )

    category: ClassVar[Category] = "pool"
    geometry: ClassVar[tuple[str, str]] = ("size", "pad")
    by_channel: ClassVar[bool] = True

    def __post_init__(self) -> None:
        size = per_axis("size", self.size)
        settle(
            self,
            size=size,
            stride=size if self.stride is None else per_axis("stride", self.stride),
            pad=read_padding("pad", self.pad),
            rounding=choice(self, "rounding"),
        )

    def window_size(self) -> PerAxis:
        return tuple(self.size)

    def window_settings(self) -> tuple[PerAxis, Padding, PerAxis, str]:
        return self.stride, self.pad, (1,), self.rounding

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield from self._covered(inputs[0])
        yield from super().requires(inputs)

    def _covered(self, shape: Shape) -> Iterable[Requirement]:
        """Yield the requirements (S206) that no side is padded by more than half a window."""
        if isinstance(self.pad, str):
            return
        axes = max(rank(shape), 1)
        for window, both in zip(along(self.size, axes), sides(self.pad, axes), strict=True):
            for padding in both:
                yield Requirement(
                    "S206",
                    AtLeast(sy.difference(window, 2 * padding), 0),
                    partial(_too_padded, window, padding),
                    partial(_too_padded, window, padding, short=True),
                    "pad",
                )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        return (shape[0], shape[1], *self.map_size(shape))

    def settings(self) -> dict[str, Any]:
        found = super().settings()
        if self.stride == self.size:
            found.pop("stride", None)
        return found


@dataclass(frozen=True)
class MaxPool(Pool):
    """Largest value of each window; padding is never the largest.

    References
    ----------
    torch.nn.MaxPool1d, MaxPool2d and MaxPool3d documentation.

    Examples
    --------
    >>> MaxPool(size=2).output_shape(((1, 6, 28, 28),))
    (1, 6, 14, 14)
    """

    dilation: Any = setting("distance between the window's taps: one number or one for each axis", 1)

    kind: ClassVar[str] = "maxpool"
    summary: ClassVar[str] = "largest value of each window"
    aliases: ClassVar[tuple[str, ...]] = ("maxpool2d", "maxpooling", "maxpooling2d", "pool")
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input", "output"})

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, dilation=per_axis("dilation", self.dilation))

    def window_settings(self) -> tuple[PerAxis, Padding, PerAxis, str]:
        return self.stride, self.pad, self.dilation, self.rounding

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        """Yield the requirements of a window, and that every window has a tap inside a small input."""
        yield from super().requires(inputs)
        (shape,) = inputs
        for axis, (size, dilation) in enumerate(zip(shape[2:], along(self.dilation, rank(shape)), strict=True)):
            if sy.constant(dilation) != 1:
                least = self._least_seen(axis, rank(shape))
                yield Requirement(
                    "S206",
                    AtLeast(sy.difference(size, least), 0),
                    partial(_blind, dilation, shape),
                    setting="dilation",
                )

    def _least_seen(self, axis: int, axes: int) -> Size:
        """Return the smallest size at which every window sees a position of the input.

        With padding a before, the first window's taps are at -a, d - a, 2d - a, ... The first tap inside an input is
        at (-a) mod d, and later windows see more. The padding of `same` depends on the size, so that sizes are
        tried; for large gaps the result is d itself, at which every window sees a position.
        """
        dilation = along(self.dilation, axes)[axis]
        if not isinstance(self.pad, str):
            before, _ = sides(self.pad, axes)[axis]
            return sy.total([-before, -sy.floor_div(-before, dilation) * dilation, 1])
        gap, *others = map(sy.constant, (dilation, along(self.size, axes)[axis], along(self.stride, axes)[axis]))
        if gap is None or gap > LARGEST_GAP or None in others:
            return dilation
        for size in range(gap - 1, 0, -1):
            window = self.windows((1, 1, *(size,) * axes))[axis]
            starts = (p * window.stride - window.before for p in range(sy.constant(window.positions(size)) or 0))
            if any(not _sees(start, window, size) for start in starts):
                return size + 1
        return 1

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the elements of two tiles of the output and their byte masks."""
        tile = tile_elements(output)
        return 2 * tile + mask_elements(tile)


@dataclass(frozen=True)
class AvgPool(Pool):
    """Mean of each window.

    With `count_include_pad` the divisor counts padding, but not the positions beyond it that a window overhangs in
    ceil mode; without it, the divisor counts only positions of the input.

    References
    ----------
    torch.nn.AvgPool1d, AvgPool2d and AvgPool3d documentation.

    Examples
    --------
    >>> AvgPool(size=3, stride=2, rounding="ceil").output_shape(((1, 6, 6, 6),))
    (1, 6, 3, 3)
    """

    count_include_pad: bool = setting("count padding in the mean", True)
    divisor: Size | None = setting(
        "divisor of every sum; default: the positions that count", None, unset="the positions that count"
    )

    kind: ClassVar[str] = "avgpool"
    summary: ClassVar[str] = "mean of each window"
    aliases: ClassVar[tuple[str, ...]] = (
        "avgpool2d",
        "averagepool",
        "averagepooling",
        "averagepooling2d",
        "avgpooling",
        "meanpool",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(
            self,
            count_include_pad=flag("count_include_pad", self.count_include_pad),
            divisor=None if self.divisor is None else count("divisor", self.divisor),
        )

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the elements of one tile of the output: its gradient divided."""
        return tile_elements(output)


@dataclass(frozen=True)
class SumPool(Pool):
    """Sum of each window.

    Examples
    --------
    >>> SumPool(size=2).output_shape(((1, 1, 4, 4),))
    (1, 1, 2, 2)
    """

    kind: ClassVar[str] = "sumpool"
    summary: ClassVar[str] = "sum of each window"
    aliases: ClassVar[tuple[str, ...]] = ("sumpool2d", "sumpooling")


@dataclass(frozen=True)
class LpPool(Pool):
    """Lp norm of each window, ``(sum of |x|^p)^(1/p)``; the gradient of a sum of 0 is 0.

    In ceil mode the sum of a window that overhangs the padding is scaled up to the full window, as in PyTorch.
    For odd p PyTorch keeps the signs in the sum; here the result is a norm for every p.

    References
    ----------
    torch.nn.LPPool1d, LPPool2d and LPPool3d documentation, where p is `norm_type`.

    Examples
    --------
    >>> LpPool(size=2, p=2).output_shape(((1, 6, 28, 28),))
    (1, 6, 14, 14)
    """

    p: float = setting("exponent, at least 1", 2.0)

    kind: ClassVar[str] = "lppool"
    summary: ClassVar[str] = "Lp norm of each window"
    aliases: ClassVar[tuple[str, ...]] = ("lppool2d", "lpnormpool", "l2pool")
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input", "output"})

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, p=number("p", self.p, 1.0, 100.0))

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of one tile of the output for powers."""
        return tile_elements(output)

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the elements of three tiles of the output and their byte masks."""
        tile = tile_elements(output)
        return 3 * tile + mask_elements(tile)


def tile_elements(output: Shape) -> int:
    """Return the elements of a tile of a pooling's output.

    Examples
    --------
    >>> tile_elements((8, 6, 14, 14)), tile_elements((32, 64, 56, 56))
    (9408, 65536)
    """
    batch, channels, *sizes = output
    slabs, rows, columns = lifted(sizes, 1)
    return Tiles(channels, slabs, rows, columns * batch).elements


def _too_padded(window: Size, padding: Size, *, short: bool = False) -> str:
    if short:
        return f"at most {sy.text(sy.floor_div(window, 2))}"
    return (
        f"padding {sy.text(padding)} is more than half of its window of {sy.text(window)}; pooling pads by at "
        "most half a window, so that every window sees its input"
    )


def _sees(start: Size, window: Window, size: int) -> bool:
    return any(0 <= start + tap * window.dilation < size for tap in range(int(window.kernel)))


def _blind(dilation: Size, shape: Shape) -> str:
    return f"with taps {sy.text(dilation)} apart, a window sees nothing but padding on its {by(shape[2:])} input"
