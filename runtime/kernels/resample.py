"""Maps made larger by repeating their positions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.layers.resample import Upsample
from runtime.kernels.base import Array, Kernel, flat, kernel


def _split(array: Array, high: int, wide: int) -> Array:
    """Return a map as (C, H, repeats down, W, repeats across, N)."""
    channels, rows, columns, batch = array.shape
    return flat(array, channels, rows // high, high, columns // wide, wide, batch)


@kernel(Upsample)
class UpsampleKernel(Kernel[Upsample]):
    """Nearest neighbour upsampling, one position of the repeated block at a time; gradients of copies are added."""

    def prepare(self) -> None:
        self.copies = list(self._parts(self.arrays.output))
        self.grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        self.grad_copies = [] if self.grad_input is None else list(self._parts(self.grad_output))

    def _parts(self, array: Array) -> Iterator[Array]:
        # all are filled from the input: copies within one array would make NumPy allocate another
        high, wide = self.layer.scale
        split = _split(array, high, wide)
        for row in range(high):
            for column in range(wide):
                yield split[:, :, row, :, column]

    def forward(self) -> None:
        for part in self.copies:
            np.copyto(part, self.arrays.inputs[0])

    def backward(self) -> None:
        if self.grad_input is None:
            return
        np.copyto(self.grad_input, self.grad_copies[0])
        for part in self.grad_copies[1:]:
            np.add(self.grad_input, part, out=self.grad_input)
