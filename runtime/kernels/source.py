"""Inputs of a network: the model copies them in, so there is nothing to compute."""

from __future__ import annotations

from planner.layers.source import Input
from runtime.kernels.base import Kernel, kernel


@kernel(Input)
class InputKernel(Kernel[Input]):
    """A tensor that the model fills before each pass."""

    def forward(self) -> None:
        """Do nothing: the output is already there."""

    def backward(self) -> None:
        """Do nothing: the caller reads the gradient of an input."""
