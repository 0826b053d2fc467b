"""Layers with one factor or term per channel, learned or fixed; channels are rows of contiguous memory.

Every forward pass may overwrite its input, and every backward pass the gradient of its output.
"""

from __future__ import annotations

import numpy as np

from planner.layers.channelwise import Channelwise, LayerScale, PRelu, Rescale, Shift
from planner.layers.tiling.workspace import norm_step, pieces
from runtime.kernels.base import Array, Kernel, LayerT, flat, kernel, same_memory


class ChannelwiseKernel(Kernel[LayerT]):
    """Base of the kernels that process some channels at a time; a subclass defines both passes for one piece."""

    def prepare(self) -> None:
        assert isinstance(self.layer, Channelwise)
        x = self.arrays.inputs[0]
        channels, count = x.shape[0], x.size // x.shape[0]
        self.input, self.output = flat(x, channels, count), flat(self.arrays.output, channels, count)
        weight = self.arrays.parameters["weight"][:, None]
        self.weight = np.broadcast_to(weight, (channels, 1))
        step = norm_step(channels, count)
        self.spans = [slice(*span) for span in pieces(channels, step)]
        workspace, back = self.workspace(), self.backward_workspace()
        forward_pieces, backward_pieces = self.layer.pieces
        self.temporary = [workspace.take(step, count) for _ in range(forward_pieces)]
        if not self.differentiates:
            return
        self.back = [back.take(step, count) for _ in range(backward_pieces)]
        self.grad = flat(self.grad_output, channels, count)
        grad_input = self.arrays.grad_inputs[0]
        self.grad_input = None if grad_input is None else flat(grad_input, channels, count)
        self.grad_weight = self.arrays.grad_parameters["weight"][:, None]
        self.shared = weight.shape[0] < channels
        self.sums = back.take(channels, 1) if self.shared else self.grad_weight

    def backward(self) -> None:
        for span in self.spans:
            some = tuple(each[: self.input[span].shape[0]] for each in self.back)
            target = None if self.grad_input is None else self.grad_input[span]
            self.differentiate(self.input[span], self.weight[span], self.grad[span], target, self.sums[span], some)
        if self.shared:
            np.add.reduce(self.sums, axis=0, out=self.grad_weight[0])

    def differentiate(
        self, x: Array, weight: Array, grad: Array, target: Array | None, total: Array, some: tuple[Array, ...]
    ) -> None:
        """Write each channel's weight gradient to `total`, then the input gradient to `target`, which may be `grad`."""
        raise NotImplementedError


@kernel(PRelu)
class PReluKernel(ChannelwiseKernel[PRelu]):
    """``max(x, 0) + w min(x, 0)``; at 0 the slope is that of negative numbers, as in PyTorch."""

    def forward(self) -> None:
        for span in self.spans:
            x, y = self.input[span], self.output[span]
            below = self.temporary[0][: x.shape[0]]
            np.minimum(x, 0, out=below)
            np.multiply(below, self.weight[span], out=below)
            np.maximum(x, 0, out=y)
            np.add(y, below, out=y)

    def differentiate(
        self, x: Array, weight: Array, grad: Array, target: Array | None, total: Array, some: tuple[Array, ...]
    ) -> None:
        product, above = some
        np.minimum(x, 0, out=product)
        np.multiply(product, grad, out=product)
        np.add.reduce(product, axis=1, keepdims=True, out=total)
        if target is not None:
            np.less_equal(x, 0, out=product)
            np.multiply(product, weight, out=product)
            np.greater(x, 0, out=above)
            np.add(product, above, out=product)
            np.multiply(grad, product, out=target)


@kernel(LayerScale)
class LayerScaleKernel(ChannelwiseKernel[LayerScale]):
    """``w x``."""

    def forward(self) -> None:
        np.multiply(self.input, self.weight, out=self.output)

    def differentiate(
        self, x: Array, weight: Array, grad: Array, target: Array | None, total: Array, some: tuple[Array, ...]
    ) -> None:
        np.multiply(x, grad, out=some[0])
        np.add.reduce(some[0], axis=1, keepdims=True, out=total)
        if target is not None:
            np.multiply(grad, weight, out=target)


@kernel(Shift)
class ShiftKernel(ChannelwiseKernel[Shift]):
    """``x + w``."""

    def forward(self) -> None:
        np.add(self.input, self.weight, out=self.output)

    def differentiate(
        self, x: Array, weight: Array, grad: Array, target: Array | None, total: Array, some: tuple[Array, ...]
    ) -> None:
        np.add.reduce(grad, axis=1, keepdims=True, out=total)
        if target is not None and not same_memory(target, grad):
            np.copyto(target, grad)


@kernel(Rescale)
class RescaleKernel(Kernel[Rescale]):
    """``scale x + shift`` with fixed numbers."""

    def prepare(self) -> None:
        x = self.arrays.inputs[0]
        channels = x.shape[0]
        scale, shift = (
            np.full((channels, 1), given, x.dtype)
            if isinstance(given, float)
            else np.array(given, x.dtype).reshape(channels, 1)
            for given in (self.layer.scale, self.layer.shift)
        )
        self.scale, self.shift = scale, shift
        self.input, self.output = flat(x, channels, -1), flat(self.arrays.output, channels, -1)
        grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        self.back = (
            [] if grad_input is None else [(flat(self.grad_output, channels, -1), flat(grad_input, channels, -1))]
        )

    def forward(self) -> None:
        np.multiply(self.input, self.scale, out=self.output)
        np.add(self.output, self.shift, out=self.output)

    def backward(self) -> None:
        for grad, target in self.back:
            np.multiply(grad, self.scale, out=target)
