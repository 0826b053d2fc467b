"""Transposed convolution, which turns a small map into a larger one with learned weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import planner.symbols as sy
from planner.conditions import AtLeast, Requirement
from planner.findings import SettingError
from planner.layers.axes import needs_map
from planner.layers.base import AxisField, Category, Keep, Layer, Parameter
from planner.layers.conv import shared_evenly
from planner.layers.settings import count, flag, setting, settle
from planner.layers.spatial import along, by, fits, lifted, names, per_axis, rank, read_padding, sides
from planner.layers.tiling.conv import ConvTiling
from planner.layers.tiling.convtranspose import TransposedTiling
from planner.layers.window import Window
from planner.symbols import Shape, Size


@dataclass(frozen=True)
class ConvTranspose(Layer):
    """Transposed convolution: every input number is multiplied by a whole kernel and added to the output.

    Input (N, C, H, W), output (N, filters, H', W') with ``H' = (H - 1)s - a - b + d(k - 1) + 1 + output_pad``
    for padding a before and b after. It is the input gradient of a convolution with the same settings, with
    the map read here as the gradient of its output. It works alike along one and along three axes.
    Parameters: ``weight`` (C, filters / groups, kh, kw) and ``bias`` (filters).

    Raises
    ------
    SettingError
        A setting has the wrong type, or is below its minimum or too large.

    References
    ----------
    torch.nn.ConvTranspose1d, ConvTranspose2d and ConvTranspose3d documentation; Dumoulin, Visin,
    arXiv:1603.07285, section 4.

    Examples
    --------
    >>> ConvTranspose(filters=512, kernel=2, stride=2).output_shape(((1, 1024, 28, 28),))
    (1, 512, 56, 56)
    """

    filters: Size = setting("number of output channels")
    kernel: Any = setting("size of the kernel: one number or one for each axis ([height, width])")
    stride: Any = setting("output positions between neighbouring inputs: one number or one for each axis", 1)
    pad: Any = setting("positions cut off around the output: number, [h, w] or [top, bottom, left, right]", 0, least=0)
    output_pad: Any = setting("positions added at the end of the output: one number or one for each axis", 0, least=0)
    dilation: Any = setting("distance between the kernel's taps: one number or one for each axis", 1)
    groups: Size = setting("number of groups of channels that are convolved separately", 1)
    bias: bool = setting("add one trainable number per filter", True)

    kind: ClassVar[str] = "convtranspose"
    category: ClassVar[Category] = "conv"
    summary: ClassVar[str] = "transposed convolution along the axes of a map"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = 1.0
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})

    def __post_init__(self) -> None:
        pad = read_padding("pad", self.pad)
        if isinstance(pad, str):
            raise SettingError("pad", "`pad` of a convtranspose cannot be same", "give numbers")
        settle(
            self,
            filters=count("filters", self.filters),
            kernel=per_axis("kernel", self.kernel),
            stride=per_axis("stride", self.stride),
            pad=pad,
            output_pad=per_axis("output_pad", self.output_pad, minimum=0),
            dilation=per_axis("dilation", self.dilation),
            groups=count("groups", self.groups),
            bias=flag("bias", self.bias),
        )

    def windows(self, shape: Shape) -> tuple[Window, ...]:
        """Return, for each axis, the window of the convolution that maps the output back to the input."""
        axes = rank(shape)
        settings = (along(value, axes) for value in (self.kernel, self.stride, self.dilation))
        return tuple(
            Window(kernel, stride, before, after, dilation)
            for kernel, stride, dilation, (before, after) in zip(*settings, sides(self.pad, axes), strict=True)
        )

    def added(self, shape: Shape) -> tuple[Size, ...]:
        """Return how many positions are added at the end of the output along each axis."""
        return along(self.output_pad, rank(shape))

    def map_size(self, shape: Shape) -> tuple[Size, ...]:
        """Return the output's size along each axis."""
        return tuple(
            sy.total([(size - 1) * w.stride, w.extent, -w.before, -w.after, more])
            for size, w, more in zip(shape[2:], self.windows(shape), self.added(shape), strict=True)
        )

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        (shape,) = inputs
        yield needs_map(shape)
        for name in ("kernel", "stride", "dilation", "output_pad"):
            yield from fits(name, getattr(self, name), shape)
        yield from fits("pad", self.pad, shape, both_sides=True)
        made = self.map_size(shape)
        for axis, window in enumerate(self.windows(shape)):
            size, more = shape[2 + axis], self.added(shape)[axis]
            limit = sy.maximum(window.stride, window.dilation)
            yield Requirement(
                "S213",
                AtLeast(sy.difference(limit, more), 1),
                partial(_too_much, more, limit),
                partial(_too_much, more, limit, short=True),
                "output_pad",
            )
            yield Requirement(
                "S201",
                AtLeast(made[axis], 1),
                partial(_nothing_left, shape, made),
                partial(_output_text, names(shape)[axis], window, size, more, made[axis]),
                "pad",
            )
        yield from shared_evenly(self.groups, shape[1], self.filters)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        return (shape[0], self.filters, *self.map_size(shape))

    def params(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """Return the trainable arrays; without dilation, no output element sums over more inputs than the fan-in."""
        channels = inputs[0][1]
        windows = self.windows(inputs[0])
        shape = (channels, sy.floor_div(self.filters, self.groups), *(window.kernel for window in windows))
        taps = [sy.ceil_div(window.kernel, window.stride) for window in windows]
        weight = Parameter("weight", shape, fan_in=sy.floor_div(channels, self.groups) * sy.product(taps))
        return (weight, Parameter("bias", (self.filters,))) if self.bias else (weight,)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> Size:
        """Return one multiply-accumulate per input element and weight of its channel, including cropped outputs."""
        taps = sy.product(window.kernel for window in self.windows(inputs[0]))
        return sy.product(inputs[0]) * sy.floor_div(self.filters, self.groups) * taps

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        """Return the largest number of positions an output sees, and where the first output's window begins.

        Neighbouring inputs are ``stride - 1`` zeros apart, so that at most ``floor((e - 1)/stride) + 1`` positions of
        a window of extent e are input.
        """
        return tuple(
            AxisField(
                extent=sy.floor_div(window.extent - 1, window.stride) + 1,
                before=sy.floor_div(window.extent - 1 - window.before, window.stride),
                repeat=window.stride,
            )
            for window in self.windows(inputs[0])
        )

    def tiling(self, inputs: tuple[Shape, ...], output: Shape) -> TransposedTiling:
        """Return how the kernel splits its work and which algorithm it uses (bound shapes only)."""
        windows = self.windows(inputs[0])
        cut = any(window.before or window.after for window in windows) or any(self.added(inputs[0]))
        kernel, stride = lifted([window.kernel for window in windows], 1), lifted([w.stride for w in windows], 1)
        back = ConvTiling(output, inputs[0], kernel, stride, cut, self.groups)
        return TransposedTiling(back, lifted(windows, Window(kernel=1)))

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of the im2col blocks and of the rotated weights."""
        return self.tiling(inputs, output).forward_elements

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the elements of the im2col blocks and of the weight gradients being summed."""
        return self.tiling(inputs, output).backward_elements


def _too_much(more: Size, limit: Size, *, short: bool = False) -> str:
    if short:
        return f"at most {sy.text(sy.difference(limit, 1))}"
    return (
        f"`output_pad` {sy.text(more)} must be smaller than the larger of stride and dilation, {sy.text(limit)}: it "
        "selects one of the output sizes that a convolution would reduce to this input size"
    )


def _nothing_left(shape: Shape, size: tuple[Size, ...]) -> str:
    return f"padding removes the whole output: a {by(shape[2:])} input would give {by(size)}"


def _output_text(name: str, window: Window, size: Size, more: Size, made: Size) -> str:
    padding = sy.total([window.before, window.after])
    rule = f"({sy.text(size)} - 1)*{sy.text(window.stride)} - {sy.text(padding)} + {sy.text(window.extent)}"
    rule += f" + {sy.text(more)}" if sy.constant(more) != 0 else ""
    return f"output {name} would be {rule} = {sy.text(made)}"
