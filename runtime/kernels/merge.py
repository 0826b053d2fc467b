"""Joins of several tensors."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from planner.layers.merge import Add, Concat, Multiply
from planner.layers.scratch import norm_elements, norm_step, pieces
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


@kernel(Multiply)
class MultiplyKernel(Kernel[Multiply]):
    """Product of two tensors, each of which receives the gradient times the other.

    A gate's gradient is summed over each map, rows first, some channels at a time.
    """

    def prepare(self) -> None:
        x, gate = self.arrays.inputs
        self.gates = x.shape != gate.shape
        if not (self.differentiates and self.gates):
            return
        channels, high, wide, batch = x.shape
        step, elements = norm_step(channels, high * wide * batch), norm_elements(channels, high * wide * batch)
        scratch = self.scratch()
        self.product, self.rows = scratch.take(elements), scratch.take(elements // wide)
        self.spans = [slice(*span) for span in pieces(channels, step)]

    def forward(self) -> None:
        x, gate = self.arrays.inputs
        np.multiply(x, gate, out=self.arrays.output)

    def backward(self) -> None:
        (x, gate), (grad_x, grad_gate) = self.arrays.inputs, self.arrays.grad_inputs
        if grad_x is not None:
            np.multiply(self.grad_output, gate, out=grad_x)
        if grad_gate is not None and not self.gates:
            np.multiply(self.grad_output, x, out=grad_gate)
        elif grad_gate is not None:
            for span in self.spans:
                part, target = x[span], grad_gate[span][:, 0, 0]
                product = self.product[: part.size].reshape(part.shape)
                rows = self.rows[: part.size // part.shape[2]].reshape(*part.shape[:2], part.shape[3])
                np.multiply(self.grad_output[span], part, out=product)
                np.add.reduce(product, axis=2, out=rows)
                np.add.reduce(rows, axis=1, out=target)
