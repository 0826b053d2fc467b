"""How a depthwise convolution is split: shards of channels, each computed tap by tap or with banded GEMMs.

Plain ints, counted in elements; the workspace planned for a batch is enough for every smaller one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

from planner.layers.tiling.banded import Bands
from planner.layers.tiling.shards import in_lines, shards_for, shares
from planner.layers.tiling.workspace import WIDE, Tiles

SHARD_TAPS = 2**17
"""Smallest number of taps at all positions worth a shard; with short rows, each takes long."""

SHARD_BANDED = 2**21
"""Smallest number of taps at all positions worth a shard with banded GEMMs."""

Volume = tuple[int, int, int]


@dataclass(frozen=True)
class DepthwiseTiling:
    """The pieces and workspace of a convolution that treats every channel separately.

    Attributes
    ----------
    batch, channels, filters : int
        `filters` is a multiple of `channels`.
    sizes, out_sizes, kernel : tuple of int
        Along depth, height and width.
    row_dilation : int
        Distance of the kernel's rows.

    Examples
    --------
    >>> narrow = DepthwiseTiling(32, 256, 256, (1, 8, 8), (1, 8, 8), (1, 3, 3))
    >>> narrow.bands is not None, [span for span, _ in narrow.shards]
    (True, [(0, 128), (128, 256)])
    """

    batch: int
    channels: int
    filters: int
    sizes: Volume
    out_sizes: Volume
    kernel: Volume
    row_dilation: int = 1

    @cached_property
    def bands(self) -> Bands | None:
        """The banded matrices, if they are faster than going tap by tap."""
        in_one = self.kernel[0] == self.sizes[0] == 1 and self.filters == self.channels
        if not in_one or (self.kernel[1] > 1 and self.row_dilation > 1):
            return None
        bands = Bands(self.channels, *self.out_sizes[1:], self.sizes[2], self.kernel[1:])
        return bands if bands.pay(self.batch) else None

    @property
    def tiles(self) -> Tiles:
        """The tiles of the output of one filter per channel, for going tap by tap."""
        slabs, rows, columns = self.out_sizes
        return Tiles(self.channels, slabs, rows, columns * self.batch, WIDE)

    @property
    def shards(self) -> list[tuple[tuple[int, int], DepthwiseTiling]]:
        """The range of channels of each shard, with the tiling of that shard."""
        return self._shards(SHARD_BANDED if self.bands else SHARD_TAPS)

    def elements(self, *, backward: bool) -> int:
        """Return how many elements of workspace a pass needs, also for smaller batches, which may go tap by tap."""
        tapwise = [shard.shard_elements(backward, None) for _, shard in self._shards(SHARD_TAPS)]
        if self.bands is None:
            return sum(map(in_lines, tapwise))
        banded = [shard.shard_elements(backward, shard.bands) for _, shard in self.shards]
        return max(sum(map(in_lines, tapwise)), sum(map(in_lines, banded)))

    def shard_elements(self, backward: bool, bands: Bands | None) -> int:
        """Return the elements that one of :attr:`shards` needs, with banded matrices or tap by tap."""
        if bands is not None:
            return bands.elements(backward=backward)
        return self.tiles.elements + (self.channels if backward else 0)

    def _shards(self, worth: int) -> list[tuple[tuple[int, int], DepthwiseTiling]]:
        work = self.batch * self.filters * prod(self.out_sizes) * prod(self.kernel)
        return [
            (
                (first, last),
                replace(self, channels=last - first, filters=self.filters // self.channels * (last - first)),
            )
            for first, last in shares(self.channels, shards_for(work, worth))
        ]
