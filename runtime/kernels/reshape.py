"""Layers with an output that is the memory of the input in another shape."""

from __future__ import annotations

from planner.layers.base import Layer
from planner.layers.reshape import Flatten, Reshape, Squeeze, Unsqueeze
from runtime.kernels.base import Kernel, kernel


@kernel(Flatten, Reshape, Squeeze, Unsqueeze)
class ReshapeKernel(Kernel[Layer]):
    """The same numbers with other axes before the batch, such as (C, H, W, N) as (C*H*W, N).

    Nothing is to be done: the plan makes both one memory, and their gradients too.
    """

    def forward(self) -> None:
        """Leave the output what the input is."""

    def backward(self) -> None:
        """Leave the input's gradient what the output's is."""
