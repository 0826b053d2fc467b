"""Max unpooling on batch-last maps (C, H, W, N): where the maxima were, and values put back there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from planner.layers.pool import MaxPool
from planner.layers.scratch import pieces
from planner.layers.unpool import MaxIndices, Unpool, unpool_tiles
from runtime.kernels.base import Array, Kernel, Mask, kernel, user_shape
from runtime.kernels.window import Views, taps


@dataclass(frozen=True, slots=True)
class UnpoolTap:
    """One tap of one tile: its number, the part of the tile it reaches, and what that part sees of the large maps."""

    number: float
    slot: tuple[slice, slice, slice]
    seen: tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class UnpoolTile:
    """Some channels and rows of the pooled maps, with all their taps in reading order."""

    small: tuple[Array, ...]
    taps: tuple[UnpoolTap, ...]


def tiles(pool: MaxPool, small: tuple[Array, ...], large: tuple[Array, ...]) -> Views[UnpoolTile]:
    """Return the tiles of maps as small as a pooling's output, over maps as large as its input."""
    channels, rows, columns, _ = small[0].shape
    step = unpool_tiles(user_shape(small[0])).step
    windows = pool.windows(user_shape(large[0]))

    def make() -> Iterator[UnpoolTile]:
        for some in pieces(channels, step[0]):
            part = slice(*some)
            for span in pieces(rows, step[1]):
                found = [
                    UnpoolTap(
                        float(i * windows[1].kernel + j),
                        (slice(None), high.within(span[0]), wide.within(0)),
                        tuple(array[part, high.seen, wide.seen] for array in large),
                    )
                    for i, j, high, wide in taps(windows, large[0].shape[1:3], span, (0, columns))
                ]
                yield UnpoolTile(tuple(array[part, slice(*span)] for array in small), tuple(found))

    count = -(-channels // step[0]) * -(-rows // step[1])
    return Views(make, count * windows[0].kernel * windows[1].kernel)


@kernel(MaxIndices)
class MaxIndicesKernel(Kernel[MaxIndices]):
    """The number of the first tap that sees the largest value of its window."""

    def prepare(self) -> None:
        output = self.arrays.output
        elements = unpool_tiles(user_shape(output)).elements
        scratch = self.scratch()
        self.largest, self.marks = scratch.take(elements), scratch.take_mask(elements)
        self.tiles = tiles(self.layer, (output,), (self.arrays.inputs[0],))

    def forward(self) -> None:
        for tile in self.tiles:
            (output,) = tile.small
            largest = self.largest[: output.size].reshape(output.shape)
            largest.fill(-np.inf)
            # From the last to the first, so that the first of equal ones is written last.
            for tap in reversed(tile.taps):
                (seen,), best = tap.seen, largest[tap.slot]
                marks = self.marks[: seen.size].reshape(seen.shape)
                np.greater_equal(seen, best, out=marks)
                np.copyto(output[tap.slot], tap.number, where=marks)
                np.maximum(seen, best, out=best)

    def backward(self) -> None:
        """Do nothing: numbers of positions have no gradient."""


@kernel(Unpool)
class UnpoolKernel(Kernel[Unpool]):
    """Values scattered to the positions of the maxima; their gradients gathered from there."""

    def prepare(self) -> None:
        values, indices, _ = self.arrays.inputs
        self.marks = self.scratch().take_mask(unpool_tiles(user_shape(values)).elements)
        self.scattered = tiles(self.layer.pool, (values, indices), (self.arrays.output,))
        self.grad_values = self.arrays.grad_inputs[0] if self.differentiates else None
        if self.grad_values is not None:
            self.gathered = tiles(self.layer.pool, (self.grad_values, indices), (self.grad_output,))

    def forward(self) -> None:
        self.arrays.output.fill(0)
        for tile in self.scattered:
            values, _ = tile.small
            for tap in tile.taps:
                np.copyto(tap.seen[0], values[tap.slot], where=self._marked(tile, tap))

    def backward(self) -> None:
        if self.grad_values is None:
            return
        for tile in self.gathered:
            gradients, _ = tile.small
            gradients.fill(0)
            for tap in tile.taps:
                np.copyto(gradients[tap.slot], tap.seen[0], where=self._marked(tile, tap))

    def _marked(self, tile: UnpoolTile, tap: UnpoolTap) -> Mask:
        """Return where a tap is the one that saw the maximum, in scratch memory."""
        indices = tile.small[1][tap.slot]
        marks = self.marks[: prod(indices.shape)].reshape(indices.shape)
        np.equal(indices, tap.number, out=marks)
        return marks
