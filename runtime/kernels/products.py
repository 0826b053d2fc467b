"""Convolution as products of matrices, one block of columns at a time, so that the columns stay in cache.

Forward is ``weight @ columns``, straight into the output. Backward has two equal ways; the plan
(:class:`planner.layers.scratch.ConvScratch`) says which is less work:

plain
    the input's columns times the output's gradient give the gradient of the weights, and the turned weights
    times the output's gradient give columns that are added back to the input's gradient, tap by tap;
rotated
    the columns of the output's gradient serve both products, and nothing has to be added back.
"""

from __future__ import annotations

import numpy as np

from planner.layers.scratch import ConvScratch
from planner.layers.window import Window
from runtime.kernels.base import Array, Arrays, Scratch, flat
from runtime.kernels.columns import ColumnBlock, column_blocks, direct_blocks
from runtime.kernels.window import Windows, volume


class WeightSum:
    """The sum over blocks of ``columns @ other^T``, the faster order of that product."""

    def __init__(self, scratch: Scratch, shape: tuple[int, int, int], count: int) -> None:
        self.total = scratch.take(*shape)
        self.part = scratch.take(*shape) if count > 1 else None

    def add(self, index: int, columns: Array, other: Array) -> None:
        """Add the product of block `index`; block 0 begins a new sum."""
        if index == 0:
            np.matmul(columns, other, out=self.total)
        elif self.part is not None:
            np.matmul(columns, other, out=self.part)
            np.add(self.total, self.part, out=self.total)


class Products:
    """Forward, and the plain way backward.

    Parameters
    ----------
    plan : ConvScratch
    windows : tuple of Window
    arrays : Arrays
    scratch : Scratch
    training : bool
    """

    def __init__(self, plan: ConvScratch, windows: Windows, arrays: Arrays, scratch: Scratch, training: bool) -> None:
        (x,), y = arrays.inputs, arrays.output
        weight = arrays.parameters["weight"]
        groups, depth = plan.groups, weight.shape[1] * plan.taps
        filters = weight.shape[0] // groups
        positions = y.size // y.shape[0]
        grad_input = arrays.grad_inputs[0] if training else None
        self.grad_input = grad_input
        self.direct = plan.direct
        self.weight = flat(weight, groups, filters, depth)
        bias = arrays.parameters.get("bias")
        self.bias = None if bias is None else flat(bias, groups, filters, 1)
        blocks = plan.forward_blocks
        if plan.direct:
            self.blocks = direct_blocks(flat(x, groups, depth, positions), blocks)
        else:
            maps = flat(x, groups, x.shape[0] // groups, *volume(x).shape[1:])
            target = None if grad_input is None else flat(grad_input, *maps.shape)
            memory = scratch.take(blocks.elements)
            self.blocks = column_blocks(maps, windows, volume(y).shape[1:4], blocks, memory, target)
        self.outputs = _cut(flat(y, groups, filters, positions), self.blocks)
        if not training:
            return
        grad_output = arrays.grad_output
        assert grad_output is not None, "training comes with gradients"
        self.grads = _cut(flat(grad_output, groups, filters, positions), self.blocks)
        self.grad_weight = flat(arrays.grad_parameters["weight"], groups, filters, depth)
        several = len(self.blocks) > 1
        self.weight_sum = WeightSum(scratch, (groups, depth, filters), len(self.blocks)) if several else None
        if grad_input is not None and plan.direct:
            self.grad_columns = _cut(flat(grad_input, groups, depth, positions), self.blocks)
        else:
            self.grad_columns = [block.matrix for block in self.blocks]

    def forward(self) -> None:
        """Compute the output."""
        for block, output in zip(self.blocks, self.outputs, strict=True):
            block.gather()
            np.matmul(self.weight, block.matrix, out=output)
            if self.bias is not None:
                np.add(output, self.bias, out=output)

    def backward(self) -> None:
        """Compute the gradients of the weights and, where asked for, of the input."""
        if self.grad_input is not None and not self.direct:
            self.grad_input.fill(0)
        turned = self.weight.transpose(0, 2, 1)
        for index, (block, grad, columns) in enumerate(zip(self.blocks, self.grads, self.grad_columns, strict=True)):
            block.gather()
            if self.weight_sum is None:
                np.matmul(grad, block.matrix.transpose(0, 2, 1), out=self.grad_weight)
            else:
                self.weight_sum.add(index, block.matrix, grad.transpose(0, 2, 1))
            if self.grad_input is not None:
                np.matmul(turned, grad, out=columns)
                block.scatter()
        if self.weight_sum is not None:
            np.copyto(self.grad_weight, self.weight_sum.total.transpose(0, 2, 1))


class Rotated:
    """The rotated way backward, at stride 1: one gathering of the output's gradient for both products.

    With g the output's gradient, the input's gradient at p is the sum over taps t of ``turned[t] @ g[p + t]``
    (turned is the kernel turned around), and the gradient of turned[t] is the sum over p of
    ``g[p + t] x[p]^T``: the same columns.

    Parameters are those of :class:`Products`.
    """

    def __init__(
        self, plan: ConvScratch, windows: Windows, arrays: Arrays, scratch: Scratch, grad_input: Array
    ) -> None:
        (x,), g = arrays.inputs, arrays.grad_output
        assert g is not None, "training comes with gradients"
        weight = arrays.parameters["weight"]
        groups, channels = plan.groups, weight.shape[1]
        filters = weight.shape[0] // groups
        maps = flat(g, groups, filters, *volume(g).shape[1:])
        blocks = plan.rotated_blocks
        deep, high, wide = map(_rotated_window, windows)
        memory = scratch.take(blocks.elements)
        self.blocks = column_blocks(maps, (deep, high, wide), volume(x).shape[1:4], blocks, memory)
        self.weight_sum = WeightSum(scratch, (groups, filters * plan.taps, channels), len(self.blocks))
        positions = x.size // x.shape[0]
        self.inputs = _cut(flat(x, groups, channels, positions), self.blocks)
        self.grad_inputs = _cut(flat(grad_input, groups, channels, positions), self.blocks)
        turned = scratch.take(groups, channels, filters, *plan.kernel)
        self.turned = flat(turned, groups, channels, filters * plan.taps)
        by_filter = flat(weight, groups, filters, channels, *plan.kernel)[..., ::-1, ::-1, ::-1]
        self.turning = (turned, by_filter.transpose(0, 2, 1, 3, 4, 5))
        grad_weight = flat(arrays.grad_parameters["weight"], groups, filters, channels, *plan.kernel)
        total = flat(self.weight_sum.total, groups, filters, *plan.kernel, channels)
        self.turning_back = (grad_weight, total[:, :, ::-1, ::-1, ::-1].transpose(0, 1, 5, 2, 3, 4))

    def backward(self) -> None:
        """Compute the gradients of the weights and of the input."""
        np.copyto(*self.turning)
        for index, (block, x, grad) in enumerate(zip(self.blocks, self.inputs, self.grad_inputs, strict=True)):
            block.gather()
            np.matmul(self.turned, block.matrix, out=grad)
            self.weight_sum.add(index, block.matrix, x.transpose(0, 2, 1))
        np.copyto(*self.turning_back)


def _cut(matrix: Array, blocks: list[ColumnBlock]) -> list[Array]:
    return [matrix[:, :, block.first : block.last] for block in blocks]


def _rotated_window(window: Window) -> Window:
    return Window(window.kernel, 1, window.extent - 1 - window.before, 0, window.dilation)
