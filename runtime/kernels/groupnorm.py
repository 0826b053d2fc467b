"""Normalisation of each image by itself, on tensors seen as (groups, channels, positions, vectors)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.layers.groupnorm import GroupedNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from planner.layers.scratch import pieces, softmax_columns
from runtime.kernels.base import Array, Kernel, flat, kernel, user_shape


@dataclass(frozen=True, slots=True)
class Piece:
    """Some groups, channels and vectors.

    Attributes
    ----------
    rows : tuple of slice
        Of an array (groups, channels*positions, vectors).
    weights : tuple of slice
        Of an array (groups, channels, 1).
    lines : tuple of slice
        Of an array (groups, 1, vectors).
    begins : bool
        No channels of these groups come before.
    first : bool
        No vectors of these channels come before.
    """

    rows: tuple[slice, slice, slice]
    weights: tuple[slice, slice, slice]
    lines: tuple[slice, slice, slice]
    begins: bool
    first: bool


@kernel(LayerNorm, GroupNorm)
class GroupedNormKernel(Kernel[GroupedNorm]):
    """Normalises each group, for each vector by itself; the variance is that of the centred numbers.

    Sums over a group are products with a row of ones: the numbers of one vector lie far apart, and a product of
    matrices adds them in blocks, which keeps float32 accurate. With xh the normalised numbers, h = weight*grad and
    m numbers a group, backward is ``(h - sum(h)/m - xh*sum(h*xh)/m)/sqrt(var + eps)``.
    """

    def prepare(self) -> None:
        x = self.arrays.inputs[0]
        plan = self.plan = self.layer.pieces(user_shape(x))
        self.count = plan.channels * plan.positions
        whole = (plan.groups, self.count, plan.vectors)
        lines = (plan.groups, 1, plan.vectors)
        self.input, self.output = flat(x, *whole), flat(self.arrays.output, *whole)
        parameters = self.arrays.parameters
        weight, bias = (flat(a, plan.groups, plan.channels, 1) if a is not None else None
                        for a in (parameters.get("weight"), parameters.get("bias")))  # fmt: skip
        self.weight, self.bias = weight, bias
        scratch = self.scratch()
        self.part, self.rest = scratch.take(*lines), scratch.take(*lines)
        saved = self.arrays.saved
        self.mean, self.inverse = (
            flat(saved[name], *lines) if self.training else scratch.take(*lines) for name in ("mean", "inverse")
        )
        self.memory = scratch.take(plan.elements)
        self.pieces = list(self._pieces())
        self.ones = np.ones((1, plan.step[1] * plan.positions), x.dtype)
        if not self.differentiates:
            return
        back, grad_input = self.backward_scratch(), self.arrays.grad_inputs[0]
        self.part_back, self.first, self.second = (back.take(*lines) for _ in range(3))
        self.normalised, self.more = back.take(plan.elements), back.take(plan.elements)
        self.grad = flat(self.grad_output, *whole)
        self.grad_input = None if grad_input is None else flat(grad_input, *whole)
        if weight is not None:
            shape = plan.groups, plan.channels, 1
            self.grad_weight, self.grad_bias = (
                flat(self.arrays.grad_parameters[n], *shape) for n in ("weight", "bias")
            )
            self.sums = back.take(*shape)

    def _pieces(self) -> list[Piece]:
        plan, found = self.plan, []
        groups, channels, vectors = plan.step
        for group in pieces(plan.groups, groups):
            for channel in pieces(plan.channels, channels):
                for vector in pieces(plan.vectors, vectors):
                    g, a, t = slice(*group), slice(*channel), slice(*vector)
                    rows = slice(a.start * plan.positions, a.stop * plan.positions)
                    everything = slice(None)
                    found.append(Piece((g, rows, t), (g, a, everything), (g, everything, t), not a.start, not t.start))
        return found

    def _room(self, memory: Array, like: Array) -> Array:
        return memory[: like.size].reshape(like.shape)

    def _by_channel(self, array: Array) -> Array:
        """Return part of a piece as (groups, channels, positions*vectors)."""
        groups, rows, vectors = array.shape
        return array.reshape(groups, rows // self.plan.positions, self.plan.positions * vectors, copy=False)

    def _scale(self, array: Array, factor: Array | None, piece: Piece, out: Array) -> None:
        if factor is None:
            np.copyto(out, array)
        else:
            np.multiply(self._by_channel(array), factor[piece.weights], out=self._by_channel(out))

    def _sum(self, array: Array, piece: Piece, total: Array, memory: Array) -> None:
        """Add up the rows of a piece for its groups and vectors."""
        target = total[piece.lines]
        part = self._room(memory.reshape(-1), target)
        np.matmul(self.ones[:, : array.shape[1]], array, out=part)
        if piece.begins:
            np.copyto(target, part)
        else:
            np.add(target, part, out=target)

    def forward(self) -> None:
        self.measure(self.mean, self.inverse)
        self._normalise(self.inverse)

    def measure(self, mean: Array, var: Array) -> None:
        """Find the mean and the biased variance of each group, and leave the centred numbers in the output."""
        for piece in self.pieces:
            self._sum(self.input[piece.rows], piece, mean, self.part)
        np.divide(mean, self.count, out=mean)
        # what a long sum of large numbers has lost is found in the sum of what is left of them
        for piece in self.pieces:
            x = self.input[piece.rows]
            centred = self._room(self.memory, x)
            np.subtract(x, mean[piece.lines], out=centred)
            self._sum(centred, piece, self.rest, self.part)
        np.divide(self.rest, self.count, out=self.rest)
        np.add(mean, self.rest, out=mean)
        for piece in self.pieces:
            y = self._centre(piece, mean)
            square = self._room(self.memory, y)
            np.multiply(y, y, out=square)
            self._sum(square, piece, var, self.part)
        np.divide(var, self.count, out=var)

    def _centre(self, piece: Piece, mean: Array) -> Array:
        """Return a piece of the output that holds the input less its mean."""
        y = self.output[piece.rows]
        np.subtract(self.input[piece.rows], mean[piece.lines], out=y)
        return y

    def _normalise(self, var: Array) -> None:
        """Finish the output, and leave ``1/sqrt(var + eps)`` in `var`."""
        np.add(var, self.layer.eps, out=var)
        np.sqrt(var, out=var)
        np.divide(1, var, out=var)
        for piece in self.pieces:
            y = self.output[piece.rows]
            np.multiply(y, var[piece.lines], out=y)
            if self.weight is not None and self.bias is not None:
                each = self._by_channel(y)
                np.multiply(each, self.weight[piece.weights], out=each)
                np.add(each, self.bias[piece.weights], out=each)

    def _normalised(self, piece: Piece) -> Array:
        x = self.input[piece.rows]
        found = self._room(self.normalised, x)
        np.subtract(x, self.mean[piece.lines], out=found)
        np.multiply(found, self.inverse[piece.lines], out=found)
        return found

    def backward(self) -> None:
        for piece in self.pieces:
            grad = self.grad[piece.rows]
            normalised, product = self._normalised(piece), self._room(self.more, grad)
            np.multiply(grad, normalised, out=product)
            if self.weight is not None:
                self._add_up(product, piece, self.grad_weight)
                self._add_up(grad, piece, self.grad_bias)
            if self.grad_input is not None:
                self._scale(product, self.weight, piece, product)
                self._sum(product, piece, self.second, self.part_back)
                self._scale(grad, self.weight, piece, product)
                self._sum(product, piece, self.first, self.part_back)
        if self.grad_input is None:
            return
        for total in (self.first, self.second):
            np.divide(total, self.count, out=total)
        for piece in self.pieces:
            normalised, target = self._normalised(piece), self.grad_input[piece.rows]
            self._scale(self.grad[piece.rows], self.weight, piece, target)
            np.multiply(normalised, self.second[piece.lines], out=normalised)
            np.subtract(target, normalised, out=target)
            np.subtract(target, self.first[piece.lines], out=target)
            np.multiply(target, self.inverse[piece.lines], out=target)

    def _add_up(self, array: Array, piece: Piece, total: Array) -> None:
        """Add up the numbers of each channel of a piece."""
        target, part = total[piece.weights], self.sums[piece.weights]
        np.add.reduce(self._by_channel(array), axis=2, keepdims=True, out=target if piece.first else part)
        if not piece.first:
            np.add(target, part, out=target)


@kernel(InstanceNorm)
class InstanceNormKernel(GroupedNormKernel):
    """Each channel of each image a group; with `running`, its statistics are carried on, and used at inference."""

    def prepare(self) -> None:
        super().prepare()
        layer = self.layer
        assert isinstance(layer, InstanceNorm)
        self.momentum = layer.momentum
        names = ("running_mean", "running_var") if layer.running else ()
        self.carried = [flat(self.arrays.buffers[name], self.plan.groups, 1, 1) for name in names]

    def measure(self, mean: Array, var: Array) -> None:
        if self.carried and not self.training:
            for found, running in zip((mean, var), self.carried, strict=True):
                np.copyto(found, running)
            for piece in self.pieces:
                self._centre(piece, mean)
            return
        super().measure(mean, var)
        if self.count == 1:  # one number has no spread, and would move the mean alone
            return
        unbiased = (1.0, self.count / (self.count - 1))
        for found, running, factor in zip((mean, var), self.carried, unbiased, strict=False):
            batch = self._room(self.part.reshape(-1), running)
            np.add.reduce(found, axis=2, keepdims=True, out=batch)
            np.multiply(batch, self.momentum * factor / self.plan.vectors, out=batch)
            np.multiply(running, 1 - self.momentum, out=running)
            np.add(running, batch, out=running)


@kernel(LocalResponseNorm)
class LocalResponseNormKernel(Kernel[LocalResponseNorm]):
    """Divides by a power of the mean square of neighbouring channels, some positions at a time.

    With d = k + alpha*m, backward is ``g d^-beta - 2 alpha beta/size x sum(g x d^(-beta - 1))``, the sum over the
    channels that have this one as a neighbour.
    """

    def prepare(self) -> None:
        x = self.arrays.inputs[0]
        channels, places = x.shape[0], x.size // x.shape[0]
        self.input, self.output = flat(x, channels, places), flat(self.arrays.output, channels, places)
        step = softmax_columns(channels, places)
        scratch, back = self.scratch(), self.backward_scratch()
        self.rooms = [scratch.take(channels * step) for _ in range(2)]
        self.rooms_back = [back.take(channels * step) for _ in range(3 if self.differentiates else 0)]
        self.spans = [slice(*span) for span in pieces(places, step)]
        size = int(self.layer.size)
        self.before, self.after = min(size // 2, channels - 1), min((size - 1) // 2, channels - 1)
        self.factor = self.layer.alpha / size
        grad_output, grad_input = self.arrays.grad_output, self.arrays.grad_inputs[0]
        self.grad = None if grad_output is None else flat(grad_output, channels, places)
        self.grad_input = None if grad_input is None else flat(grad_input, channels, places)

    def _rooms(self, memory: list[Array], span: slice) -> list[Array]:
        shape = (self.input.shape[0], span.stop - span.start)
        return [room[: shape[0] * shape[1]].reshape(shape) for room in memory]

    def _neighbours(self, values: Array, before: int, after: int, out: Array) -> None:
        np.copyto(out, values)
        for step in range(1, before + 1):
            np.add(out[step:], values[:-step], out=out[step:])
        for step in range(1, after + 1):
            np.add(out[:-step], values[step:], out=out[:-step])

    def _divisor(self, x: Array, square: Array, out: Array) -> None:
        np.multiply(x, x, out=square)
        self._neighbours(square, self.before, self.after, out)
        np.multiply(out, self.factor, out=out)
        np.add(out, self.layer.k, out=out)

    def forward(self) -> None:
        for span in self.spans:
            x, (square, divisor) = self.input[:, span], self._rooms(self.rooms, span)
            self._divisor(x, square, divisor)
            np.power(divisor, -self.layer.beta, out=divisor)
            np.multiply(x, divisor, out=self.output[:, span])

    def backward(self) -> None:
        if self.grad_input is None or self.grad is None:
            return
        for span in self.spans:
            x, grad = self.input[:, span], self.grad[:, span]
            own, divisor, scaled = self._rooms(self.rooms_back, span)
            self._divisor(x, own, divisor)
            np.power(divisor, -self.layer.beta, out=scaled)
            np.multiply(grad, scaled, out=scaled)
            np.divide(scaled, divisor, out=own)
            np.multiply(own, x, out=own)
            self._neighbours(own, self.after, self.before, divisor)
            np.multiply(divisor, x, out=divisor)
            np.multiply(divisor, -2 * self.factor * self.layer.beta, out=divisor)
            np.add(scaled, divisor, out=self.grad_input[:, span])
