"""Sizes of kernels' workspace and of the pieces they work on, shared by planner and runtime.

A kernel processes large arrays piece by piece, so that a piece stays in a core's cache; the planner
counts the workspace of one piece. All numbers are plain ints, counted in elements. They never
decrease when the batch grows: the workspace planned for a batch is enough for every smaller one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from planner.layers.tiling.shards import SUMMED_ELEMENTS, column_shares, shards_for, shares

BLOCK = 2**16
"""Elements of one piece of an elementwise pass: 256 KiB of float32."""

WIDE = 4
"""Blocks in one piece of a pass of many small operations: with fewer, threads wait for each other to start the next."""

POSITIONS = 512
"""Vectors per piece, or columns per matrix, below which the fixed cost of a piece is too high."""


def shard_blocks(shards: int) -> int:
    """Return how many blocks a piece has in a pass of many operations, for a number of shards.

    Examples
    --------
    >>> shard_blocks(1), shard_blocks(3)
    (1, 4)
    """
    return 1 if shards == 1 else WIDE


def pieces(total: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield half-open ranges that split `total` positions into pieces of at most `step`.

    Examples
    --------
    >>> list(pieces(7, 3))
    [(0, 3), (3, 6), (6, 7)]
    """
    for first in range(0, total, step):
        yield first, min(first + step, total)


def block_elements(count: int) -> int:
    """Return the elements that hold any piece of an elementwise pass over `count` elements.

    Examples
    --------
    >>> block_elements(100), block_elements(10**6)
    (100, 65536)
    """
    return min(count, BLOCK)


def mask_elements(count: int) -> int:
    """Return how many elements hold a byte mask of `count` entries, for elements of four bytes or more.

    Examples
    --------
    >>> mask_elements(9)
    3
    """
    return -(-count // 4)


@dataclass(frozen=True, slots=True)
class Tiles:
    """How a pass over a map (channels, slabs, rows, row) is split: rows, then slabs, then channels, up to some blocks.

    Attributes
    ----------
    channels, slabs, rows : int
        Sizes of the map: channels, depth, height.
    row : int
        Elements in one row: width times batch.
    blocks : int
        Largest size of a tile, in blocks of BLOCK elements.

    Examples
    --------
    >>> tiles = Tiles(channels=64, slabs=1, rows=28, row=28 * 32)
    >>> tiles.step, tiles.elements
    ((2, 1, 28), 65536)
    """

    channels: int
    slabs: int
    rows: int
    row: int
    blocks: int = 1

    @property
    def step(self) -> tuple[int, int, int]:
        """Channels, slabs and rows in one tile."""
        most = self.blocks * BLOCK
        rows = max(1, min(self.rows, most // self.row))
        if rows < self.rows:
            return 1, 1, rows
        slabs = max(1, min(self.slabs, most // (self.rows * self.row)))
        if slabs < self.slabs:
            return 1, slabs, rows
        return max(1, min(self.channels, most // (self.slabs * self.rows * self.row))), slabs, rows

    @property
    def elements(self) -> int:
        """Elements that hold any tile."""
        return min(self.channels * self.slabs * self.rows * self.row, max(self.blocks * BLOCK, self.row))


SOFTMAX_PART = 256
"""Number of channels summed sequentially before partial sums are added."""


def softmax_parts(channels: int) -> int:
    """Return the number of partial sums of a sum over channels."""
    return -(-channels // SOFTMAX_PART)


def softmax_columns(channels: int, places: int, blocks: int = 1) -> int:
    """Return how many positions a softmax over channels processes at a time, up to some blocks.

    Examples
    --------
    >>> softmax_columns(10, 64), softmax_columns(1000, 50176)
    (64, 256)
    """
    return min(places, max(SOFTMAX_PART, blocks * BLOCK // channels))


def norm_step(channels: int, count: int, blocks: int = 1) -> int:
    """Return how many channels of `count` numbers a normalisation processes at a time, up to some blocks.

    Examples
    --------
    >>> norm_step(64, 32 * 32 * 64), norm_step(64, 49 * 8)
    (1, 64)
    """
    return max(1, min(channels, blocks * BLOCK // count))


def norm_elements(channels: int, count: int, blocks: int = 1) -> int:
    """Return the elements that hold any piece of :func:`norm_step` channels.

    Examples
    --------
    >>> norm_elements(64, 32 * 32 * 64), norm_elements(64, 49 * 8)
    (65536, 25088)
    """
    return min(channels * count, max(blocks * BLOCK, count))


@dataclass(frozen=True, slots=True)
class GroupPieces:
    """The pieces of a normalisation of a tensor viewed as (groups, channels, positions, vectors).

    Each group is normalised over its channels and positions, separately for each vector. If a piece of all channels
    is wide enough, vectors are split; otherwise groups are, or the channels of one group.

    Attributes
    ----------
    groups, channels, positions, vectors : int
    blocks : int
        Largest size of a piece, in blocks of BLOCK elements.

    Examples
    --------
    >>> GroupPieces(groups=8, channels=4, positions=49, vectors=32).step
    (8, 4, 32)
    >>> GroupPieces(groups=1, channels=96, positions=1, vectors=56 * 56 * 8).step
    (1, 96, 682)
    """

    groups: int
    channels: int
    positions: int
    vectors: int
    blocks: int = 1

    @property
    def shards(self) -> list[tuple[slice, slice, GroupPieces]]:
        """The groups, and vectors of each group, of each shard, with the pieces of that shard."""
        every, rows = slice(None), self.channels * self.positions
        if self.groups > 1:
            shards = shards_for(self.groups * rows * self.vectors, SUMMED_ELEMENTS)
            cuts = shares(self.groups, shards)
            blocks = shard_blocks(len(cuts))
            return [(slice(*cut), every, replace(self, groups=cut[1] - cut[0], blocks=blocks)) for cut in cuts]
        cuts = column_shares(rows, self.vectors) if self.positions == 1 else [(0, self.vectors)]
        blocks = shard_blocks(len(cuts))
        return [(every, slice(*cut), replace(self, vectors=cut[1] - cut[0], blocks=blocks)) for cut in cuts]

    @property
    def along_vectors(self) -> bool:
        """Whether vectors are split, not channels."""
        return self.positions == 1 and self.channels <= self.blocks * BLOCK // POSITIONS

    @property
    def step(self) -> tuple[int, int, int]:
        """Groups, channels and vectors in one piece."""
        if self.along_vectors:
            return 1, self.channels, min(self.vectors, self.blocks * BLOCK // self.channels)
        step = norm_step(self.groups * self.channels, self.positions * self.vectors, self.blocks)
        return max(1, step // self.channels), min(step, self.channels), self.vectors

    @property
    def elements(self) -> int:
        """Elements that hold any piece."""
        if self.along_vectors:
            return self.channels * self.step[2]
        return norm_elements(self.groups * self.channels, self.positions * self.vectors, self.blocks)
