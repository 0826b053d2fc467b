"""Transposed convolution: the backward pass of a convolution run forward, on the same columns."""

from __future__ import annotations

import numpy as np

from planner.layers.convtranspose import ConvTranspose
from runtime.kernels.base import Kernel, flat, kernel, user_shape
from runtime.kernels.columns import column_blocks
from runtime.kernels.products import WeightSum
from runtime.kernels.window import over_volume, volume


@kernel(ConvTranspose)
class ConvTransposeKernel(Kernel[ConvTranspose]):
    """Transposed convolution, one block of columns at a time.

    Columns lie over the output, one for each position of the input. Forward multiplies the input by the
    weights and adds the columns to the output; backward gathers columns of the output's gradient, which serve
    both products.
    """

    def prepare(self) -> None:
        (x,), y = self.arrays.inputs, self.arrays.output
        weight = self.arrays.parameters["weight"]
        groups = int(self.layer.groups)
        channels, filters = x.shape[0] // groups, weight.shape[1]
        depth = weight.size // weight.shape[0]
        positions = volume(x).shape[1:4]
        count = x.size // x.shape[0]
        plan = self.layer.blocks((user_shape(x),), user_shape(y))
        scratch = self.scratch()
        memory = scratch.take(plan.elements)
        maps = flat(y, groups, filters, *volume(y).shape[1:])
        windows = over_volume(self.layer.windows(user_shape(x)))
        self.weight = flat(weight, groups, channels, depth)
        self.blocks = column_blocks(maps, windows, positions, plan, memory, target=maps)
        columns = flat(x, groups, channels, count)
        self.inputs = [columns[:, :, block.first : block.last] for block in self.blocks]
        bias = self.arrays.parameters.get("bias")
        self.bias = None if bias is None else flat(bias, y.shape[0], *(1,) * (y.ndim - 1))
        if not self.differentiates:
            return
        grad_maps = flat(self.grad_output, *maps.shape)
        self.grads = column_blocks(grad_maps, windows, positions, plan, memory)
        self.grad_weight = flat(self.arrays.grad_parameters["weight"], groups, channels, depth)
        several = len(self.blocks) > 1
        self.weight_sum = WeightSum(scratch, (groups, depth, channels), len(self.blocks)) if several else None
        grad_input = self.arrays.grad_inputs[0]
        self.grad_inputs = None
        if grad_input is not None:
            flat_grad = flat(grad_input, groups, channels, count)
            self.grad_inputs = [flat_grad[:, :, block.first : block.last] for block in self.blocks]
        grad_bias = self.arrays.grad_parameters.get("bias")
        self.bias_sum = None if grad_bias is None else (flat(self.grad_output, y.shape[0], -1), grad_bias)

    def forward(self) -> None:
        if self.bias is None:
            self.arrays.output.fill(0)
        else:
            np.copyto(self.arrays.output, self.bias)
        turned = self.weight.transpose(0, 2, 1)
        for block, x in zip(self.blocks, self.inputs, strict=True):
            np.matmul(turned, x, out=block.matrix)
            block.scatter()

    def backward(self) -> None:
        if self.bias_sum is not None:
            np.add.reduce(self.bias_sum[0], axis=1, out=self.bias_sum[1])
        for index, (block, x) in enumerate(zip(self.grads, self.inputs, strict=True)):
            block.gather()
            if self.weight_sum is None:
                np.matmul(x, block.matrix.transpose(0, 2, 1), out=self.grad_weight)
            else:
                self.weight_sum.add(index, block.matrix, x.transpose(0, 2, 1))
            if self.grad_inputs is not None:
                np.matmul(self.weight, block.matrix, out=self.grad_inputs[index])
        if self.weight_sum is not None:
            np.copyto(self.grad_weight, self.weight_sum.total.transpose(0, 2, 1))
