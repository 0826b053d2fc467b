"""Joins of several tensors."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from planner.layers.merge import Add, Concat
from runtime.kernels.base import Array, Kernel, address, kernel, same_memory


@kernel(Add)
class AddKernel(Kernel[Add]):
    """Sum of tensors; each input receives the output's gradient.

    The output is memory of its own, and what the inputs are added up in, in their order. One that occurs several
    times, also as an alias, is multiplied if it is the first.
    """

    def prepare(self) -> None:
        terms: dict[int, list[Array]] = {}
        for array in self.arrays.inputs:
            terms.setdefault(address(array), []).append(array)
        first, *others = terms.values()
        self.first, self.count = first[0], len(first)
        self.rest = [array for alike in others for array in alike]

    def forward(self) -> None:
        output, rest = self.arrays.output, self.rest
        if self.count > 1:
            np.multiply(self.first, self.count, out=output)
        else:
            np.add(self.first, rest[0], out=output)
            rest = rest[1:]
        for array in rest:
            np.add(output, array, out=output)

    def backward(self) -> None:
        for grad in self.arrays.grad_inputs:
            if grad is not None:
                np.copyto(grad, self.grad_output)


@kernel(Concat)
class ConcatKernel(Kernel[Concat]):
    """Inputs one behind the other along the first axis: with the batch last, each is one block of the output.

    Nothing is to be copied where the plan placed an input, or its gradient, inside the output's.
    """

    def prepare(self) -> None:
        ends = np.cumsum([0, *(array.shape[0] for array in self.arrays.inputs)]).tolist()
        spans = [slice(first, last) for first, last in pairwise(ends)]
        parts = [(self.arrays.output[span], array) for span, array in zip(spans, self.arrays.inputs, strict=True)]
        self.copies = [(part, array) for part, array in parts if not same_memory(part, array)]
        self.grad_copies: list[tuple[Array, Array]] = []
        if self.differentiates:
            for span, grad in zip(spans, self.arrays.grad_inputs, strict=True):
                if grad is not None and not same_memory(grad, self.grad_output[span]):
                    self.grad_copies.append((grad, self.grad_output[span]))

    def forward(self) -> None:
        for part, array in self.copies:
            np.copyto(part, array)

    def backward(self) -> None:
        for grad, part in self.grad_copies:
            np.copyto(grad, part)
