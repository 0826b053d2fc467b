"""Normalisation of some groups, or of some vectors of a group: one shard of a kernel.

Tensors are viewed as (groups, channels, positions, vectors).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.layers.groupnorm import GroupedNorm, InstanceNorm
from planner.layers.tiling.workspace import GroupPieces, pieces
from runtime.kernels.base import Array, Workspace


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a shard: some groups, channels and vectors.

    Attributes
    ----------
    rows : tuple of slice
        Index of an array (groups, channels*positions, vectors).
    weights : tuple of slice
        Index of an array (groups, channels, 1).
    lines : tuple of slice
        Index of an array (groups, 1, vectors).
    first_channels : bool
        Whether these are the first channels of their groups.
    first_vectors : bool
        Whether these are the first vectors of their channels.
    """

    rows: tuple[slice, slice, slice]
    weights: tuple[slice, slice, slice]
    lines: tuple[slice, slice, slice]
    first_channels: bool
    first_vectors: bool


@dataclass(frozen=True, slots=True)
class Grouped:
    """The arrays that a shard works on, viewed as groups.

    Attributes
    ----------
    input, output, grad, grad_input : Array
        (groups, channels*positions, vectors).
    weight, bias, grad_weight, grad_bias : Array
        (groups, channels, 1).
    mean, inverse : Array
        (groups, 1, vectors), kept for the backward pass.
    running : tuple of Array
        Running mean and variance, (groups, 1, 1).
    """

    input: Array
    output: Array
    weight: Array | None
    bias: Array | None
    mean: Array | None
    inverse: Array | None
    grad: Array | None
    grad_input: Array | None
    grad_weight: Array | None
    grad_bias: Array | None
    running: tuple[Array, ...]

    def cut(self, groups: slice, vectors: slice) -> Grouped:
        """Return the arrays of some groups and vectors."""

        def some(array: Array | None) -> Array | None:
            return None if array is None else array[groups, :, vectors]

        def rows(array: Array | None) -> Array | None:
            return None if array is None else array[groups]

        return Grouped(
            self.input[groups, :, vectors],
            self.output[groups, :, vectors],
            rows(self.weight),
            rows(self.bias),
            some(self.mean),
            some(self.inverse),
            some(self.grad),
            some(self.grad_input),
            rows(self.grad_weight),
            rows(self.grad_bias),
            tuple(array[groups] for array in self.running),
        )


class GroupedShard:
    """Normalisation of some groups, or of some vectors of a group.

    Sums over a group are products with a row of ones. The numbers of one vector are far apart in memory, and a matrix
    product adds them in blocks, which keeps float32 accurate. With xh the normalised numbers, h = weight*grad and m
    numbers per group, the backward pass is ``(h - sum(h)/m - xh*sum(h*xh)/m)/sqrt(var + eps)``.

    Parameters
    ----------
    layer : GroupedNorm
    plan : GroupPieces
    arrays : Grouped
    workspace : Workspace
    back : Workspace or None
        Workspace of the backward pass, if it follows.
    training : bool
    """

    def __init__(
        self,
        layer: GroupedNorm,
        plan: GroupPieces,
        arrays: Grouped,
        workspace: Workspace,
        back: Workspace | None,
        training: bool,
    ) -> None:
        self.layer, self.plan, self.training = layer, plan, training
        self.input, self.output, self.weight, self.bias = arrays.input, arrays.output, arrays.weight, arrays.bias
        self.running = arrays.running
        self.count = plan.channels * plan.positions
        lines = (plan.groups, 1, plan.vectors)
        self.part, self.correction = workspace.take(*lines), workspace.take(*lines)
        self.mean = workspace.take(*lines) if arrays.mean is None else arrays.mean
        self.inverse = workspace.take(*lines) if arrays.inverse is None else arrays.inverse
        self.memory = workspace.take(plan.elements)
        self.pieces = list(self._pieces())
        self.ones = np.ones((1, plan.step[1] * plan.positions), self.input.dtype)
        if back is None or arrays.grad is None:
            return
        self.part_back, self.first, self.second = (back.take(*lines) for _ in range(3))
        self.normalised, self.product = back.take(plan.elements), back.take(plan.elements)
        self.grad, self.grad_input = arrays.grad, arrays.grad_input
        if arrays.grad_weight is not None and arrays.grad_bias is not None:
            self.grad_weight, self.grad_bias = arrays.grad_weight, arrays.grad_bias
            self.sums = back.take(plan.groups, plan.channels, 1)

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

    def _temporary(self, memory: Array, like: Array) -> Array:
        return memory[: like.size].reshape(like.shape)

    def _by_channel(self, array: Array) -> Array:
        """Return an array of a piece as (groups, channels, positions*vectors)."""
        groups, rows, vectors = array.shape
        return array.reshape(groups, rows // self.plan.positions, self.plan.positions * vectors, copy=False)

    def _scale(self, array: Array, factor: Array | None, piece: Piece, out: Array) -> None:
        if factor is None:
            np.copyto(out, array)
        else:
            np.multiply(self._by_channel(array), factor[piece.weights], out=self._by_channel(out))

    def _sum(self, array: Array, piece: Piece, total: Array, memory: Array) -> None:
        """Sum the rows of a piece for each of its groups and vectors."""
        target = total[piece.lines]
        part = self._temporary(memory.reshape(-1), target)
        np.matmul(self.ones[:, : array.shape[1]], array, out=part)
        if piece.first_channels:
            np.copyto(target, part)
        else:
            np.add(target, part, out=target)

    def forward(self) -> None:
        """Compute the output."""
        if self.running and not self.training:
            self._use_running(self.mean, self.inverse)
        else:
            self.measure(self.mean, self.inverse)
            self._update_running(self.mean, self.inverse)
        self._normalise(self.inverse)

    def _use_running(self, mean: Array, var: Array) -> None:
        """Use the running statistics, and write the centred numbers to the output."""
        for found, running in zip((mean, var), self.running, strict=True):
            np.copyto(found, running)
        for piece in self.pieces:
            self._centre(piece, mean)

    def _update_running(self, mean: Array, var: Array) -> None:
        """Update the running statistics, if there are any, with the means over the batch."""
        if self.count == 1 or not isinstance(self.layer, InstanceNorm):  # a single number: no variance
            return
        momentum, unbiased = self.layer.momentum, (1.0, self.count / (self.count - 1))
        for found, running, factor in zip((mean, var), self.running, unbiased, strict=False):
            batch = self._temporary(self.part.reshape(-1), running)
            np.add.reduce(found, axis=2, keepdims=True, out=batch)
            np.multiply(batch, momentum * factor / self.plan.vectors, out=batch)
            np.multiply(running, 1 - momentum, out=running)
            np.add(running, batch, out=running)

    def measure(self, mean: Array, var: Array) -> None:
        """Compute the mean and the biased variance of each group, and write the centred numbers to the output."""
        for piece in self.pieces:
            self._sum(self.input[piece.rows], piece, mean, self.part)
        np.divide(mean, self.count, out=mean)
        # the sum of the centred numbers recovers what rounding lost in the long sum of large numbers
        for piece in self.pieces:
            x = self.input[piece.rows]
            centred = self._temporary(self.memory, x)
            np.subtract(x, mean[piece.lines], out=centred)
            self._sum(centred, piece, self.correction, self.part)
        np.divide(self.correction, self.count, out=self.correction)
        np.add(mean, self.correction, out=mean)
        for piece in self.pieces:
            y = self._centre(piece, mean)
            square = self._temporary(self.memory, y)
            np.multiply(y, y, out=square)
            self._sum(square, piece, var, self.part)
        np.divide(var, self.count, out=var)

    def _centre(self, piece: Piece, mean: Array) -> Array:
        """Write the input minus its mean to a piece of the output, and return it."""
        y = self.output[piece.rows]
        np.subtract(self.input[piece.rows], mean[piece.lines], out=y)
        return y

    def _normalise(self, var: Array) -> None:
        """Finish the output, and write ``1/sqrt(var + eps)`` to `var`."""
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
        found = self._temporary(self.normalised, x)
        np.subtract(x, self.mean[piece.lines], out=found)
        np.multiply(found, self.inverse[piece.lines], out=found)
        return found

    def backward(self) -> None:
        """Compute the gradients of the weights and, if needed, of the input."""
        for piece in self.pieces:
            grad = self.grad[piece.rows]
            normalised, product = self._normalised(piece), self._temporary(self.product, grad)
            np.multiply(grad, normalised, out=product)
            if self.weight is not None:
                self._sum_channels(product, piece, self.grad_weight)
                self._sum_channels(grad, piece, self.grad_bias)
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

    def _sum_channels(self, array: Array, piece: Piece, total: Array) -> None:
        """Sum the numbers of each channel of a piece."""
        target, part = total[piece.weights], self.sums[piece.weights]
        np.add.reduce(self._by_channel(array), axis=2, keepdims=True, out=target if piece.first_vectors else part)
        if not piece.first_vectors:
            np.add(target, part, out=target)
