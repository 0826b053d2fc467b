"""Softmax and its logarithm: columns of numbers, one for each place, some places at a time.

Every forward may write over its input, and every backward over the gradient of its output.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.layers.scratch import pieces, softmax_columns, softmax_parts
from planner.layers.softmax import LogSoftmax, Softmax
from runtime.kernels.base import Array, Kernel, LayerT, Scratch, flat, kernel


@dataclass(frozen=True, slots=True)
class Rows:
    """Scratch memory of one pass: (1, places), (parts, places) and, where products are formed, (channels, places)."""

    total: Array
    partial: Array
    product: Array


class ChannelKernel(Kernel[LayerT]):
    """What softmax and its logarithm share: columns of numbers, one for each place, cut into pieces."""

    def prepare(self) -> None:
        channels = self.arrays.output.shape[0]
        x, y = flat(self.arrays.inputs[0], channels, -1), flat(self.arrays.output, channels, -1)
        step = softmax_columns(channels, x.shape[1])
        self.spans = [slice(*span) for span in pieces(x.shape[1], step)]
        self.parts = [slice(*span) for span in pieces(channels, -(-channels // softmax_parts(channels)))]
        self.rows = self._rows(self.scratch(), step, channels if isinstance(self.layer, LogSoftmax) else 0)
        self.forward_pieces = [(x[:, span], y[:, span]) for span in self.spans]
        self.backward_pieces: list[tuple[Array, Array, Array]] = []
        grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        if grad_input is not None:
            self.rows_back = self._rows(self.backward_scratch(), step, channels)
            grad, grad_input = flat(self.grad_output, channels, -1), flat(grad_input, channels, -1)
            self.backward_pieces = [(y[:, span], grad[:, span], grad_input[:, span]) for span in self.spans]

    def _rows(self, scratch: Scratch, step: int, products: int) -> Rows:
        return Rows(scratch.take(1, step), scratch.take(len(self.parts), step), scratch.take(products, step))

    def sum(self, values: Array, rows: Rows) -> Array:
        """Return the sum over channels, in parts first, so that float32 stays accurate over many channels."""
        width = values.shape[1]
        partial, row = rows.partial[:, :width], rows.total[:, :width]
        for index, part in enumerate(self.parts):
            np.add.reduce(values[part], axis=0, out=partial[index])
        np.add.reduce(partial, axis=0, keepdims=True, out=row)
        return row

    def centre(self, x: Array, y: Array) -> None:
        """Write `x` minus its largest number to `y`."""
        row = self.rows.total[:, : x.shape[1]]
        np.maximum.reduce(x, axis=0, keepdims=True, out=row)
        np.subtract(x, row, out=y)


@kernel(Softmax)
class SoftmaxKernel(ChannelKernel[Softmax]):
    """``exp(x) / sum(exp(x))``; backward ``y (g - sum(g y))``."""

    def forward(self) -> None:
        for x, y in self.forward_pieces:
            self.centre(x, y)
            np.exp(y, out=y)
            np.divide(y, self.sum(y, self.rows), out=y)

    def backward(self) -> None:
        for y, grad, grad_input in self.backward_pieces:
            product = self.rows_back.product[:, : y.shape[1]]
            np.multiply(grad, y, out=product)
            np.subtract(grad, self.sum(product, self.rows_back), out=grad_input)
            np.multiply(grad_input, y, out=grad_input)


@kernel(LogSoftmax)
class LogSoftmaxKernel(ChannelKernel[LogSoftmax]):
    """``x - log(sum(exp(x)))``; backward ``g - exp(y) sum(g)``."""

    def forward(self) -> None:
        for x, y in self.forward_pieces:
            product = self.rows.product[:, : y.shape[1]]
            self.centre(x, y)
            np.exp(y, out=product)
            row = self.sum(product, self.rows)
            np.log(row, out=row)
            np.subtract(y, row, out=y)

    def backward(self) -> None:
        for y, grad, grad_input in self.backward_pieces:
            product = self.rows_back.product[:, : y.shape[1]]
            np.exp(y, out=product)
            np.multiply(product, self.sum(grad, self.rows_back), out=product)
            np.subtract(grad, product, out=grad_input)
