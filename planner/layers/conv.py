"""Convolution."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import planner.symbols as sy
from planner.conditions import Divides, Requirement
from planner.layers.base import Category, Keep, Parameter
from planner.layers.settings import choice, count, flag, setting, settle
from planner.layers.spatial import Padding, PerAxis, along, lifted, per_axis, rank, read_padding
from planner.layers.tiling.conv import ConvTiling
from planner.layers.window import WindowLayer
from planner.symbols import Shape, Size
from planner.wording import many


@dataclass(frozen=True)
class Conv(WindowLayer):
    """Convolution (cross-correlation) of a map with `filters` kernels.

    Input (N, C, H, W), output (N, filters, H', W') with H' by the window rule. Parameters: ``weight``
    (filters, C / groups, kh, kw) and ``bias`` (filters). It works alike along one axis, (N, C, L), and along three,
    (N, C, D, H, W).

    Raises
    ------
    SettingError
        A setting has the wrong type, or is below its minimum or too large.

    References
    ----------
    torch.nn.Conv1d, Conv2d and Conv3d documentation; LeCun et al. 1998, section II.A.

    Examples
    --------
    >>> Conv(filters=6, kernel=5).output_shape(((1, 3, 32, 32),))
    (1, 6, 28, 28)
    >>> Conv(filters=6, kernel=5).output_shape(((1, 3, 101),))
    (1, 6, 97)
    """

    filters: Size = setting("number of output channels")
    kernel: Any = setting("size of the kernel: one number or one for each axis ([height, width])")
    stride: Any = setting("step of the kernel: one number or one for each axis", 1)
    pad: Any = setting("zeros around the map: a number, [h, w], [top, bottom, left, right] or same", 0, least=0)
    dilation: Any = setting("distance between the kernel's taps: one number or one for each axis", 1)
    groups: Size = setting("number of groups of channels that are convolved separately", 1)
    bias: bool = setting("add one trainable number per filter", True)
    rounding: str = setting(
        "floor drops positions that the stride leaves over; exact makes them an error",
        "floor",
        choices=("floor", "exact"),
    )

    kind: ClassVar[str] = "conv"
    category: ClassVar[Category] = "conv"
    summary: ClassVar[str] = "convolution along the axes of a map"
    aliases: ClassVar[tuple[str, ...]] = ("conv2d", "convolution", "convolution2d", "convolutional")
    gain: ClassVar[float | None] = 1.0
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})
    geometry: ClassVar[tuple[str, str]] = ("kernel", "pad")

    def __post_init__(self) -> None:
        settle(
            self,
            filters=count("filters", self.filters),
            kernel=per_axis("kernel", self.kernel),
            stride=per_axis("stride", self.stride),
            pad=read_padding("pad", self.pad),
            dilation=per_axis("dilation", self.dilation),
            groups=count("groups", self.groups),
            bias=flag("bias", self.bias),
            rounding=choice(self, "rounding"),
        )

    def window_size(self) -> PerAxis:
        return tuple(self.kernel)

    def taps(self, inputs: tuple[Shape, ...]) -> tuple[Size, ...]:
        """Return the kernel's size along each axis of the input."""
        return along(self.kernel, rank(inputs[0]))

    def window_settings(self) -> tuple[PerAxis, Padding, PerAxis, str]:
        return self.stride, self.pad, self.dilation, self.rounding

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield from super().requires(inputs)
        yield from shared_evenly(self.groups, inputs[0][1], self.filters)

    def padded_windows(self, inputs: tuple[Shape, ...]) -> tuple[tuple[Size, Size, Size], ...] | None:
        """Return all windows: one of only padding yields the bias for any input."""
        return tuple((window.extent, window.before, window.after) for window in self.windows(inputs[0]))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        return (shape[0], self.filters, *self.map_size(shape))

    def params(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        depth = sy.floor_div(inputs[0][1], self.groups)
        shape = (self.filters, depth, *self.taps(inputs))
        weight = Parameter("weight", shape, fan_in=sy.product(shape[1:]))
        return (weight, Parameter("bias", (self.filters,))) if self.bias else (weight,)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> Size:
        return sy.product(output) * sy.floor_div(inputs[0][1], self.groups) * sy.product(self.taps(inputs))

    def tiling(self, inputs: tuple[Shape, ...], output: Shape) -> ConvTiling:
        """Return how the kernel splits its work and which algorithm it uses (bound shapes only)."""
        windows = self.windows(inputs[0])
        padded = any(window.before or window.after for window in windows)
        kernel, stride = lifted([window.kernel for window in windows], 1), lifted([w.stride for w in windows], 1)
        _, row_dilation, _ = lifted([window.dilation for window in windows], 1)
        return ConvTiling(inputs[0], output, kernel, stride, padded, self.groups, row_dilation)

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of one im2col block for each shard."""
        return self.tiling(inputs, output).forward_elements

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the elements of the im2col blocks and of the weight gradients being summed."""
        return self.tiling(inputs, output).backward_elements


def shared_evenly(groups: Size, channels: Size, filters: Size) -> Iterable[Requirement]:
    """Yield the requirements (S203) that the groups divide both the input channels and the filters."""
    for number, what in ((channels, "input channels"), (filters, "filters")):
        say = partial(uneven, groups, number, what)
        yield Requirement("S203", Divides(groups, number), say, partial(say, short=True), "groups")


def uneven(groups: Size, number: Size, what: str, *, short: bool = False) -> str:
    """Return the message that groups do not divide a number of channels.

    Examples
    --------
    >>> uneven(3, 8, "filters")
    '3 groups cannot share 8 filters evenly'
    """
    if short:
        return f"{sy.text(number)} {what} / {sy.text(groups)}"
    shared = many(number, what.removesuffix("s"))
    return f"{sy.text(groups)} groups cannot share {sy.text(number)} {shared} evenly"
