"""Nearest neighbour upsampling of maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from planner.layers.resample import Upsample
from runtime.kernels.base import Array, Kernel, flat, kernel, user_shape


def _split(array: Array, scales: Sequence[int]) -> Array:
    """Return a view of a map as (C, H, repeats down, W, repeats across, N), and likewise for other axes."""
    channels, *sizes, batch = array.shape
    pairs = ((size // scale, scale) for size, scale in zip(sizes, scales, strict=True))
    return flat(array, channels, *(size for pair in pairs for size in pair), batch)


@kernel(Upsample)
class UpsampleKernel(Kernel[Upsample]):
    """Nearest neighbour upsampling, one position of the repeated block at a time; gradients of copies are summed."""

    def prepare(self) -> None:
        self.copies = list(self._parts(self.arrays.output))
        self.grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        self.grad_copies = [] if self.grad_input is None else list(self._parts(self.grad_output))

    def _parts(self, array: Array) -> Iterator[Array]:
        # all parts are copied from the input: copies within one array would make NumPy allocate a temporary one
        scales = self.layer.scales(user_shape(self.arrays.inputs[0]))
        split = _split(array, scales)
        for copy in product(*map(range, scales)):
            yield split[:, *(index for repeat in copy for index in (slice(None), repeat))]

    def forward(self) -> None:
        for part in self.copies:
            np.copyto(part, self.arrays.inputs[0])

    def backward(self) -> None:
        if self.grad_input is None:
            return
        np.copyto(self.grad_input, self.grad_copies[0])
        for part in self.grad_copies[1:]:
            np.add(self.grad_input, part, out=self.grad_input)
