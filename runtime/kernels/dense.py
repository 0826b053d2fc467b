"""Fully connected layers on (features, N)."""

from __future__ import annotations

import numpy as np

from planner.layers.dense import Dense
from runtime.kernels.base import Kernel, kernel


@kernel(Dense)
class DenseKernel(Kernel[Dense]):
    """``weight @ x + bias``: with the batch last, no operand is ever transposed in memory."""

    def prepare(self) -> None:
        bias = self.arrays.parameters.get("bias")
        self.weight = self.arrays.parameters["weight"]
        self.bias = None if bias is None else bias[:, None]

    def forward(self) -> None:
        output = self.arrays.output
        np.matmul(self.weight, self.arrays.inputs[0], out=output)
        if self.bias is not None:
            np.add(output, self.bias, out=output)

    def backward(self) -> None:
        grad, grads = self.grad_output, self.arrays.grad_parameters
        np.matmul(grad, self.arrays.inputs[0].T, out=grads["weight"])
        if self.bias is not None:
            np.add.reduce(grad, axis=1, out=grads["bias"])
        grad_input = self.arrays.grad_inputs[0]
        if grad_input is not None:
            np.matmul(self.weight.T, grad, out=grad_input)
