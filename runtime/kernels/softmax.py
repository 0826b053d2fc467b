"""Softmax and log-softmax over the channels, some positions at a time.

Every forward pass may overwrite its input, and every backward pass the gradient of its output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from planner.layers.softmax import LogSoftmax, Softmax
from planner.layers.tiling.shards import column_shares
from planner.layers.tiling.workspace import pieces, shard_blocks, softmax_columns, softmax_parts
from runtime.kernels.base import Array, Kernel, LayerT, Workspace, flat, kernel
from runtime.thread_pool import run_parallel


@dataclass(frozen=True, slots=True)
class Rows:
    """Workspace of one pass: (1, positions), (parts, positions) and, if products are needed, (channels, positions)."""

    total: Array
    partial: Array
    product: Array


class ChannelShard:
    """One shard of the positions, cut into pieces; a subclass defines both passes for one piece.

    Parameters
    ----------
    x, y : Array
        (channels, positions).
    grads : tuple of Array, or None
        Gradients of the output and of the input, in the same shape.
    workspace : Workspace
    back : Workspace
        Workspace of the backward pass.
    products : bool
        Whether the forward pass needs an array for products.
    blocks : int
        Number of workspace blocks for one piece.
    """

    def __init__(
        self,
        x: Array,
        y: Array,
        grads: tuple[Array, Array] | None,
        workspace: Workspace,
        back: Workspace,
        products: bool,
        blocks: int,
    ) -> None:
        channels = len(x)
        step = softmax_columns(channels, x.shape[1], blocks)
        spans = [slice(*span) for span in pieces(x.shape[1], step)]
        self.parts = [slice(*span) for span in pieces(channels, -(-channels // softmax_parts(channels)))]
        self.rows = self._rows(workspace, step, channels if products else 0)
        self.forward_pieces = [(x[:, span], y[:, span]) for span in spans]
        self.backward_pieces: list[tuple[Array, Array, Array]] = []
        if grads is not None:
            grad, grad_input = grads
            self.backward_pieces = [(y[:, span], grad[:, span], grad_input[:, span]) for span in spans]
            self.rows_back = self._rows(back, step, channels)

    def _rows(self, workspace: Workspace, step: int, products: int) -> Rows:
        return Rows(workspace.take(1, step), workspace.take(len(self.parts), step), workspace.take(products, step))

    def forward(self) -> None:
        """Compute the output."""
        raise NotImplementedError

    def backward(self) -> None:
        """Compute the gradient of the input."""
        raise NotImplementedError

    def sum(self, values: Array, rows: Rows) -> Array:
        """Return the sum over channels, computed in parts, so that float32 stays accurate for many channels."""
        width = values.shape[1]
        partial, row = rows.partial[:, :width], rows.total[:, :width]
        for index, part in enumerate(self.parts):
            np.add.reduce(values[part], axis=0, out=partial[index])
        np.add.reduce(partial, axis=0, keepdims=True, out=row)
        return row

    def centre(self, x: Array, y: Array) -> None:
        """Write `x` minus the largest number of each position to `y`."""
        row = self.rows.total[:, : x.shape[1]]
        np.maximum.reduce(x, axis=0, keepdims=True, out=row)
        np.subtract(x, row, out=y)


class SoftmaxShard(ChannelShard):
    """``exp(x) / sum(exp(x))``; the backward pass is ``y (g - sum(g y))``."""

    def forward(self) -> None:
        for x, y in self.forward_pieces:
            self.centre(x, y)
            np.exp(y, out=y)
            np.divide(y, self.sum(y, self.rows), out=y)

    def backward(self) -> None:
        for y, grad, grad_input in self.backward_pieces:
            product = self.rows_back.product[:, : y.shape[1]]
            np.multiply(grad, y, out=product)
            np.subtract(grad, self.sum(product, self.rows_back), out=grad_input)
            np.multiply(grad_input, y, out=grad_input)


class LogSoftmaxShard(ChannelShard):
    """``x - log(sum(exp(x)))``; the backward pass is ``g - exp(y) sum(g)``."""

    def forward(self) -> None:
        for x, y in self.forward_pieces:
            product = self.rows.product[:, : y.shape[1]]
            self.centre(x, y)
            np.exp(y, out=product)
            row = self.sum(product, self.rows)
            np.log(row, out=row)
            np.subtract(y, row, out=y)

    def backward(self) -> None:
        for y, grad, grad_input in self.backward_pieces:
            product = self.rows_back.product[:, : y.shape[1]]
            np.exp(y, out=product)
            np.multiply(product, self.sum(grad, self.rows_back), out=product)
            np.subtract(grad, product, out=grad_input)


class ChannelKernel(Kernel[LayerT]):
    """Base of softmax and log-softmax, which split the positions into shards."""

    shard: ClassVar[type[ChannelShard]]

    def prepare(self) -> None:
        channels, workspace, back = self.arrays.output.shape[0], self.workspace(), self.backward_workspace()
        x, y = flat(self.arrays.inputs[0], channels, -1), flat(self.arrays.output, channels, -1)
        grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        grads = None if grad_input is None else (flat(self.grad_output, channels, -1), flat(grad_input, channels, -1))
        products = isinstance(self.layer, LogSoftmax)
        self.shards: list[ChannelShard] = []
        cuts = column_shares(channels, x.shape[1])
        for some in (slice(*span) for span in cuts):
            own = None if grads is None else (grads[0][:, some], grads[1][:, some])
            blocks = shard_blocks(len(cuts))
            self.shards.append(self.shard(x[:, some], y[:, some], own, workspace, back, products, blocks))
            workspace.take_lines(0)
            back.take_lines(0)

    def forward(self) -> None:
        run_parallel([shard.forward for shard in self.shards])

    def backward(self) -> None:
        run_parallel([shard.backward for shard in self.shards])


@kernel(Softmax)
class SoftmaxKernel(ChannelKernel[Softmax]):
    """``exp(x) / sum(exp(x))``."""

    shard = SoftmaxShard


@kernel(LogSoftmax)
class LogSoftmaxKernel(ChannelKernel[LogSoftmax]):
    """``x - log(sum(exp(x)))``."""

    shard = LogSoftmaxShard
