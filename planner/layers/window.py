"""The window rule, and the base of layers that slide a window over a map.

Convolution (:mod:`planner.layers.conv`) and pooling (:mod:`planner.layers.pool`) count positions only with the
rule in :class:`Window`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import ClassVar

import planner.symbols as sy
from planner.conditions import AtLeast, Divides, Requirement
from planner.layers.axes import needs_map
from planner.layers.base import AxisField, Layer
from planner.layers.spatial import Padding, PerAxis, along, by, fits, names, rank, sides
from planner.symbols import Shape, Size


@dataclass(frozen=True, slots=True)
class Window:
    """The window rule along one axis; positions are counted only here.

    Attributes
    ----------
    kernel, stride, before, after, dilation : Size
        In positions of the input.
    rounding : str
        ``floor`` (only windows that fit), ``ceil`` (the last window may overhang the end) or
        ``exact`` (``floor`` without a remainder).

    References
    ----------
    Dumoulin, Visin, arXiv:1603.07285, relationship 6; torch.nn.Conv2d and torch.nn.MaxPool2d documentation.

    Examples
    --------
    >>> Window(kernel=3, stride=2).positions(7)
    3
    >>> sy.text(Window(5, 1).positions(sy.symbol("H")))
    'H - 4'
    """

    kernel: Size
    stride: Size = 1
    before: Size = 0
    after: Size = 0
    dilation: Size = 1
    rounding: str = "floor"

    @property
    def extent(self) -> Size:
        """Number of positions from the window's first tap to its last, ``d(k - 1) + 1``."""
        return self.dilation * (self.kernel - 1) + 1

    def travel(self, size: Size) -> Size:
        """Return how far the first window can move and still fit; negative if it does not fit.

        In ceil mode the window may overhang the end by less than a stride, but must begin inside the
        input or the padding before it.
        """
        if self.rounding != "ceil":
            return size + self.before + self.after - self.extent
        overhang = sy.minimum(self.after - self.extent + self.stride, 0)
        return size + self.before + overhang - 1

    def positions(self, size: Size) -> Size:
        """Return the number of window positions along an axis of that size.

        Floor: ``floor((n + a + b - e)/s) + 1``. Ceil mode is ``ceil((n + a + b - e)/s) + 1`` without a
        last window that would begin in the padding after the input; as one closed form that is
        ``ceil((n + a + min(b - e + s, 0))/s)``.
        """
        return sy.floor_div(self.travel(size), self.stride) + 1

    def unseen(self, size: Size) -> Size:
        """Return how many positions at the end of the input no window reaches; 0 or less means none."""
        if self.rounding == "floor" and self.stride == 1:
            return -self.after
        reach = (self.positions(size) - 1) * self.stride + self.extent - self.before
        return sy.difference(size, reach)

    def remainder(self, size: Size) -> Size:
        """Return how many positions the stride leaves over at the end, ``(n + a + b - e) mod s``."""
        travel = self.travel(size)
        return sy.difference(travel, sy.floor_div(travel, self.stride) * self.stride)


@dataclass(frozen=True)
class WindowLayer(Layer):
    """Base of convolution and pooling: a window over the axes of a map, without weights."""

    inputs_at_most: ClassVar[int | None] = 1
    geometry: ClassVar[tuple[str, str]]
    """Names of the settings for the window's size and padding."""

    def window_size(self) -> PerAxis:
        """Return the kernel's size."""
        raise NotImplementedError

    def window_settings(self) -> tuple[PerAxis, Padding, PerAxis, str]:
        """Return stride, padding, dilation and rounding."""
        raise NotImplementedError

    def windows(self, shape: Shape) -> tuple[Window, ...]:
        """Return the window along each axis for an input of that shape, padding resolved.

        ``same`` pads so that the output is ``ceil(n/s)``; an odd position goes to the end.
        """
        stride, pad, dilation, rounding = self.window_settings()
        axes = rank(shape)
        steps, gaps = along(stride, axes), along(dilation, axes)
        windows = []
        for axis, kernel in enumerate(along(self.window_size(), axes)):
            if isinstance(pad, str):
                before, after = _same_padding(shape[2 + axis], kernel, steps[axis], gaps[axis])
            else:
                before, after = sides(pad, axes)[axis]
            windows.append(Window(kernel, steps[axis], before, after, gaps[axis], rounding))
        return tuple(windows)

    def map_size(self, shape: Shape) -> tuple[Size, ...]:
        """Return the output's size along each axis."""
        stride, pad, *_ = self.window_settings()
        if isinstance(pad, str):
            return tuple(sy.ceil_div(n, s) for n, s in zip(shape[2:], along(stride, rank(shape)), strict=True))
        return tuple(window.positions(size) for window, size in zip(self.windows(shape), shape[2:], strict=True))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        (shape,) = inputs
        yield needs_map(shape)
        stride, pad, dilation, rounding = self.window_settings()
        yield from fits(self.geometry[0], self.window_size(), shape)
        yield from fits("stride", stride, shape)
        yield from fits("dilation", dilation, shape)
        yield from fits(self.geometry[1], pad, shape, both_sides=True)
        for name, window, size in zip(names(shape), self.windows(shape), shape[2:], strict=True):
            travel = window.travel(size)
            if not isinstance(pad, str):
                yield Requirement(
                    "S201",
                    AtLeast(travel, 0),
                    partial(self._misfit, shape),
                    partial(_positions_text, name, window, size),
                    self.geometry[0],
                )
            if rounding == "exact":
                yield Requirement(
                    "S208",
                    Divides(window.stride, travel),
                    partial(_inexact, name, window, size),
                    partial(_left_over, name, window, size),
                    "rounding",
                )

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        return tuple(AxisField(window.extent, window.stride, window.before) for window in self.windows(inputs[0]))

    def dropped(self, inputs: tuple[Shape, ...]) -> tuple[Size, ...] | None:
        """Return how many positions at the end of each axis are in no window.

        A window shorter than its stride, such as a 1x1 projection at stride 2, skips positions everywhere on
        purpose; for it no position counts as dropped.
        """
        _, pad, _, rounding = self.window_settings()
        (shape,) = inputs
        if rounding == "exact":
            return None
        # `same` pads if the last window would overhang, so that only gaps between windows can drop positions.
        windows = self.windows((1,) * len(shape) if isinstance(pad, str) else shape)
        lost = []
        for size, places, window in zip(shape[2:], self.map_size(shape), windows, strict=True):
            over = sy.difference(window.extent, window.stride)
            if isinstance(pad, str):
                unseen = sy.difference(size, (places - 1) * window.stride + window.extent)
            else:
                unseen = window.unseen(size)
            known = sy.constant(over)
            lost.append(sy.minimum(unseen, sy.total([over, 1])) if known is None else unseen if known >= 0 else 0)
        return tuple(lost)

    def _misfit(self, shape: Shape) -> str:
        window = by(each.extent for each in self.windows((1,) * len(shape)))
        _, pad, *_ = self.window_settings()
        padded = ""
        if not isinstance(pad, str) and any(sy.constant(side) != 0 for side in pad):
            around = [side for both in sides(pad, rank(shape)) for side in both]
            padded = " with padding " + "/".join(map(sy.text, around if len(set(around)) > 1 else around[:1]))
        return f"a {window} {self.geometry[0]} does not fit its {by(shape[2:])} input{padded}"


def _positions_text(name: str, window: Window, size: Size) -> str:
    return f"output {name} would be {fraction_text(window, size)} = {sy.text(window.positions(size))}"


def _inexact(name: str, window: Window, size: Size) -> str:
    rule = fraction_text(window, size, rounding="exact")
    travel, stride = sy.constant(window.travel(size)), sy.constant(window.stride)
    if travel is not None and stride is not None:
        rule += f" = {Fraction(travel, stride) + 1}"
    return f"`rounding: exact` needs windows that end at the border, but along the {name} {rule} is not a whole number"


def _left_over(name: str, window: Window, size: Size) -> str:
    return f"{sy.text(window.remainder(size))} left over along the {name}"


def fraction_text(window: Window, size: Size, rounding: str | None = None) -> str:
    """Return the window rule as text with this window's numbers.

    Examples
    --------
    >>> fraction_text(Window(5, 1), 4)
    'floor((4 - 5)/1) + 1'
    >>> fraction_text(Window(3, 2, before=1, after=1), sy.symbol("H"))
    'floor((H + 2 - 3)/2) + 1'
    """
    padding = sy.total([window.before, window.after])
    padded = "" if sy.constant(padding) == 0 else f" + {sy.text(padding)}"
    inside = f"({sy.text(size)}{padded} - {sy.text(window.extent)})/{sy.text(window.stride)}"
    mode = rounding or window.rounding
    return f"{inside} + 1" if mode == "exact" else f"{mode}({inside}) + 1"


def _same_padding(size: Size, kernel: Size, stride: Size, dilation: Size) -> tuple[Size, Size]:
    """Return the padding before and after that makes ceil(n/s) windows fit; an odd position goes after."""
    extent = dilation * (kernel - 1) + 1
    needed = sy.maximum(sy.difference((sy.ceil_div(size, stride) - 1) * stride + extent, size), 0)
    before = sy.floor_div(needed, 2)
    return before, sy.difference(needed, before)
