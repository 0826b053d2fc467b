"""Depthwise convolution: every channel by itself, by multiplying and adding one tap at a time.

The matrices of such a convolution have one row, too thin for a product of matrices to be worth its columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from planner.layers.scratch import ConvScratch, pieces
from planner.layers.window import Window
from runtime.kernels.base import Array, Arrays, Scratch, flat
from runtime.kernels.window import taps


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap of one tile: which numbers it multiplies, and where the products go.

    Shapes are (channels, rows, columns, N), the weight's and its gradient's (channels, 1, 1, 1) and (channels,).
    """

    seen: Array
    weight: Array
    part: Array
    product: Array
    row: Array
    share: Array
    grad: Array | None = None
    grad_seen: Array | None = None
    grad_weight: Array | None = None


class Depthwise:
    """Both passes of a convolution with as many groups as channels (any whole number of filters for each).

    Parameters
    ----------
    plan : ConvScratch
    windows : tuple of Window
    arrays : Arrays
    scratch : Scratch
    training : bool
    """

    def __init__(
        self, plan: ConvScratch, windows: tuple[Window, Window], arrays: Arrays, scratch: Scratch, training: bool
    ) -> None:
        self.plan, self.windows, self.arrays = plan, windows, arrays
        (x,), y = arrays.inputs, arrays.output
        self.channels, self.multiple = x.shape[0], y.shape[0] // x.shape[0]
        self.product = scratch.take(plan.tiles.elements)
        self.share = scratch.take(self.channels) if training else self.product[:0]
        self.grad_input = arrays.grad_inputs[0] if training else None
        bias = arrays.parameters.get("bias")
        self.bias = None if bias is None else flat(bias, y.shape[0], 1, 1, 1)
        self.taps = list(self._taps(training))

    def _taps(self, training: bool) -> Iterator[Tap]:
        (x,), y = self.arrays.inputs, self.arrays.output
        weight = self.arrays.parameters["weight"]
        grad_output = self.arrays.grad_output if training else None
        grad_weight = self.arrays.grad_parameters.get("weight") if training else None
        channels, rows = self.plan.tiles.step
        for first, last in pieces(self.channels, channels):
            for span in pieces(y.shape[1], rows):
                for i, j, high, wide in taps(self.windows, (x.shape[1], x.shape[2]), span, (0, y.shape[2])):
                    seen = x[first:last, high.seen, wide.seen]
                    product = self.product[: seen.size].reshape(seen.shape)
                    for which in range(self.multiple):
                        filters = slice(first * self.multiple + which, last * self.multiple, self.multiple)
                        there = (filters, slice(high.first, high.last), slice(wide.first, wide.last))
                        kernel = weight[filters, 0, i, j]
                        yield Tap(
                            seen,
                            kernel[:, None, None, None],
                            y[there],
                            product,
                            flat(product, last - first, -1),
                            self.share[: last - first],
                            None if grad_output is None else grad_output[there],
                            None if self.grad_input is None else self.grad_input[first:last, high.seen, wide.seen],
                            None if grad_weight is None else grad_weight[filters, 0, i, j],
                        )

    def forward(self) -> None:
        """Compute the output."""
        if self.bias is None:
            self.arrays.output.fill(0)
        else:
            np.copyto(self.arrays.output, self.bias)
        for tap in self.taps:
            np.multiply(tap.seen, tap.weight, out=tap.product)
            np.add(tap.part, tap.product, out=tap.part)

    def backward(self) -> None:
        """Compute the gradients of the weights and, where asked for, of the input."""
        self.arrays.grad_parameters["weight"].fill(0)
        if self.grad_input is not None:
            self.grad_input.fill(0)
        for tap in self.taps:
            if tap.grad is None or tap.grad_weight is None:
                continue
            np.multiply(tap.seen, tap.grad, out=tap.product)
            np.add.reduce(tap.row, axis=1, out=tap.share)
            np.add(tap.grad_weight, tap.share, out=tap.grad_weight)
            if tap.grad_seen is not None:
                np.multiply(tap.grad, tap.weight, out=tap.product)
                np.add(tap.grad_seen, tap.product, out=tap.grad_seen)
