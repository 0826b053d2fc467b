"""Global pooling: each map is reduced to one number, (C, H, W, N) -> (C, 1, 1, N), over any number of axes."""

from __future__ import annotations

from math import prod

import numpy as np

from planner.layers.globalpool import GlobalAvgPool, GlobalMaxPool, GlobalSumPool
from runtime.kernels.base import Kernel, LayerT, flat, kernel


class GlobalSumKernel(Kernel[LayerT]):
    """Sum of each map, first within its lines and then over them, which keeps float32 sums accurate."""

    def prepare(self) -> None:
        x, y = self.arrays.inputs[0], self.arrays.output
        channels, *sizes, batch = x.shape
        lines = prod(sizes[:-1])
        self.input = flat(x, channels, lines, sizes[-1], batch)
        self.rows = self.workspace().take(channels, lines, batch)
        self.output = flat(y, channels, batch)
        self.scale = y.dtype.type(self.factor(prod(sizes)))

    def factor(self, positions: int) -> float:
        """Return the factor of the sum over a map with `positions` positions."""
        return 1.0

    def forward(self) -> None:
        np.add.reduce(self.input, axis=2, out=self.rows)
        np.add.reduce(self.rows, axis=1, out=self.output)
        np.multiply(self.output, self.scale, out=self.output)

    def backward(self) -> None:
        grad = self.arrays.grad_inputs[0]
        if grad is not None:
            np.multiply(self.grad_output, self.scale, out=grad)


@kernel(GlobalSumPool)
class GlobalSumPoolKernel(GlobalSumKernel[GlobalSumPool]):
    """Sum of each map."""


@kernel(GlobalAvgPool)
class GlobalAvgPoolKernel(GlobalSumKernel[GlobalAvgPool]):
    """Mean of each map."""

    def factor(self, positions: int) -> float:
        return 1.0 / positions


@kernel(GlobalMaxPool)
class GlobalMaxPoolKernel(Kernel[GlobalMaxPool]):
    """Largest number of each map; the gradient goes to the first position that has it."""

    def prepare(self) -> None:
        x, y = self.arrays.inputs[0], self.arrays.output
        channels, batch = x.shape[0], x.shape[-1]
        self.input = flat(x, channels, x.size // (channels * batch), batch)
        self.output = flat(y, channels, batch)
        grad = self.arrays.grad_inputs[0] if self.differentiates else None
        self.grad_input = None if grad is None else flat(grad, *self.input.shape)
        if self.grad_input is not None:
            workspace = self.backward_workspace()
            self.equal = workspace.take_mask(x.size).reshape(self.input.shape)
            self.reached = workspace.take_mask(x.size).reshape(self.input.shape)
            self.largest = flat(y, channels, 1, batch)
            self.grad = flat(self.grad_output, channels, 1, batch)

    def forward(self) -> None:
        np.maximum.reduce(self.input, axis=1, out=self.output)

    def backward(self) -> None:
        if self.grad_input is None:
            return
        np.equal(self.input, self.largest, out=self.equal)
        np.logical_or.accumulate(self.equal, axis=1, out=self.reached)
        # the first position is where `reached` changes from false to true
        np.greater(self.reached[:, 1:], self.reached[:, :-1], out=self.equal[:, 1:])
        np.multiply(self.grad, self.equal, out=self.grad_input)
