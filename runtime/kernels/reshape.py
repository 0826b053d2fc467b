"""Layers that only change the shape: the output is a view of the input."""

from __future__ import annotations

from planner.layers.base import Layer
from planner.layers.reshape import Flatten, Reshape, Squeeze, Unsqueeze
from runtime.kernels.base import Kernel, kernel


@kernel(Flatten, Reshape, Squeeze, Unsqueeze)
class ReshapeKernel(Kernel[Layer]):
    """Reshaping of the axes before the batch, for example (C, H, W, N) to (C*H*W, N).

    There is nothing to compute: the plan gives input and output the same memory, and their gradients too.
    """

    def forward(self) -> None:
        """Do nothing: the output shares the memory of the input."""

    def backward(self) -> None:
        """Do nothing: the gradients share their memory too."""
