"""Layers that slide a window over a map: convolution and max, average and sum pooling.

All of them count positions with the one rule in :class:`Window`. Batch-last kernels for them are in
``runtime/kernels/window.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any, ClassVar, TypeAlias

import planner.symbols as sy
from planner.conditions import AtLeast, Divides, Requirement
from planner.findings import SettingError
from planner.layers.base import (
    AxisField,
    Category,
    Keep,
    Layer,
    Parameter,
    choice,
    count,
    flag,
    needs_rank,
    pair,
    setting,
)
from planner.layers.scratch import ConvScratch, Tiles, mask_elements
from planner.symbols import Shape, Size

Padding: TypeAlias = str | tuple[Size, Size, Size, Size]
"""``same``, or positions added at the top, bottom, left and right."""


@dataclass(frozen=True, slots=True)
class Window:
    """The window rule along one axis: the only place where positions are counted.

    Attributes
    ----------
    kernel, stride, before, after, dilation : Size
        In positions of the input.
    rounding : str
        ``floor`` (positions that fit whole), ``ceil`` (a last window may overhang the end) or
        ``exact`` (``floor`` that must divide).

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
        """Positions from the first to the last the window touches, ``d(k - 1) + 1``."""
        return self.dilation * (self.kernel - 1) + 1

    def room(self, size: Size) -> Size:
        """Return how far the first window can move and still be a window; negative where it does not fit.

        In ceil mode the window may overhang the end by less than a stride, but must begin inside the
        input or the padding before it.
        """
        if self.rounding != "ceil":
            return size + self.before + self.after - self.extent
        overhang = sy.minimum(self.after - self.extent + self.stride, 0)
        return size + self.before + overhang - 1

    def positions(self, size: Size) -> Size:
        """Return the number of positions of the window along an axis of that size.

        Floor: ``floor((n + a + b - e)/s) + 1``. Ceil mode is ``ceil((n + a + b - e)/s) + 1`` without a
        last window that would begin in the padding after the input; as one closed form that is
        ``ceil((n + a + min(b - e + s, 0))/s)``.
        """
        return sy.floor_div(self.room(size), self.stride) + 1

    def unseen(self, size: Size) -> Size:
        """Return how many positions at the far end of the input no window reaches; 0 or less means none."""
        reach = (self.positions(size) - 1) * self.stride + self.extent - self.before
        return sy.difference(size, reach)

    def remainder(self, size: Size) -> Size:
        """Return what the stride leaves over after the last position, ``(n + a + b - e) mod s``."""
        room = self.room(size)
        return sy.difference(room, sy.floor_div(room, self.stride) * self.stride)


@dataclass(frozen=True)
class WindowLayer(Layer):
    """What convolution and pooling share: the window over H and W, before any weights."""

    inputs_at_most: ClassVar[int | None] = 1
    geometry: ClassVar[tuple[str, str]]
    """Names of the settings that hold the window's size and padding."""

    def window_size(self) -> tuple[Size, Size]:
        """Return the kernel's height and width."""
        raise NotImplementedError

    def window_settings(self) -> tuple[tuple[Size, Size], Padding, tuple[Size, Size], str]:
        """Return stride, padding, dilation and rounding."""
        raise NotImplementedError

    def windows(self, shape: Shape) -> tuple[Window, Window]:
        """Return the window along H and along W for an input of that shape, padding resolved.

        ``same`` pads so that the output is ``ceil(n/s)``, the odd position at the end.
        """
        stride, pad, dilation, rounding = self.window_settings()
        windows = []
        for axis, kernel in enumerate(self.window_size()):
            if isinstance(pad, str):
                before, after = _same_padding(shape[2 + axis], kernel, stride[axis], dilation[axis])
            else:
                before, after = pad[2 * axis], pad[2 * axis + 1]
            windows.append(Window(kernel, stride[axis], before, after, dilation[axis], rounding))
        return windows[0], windows[1]

    def map_size(self, shape: Shape) -> tuple[Size, Size]:
        """Return the output's height and width."""
        stride, pad, *_ = self.window_settings()
        if isinstance(pad, str):
            return sy.ceil_div(shape[2], stride[0]), sy.ceil_div(shape[3], stride[1])
        high, wide = self.windows(shape)
        return high.positions(shape[2]), wide.positions(shape[3])

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        (shape,) = inputs
        yield needs_rank(shape, 4, "put this layer before `flatten`")
        _, pad, _, rounding = self.window_settings()
        for name, window, size in zip(("height", "width"), self.windows(shape), shape[2:], strict=True):
            room = window.room(size)
            if not isinstance(pad, str):
                yield Requirement(
                    "S201",
                    AtLeast(room, 0),
                    partial(self._misfit, shape),
                    partial(_positions_text, name, window, size),
                    self.geometry[0],
                )
            if rounding == "exact":
                yield Requirement(
                    "S208",
                    Divides(window.stride, room),
                    partial(_inexact, name, window, size),
                    partial(_left_over, name, window, size),
                    "rounding",
                )

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, AxisField] | None:
        high, wide = self.windows(inputs[0])
        return (
            AxisField(high.extent, high.stride, high.before),
            AxisField(wide.extent, wide.stride, wide.before),
        )

    def dropped(self, inputs: tuple[Shape, ...]) -> tuple[Size, Size] | None:
        _, pad, _, rounding = self.window_settings()
        (shape,) = inputs
        if rounding != "floor" or (isinstance(pad, str) and None in map(sy.constant, shape[2:])):
            return None
        high, wide = self.windows(shape)
        return high.unseen(shape[2]), wide.unseen(shape[3])

    def _misfit(self, shape: Shape) -> str:
        high, wide = (window.extent for window in self.windows((1, 1, 1, 1)))
        _, pad, *_ = self.window_settings()
        padded = ""
        if not isinstance(pad, str) and any(sy.constant(side) != 0 for side in pad):
            padded = " with padding " + "/".join(map(sy.text, pad if len(set(pad)) > 1 else pad[:1]))
        return (
            f"a {sy.text(high)}x{sy.text(wide)} {self.geometry[0]} does not fit its "
            f"{sy.text(shape[2])}x{sy.text(shape[3])} input{padded}"
        )


def _positions_text(name: str, window: Window, size: Size) -> str:
    return f"output {name} would be {fraction_text(window, size)} = {sy.text(window.positions(size))}"


def _inexact(name: str, window: Window, size: Size) -> str:
    rule = fraction_text(window, size, rounding="exact")
    return (
        f"`rounding: exact` asks for windows that end at the border, but along the {name} {rule} is not a whole number"
    )


def _left_over(name: str, window: Window, size: Size) -> str:
    return f"{sy.text(window.remainder(size))} left over along the {name}"


def fraction_text(window: Window, size: Size, rounding: str | None = None) -> str:
    """Return the window rule with this window's numbers, as people write it.

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
    """Return the padding before and after that makes ceil(n/s) windows fit, the odd one after."""
    extent = dilation * (kernel - 1) + 1
    needed = sy.maximum(sy.difference((sy.ceil_div(size, stride) - 1) * stride + extent, size), 0)
    before = sy.floor_div(needed, 2)
    return before, sy.difference(needed, before)


def read_padding(name: str, value: object) -> Padding:
    """Return a padding given as a number, [height, width], four sides or ``same``.

    Raises
    ------
    SettingError
        Any other value.
    """
    if value == "same":
        return "same"
    if isinstance(value, (list, tuple)) and len(value) == 4:
        top, bottom, left, right = (count(name, side, minimum=0) for side in value)
        return top, bottom, left, right
    if isinstance(value, (list, tuple)) and len(value) != 2:
        raise SettingError(
            name,
            f"`{name}` takes one number, [height, width], [top, bottom, left, right] or same; got {len(value)} values",
        )
    high, wide = pair(name, value, minimum=0)
    return high, high, wide, wide


def _uneven(groups: Size, number: Size, what: str, *, short: bool = False) -> str:
    if short:
        return f"{sy.text(number)} {what} / {sy.text(groups)}"
    return f"{sy.text(groups)} groups cannot share {sy.text(number)} {what} evenly"


def _too_padded(window: Size, padding: Size, *, short: bool = False) -> str:
    if short:
        return f"at most {sy.text(sy.floor_div(window, 2))}"
    return (
        f"padding {sy.text(padding)} is more than half of its window of {sy.text(window)}; pooling pads by at "
        "most half a window, so that every window sees its input"
    )


LARGEST_GAP = 256
"""Dilations for which small inputs are tried one by one."""


def _sees(start: Size, window: Window, size: int) -> bool:
    return any(0 <= start + tap * window.dilation < size for tap in range(int(window.kernel)))


def _blind(dilation: Size, shape: Shape) -> str:
    return (
        f"taps {sy.text(dilation)} apart leave a window that sees nothing but padding on its "
        f"{sy.text(shape[2])}x{sy.text(shape[3])} input"
    )


def _freeze(layer: Layer, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(layer, name, value)


@dataclass(frozen=True)
class Conv(WindowLayer):
    """Convolution (cross-correlation) of a map with `filters` kernels.

    Input (N, C, H, W), output (N, filters, H', W') with H' by the window rule. Parameters: ``weight``
    (filters, C / groups, kh, kw) and ``bias`` (filters).

    Raises
    ------
    SettingError
        A setting is not of its kind, below its minimum, or enormous.

    References
    ----------
    torch.nn.Conv2d documentation; LeCun et al. 1998, section II.A.

    Examples
    --------
    >>> Conv(filters=6, kernel=5).output_shape(((1, 3, 32, 32),))
    (1, 6, 28, 28)
    """

    filters: Size = setting("number of output channels")
    kernel: Any = setting("height and width of the kernel: one number or [height, width]")
    stride: Any = setting("step of the kernel: one number or [height, width]", 1)
    pad: Any = setting("zeros around the map: a number, [h, w], [top, bottom, left, right] or same", 0)
    dilation: Any = setting("distance between the kernel's taps: one number or [height, width]", 1)
    groups: Size = setting("channels are split into this many groups, convolved apart", 1)
    bias: bool = setting("add one trainable number per filter", True)
    rounding: str = setting("floor drops what the stride leaves over; exact makes that an error", "floor")

    kind: ClassVar[str] = "conv"
    category: ClassVar[Category] = "conv"
    summary: ClassVar[str] = "2-D convolution"
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})
    geometry: ClassVar[tuple[str, str]] = ("kernel", "pad")

    def __post_init__(self) -> None:
        _freeze(
            self,
            filters=count("filters", self.filters),
            kernel=pair("kernel", self.kernel),
            stride=pair("stride", self.stride),
            pad=read_padding("pad", self.pad),
            dilation=pair("dilation", self.dilation),
            groups=count("groups", self.groups),
            bias=flag("bias", self.bias),
            rounding=choice("rounding", self.rounding, ("floor", "exact")),
        )

    def window_size(self) -> tuple[Size, Size]:
        return self.kernel[0], self.kernel[1]

    def window_settings(self) -> tuple[tuple[Size, Size], Padding, tuple[Size, Size], str]:
        return self.stride, self.pad, self.dilation, self.rounding

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield from super().requires(inputs)
        channels = inputs[0][1]
        for number, what in ((channels, "input channels"), (self.filters, "filters")):
            yield Requirement(
                "S203",
                Divides(self.groups, number),
                partial(_uneven, self.groups, number, what),
                partial(_uneven, self.groups, number, what, short=True),
                "groups",
            )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        return (shape[0], self.filters, *self.map_size(shape))

    def params(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        depth = sy.floor_div(inputs[0][1], self.groups)
        shape = (self.filters, depth, *self.kernel)
        weight = Parameter("weight", shape, fan_in=sy.product(shape[1:]))
        return (weight, Parameter("bias", (self.filters,))) if self.bias else (weight,)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> Size:
        return sy.product(output) * sy.floor_div(inputs[0][1], self.groups) * sy.product(self.kernel)

    def scratch(self, inputs: tuple[Shape, ...], output: Shape) -> ConvScratch:
        """Return how the kernel cuts its work and which way it computes (bound shapes only)."""
        padded = any(window.before or window.after for window in self.windows(inputs[0]))
        kernel, stride = (self.kernel[0], self.kernel[1]), (self.stride[0], self.stride[1])
        return ConvScratch(inputs[0], output, kernel, stride, padded, self.groups)

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of one block of columns and, in training, of weights being summed."""
        return self.scratch(inputs, output).elements(training)


@dataclass(frozen=True)
class Pool(WindowLayer):
    """What the three poolings share; `stride` is the window's size unless told."""

    size: Any = setting("height and width of the window: one number or [height, width]")
    stride: Any = setting("step of the window; its size unless told", None)
    pad: Any = setting("padding around the map: a number, [h, w], [top, bottom, left, right] or same", 0)
    rounding: str = setting(
        "floor, ceil (a last window may overhang the end) or exact (an error where it would)", "floor"
    )

    category: ClassVar[Category] = "pool"
    geometry: ClassVar[tuple[str, str]] = ("size", "pad")

    def __post_init__(self) -> None:
        size = pair("size", self.size)
        _freeze(
            self,
            size=size,
            stride=size if self.stride is None else pair("stride", self.stride),
            pad=read_padding("pad", self.pad),
            rounding=choice("rounding", self.rounding, ("floor", "ceil", "exact")),
        )

    def window_size(self) -> tuple[Size, Size]:
        return self.size[0], self.size[1]

    def window_settings(self) -> tuple[tuple[Size, Size], Padding, tuple[Size, Size], str]:
        return self.stride, self.pad, (1, 1), self.rounding

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        if not isinstance(self.pad, str):
            for side, padding in enumerate(self.pad):
                window = self.size[side // 2]
                yield Requirement(
                    "S206",
                    AtLeast(sy.difference(window, 2 * padding), 0),
                    partial(_too_padded, window, padding),
                    partial(_too_padded, window, padding, short=True),
                    "pad",
                )
        yield from super().requires(inputs)

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
    """Largest value of each window; padding never wins.

    References
    ----------
    torch.nn.MaxPool2d documentation.

    Examples
    --------
    >>> MaxPool(size=2).output_shape(((1, 6, 28, 28),))
    (1, 6, 14, 14)
    """

    dilation: Any = setting("distance between the window's taps: one number or [height, width]", 1)

    kind: ClassVar[str] = "maxpool"
    summary: ClassVar[str] = "largest value of each window"
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input", "output"})

    def __post_init__(self) -> None:
        super().__post_init__()
        _freeze(self, dilation=pair("dilation", self.dilation))

    def window_settings(self) -> tuple[tuple[Size, Size], Padding, tuple[Size, Size], str]:
        return self.stride, self.pad, self.dilation, self.rounding

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        """Yield the requirements of a window, and that no window's taps all fall beside a small input."""
        yield from super().requires(inputs)
        (shape,) = inputs
        for axis, size in enumerate(shape[2:]):
            least = self._least_seen(axis)
            if least > 1:
                yield Requirement("S206", AtLeast(size, least), partial(_blind, self.dilation[axis], shape), setting="dilation")

    def _least_seen(self, axis: int) -> int:
        """Return the smallest size at which every window sees a position of the input.

        A window whose taps are d apart sees every input of d positions or more that it lies over, so that
        only smaller ones are tried. Symbolic settings are judged when they are bound.
        """
        dilation = sy.constant(self.dilation[axis])
        if dilation is None or None in map(sy.constant, (self.size[axis], self.stride[axis])):
            return 1
        for size in range(min(dilation, LARGEST_GAP) - 1, 0, -1):
            window = self.windows((1, 1, size, size))[axis]
            starts = (p * window.stride - window.before for p in range(sy.constant(window.positions(size)) or 0))
            if any(not _sees(start, window, size) for start in starts):
                return size + 1
        return 1

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return two tiles of the output and their one-byte marks while training."""
        tile = _tile_elements(output)
        return 2 * tile + mask_elements(tile) if training else 0


@dataclass(frozen=True)
class AvgPool(Pool):
    """Mean of each window.

    With `count_include_pad` the divisor counts padding, but never positions beyond it that a window in
    ceil mode overhangs; without, only positions of the input.

    References
    ----------
    torch.nn.AvgPool2d documentation.

    Examples
    --------
    >>> AvgPool(size=3, stride=2, rounding="ceil").output_shape(((1, 6, 6, 6),))
    (1, 6, 3, 3)
    """

    count_include_pad: bool = setting("padding counts in the mean", True)

    kind: ClassVar[str] = "avgpool"
    summary: ClassVar[str] = "mean of each window"

    def __post_init__(self) -> None:
        super().__post_init__()
        _freeze(self, count_include_pad=flag("count_include_pad", self.count_include_pad))

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return one tile of the output while training: its gradient divided."""
        return _tile_elements(output) if training else 0


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


def _tile_elements(output: Shape) -> int:
    batch, channels, rows, columns = output
    return Tiles(channels, rows, columns * batch).elements
