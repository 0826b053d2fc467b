"""Activations and dropout: piece by piece, so that the several steps of one formula stay in cache.

Every forward may write over its input, and every backward over the gradient of its output.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from planner.layers.pointwise import (
    Dropout,
    Elu,
    Gelu,
    LeakyRelu,
    LogSoftmax,
    Pointwise,
    Relu,
    Relu6,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Tanh,
)
from planner.layers.scratch import BLOCK, pieces, softmax_columns, softmax_parts
from runtime.kernels.base import Array, Kernel, LayerT, Mask, flat, kernel, same_memory
from runtime.kernels.erf import erf

Scratches = tuple[Array, ...]


class PointwiseKernel(Kernel[LayerT]):
    """An activation given by its formula on one piece.

    A subclass writes `value`, the activation, and `slope`, the factor between the two gradients.
    """

    reads: ClassVar[str] = "output"
    """What `slope` is computed from: the layer's ``keeps``."""

    def prepare(self) -> None:
        assert isinstance(self.layer, Pointwise)
        x, y = flat(self.arrays.inputs[0]), flat(self.arrays.output)
        spans = [slice(*span) for span in pieces(x.size, BLOCK)]
        scratch = self.scratch()
        longest = min(x.size, BLOCK)
        count = self.layer.scratch_blocks[1 if self.training else 0]
        temporary = [scratch.take(longest) for _ in range(count)]
        temporaries = [tuple(each[: span.stop - span.start] for each in temporary) for span in spans]
        self.forward_pieces = [(x[span], y[span], some) for span, some in zip(spans, temporaries, strict=True)]
        self.backward_pieces: list[tuple[Array, Array, Array, Scratches]] = []
        grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        if grad_input is not None:
            kept = y if self.reads == "output" else x
            grad, grad_input = flat(self.grad_output), flat(grad_input)
            self.backward_pieces = [
                (kept[span], grad[span], grad_input[span], some) for span, some in zip(spans, temporaries, strict=True)
            ]

    def value(self, x: Array, y: Array, some: Scratches) -> None:
        """Write the activation of `x` to `y`, which may be the same memory."""
        raise NotImplementedError

    def slope(self, kept: Array, some: Scratches) -> Array:
        """Return the derivative, in the first of `some`."""
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

    def value(self, x: Array, y: Array, some: Scratches) -> None:
        np.maximum(x, 0, out=y)

    def slope(self, kept: Array, some: Scratches) -> Array:
        np.greater(kept, 0, out=some[0])
        return some[0]


@kernel(Relu6)
class Relu6Kernel(PointwiseKernel[Relu6]):
    """``min(max(x, 0), 6)``; no gradient at either end."""

    def value(self, x: Array, y: Array, some: Scratches) -> None:
        np.maximum(x, 0, out=y)
        np.minimum(y, 6, out=y)

    def slope(self, kept: Array, some: Scratches) -> Array:
        np.greater(kept, 0, out=some[0])
        np.less(kept, 6, out=some[1])
        np.multiply(some[0], some[1], out=some[0])
        return some[0]


@kernel(LeakyRelu)
class LeakyReluKernel(PointwiseKernel[LeakyRelu]):
    """``x`` above zero, ``slope * x`` below; a slope above 1 turns the larger of both into the smaller."""

    def value(self, x: Array, y: Array, some: Scratches) -> None:
        np.multiply(x, self.layer.slope, out=some[0])
        (np.maximum if self.layer.slope <= 1 else np.minimum)(x, some[0], out=y)

    def slope(self, kept: Array, some: Scratches) -> Array:
        if self.layer.slope <= 1:
            np.greater(kept, 0, out=some[0])
            np.maximum(some[0], self.layer.slope, out=some[0])
        else:
            np.less_equal(kept, 0, out=some[0])
            np.multiply(some[0], self.layer.slope, out=some[0])
            np.maximum(some[0], 1, out=some[0])
        return some[0]


@kernel(Elu)
class EluKernel(PointwiseKernel[Elu]):
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below; there the derivative is the output plus alpha."""

    def value(self, x: Array, y: Array, some: Scratches) -> None:
        np.minimum(x, 0, out=some[0])
        np.expm1(some[0], out=some[0])
        np.multiply(some[0], self.layer.alpha, out=some[0])
        np.maximum(x, 0, out=y)
        np.add(y, some[0], out=y)

    def slope(self, kept: Array, some: Scratches) -> Array:
        slope, below = some
        np.less_equal(kept, 0, out=below)
        np.add(kept, self.layer.alpha, out=slope)
        np.multiply(slope, below, out=slope)
        np.subtract(1, below, out=below)
        np.add(slope, below, out=slope)
        return slope


@kernel(Tanh)
class TanhKernel(PointwiseKernel[Tanh]):
    """Hyperbolic tangent; its derivative is ``1 - y^2``."""

    def value(self, x: Array, y: Array, some: Scratches) -> None:
        np.tanh(x, out=y)

    def slope(self, kept: Array, some: Scratches) -> Array:
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
    # exp overflows to infinity where the sigmoid is 0 in this type: the right answer, not a fault
    with np.errstate(over="ignore"):
        np.exp(out, out=out)
    np.add(out, 1, out=out)
    np.divide(1, out, out=out)


@kernel(Sigmoid)
class SigmoidKernel(PointwiseKernel[Sigmoid]):
    """``1 / (1 + exp(-x))``; its derivative is ``y (1 - y)``."""

    def value(self, x: Array, y: Array, some: Scratches) -> None:
        sigmoid(x, y)

    def slope(self, kept: Array, some: Scratches) -> Array:
        np.subtract(1, kept, out=some[0])
        np.multiply(some[0], kept, out=some[0])
        return some[0]


@kernel(Silu)
class SiluKernel(PointwiseKernel[Silu]):
    """``x s(x)``, s the sigmoid; its derivative is ``s (1 + x (1 - s))``."""

    reads = "input"

    def value(self, x: Array, y: Array, some: Scratches) -> None:
        sigmoid(x, some[0])
        np.multiply(x, some[0], out=y)

    def slope(self, kept: Array, some: Scratches) -> Array:
        slope, share = some
        sigmoid(kept, share)
        np.subtract(1, share, out=slope)
        np.multiply(slope, kept, out=slope)
        np.add(slope, 1, out=slope)
        np.multiply(slope, share, out=slope)
        return slope


@kernel(Gelu)
class GeluKernel(PointwiseKernel[Gelu]):
    """``x Phi(x)``, Phi the normal distribution function or its approximation by tanh."""

    reads = "input"
    ROOT: ClassVar[float] = math.sqrt(2 / math.pi)
    CUBE: ClassVar[float] = 0.044715
    END: ClassVar[float] = 64.0
    """Beyond it Phi is 0 or 1 and its derivative 0 in every type; the squares of larger numbers may overflow."""

    def value(self, x: Array, y: Array, some: Scratches) -> None:
        self._distribution(x, some)
        np.multiply(x, some[0], out=y)

    def _distribution(self, x: Array, some: Scratches) -> None:
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

    def slope(self, kept: Array, some: Scratches) -> Array:
        self._distribution(kept, some)
        phi, density, other = some
        if self.layer.approximate == "tanh":
            # d tanh(u)/dx / 2 = 2 Phi (1 - Phi) du/dx, and `density` holds x^2 here
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


@kernel(Softplus)
class SoftplusKernel(PointwiseKernel[Softplus]):
    """``log(1 + exp(x))``, as ``max(x, 0) + log(1 + exp(-|x|))``; its derivative is ``1 - exp(-y)``."""

    def value(self, x: Array, y: Array, some: Scratches) -> None:
        np.abs(x, out=some[0])
        np.negative(some[0], out=some[0])
        np.exp(some[0], out=some[0])
        np.log1p(some[0], out=some[0])
        np.maximum(x, 0, out=y)
        np.add(y, some[0], out=y)

    def slope(self, kept: Array, some: Scratches) -> Array:
        np.negative(kept, out=some[0])
        np.expm1(some[0], out=some[0])
        np.negative(some[0], out=some[0])
        return some[0]


class ChannelKernel(Kernel[LayerT]):
    """What softmax and its logarithm share: columns of numbers, one for each place, cut into pieces."""

    def prepare(self) -> None:
        channels = self.arrays.output.shape[0]
        x, y = flat(self.arrays.inputs[0], channels, -1), flat(self.arrays.output, channels, -1)
        step = softmax_columns(channels, x.shape[1])
        self.spans = [slice(*span) for span in pieces(x.shape[1], step)]
        self.parts = [slice(*span) for span in pieces(channels, -(-channels // softmax_parts(channels)))]
        scratch = self.scratch()
        self.row = scratch.take(1, step)
        self.partial = scratch.take(len(self.parts), step)
        needs_product = self.training or isinstance(self.layer, LogSoftmax)
        self.product = scratch.take(channels, step) if needs_product else self.row[:0]
        self.forward_pieces = [(x[:, span], y[:, span]) for span in self.spans]
        self.backward_pieces: list[tuple[Array, Array, Array]] = []
        grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        if grad_input is not None:
            grad, grad_input = flat(self.grad_output, channels, -1), flat(grad_input, channels, -1)
            self.backward_pieces = [(y[:, span], grad[:, span], grad_input[:, span]) for span in self.spans]

    def sum(self, values: Array) -> Array:
        """Return the sum over channels, in parts first, so that float32 stays accurate over many channels."""
        width = values.shape[1]
        partial, row = self.partial[:, :width], self.row[:, :width]
        for index, part in enumerate(self.parts):
            np.add.reduce(values[part], axis=0, out=partial[index])
        np.add.reduce(partial, axis=0, keepdims=True, out=row)
        return row

    def centre(self, x: Array, y: Array) -> None:
        """Write `x` minus its largest number to `y`."""
        row = self.row[:, : x.shape[1]]
        np.maximum.reduce(x, axis=0, keepdims=True, out=row)
        np.subtract(x, row, out=y)


@kernel(Softmax)
class SoftmaxKernel(ChannelKernel[Softmax]):
    """``exp(x) / sum(exp(x))``; backward ``y (g - sum(g y))``."""

    def forward(self) -> None:
        for x, y in self.forward_pieces:
            self.centre(x, y)
            np.exp(y, out=y)
            np.divide(y, self.sum(y), out=y)

    def backward(self) -> None:
        for y, grad, grad_input in self.backward_pieces:
            product = self.product[:, : y.shape[1]]
            np.multiply(grad, y, out=product)
            np.subtract(grad, self.sum(product), out=grad_input)
            np.multiply(grad_input, y, out=grad_input)


@kernel(LogSoftmax)
class LogSoftmaxKernel(ChannelKernel[LogSoftmax]):
    """``x - log(sum(exp(x)))``; backward ``g - exp(y) sum(g)``."""

    def forward(self) -> None:
        for x, y in self.forward_pieces:
            product = self.product[:, : y.shape[1]]
            self.centre(x, y)
            np.exp(y, out=product)
            row = self.sum(product)
            np.log(row, out=row)
            np.subtract(y, row, out=y)

    def backward(self) -> None:
        for y, grad, grad_input in self.backward_pieces:
            product = self.product[:, : y.shape[1]]
            np.exp(y, out=product)
            np.multiply(product, self.sum(grad), out=product)
            np.subtract(grad, product, out=grad_input)


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
        random = self.scratch().take(min(x.size, BLOCK))
        grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        for span in (slice(*span) for span in pieces(x.size, BLOCK)):
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
