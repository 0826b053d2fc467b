"""Smooth activations.

Every forward pass may overwrite its input, and every backward pass the gradient of its output.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from planner.layers.smooth import Gelu, Mish, Sigmoid, Silu, Softplus, Tanh
from runtime.kernels.base import Array, kernel
from runtime.kernels.erf import erf
from runtime.kernels.pointwise import PointwiseKernel, Workspaces


@kernel(Tanh)
class TanhKernel(PointwiseKernel[Tanh]):
    """Hyperbolic tangent; its derivative is ``1 - y^2``."""

    def value(self, x: Array, y: Array, some: Workspaces) -> None:
        np.tanh(x, out=y)

    def slope(self, kept: Array, some: Workspaces) -> Array:
        np.multiply(kept, kept, out=some[0])
        np.subtract(1, some[0], out=some[0])
        return some[0]


def sigmoid(x: Array, out: Array) -> None:
    """Write ``1 / (1 + exp(-x))`` to `out`, which may be `x`.

    Examples
    --------
    >>> out = np.empty(2)
    >>> sigmoid(np.array([0.0, -1000.0]), out)
    >>> out.tolist()
    [0.5, 0.0]
    """
    np.negative(x, out=out)
    # exp overflows to infinity where the sigmoid rounds to 0, which gives the correct result
    with np.errstate(over="ignore"):
        np.exp(out, out=out)
    np.add(out, 1, out=out)
    np.divide(1, out, out=out)


@kernel(Sigmoid)
class SigmoidKernel(PointwiseKernel[Sigmoid]):
    """``1 / (1 + exp(-x))``; its derivative is ``y (1 - y)``."""

    def value(self, x: Array, y: Array, some: Workspaces) -> None:
        sigmoid(x, y)

    def slope(self, kept: Array, some: Workspaces) -> Array:
        np.subtract(1, kept, out=some[0])
        np.multiply(some[0], kept, out=some[0])
        return some[0]


@kernel(Silu)
class SiluKernel(PointwiseKernel[Silu]):
    """``x s(x)``, with s the sigmoid; its derivative is ``s (1 + x (1 - s))``."""

    reads = "input"

    def value(self, x: Array, y: Array, some: Workspaces) -> None:
        sigmoid(x, some[0])
        np.multiply(x, some[0], out=y)

    def slope(self, kept: Array, some: Workspaces) -> Array:
        slope, share = some
        sigmoid(kept, share)
        np.subtract(1, share, out=slope)
        np.multiply(slope, kept, out=slope)
        np.add(slope, 1, out=slope)
        np.multiply(slope, share, out=slope)
        return slope


@kernel(Gelu)
class GeluKernel(PointwiseKernel[Gelu]):
    """``x Phi(x)``, with Phi the normal distribution function or its approximation by tanh."""

    reads = "input"
    ROOT: ClassVar[float] = math.sqrt(2 / math.pi)
    CUBE: ClassVar[float] = 0.044715
    END: ClassVar[float] = 64.0
    """Beyond it, Phi is 0 or 1 and its derivative 0 in every type; squares of larger numbers may overflow."""

    def value(self, x: Array, y: Array, some: Workspaces) -> None:
        self._distribution(x, some)
        np.multiply(x, some[0], out=y)

    def _distribution(self, x: Array, some: Workspaces) -> None:
        phi, square, other = some
        if self.layer.approximate == "tanh":
            self._square(x, square)
            np.multiply(square, self.CUBE * self.ROOT, out=phi)
            np.add(phi, self.ROOT, out=phi)
            np.multiply(phi, np.clip(x, -self.END, self.END, out=other), out=phi)
            np.tanh(phi, out=phi)
        else:
            np.multiply(x, math.sqrt(0.5), out=phi)
            erf(phi, phi, square, other)
        np.multiply(phi, 0.5, out=phi)
        np.add(phi, 0.5, out=phi)

    def _square(self, x: Array, out: Array) -> None:
        np.clip(x, -self.END, self.END, out=out)
        np.multiply(out, out, out=out)

    def slope(self, kept: Array, some: Workspaces) -> Array:
        self._distribution(kept, some)
        phi, density, other = some
        if self.layer.approximate == "tanh":
            # d tanh(u)/dx / 2 = 2 Phi (1 - Phi) du/dx; `density` holds x^2 here
            np.multiply(density, 6 * self.CUBE * self.ROOT, out=density)
            np.add(density, 2 * self.ROOT, out=density)
            np.multiply(density, phi, out=density)
            np.subtract(1, phi, out=other)
            np.multiply(density, other, out=density)
        else:
            self._square(kept, density)
            np.multiply(density, -0.5, out=density)
            np.exp(density, out=density)
            np.multiply(density, 1 / math.sqrt(2 * math.pi), out=density)
        np.multiply(density, kept, out=density)
        np.add(phi, density, out=phi)
        return phi


def softplus(x: Array, y: Array, other: Array) -> None:
    """Write ``log(1 + exp(x))`` to `y`, computed as ``max(x, 0) + log(1 + exp(-|x|))``.

    `y` may be `x`; `other` is workspace.

    Examples
    --------
    >>> out = np.empty(2)
    >>> softplus(np.array([-1000.0, 1000.0]), out, np.empty(2))
    >>> out.tolist()
    [0.0, 1000.0]
    """
    np.abs(x, out=other)
    np.negative(other, out=other)
    np.exp(other, out=other)
    np.log1p(other, out=other)
    np.maximum(x, 0, out=y)
    np.add(y, other, out=y)


@kernel(Softplus)
class SoftplusKernel(PointwiseKernel[Softplus]):
    """``log(1 + exp(x))``; its derivative is ``1 - exp(-y)``."""

    def value(self, x: Array, y: Array, some: Workspaces) -> None:
        softplus(x, y, some[0])

    def slope(self, kept: Array, some: Workspaces) -> Array:
        np.negative(kept, out=some[0])
        np.expm1(some[0], out=some[0])
        np.negative(some[0], out=some[0])
        return some[0]


@kernel(Mish)
class MishKernel(PointwiseKernel[Mish]):
    """``x t``, with t the tanh of softplus; its derivative is ``t + x (1 - t^2) s``, with s the sigmoid."""

    reads = "input"

    def value(self, x: Array, y: Array, some: Workspaces) -> None:
        softplus(x, some[0], some[1])
        np.tanh(some[0], out=some[0])
        np.multiply(x, some[0], out=y)

    def slope(self, kept: Array, some: Workspaces) -> Array:
        slope, share, other = some
        softplus(kept, slope, other)
        np.tanh(slope, out=slope)
        sigmoid(kept, share)
        np.multiply(share, kept, out=share)
        np.multiply(slope, slope, out=other)
        np.subtract(1, other, out=other)
        np.multiply(share, other, out=share)
        np.add(slope, share, out=slope)
        return slope
