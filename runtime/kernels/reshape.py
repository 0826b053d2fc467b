"""Layers whose output is their input's memory under another shape."""

from __future__ import annotations

import numpy as np

from planner.layers.base import Layer
from planner.layers.reshape import Flatten, Reshape
from runtime.kernels.base import Kernel, flat, kernel, same_memory


@kernel(Flatten, Reshape)
class ReshapeKernel(Kernel[Layer]):
    """The same numbers with other axes before the batch, such as (C, H, W, N) as (C*H*W, N).

    Nothing is to be done where the plan made them one memory, and it always does.
    """

    def forward(self) -> None:
        x, y = self.arrays.inputs[0], self.arrays.output
        if not same_memory(x, y):
            np.copyto(y, flat(x, *y.shape))

    def backward(self) -> None:
        grad, grad_input = self.grad_output, self.arrays.grad_inputs[0]
        if grad_input is not None and not same_memory(grad, grad_input):
            np.copyto(flat(grad_input, *grad.shape), grad)
