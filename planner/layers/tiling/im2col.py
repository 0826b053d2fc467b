"""Blocks of the im2col matrix of a convolution: how many output positions each block has.

Plain ints, counted in elements; the workspace planned for a batch is enough for every smaller one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.layers.tiling.shards import SHARDS, in_lines
from planner.layers.tiling.workspace import POSITIONS

COLUMNS = 2**18
"""Largest size of one block in elements: 1 MiB of float32, less than a core's share of a common last-level cache."""

BLOCK_WORK = 2**23
"""Multiply-accumulates of one block. With far fewer, threads wait for each other to start the next operation."""

SHARED_ROWS = 8
"""Largest number of output rows per block that share input rows: with a kernel of 3, 10 rows are gathered, not 24."""

SHARED_COLUMNS = 128
"""Columns per row, width times batch, from which one GEMM per row is as fast as one for many rows."""

ROW_SUMS = 2**17
"""Largest number of elements of per-row weight gradients that are held before they are added up."""

REORDER_SHARE = 6
"""Gathered elements that must be saved per weight to make reordering the weights worthwhile (measured)."""


@dataclass(frozen=True, slots=True)
class ColumnBlocks:
    """How the im2col matrix of a convolution is split into blocks of output positions.

    Attributes
    ----------
    depth : int
        Rows of the whole im2col matrix: channels times taps.
    partners : int
        Number of rows that each column is multiplied with.
    slabs, rows, columns, batch : int
        Positions of the output; each is one column of the matrix.
    shards : int
        Number of shards that process the blocks, each with memory for one block.
    summed : bool
        Whether the products of blocks are added up; that takes a larger share of the work the fewer columns a
        block has.
    taps, stride : int
        Rows of the kernel and their step, if rows of a block may share input rows; `taps` is 1 otherwise.

    Examples
    --------
    >>> blocks = ColumnBlocks(depth=576, partners=64, slabs=1, rows=32, columns=32, batch=64)
    >>> blocks.step, blocks.elements
    ((1, 1, 8), 294912)
    >>> ColumnBlocks(depth=576, partners=64, slabs=1, rows=32, columns=32, batch=64, shards=4).elements
    1179648
    >>> thin = ColumnBlocks(depth=144, partners=16, slabs=1, rows=32, columns=32, batch=32, taps=3)
    >>> thin.shared, thin.step, thin.seen_rows
    (True, (1, 8, 16), 10)
    """

    depth: int
    partners: int
    slabs: int
    rows: int
    columns: int
    batch: int
    shards: int = 1
    summed: bool = True
    taps: int = 1
    stride: int = 1

    @property
    def shared(self) -> bool:
        """Whether rows of a block overlap in memory: each begins at the second input row of the previous one.

        Then only the columns of the kernel are gathered, once for each row of the input, and the weights are reordered
        with the rows of the kernel first. With many weights compared with positions, reordering costs more than it
        saves.
        """
        if self.stride >= self.taps or self.row_step < 2 or self.columns < self.taps:
            return False
        enough = self.slabs * self.rows * self.columns * self.batch >= REORDER_SHARE * self.partners
        return enough and self.columns * self.batch >= SHARED_COLUMNS

    @property
    def apart(self) -> ColumnBlocks:
        """The same blocks with rows that do not overlap."""
        return replace(self, taps=1)

    @property
    def row_step(self) -> int:
        """Output rows in a block with shared input rows, for any batch."""
        most = min(SHARED_ROWS, max(2, self.rows // SHARDS), self.rows)
        if self.summed:
            most = min(most, ROW_SUMS // (self.depth * self.partners))
        return _evenly(self.rows, most) if most > 1 else 1

    @property
    def seen_rows(self) -> int:
        """Input rows that the rows of such a block see."""
        return (self.row_step - 1) * self.stride + self.taps

    @property
    def _shared_limit(self) -> int:
        return COLUMNS // (self.seen_rows * (self.depth // self.taps))

    @property
    def _limit(self) -> int:
        positions = self.slabs * self.rows * self.columns * self.batch
        most, least = COLUMNS // self.depth, POSITIONS if self.summed else POSITIONS // 2
        good = max(most // 4, min(most, BLOCK_WORK // (self.depth * self.partners)))
        return min(max(good, least), -(-positions // self.shards))

    @property
    def step(self) -> tuple[int, int, int]:
        """Output slabs, rows and columns in one block: whole slabs or rows if one fits, else a part of one row."""
        if self.shared:
            return 1, self.row_step, _evenly(self.columns, max(1, self._shared_limit // self.batch))
        limit, row = self._limit, self.columns * self.batch
        if self.rows * row <= limit:
            return _evenly(self.slabs, limit // (self.rows * row)), self.rows, self.columns
        if row <= limit:
            return 1, _evenly(self.rows, limit // row), self.columns
        return 1, 1, _evenly(self.columns, max(1, limit // self.batch))

    @property
    def count(self) -> int:
        """Number of blocks."""
        slabs, rows, columns = self.step
        return -(-self.slabs // slabs) * -(-self.rows // rows) * -(-self.columns // columns)

    @property
    def several(self) -> bool:
        """Whether a shard has more than one block."""
        return self.count > self.shards

    @property
    def elements(self) -> int:
        """Elements that hold any block, for all shards, also for smaller batches, in which rows may not overlap."""
        row = self.columns * self.batch
        apart = self.depth * min(self.slabs * self.rows * row, max(self._limit, self.batch))
        if not self.shared:
            return self.shards * in_lines(apart)
        together = self.seen_rows * (self.depth // self.taps) * min(row, max(self._shared_limit, self.batch))
        return self.shards * in_lines(max(apart, together))


def _evenly(total: int, most: int) -> int:
    """Return the size of pieces that split `total` as evenly as possible into the fewest pieces of at most `most`."""
    return -(-total // -(-total // most))
