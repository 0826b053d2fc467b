"""Positions added around a map or cut off."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.layers.border import Crop, Pad
from runtime.kernels.base import Array, Kernel, kernel, user_shape


def _around(array: Array, top: int, left: int, inner: tuple[int, int]) -> Iterator[Array]:
    """Yield the parts of a map that lie outside a rectangle of that height and width."""
    bottom, right = top + inner[0], left + inner[1]
    for part in (array[:, :top], array[:, bottom:], array[:, top:bottom, :left], array[:, top:bottom, right:]):
        if part.size:
            yield part


@kernel(Pad)
class PadKernel(Kernel[Pad]):
    """Zeros around a map; the gradient of the middle goes back."""

    def prepare(self) -> None:
        x, y = self.arrays.inputs[0], self.arrays.output
        top, _, left, _ = self.layer.pad
        middle = (slice(None), slice(top, top + x.shape[1]), slice(left, left + x.shape[2]))
        self.zeros = list(_around(y, top, left, (x.shape[1], x.shape[2])))
        self.middle = y[middle]
        self.grad_middle = self.grad_output[middle] if self.differentiates else None

    def forward(self) -> None:
        for part in self.zeros:
            part.fill(0)
        np.copyto(self.middle, self.arrays.inputs[0])

    def backward(self) -> None:
        grad_input = self.arrays.grad_inputs[0]
        if grad_input is not None and self.grad_middle is not None:
            np.copyto(grad_input, self.grad_middle)


@kernel(Crop)
class CropKernel(Kernel[Crop]):
    """The middle of a map; what was cut off has no gradient, and neither has the input that lent its shape."""

    def prepare(self) -> None:
        x, y = self.arrays.inputs[0], self.arrays.output
        top, left = self.layer.offsets(tuple(map(user_shape, self.arrays.inputs)))
        middle = (slice(None), slice(top, top + y.shape[1]), slice(left, left + y.shape[2]))
        self.middle = x[middle]
        grad_input = self.arrays.grad_inputs[0]
        self.grad_middle = None if grad_input is None else grad_input[middle]
        self.zeros = [] if grad_input is None else list(_around(grad_input, top, left, (y.shape[1], y.shape[2])))
        self.zeros += [grad for grad in self.arrays.grad_inputs[1:] if grad is not None]

    def forward(self) -> None:
        np.copyto(self.arrays.output, self.middle)

    def backward(self) -> None:
        for part in self.zeros:
            part.fill(0)
        if self.grad_middle is not None:
            np.copyto(self.grad_middle, self.grad_output)
