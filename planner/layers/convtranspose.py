"""Transposed convolution: what turns a small map into a larger one with weights of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import planner.symbols as sy
from planner.conditions import AtLeast, Requirement
from planner.findings import SettingError
from planner.layers.base import (
    AxisField,
    Category,
    Keep,
    Layer,
    Parameter,
    count,
    flag,
    needs_rank,
    pair,
    setting,
    settle,
)
from planner.layers.conv import shared_evenly
from planner.layers.scratch import ColumnBlocks
from planner.layers.window import Window, read_padding
from planner.symbols import Shape, Size


@dataclass(frozen=True)
class ConvTranspose(Layer):
    """Transposed convolution: every input number is multiplied by a whole kernel and added to the output.

    Input (N, C, H, W), output (N, filters, H', W') with ``H' = (H - 1)s - a - b + d(k - 1) + 1 + output_pad``
    for padding a before and b after. It is the input gradient of a convolution with the same settings, whose
    output is the map read here. Parameters: ``weight`` (C, filters / groups, kh, kw) and ``bias`` (filters).

    Raises
    ------
    SettingError
        A setting is not of its kind, below its minimum, or enormous.

    References
    ----------
    torch.nn.ConvTranspose2d documentation; Dumoulin, Visin, arXiv:1603.07285, section 4.

    Examples
    --------
    >>> ConvTranspose(filters=512, kernel=2, stride=2).output_shape(((1, 1024, 28, 28),))
    (1, 512, 56, 56)
    """

    filters: Size = setting("number of output channels")
    kernel: Any = setting("height and width of the kernel: one number or [height, width]")
    stride: Any = setting("distance in the output of neighbours in the input: one number or [height, width]", 1)
    pad: Any = setting("positions cut off around the output: number, [h, w] or [top, bottom, left, right]", 0, least=0)
    output_pad: Any = setting("positions added at the end of the output: one number or [height, width]", 0, least=0)
    dilation: Any = setting("distance between the kernel's taps: one number or [height, width]", 1)
    groups: Size = setting("channels are split into this many groups, convolved apart", 1)
    bias: bool = setting("add one trainable number per filter", True)

    kind: ClassVar[str] = "convtranspose"
    category: ClassVar[Category] = "conv"
    summary: ClassVar[str] = "2-D transposed convolution"
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})

    def __post_init__(self) -> None:
        pad = read_padding("pad", self.pad)
        if isinstance(pad, str):
            raise SettingError("pad", "`pad` of a convtranspose cannot be same", "give numbers")
        settle(
            self,
            filters=count("filters", self.filters),
            kernel=pair("kernel", self.kernel),
            stride=pair("stride", self.stride),
            pad=pad,
            output_pad=pair("output_pad", self.output_pad, minimum=0),
            dilation=pair("dilation", self.dilation),
            groups=count("groups", self.groups),
            bias=flag("bias", self.bias),
        )

    def windows(self) -> tuple[Window, Window]:
        """Return the window of the convolution that leads back, from the output's map to the input's."""
        top, bottom, left, right = self.pad
        return (
            Window(self.kernel[0], self.stride[0], top, bottom, self.dilation[0]),
            Window(self.kernel[1], self.stride[1], left, right, self.dilation[1]),
        )

    def map_size(self, shape: Shape) -> tuple[Size, Size]:
        """Return the output's height and width."""
        high, wide = (
            sy.total([(size - 1) * w.stride, w.extent, -w.before, -w.after, more])
            for size, w, more in zip(shape[2:], self.windows(), self.output_pad, strict=True)
        )
        return high, wide

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        (shape,) = inputs
        yield needs_rank(shape, 4, "put this layer before `flatten`")
        made = self.map_size(shape)
        for axis, window in enumerate(self.windows()):
            size, more = shape[2 + axis], self.output_pad[axis]
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
                partial(_output_text, ("height", "width")[axis], window, size, more, made[axis]),
                "pad",
            )
        yield from shared_evenly(self.groups, shape[1], self.filters)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        return (shape[0], self.filters, *self.map_size(shape))

    def params(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """Return the trainable arrays; without dilation, no output number sums over more than the fan-in."""
        channels = inputs[0][1]
        shape = (channels, sy.floor_div(self.filters, self.groups), *self.kernel)
        taps = [sy.ceil_div(kernel, stride) for kernel, stride in zip(self.kernel, self.stride, strict=True)]
        weight = Parameter("weight", shape, fan_in=sy.floor_div(channels, self.groups) * sy.product(taps))
        return (weight, Parameter("bias", (self.filters,))) if self.bias else (weight,)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> Size:
        """Return one product for each input number and each weight of its channel, cut off or not."""
        return sy.product(inputs[0]) * sy.floor_div(self.filters, self.groups) * sy.product(self.kernel)

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, AxisField] | None:
        """Return the most positions any output sees, and where the first output begins to see.

        Between neighbours of the input lie ``stride - 1`` zeros, so that of the window's extent e no more than
        ``floor((e - 1)/stride) + 1`` positions are input.
        """
        high, wide = (
            AxisField(
                extent=sy.floor_div(window.extent - 1, window.stride) + 1,
                before=sy.floor_div(window.extent - 1 - window.before, window.stride),
                repeat=window.stride,
            )
            for window in self.windows()
        )
        return high, wide

    def blocks(self, inputs: tuple[Shape, ...], output: Shape) -> ColumnBlocks:
        """Return how the columns over the output, at the positions of the input, are cut (bound shapes only)."""
        batch, _, rows, columns = inputs[0]
        return ColumnBlocks(int(output[1] * sy.product(self.kernel)), rows, columns, batch)

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of one block of columns and, in training, of weights being summed."""
        blocks = self.blocks(inputs, output)
        weights = int(self.params(inputs)[0].count)
        return blocks.elements + (2 * weights if training and blocks.count > 1 else 0)


def _too_much(more: Size, limit: Size, *, short: bool = False) -> str:
    if short:
        return f"at most {sy.text(sy.difference(limit, 1))}"
    return (
        f"`output_pad` {sy.text(more)} must be smaller than the larger of stride and dilation, {sy.text(limit)}: it "
        "chooses among the sizes that a convolution would bring to this one"
    )


def _nothing_left(shape: Shape, size: tuple[Size, Size]) -> str:
    given, made = ("x".join(map(sy.text, sizes)) for sizes in (shape[2:], size))
    return f"padding cuts the whole output away: a {given} input would give {made}"


def _output_text(name: str, window: Window, size: Size, more: Size, made: Size) -> str:
    padding = sy.total([window.before, window.after])
    rule = f"({sy.text(size)} - 1)*{sy.text(window.stride)} - {sy.text(padding)} + {sy.text(window.extent)}"
    rule += f" + {sy.text(more)}" if sy.constant(more) != 0 else ""
    return f"output {name} would be {rule} = {sy.text(made)}"
