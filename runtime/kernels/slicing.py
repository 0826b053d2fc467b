"""Slices of a tensor; the gradient is zero outside the slice."""

from __future__ import annotations

import numpy as np

from planner.layers.axes import position
from planner.layers.slicing import Cut, Slice, Split
from runtime.kernels.base import Array, Kernel, kernel


@kernel(Slice, Split)
class CutKernel(Kernel[Cut]):
    """A copy of some positions along one axis; neighbouring channels are one block of memory."""

    def prepare(self) -> None:
        place = position(self.layer.axis, self.arrays.inputs[0].ndim) - 1
        start, stop, step = map(int, self.layer.kept(self.arrays.inputs[0].shape[place]))
        before = [slice(None)] * place
        index = (*before, slice(start, stop, step))
        self.part = self.arrays.inputs[0][index]
        self.grad_parts: list[Array] = []
        self.grad_rest: list[Array] = []
        grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        if grad_input is not None:
            self.grad_parts.append(grad_input[index])
            around = [slice(None)] if step > 1 else [slice(None, start), slice(stop, None)]
            self.grad_rest += [grad_input[(*before, rest)] for rest in around]

    def forward(self) -> None:
        np.copyto(self.arrays.output, self.part)

    def backward(self) -> None:
        for rest in self.grad_rest:
            rest.fill(0)
        for part in self.grad_parts:
            np.copyto(part, self.grad_output)
