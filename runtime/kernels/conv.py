"""Convolution on batch-last maps of one, two or three axes, (C, H, W, N), by whichever way the plan found cheapest."""

from __future__ import annotations

import numpy as np

from planner.layers.conv import Conv
from runtime.kernels.base import Kernel, flat, kernel, user_shape
from runtime.kernels.depthwise import Depthwise
from runtime.kernels.products import Products, Rotated
from runtime.kernels.window import over_volume


@kernel(Conv)
class ConvKernel(Kernel[Conv]):
    """Convolution, by a way of :mod:`runtime.kernels.products` or :mod:`runtime.kernels.depthwise`."""

    def prepare(self) -> None:
        x, y = self.arrays.inputs[0], self.arrays.output
        plan = self.layer.scratch((user_shape(x),), user_shape(y))
        windows = over_volume(self.layer.windows(user_shape(x)))
        way = Depthwise if plan.depthwise else Products
        self.way = way(plan, windows, self.arrays, self.scratch(), self.differentiates)
        self.rotated: Rotated | None = None
        grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        if grad_input is not None and plan.rotated and not plan.depthwise:
            self.rotated = Rotated(plan, windows, self.arrays, self.scratch(), grad_input)
        grad_bias = self.arrays.grad_parameters.get("bias") if self.differentiates else None
        self.bias_sum = None if grad_bias is None else (flat(self.grad_output, y.shape[0], -1), grad_bias)

    def forward(self) -> None:
        self.way.forward()

    def backward(self) -> None:
        if self.bias_sum is not None:
            np.add.reduce(self.bias_sum[0], axis=1, out=self.bias_sum[1])
        (self.rotated or self.way).backward()
