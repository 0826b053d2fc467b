"""Arithmetic of several tensors: views repeat what is smaller, gradients of what was repeated are summed."""

from __future__ import annotations

from math import prod
from typing import ClassVar

import numpy as np

from planner.layers.arithmetic import Add, Maximum, Multiply, Subtract
from planner.layers.tiling.workspace import norm_elements, norm_step, pieces
from runtime.kernels.base import Array, Kernel, LayerT, address, flat, kernel


class ArithmeticKernel(Kernel[LayerT]):
    """One tensor after the other, joined by `operation`, and one gradient after the other.

    A subclass says what a gradient would be if no input were repeated.

    The output is memory of its own. A gradient is summed over what its input was repeated along, some channels at a
    time and one axis after the other, the last first, so that sums stay short and float32 accurate.
    """

    operation: ClassVar[np.ufunc]
    workspace_pieces = 0

    def prepare(self) -> None:
        output = self.arrays.output
        self.wide = [np.broadcast_to(array, output.shape) for array in self.arrays.inputs]
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
                    self._gather(product, grad, span)

    def differentiate(self, slot: int, span: slice, out: Array) -> None:
        """Write to `out` the gradient of one input at some channels, as if it were as large as the output."""
        raise NotImplementedError

    def some(self, number: int, like: Array) -> Array:
        """Return a piece of workspace in the shape of an array."""
        return flat(self.temporary[number][: like.size], *like.shape)

    def _gather(self, product: Array, grad: Array, span: slice) -> None:
        """Sum what a repeated input is the cause of, and put it where it belongs."""
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
    """Sum of tensors, added up in their order.

    One that occurs several times, also as an alias, is multiplied if it is the first.
    """

    def prepare(self) -> None:
        super().prepare()
        terms: dict[tuple[int, tuple[int, ...]], list[Array]] = {}
        for array in self.arrays.inputs:
            terms.setdefault((address(array), array.shape), []).append(array)
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

    def differentiate(self, slot: int, span: slice, out: Array) -> None:
        np.copyto(out, self.grad_output[span])


@kernel(Subtract)
class SubtractKernel(ArithmeticKernel[Subtract]):
    """The first less the others, one after the other."""

    operation = np.subtract

    def differentiate(self, slot: int, span: slice, out: Array) -> None:
        if slot:
            np.negative(self.grad_output[span], out=out)
        else:
            np.copyto(out, self.grad_output[span])


@kernel(Multiply)
class MultiplyKernel(ArithmeticKernel[Multiply]):
    """Product of tensors; each receives the gradient times all the others."""

    operation = np.multiply

    def differentiate(self, slot: int, span: slice, out: Array) -> None:
        source = self.grad_output[span]
        for place, array in enumerate(self.wide):
            if place != slot:
                np.multiply(source, array[span], out=out)
                source = out


@kernel(Maximum)
class MaximumKernel(ArithmeticKernel[Maximum]):
    """The largest; the gradient goes in equal shares to all that are as large as the output."""

    operation = np.maximum
    workspace_pieces = Maximum.pieces

    def differentiate(self, slot: int, span: slice, out: Array) -> None:
        largest = self.arrays.output[span]
        count, equal = self.some(0, largest), self.some(1, largest)
        count.fill(0)
        for array in self.wide:
            np.equal(array[span], largest, out=equal)
            np.add(count, equal, out=count)
        np.equal(self.wide[slot][span], largest, out=equal)
        np.divide(equal, count, out=equal)
        np.multiply(self.grad_output[span], equal, out=out)
