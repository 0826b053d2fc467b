"""Blocks of the columns that turn a convolution into products of matrices: how many positions of its output each has.

Plain ints, counted in elements; what is planned for a batch is enough for every smaller one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.layers.tiling.shards import SHARDS, in_lines
from planner.layers.tiling.workspace import POSITIONS

COLUMNS = 2**18
"""Most elements of one block of columns: 1 MiB of float32, less than a core's share of a common last-level cache."""

BLOCK_WORK = 2**23
"""Multiply-accumulates of one block. With much less, threads wait for each other's turn to begin the next operation."""

SHARED_ROWS = 8
"""Most rows of an output in one block that share what they see: with a kernel of 3, 10 rows are gathered, not 24."""

SHARED_COLUMNS = 128
"""Columns of a row, width times batch, from which a product of matrices for each row is as fast as one for many."""

ROW_SUMS = 2**17
"""Most elements of the gradients of the weights of single rows that are held before they are added up."""

REORDER_SHARE = 6
"""Gathered elements that a weight must save where weights are put in another order first (measured)."""


@dataclass(frozen=True, slots=True)
class ColumnBlocks:
    """How the columns of a convolution are cut along the positions of its output.

    Attributes
    ----------
    depth : int
        Rows of the whole column matrix: channels times taps.
    partners : int
        Rows that each column is multiplied with.
    slabs, rows, columns, batch : int
        Positions of the output; one column of the matrix each.
    shards : int
        How many share the blocks, each with memory for one of them.
    summed : bool
        The products of blocks are added up, which takes more of each block the fewer columns it has.
    taps, stride : int
        Rows of the kernel and their step, where rows of a block may share what they see; taps 1 where not.

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
        """Rows of a block overlap in memory: each begins where the second row that the one before sees lies.

        Then only columns of the kernel are gathered, once for each row of the input, and the weights have the rows of
        the kernel first. Where weights are many beside the positions, that order costs more than it saves.
        """
        if self.stride >= self.taps or self.row_step < 2 or self.columns < self.taps:
            return False
        enough = self.slabs * self.rows * self.columns * self.batch >= REORDER_SHARE * self.partners
        return enough and self.columns * self.batch >= SHARED_COLUMNS

    @property
    def apart(self) -> ColumnBlocks:
        """The same columns, no rows of which overlap."""
        return replace(self, taps=1)

    @property
    def row_step(self) -> int:
        """Rows of the output in a block whose rows share what they see, whatever the batch."""
        most = min(SHARED_ROWS, max(2, self.rows // SHARDS), self.rows)
        if self.summed:
            most = min(most, ROW_SUMS // (self.depth * self.partners))
        return _evenly(self.rows, most) if most > 1 else 1

    @property
    def seen_rows(self) -> int:
        """Rows of the input that the rows of such a block see."""
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
        """Output slabs, rows and columns in one block: whole slabs or rows where one fits, else part of one row."""
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
        """How many blocks there are."""
        slabs, rows, columns = self.step
        return -(-self.slabs // slabs) * -(-self.rows // rows) * -(-self.columns // columns)

    @property
    def several(self) -> bool:
        """Whether a shard has more than one block."""
        return self.count > self.shards

    @property
    def elements(self) -> int:
        """Elements that hold any block, for all shards: also of smaller batches, whose rows may not overlap."""
        row = self.columns * self.batch
        apart = self.depth * min(self.slabs * self.rows * row, max(self._limit, self.batch))
        if not self.shared:
            return self.shards * in_lines(apart)
        together = self.seen_rows * (self.depth // self.taps) * min(row, max(self._shared_limit, self.batch))
        return self.shards * in_lines(max(apart, together))


def _evenly(total: int, most: int) -> int:
    """Return the size of the pieces that cut `total` into as few of at most `most` as can be, as even as can be."""
    return -(-total // -(-total // most))
