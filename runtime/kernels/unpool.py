"""Max unpooling on batch-last maps of one to three axes: the positions of maxima, and values scattered to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from planner.layers.pool import MaxPool
from planner.layers.tiling.workspace import pieces
from planner.layers.unpool import MaxIndices, Unpool, unpool_tiles
from runtime.kernels.base import Array, Kernel, Mask, kernel, user_shape
from runtime.kernels.window import Views, over_volume, taps, volume


@dataclass(frozen=True, slots=True)
class UnpoolTap:
    """One tap of one tile: its number, the part of the tile that it reaches, and that part's view of the large maps."""

    number: float
    slot: tuple[slice, ...]
    seen: tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class UnpoolTile:
    """Some channels and rows of the pooled maps, with all their taps in reading order."""

    small: tuple[Array, ...]
    taps: tuple[UnpoolTap, ...]


def tiles(pool: MaxPool, small: tuple[Array, ...], large: tuple[Array, ...]) -> Views[UnpoolTile]:
    """Return the tiles of maps in the output shape of a pooling, with their views of maps in its input shape."""
    step, *cuts = unpool_tiles(user_shape(small[0])).step
    windows = over_volume(pool.windows(user_shape(large[0])))
    small, large = tuple(map(volume, small)), tuple(map(volume, large))
    channels, *sizes, columns, _ = small[0].shape
    spans = list(product(*(pieces(size, cut) for size, cut in zip(sizes, cuts, strict=True))))
    high, wide = windows[1].kernel, windows[2].kernel

    def create() -> Iterator[UnpoolTile]:
        for some in pieces(channels, step):
            part = slice(*some)
            for cut in spans:
                whole = (*cut, (0, columns))
                found = []
                for (k, i, j), sight in taps(windows, large[0].shape[1:4], whole):
                    slot = (slice(None), *(one.within(span[0]) for one, span in zip(sight, whole, strict=True)))
                    seen = (part, *(one.seen for one in sight))
                    number = float((k * high + i) * wide + j)
                    found.append(UnpoolTap(number, slot, tuple(array[seen] for array in large)))
                place = (part, *(slice(*span) for span in cut))
                yield UnpoolTile(tuple(array[place] for array in small), tuple(found))

    count = -(-channels // step) * len(spans)
    return Views(create, count * prod(window.kernel for window in windows))


@kernel(MaxIndices)
class MaxIndicesKernel(Kernel[MaxIndices]):
    """Number of the first tap with the largest value of each window."""

    def prepare(self) -> None:
        output = self.arrays.output
        elements = unpool_tiles(user_shape(output)).elements
        workspace = self.workspace()
        self.largest, self.mask = workspace.take(elements), workspace.take_mask(elements)
        self.tiles = tiles(self.layer, (output,), (self.arrays.inputs[0],))

    def forward(self) -> None:
        for tile in self.tiles:
            (output,) = tile.small
            largest = self.largest[: output.size].reshape(output.shape)
            largest.fill(-np.inf)
            # In reverse order, so that the first of several equal taps is written last.
            for tap in reversed(tile.taps):
                (seen,), best = tap.seen, largest[tap.slot]
                mask = self.mask[: seen.size].reshape(seen.shape)
                np.greater_equal(seen, best, out=mask)
                np.copyto(output[tap.slot], tap.number, where=mask)
                np.maximum(seen, best, out=best)

    def backward(self) -> None:
        """Do nothing: indices have no gradient."""


@kernel(Unpool)
class UnpoolKernel(Kernel[Unpool]):
    """Scattering of values to the positions of the maxima; gradients are gathered from there."""

    def prepare(self) -> None:
        values, indices, _ = self.arrays.inputs
        elements = unpool_tiles(user_shape(values)).elements
        self.mask = self.workspace().take_mask(elements)
        self.scattered = tiles(self.layer.pool, (values, indices), (self.arrays.output,))
        self.grad_values = self.arrays.grad_inputs[0] if self.differentiates else None
        if self.grad_values is not None:
            self.mask_back = self.backward_workspace().take_mask(elements)
            self.gathered = tiles(self.layer.pool, (self.grad_values, indices), (self.grad_output,))

    def forward(self) -> None:
        self.arrays.output.fill(0)
        for tile in self.scattered:
            values, _ = tile.small
            for tap in tile.taps:
                np.copyto(tap.seen[0], values[tap.slot], where=_argmax_mask(tile, tap, self.mask))

    def backward(self) -> None:
        if self.grad_values is None:
            return
        for tile in self.gathered:
            gradients, _ = tile.small
            gradients.fill(0)
            for tap in tile.taps:
                np.copyto(gradients[tap.slot], tap.seen[0], where=_argmax_mask(tile, tap, self.mask_back))


def _argmax_mask(tile: UnpoolTile, tap: UnpoolTap, memory: Mask) -> Mask:
    """Return a mask of the places where a tap has the maximum, in `memory`."""
    indices = tile.small[1][tap.slot]
    mask = memory[: prod(indices.shape)].reshape(indices.shape)
    np.equal(indices, tap.number, out=mask)
    return mask
