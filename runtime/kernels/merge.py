"""Concatenation of tensors."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from planner.layers.axes import position
from planner.layers.merge import Concat
from runtime.kernels.base import Array, Kernel, kernel, same_memory


@kernel(Concat)
class ConcatKernel(Kernel[Concat]):
    """Concatenation along an axis. Along the channels, each input is one block of memory, since the batch is last.

    If the plan placed an input, or its gradient, inside that of the output, nothing is copied.
    """

    def prepare(self) -> None:
        place = position(self.layer.axis, self.arrays.output.ndim) - 1
        ends = np.cumsum([0, *(array.shape[place] for array in self.arrays.inputs)]).tolist()
        spans = [(*[slice(None)] * place, slice(first, last)) for first, last in pairwise(ends)]
        parts = [(self.arrays.output[span], array) for span, array in zip(spans, self.arrays.inputs, strict=True)]
        self.copies = [(part, array) for part, array in parts if place or not same_memory(part, array)]
        self.grad_copies: list[tuple[Array, Array]] = []
        if self.differentiates:
            for span, grad in zip(spans, self.arrays.grad_inputs, strict=True):
                if grad is not None and (place or not same_memory(grad, self.grad_output[span])):
                    self.grad_copies.append((grad, self.grad_output[span]))

    def forward(self) -> None:
        for part, array in self.copies:
            np.copyto(part, array)

    def backward(self) -> None:
        for grad, part in self.grad_copies:
            np.copyto(grad, part)
