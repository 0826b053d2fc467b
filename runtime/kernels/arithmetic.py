"""Elementwise arithmetic of several tensors, with broadcasting; gradients are summed over broadcast axes."""

from __future__ import annotations

from math import prod
from typing import ClassVar

import numpy as np

from planner.layers.arithmetic import Add, Maximum, Multiply, Subtract
from planner.layers.tiling.workspace import norm_elements, norm_step, pieces
from runtime.kernels.base import Array, Kernel, LayerT, address, flat, kernel


class ArithmeticKernel(Kernel[LayerT]):
    """Base of the kernels that combine one tensor after the other by `operation`.

    A subclass computes the gradient of an input as if it were not broadcast.

    The output has separate memory. The gradient of a broadcast input is summed over the broadcast axes, some channels
    at a time and one axis after the other, the last axis first, so that sums stay short and float32 accurate.
    """

    operation: ClassVar[np.ufunc]
    workspace_pieces = 0

    def prepare(self) -> None:
        output = self.arrays.output
        self.broadcast = [np.broadcast_to(array, output.shape) for array in self.arrays.inputs]
        if not self.differentiates:
            return
        channels, count = output.shape[0], output.size // output.shape[0]
        self.spans = [slice(*span) for span in pieces(channels, norm_step(channels, count))]
        elements = norm_elements(channels, count)
        workspace = self.backward_workspace()
        self.temporary = [workspace.take(elements) for _ in range(self.workspace_pieces)]
        if any(array.shape != output.shape for array in self.arrays.inputs):
            self.product, self.sums = workspace.take(elements), workspace.take(elements)

    def forward(self) -> None:
        first, second, *rest = self.arrays.inputs
        output = self.arrays.output
        self.operation(first, second, out=output)
        for array in rest:
            self.operation(output, array, out=output)

    def backward(self) -> None:
        for slot, grad in enumerate(self.arrays.grad_inputs):
            for span in self.spans if grad is not None else ():
                assert grad is not None
                if grad.shape == self.arrays.output.shape:
                    self.differentiate(slot, span, grad[span])
                else:
                    shape = self.arrays.output[span].shape
                    product = flat(self.product[: prod(shape)], *shape)
                    self.differentiate(slot, span, product)
                    self._sum_broadcast(product, grad, span)

    def differentiate(self, slot: int, span: slice, out: Array) -> None:
        """Write the gradient of one input for some channels to `out`, as if the input had the shape of the output."""
        raise NotImplementedError

    def temporary_like(self, number: int, like: Array) -> Array:
        """Return a temporary array in the shape of another array."""
        return flat(self.temporary[number][: like.size], *like.shape)

    def _sum_broadcast(self, product: Array, grad: Array, span: slice) -> None:
        """Sum the gradient of a broadcast input over its broadcast axes, and write it to `grad`."""
        used = 0
        for axis in reversed(range(product.ndim)):
            if grad.shape[axis] == 1 < product.shape[axis]:
                shape = (*product.shape[:axis], 1, *product.shape[axis + 1 :])
                total = flat(self.sums[used : used + prod(shape)], *shape)
                used += total.size
                np.add.reduce(product, axis=axis, keepdims=True, out=total)
                product = total
        repeated = grad.shape[0] < self.arrays.output.shape[0]
        if repeated and span.start:
            np.add(grad, product, out=grad)
        else:
            np.copyto(grad if repeated else grad[span], product)


@kernel(Add)
class AddKernel(ArithmeticKernel[Add]):
    """Sum of tensors, added in order.

    If the first tensor occurs several times, also as an alias, it is multiplied instead.
    """

    def prepare(self) -> None:
        super().prepare()
        terms: dict[tuple[int, tuple[int, ...]], list[Array]] = {}
        for array in self.arrays.inputs:
            terms.setdefault((address(array), array.shape), []).append(array)
        first, *others = terms.values()
        self.first, self.count = first[0], len(first)
        self.rest = [array for same in others for array in same]

    def forward(self) -> None:
        output, rest = self.arrays.output, self.rest
        if self.count > 1:
            np.multiply(self.first, self.count, out=output)
        else:
            np.add(self.first, rest[0], out=output)
            rest = rest[1:]
        for array in rest:
            np.add(output, array, out=output)

    def differentiate(self, slot: int, span: slice, out: Array) -> None:
        np.copyto(out, self.grad_output[span])


@kernel(Subtract)
class SubtractKernel(ArithmeticKernel[Subtract]):
    """The first tensor minus all others."""

    operation = np.subtract

    def differentiate(self, slot: int, span: slice, out: Array) -> None:
        if slot:
            np.negative(self.grad_output[span], out=out)
        else:
            np.copyto(out, self.grad_output[span])


@kernel(Multiply)
class MultiplyKernel(ArithmeticKernel[Multiply]):
    """Product of tensors; the gradient of each is that of the output times all other tensors."""

    operation = np.multiply

    def differentiate(self, slot: int, span: slice, out: Array) -> None:
        source = self.grad_output[span]
        for place, array in enumerate(self.broadcast):
            if place != slot:
                np.multiply(source, array[span], out=out)
                source = out


@kernel(Maximum)
class MaximumKernel(ArithmeticKernel[Maximum]):
    """Elementwise maximum; the gradient is shared equally among all tensors that equal the output."""

    operation = np.maximum
    workspace_pieces = Maximum.pieces

    def differentiate(self, slot: int, span: slice, out: Array) -> None:
        largest = self.arrays.output[span]
        count, equal = self.temporary_like(0, largest), self.temporary_like(1, largest)
        count.fill(0)
        for array in self.broadcast:
            np.equal(array[span], largest, out=equal)
            np.add(count, equal, out=count)
        np.equal(self.broadcast[slot][span], largest, out=equal)
        np.divide(equal, count, out=equal)
        np.multiply(self.grad_output[span], equal, out=out)
