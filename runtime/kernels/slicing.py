"""Parts of one tensor, copied; their gradient is zero everywhere else."""

from __future__ import annotations

import numpy as np

from planner.layers.axes import position
from planner.layers.slicing import Cut, Slice, Split
from runtime.kernels.base import Array, Kernel, kernel


@kernel(Slice, Split)
class CutKernel(Kernel[Cut]):
    """Some positions along one axis; with the batch last, those of the channels are one block of memory."""

    def prepare(self) -> None:
        place = position(self.layer.axis, self.arrays.inputs[0].ndim) - 1
        start, stop, step = map(int, self.layer.kept(self.arrays.inputs[0].shape[place]))
        self.index = (*[slice(None)] * place, slice(start, stop, step))
        self.part = self.arrays.inputs[0][self.index]
        self.grad_input: Array | None = self.arrays.grad_inputs[0] if self.differentiates else None

    def forward(self) -> None:
        np.copyto(self.arrays.output, self.part)

    def backward(self) -> None:
        if self.grad_input is not None:
            self.grad_input.fill(0)
            np.copyto(self.grad_input[self.index], self.grad_output)
