"""Piecewise activations, and the base of all: one piece at a time, so that the steps of a formula stay in cache.

Every forward pass may overwrite its input, and every backward pass the gradient of its output.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from planner.layers.pointwise import (
    Elu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Pointwise,
    Relu,
    Relu6,
    Selu,
)
from planner.layers.tiling.workspace import block_elements, pieces
from runtime.kernels.base import Array, Kernel, LayerT, Workspace, flat, kernel

Workspaces = tuple[Array, ...]
"""Temporary arrays for one piece."""


class PointwiseKernel(Kernel[LayerT]):
    """Base of the activations, which are computed one piece at a time.

    A subclass implements `value`, the activation, and `slope`, its derivative.
    """

    reads: ClassVar[str] = "output"
    """The tensor that `slope` is computed from, the ``keeps`` of the layer."""

    def prepare(self) -> None:
        assert isinstance(self.layer, Pointwise)
        x, y = flat(self.arrays.inputs[0]), flat(self.arrays.output)
        longest = block_elements(x.size)
        spans = [slice(*span) for span in pieces(x.size, longest)]
        forward_blocks, backward_blocks = self.layer.workspace_blocks

        def temporaries(workspace: Workspace, count: int) -> list[Workspaces]:
            each = [workspace.take(longest) for _ in range(count)]
            return [tuple(some[: span.stop - span.start] for some in each) for span in spans]

        blocks = temporaries(self.workspace(), forward_blocks)
        self.forward_pieces = [(x[span], y[span], some) for span, some in zip(spans, blocks, strict=True)]
        self.backward_pieces: list[tuple[Array, Array, Array, Workspaces]] = []
        grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        if grad_input is not None:
            kept = y if self.reads == "output" else x
            grad, grad_input = flat(self.grad_output), flat(grad_input)
            blocks = temporaries(self.backward_workspace(), backward_blocks)
            self.backward_pieces = [
                (kept[span], grad[span], grad_input[span], some) for span, some in zip(spans, blocks, strict=True)
            ]

    def value(self, x: Array, y: Array, some: Workspaces) -> None:
        """Write the activation of `x` to `y`, which may be the same memory."""
        raise NotImplementedError

    def slope(self, kept: Array, some: Workspaces) -> Array:
        """Return the derivative, written to the first array in `some`."""
        raise NotImplementedError

    def forward(self) -> None:
        for x, y, some in self.forward_pieces:
            self.value(x, y, some)

    def backward(self) -> None:
        for kept, grad, grad_input, some in self.backward_pieces:
            np.multiply(grad, self.slope(kept, some), out=grad_input)


@kernel(Relu)
class ReluKernel(PointwiseKernel[Relu]):
    """``max(x, 0)``."""

    def value(self, x: Array, y: Array, some: Workspaces) -> None:
        np.clip(x, 0, np.inf, out=y)  # three times as fast as np.maximum; both propagate NaN

    def slope(self, kept: Array, some: Workspaces) -> Array:
        np.greater(kept, 0, out=some[0])
        return some[0]


@kernel(Relu6)
class Relu6Kernel(PointwiseKernel[Relu6]):
    """``min(max(x, 0), 6)``; the derivative is 0 at both ends."""

    def value(self, x: Array, y: Array, some: Workspaces) -> None:
        np.clip(x, 0, 6, out=y)

    def slope(self, kept: Array, some: Workspaces) -> Array:
        between(0, kept, 6, some[0], some[1])
        return some[0]


@kernel(LeakyRelu)
class LeakyReluKernel(PointwiseKernel[LeakyRelu]):
    """``x`` above zero, ``slope * x`` below; for a slope above 1, that is the smaller of the two, not the larger."""

    def value(self, x: Array, y: Array, some: Workspaces) -> None:
        np.multiply(x, self.layer.slope, out=some[0])
        (np.maximum if self.layer.slope <= 1 else np.minimum)(x, some[0], out=y)

    def slope(self, kept: Array, some: Workspaces) -> Array:
        if self.layer.slope <= 1:
            np.greater(kept, 0, out=some[0])
            np.maximum(some[0], self.layer.slope, out=some[0])
        else:
            np.less_equal(kept, 0, out=some[0])
            np.multiply(some[0], self.layer.slope, out=some[0])
            np.maximum(some[0], 1, out=some[0])
        return some[0]


class ExponentialKernel(PointwiseKernel[LayerT]):
    """``above * x`` above zero, ``below * (exp(x) - 1)`` below, where the derivative is the output plus `below`."""

    @property
    def factors(self) -> tuple[float, float]:
        """The factors `above` and `below`."""
        raise NotImplementedError

    def value(self, x: Array, y: Array, some: Workspaces) -> None:
        above, below = self.factors
        np.minimum(x, 0, out=some[0])
        np.expm1(some[0], out=some[0])
        np.multiply(some[0], below, out=some[0])
        np.maximum(x, 0, out=y)
        if above != 1:
            np.multiply(y, above, out=y)
        np.add(y, some[0], out=y)

    def slope(self, kept: Array, some: Workspaces) -> Array:
        above, below = self.factors
        slope, negative = some
        np.less_equal(kept, 0, out=negative)
        np.add(kept, below, out=slope)
        np.multiply(slope, negative, out=slope)
        np.subtract(1, negative, out=negative)
        if above != 1:
            np.multiply(negative, above, out=negative)
        np.add(slope, negative, out=slope)
        return slope


@kernel(Elu)
class EluKernel(ExponentialKernel[Elu]):
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below."""

    @property
    def factors(self) -> tuple[float, float]:
        return 1.0, self.layer.alpha


@kernel(Selu)
class SeluKernel(ExponentialKernel[Selu]):
    """ELU with the two constants that preserve mean 0 and variance 1."""

    ALPHA: ClassVar[float] = 1.6732632423543772
    SCALE: ClassVar[float] = 1.0507009873554805

    @property
    def factors(self) -> tuple[float, float]:
        return self.SCALE, self.SCALE * self.ALPHA


def between(low: float, x: Array, high: float, out: Array, other: Array) -> None:
    """Write 1 to `out` where ``low < x < high``, 0 elsewhere; `other` is workspace.

    Examples
    --------
    >>> out = np.empty(3)
    >>> between(0, np.array([0.0, 1.0, 7.0]), 6, out, np.empty(3))
    >>> out.tolist()
    [0.0, 1.0, 0.0]
    """
    np.greater(x, low, out=out)
    np.less(x, high, out=other)
    np.multiply(out, other, out=out)


def hard_sigmoid(x: Array, out: Array) -> None:
    """Write ``min(max(x + 3, 0), 6) / 6`` to `out`, which may be `x`.

    Examples
    --------
    >>> out = np.empty(3)
    >>> hard_sigmoid(np.array([-4.0, 0.0, 3.0]), out)
    >>> out.tolist()
    [0.0, 0.5, 1.0]
    """
    np.add(x, 3, out=out)
    np.maximum(out, 0, out=out)
    np.minimum(out, 6, out=out)
    np.divide(out, 6, out=out)


@kernel(HardSigmoid)
class HardSigmoidKernel(PointwiseKernel[HardSigmoid]):
    """``min(max(x + 3, 0), 6) / 6``, which is linear from 0 to 1."""

    def value(self, x: Array, y: Array, some: Workspaces) -> None:
        hard_sigmoid(x, y)

    def slope(self, kept: Array, some: Workspaces) -> Array:
        between(0, kept, 1, some[0], some[1])
        np.divide(some[0], 6, out=some[0])
        return some[0]


@kernel(HardSwish)
class HardSwishKernel(PointwiseKernel[HardSwish]):
    """``x h(x)``, h the hard sigmoid; its derivative is ``h``, plus ``x/6`` between -3 and 3."""

    reads = "input"

    def value(self, x: Array, y: Array, some: Workspaces) -> None:
        hard_sigmoid(x, some[0])
        np.multiply(x, some[0], out=y)

    def slope(self, kept: Array, some: Workspaces) -> Array:
        slope, inner, other = some
        between(-3, kept, 3, inner, other)
        np.multiply(inner, kept, out=inner)
        np.divide(inner, 6, out=inner)
        hard_sigmoid(kept, slope)
        np.add(slope, inner, out=slope)
        return slope
