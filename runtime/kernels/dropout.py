"""Dropout layers: the forward pass draws the masks, and the backward pass reuses them.

Every forward pass may overwrite its input, and every backward pass the gradient of its output.
"""

from __future__ import annotations

import numpy as np

from planner.layers.dropout import Dropout, Dropout2d, StochasticDepth
from planner.layers.tiling.workspace import block_elements, pieces
from runtime.kernels.base import Array, Kernel, Mask, flat, kernel, same_memory


@kernel(Dropout)
class DropoutKernel(Kernel[Dropout]):
    """Dropout of single numbers, with the rest scaled; the mask takes one byte per number."""

    def prepare(self) -> None:
        x, y = flat(self.arrays.inputs[0]), flat(self.arrays.output)
        self.copies = [] if self.training or same_memory(x, y) else [(y, x)]
        self.forward_pieces: list[tuple[Array, Array, Array, Mask]] = []
        self.backward_pieces: list[tuple[Array, Array, Mask]] = []
        if not self.training:
            return
        kept = self.arrays.saved["kept"].view(np.bool_)[: x.size]
        random = self.workspace().take(block_elements(x.size))
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


@kernel(Dropout2d, StochasticDepth)
class DropoutMapKernel(Kernel[Dropout2d | StochasticDepth]):
    """Dropout of whole maps or images, with the rest scaled; the forward pass draws a factor for each."""

    def prepare(self) -> None:
        x, y = self.arrays.inputs[0], self.arrays.output
        self.copies = [] if self.training or same_memory(x, y) else [(y, x)]
        if not self.training:
            return
        self.kept = self.arrays.saved["kept"]
        shape = self.kept.shape if self.kept.ndim == 1 else (self.kept.shape[0], 1, self.kept.shape[1])
        whole = (-1, x.shape[-1]) if self.kept.ndim == 1 else (x.shape[0], -1, x.shape[-1])
        self.factors = flat(self.kept, *shape)
        self.passes = [(flat(x, *whole), flat(y, *whole))]
        grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        self.back = [] if grad_input is None else [(flat(self.grad_output, *whole), flat(grad_input, *whole))]

    def forward(self) -> None:
        for target, source in self.copies:
            np.copyto(target, source)
        if self.training:
            self.arrays.rng.random(out=self.kept, dtype=self.kept.dtype.type)
            np.greater_equal(self.kept, self.layer.rate, out=self.kept)
            np.multiply(self.kept, 1 / (1 - self.layer.rate), out=self.kept)
            self._multiply(self.passes)

    def backward(self) -> None:
        self._multiply(self.back)

    def _multiply(self, pairs: list[tuple[Array, Array]]) -> None:
        for source, target in pairs:
            np.multiply(source, self.factors, out=target)
