"""Depthwise convolution: each channel separately, by multiplying and adding one tap at a time.

The matrices of such a convolution have a single row, so a matrix product would not be worth the cost of im2col.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import prod

import numpy as np

from planner.layers.tiling.depthwise import DepthwiseTiling
from planner.layers.tiling.workspace import pieces
from runtime.kernels.base import Array, Arrays, Index, Workspace, flat
from runtime.kernels.window import Span, Views, Windows, channel_tiles, taps, volume


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap of one strip of rows: the numbers that it multiplies and the targets of the products, by tile.

    Arrays are (tiles, channels, D, H, W, N), the weight (tiles, channels, 1, 1, 1, 1) and its gradient (tiles,
    channels). The workspace `product`, its rows `row` and `share` are reused for each tile.
    """

    seen: Array
    weight: Array
    part: Array
    product: Array
    row: Array
    share: Array
    grad: Array | None
    grad_seen: Array | None
    grad_weight: Array | None


class Depthwise:
    """Forward and backward pass of a convolution with as many groups as channels, and one or more filters for each.

    Parameters
    ----------
    plan : DepthwiseTiling
    windows : tuple of Window
    arrays : Arrays
    workspace : tuple of Workspace
        For the forward pass and for the backward pass.
    training : bool
    """

    def __init__(
        self,
        plan: DepthwiseTiling,
        windows: Windows,
        arrays: Arrays,
        workspace: tuple[Workspace, Workspace],
        training: bool,
    ) -> None:
        self.plan, self.windows, self.arrays = plan, windows, arrays
        x, y = volume(arrays.inputs[0]), volume(arrays.output)
        self.output = y
        self.channels, self.multiple = x.shape[0], y.shape[0] // x.shape[0]
        self.grad_input = arrays.grad_inputs[0] if training else None
        bias = arrays.parameters.get("bias")
        self.bias = None if bias is None else flat(bias, y.shape[0], 1, 1, 1, 1)
        self.bias_sum: tuple[Array, Array] | None = None
        if training and bias is not None and arrays.grad_output is not None:
            self.bias_sum = flat(arrays.grad_output, y.shape[0], -1), arrays.grad_parameters["bias"]
        step, *cuts = plan.tiles.step
        self.spans = list(product(*(pieces(n, cut) for n, cut in zip(y.shape[1:3], cuts, strict=True))))
        grad_output = volume(arrays.grad_output) if training and arrays.grad_output is not None else None
        grad_weight = arrays.grad_parameters.get("weight") if training else None
        self.maps = channel_tiles(x, step), channel_tiles(self._by_channel(y), step)
        self.weights = channel_tiles(self._taps_of(arrays.parameters["weight"]), step)
        self.grads = [
            [None] * len(self.weights) if array is None else channel_tiles(array, step)
            for array in (
                None if self.grad_input is None else volume(self.grad_input),
                None if grad_output is None else self._by_channel(grad_output),
                None if grad_weight is None else self._taps_of(grad_weight),
            )
        ]
        count = len(self.weights) * len(self.spans) * prod(plan.kernel) * self.multiple
        forward_workspace, backward_workspace = workspace
        product_memory = forward_workspace.take(plan.tiles.elements)
        self.strips = Views(partial(self._strips, product_memory, product_memory[:0], count), count)
        if training:
            memory = backward_workspace.take(plan.tiles.elements), backward_workspace.take(self.channels)
            self.strips_back = Views(partial(self._strips, *memory, count), count)

    def _by_channel(self, array: Array) -> Array:
        """Return an array of filters as (channels, filters of one channel, ...)."""
        return flat(array, self.channels, self.multiple, *array.shape[1:])

    def _taps_of(self, weight: Array) -> Array:
        """Return weights as (channels, filters of one channel, kd, kh, kw)."""
        return flat(weight, self.channels, self.multiple, *self.plan.kernel)

    def _strips(self, memory: Array, share: Array, count: int) -> Iterator[tuple[int, Views[Tap]]]:
        """Yield strips of slabs and rows, each as its number of tiles and the taps of all tiles."""
        for maps in zip(*self.maps, self.weights, *self.grads, strict=True):
            for spans in self.spans:
                yield len(maps[0]), Views(partial(self._taps, memory, share, spans, *maps), count)

    def _taps(
        self,
        memory: Array,
        share: Array,
        spans: tuple[Span, ...],
        x: Array,
        y: Array,
        weight: Array,
        grad_input: Array | None,
        grad_output: Array | None,
        grad_weight: Array | None,
    ) -> Iterator[Tap]:
        whole, step = slice(None), x.shape[1]
        for place, sight in taps(self.windows, x.shape[2:5], (*spans, (0, y.shape[5]))):
            where: Index = (whole, whole, *(one.seen for one in sight))
            seen = x[where]
            product = memory[: seen[0].size].reshape(seen.shape[1:])
            for which in range(self.multiple):
                there: Index = (whole, whole, which, *(slice(one.first, one.last) for one in sight))
                yield Tap(
                    seen,
                    weight[:, :, which, *place, None, None, None, None],
                    y[there],
                    product,
                    flat(product, step, -1),
                    share[:step],
                    None if grad_output is None else grad_output[there],
                    None if grad_input is None else grad_input[where],
                    None if grad_weight is None else grad_weight[:, :, which, *place],
                )

    def forward(self) -> None:
        """Compute the output."""
        if self.bias is None:
            self.output.fill(0)
        else:
            np.copyto(self.output, self.bias)
        for tiles, some in self.strips:
            for tile in range(tiles):
                for tap in some:
                    part = tap.part[tile]
                    np.multiply(tap.seen[tile], tap.weight[tile], out=tap.product)
                    np.add(part, tap.product, out=part)

    def backward(self) -> None:
        """Compute the gradients of the weights, of the bias and, if needed, of the input."""
        if self.bias_sum is not None:
            np.add.reduce(self.bias_sum[0], axis=1, out=self.bias_sum[1])
        self.arrays.grad_parameters["weight"].fill(0)
        if self.grad_input is not None:
            self.grad_input.fill(0)
        for tiles, some in self.strips_back:
            for tile in range(tiles):
                for tap in some:
                    self._backward(tap, tile)

    def _backward(self, tap: Tap, tile: int) -> None:
        if tap.grad is None or tap.grad_weight is None:
            return
        grad, grad_weight = tap.grad[tile], tap.grad_weight[tile]
        np.multiply(tap.seen[tile], grad, out=tap.product)
        np.add.reduce(tap.row, axis=1, out=tap.share)
        np.add(grad_weight, tap.share, out=grad_weight)
        if tap.grad_seen is not None:
            grad_seen = tap.grad_seen[tile]
            np.multiply(grad, tap.weight[tile], out=tap.product)
            np.add(grad_seen, tap.product, out=grad_seen)
