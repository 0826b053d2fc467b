"""Layers that leave something out at random: masks drawn by the forward, read again by the backward pass.

Every forward may write over its input, and every backward over the gradient of its output.
"""

from __future__ import annotations

import numpy as np

from planner.layers.dropout import Dropout
from planner.layers.scratch import block_elements, pieces
from runtime.kernels.base import Array, Kernel, Mask, flat, kernel, same_memory


@kernel(Dropout)
class DropoutKernel(Kernel[Dropout]):
    """Zeroes numbers at random and scales the rest; the mask takes one byte a number."""

    def prepare(self) -> None:
        x, y = flat(self.arrays.inputs[0]), flat(self.arrays.output)
        self.copies = [] if self.training or same_memory(x, y) else [(y, x)]
        self.forward_pieces: list[tuple[Array, Array, Array, Mask]] = []
        self.backward_pieces: list[tuple[Array, Array, Mask]] = []
        if not self.training:
            return
        kept = self.arrays.saved["kept"].view(np.bool_)[: x.size]
        random = self.scratch().take(block_elements(x.size))
        grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        for span in (slice(*span) for span in pieces(x.size, random.size)):
            self.forward_pieces.append((x[span], y[span], random[: span.stop - span.start], kept[span]))
            if grad_input is not None:
                self.backward_pieces.append((flat(self.grad_output)[span], flat(grad_input)[span], kept[span]))

    def forward(self) -> None:
        for target, source in self.copies:
            np.copyto(target, source)
        scale = 1 / (1 - self.layer.rate)
        for x, y, random, kept in self.forward_pieces:
            self.arrays.rng.random(out=random, dtype=random.dtype.type)
            np.greater_equal(random, self.layer.rate, out=kept)
            np.multiply(x, kept, out=y)
            np.multiply(y, scale, out=y)

    def backward(self) -> None:
        scale = 1 / (1 - self.layer.rate)
        for grad, grad_input, kept in self.backward_pieces:
            np.multiply(grad, kept, out=grad_input)
            np.multiply(grad_input, scale, out=grad_input)
