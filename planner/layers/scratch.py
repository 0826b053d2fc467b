"""How much scratch memory kernels work in, and in what pieces: the numbers both halves agree on.

A kernel works through large arrays piece by piece, so that a piece stays in a core's cache; the planner
counts the scratch memory of one piece. Everything here is plain ints, counted in elements, and never
falls when the batch grows: what is planned for a batch is enough for every smaller one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from planner.layers.spatial import lifted

BLOCK = 2**16
"""Elements of one piece of an elementwise pass: 256 KiB of float32."""

COLUMNS = 2**18
"""Elements of a convolution's columns: 1 MiB of float32, half of a common second-level cache."""

POSITIONS = 512
"""A product of matrices with fewer columns than this loses speed, however deep the columns are."""

MAC_SHARE = 32
"""Multiply-accumulates inside a product of matrices that take as long as moving one element (measured)."""


def pieces(total: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield the half-open ranges that cut `total` positions into pieces of at most `step`.

    Examples
    --------
    >>> list(pieces(7, 3))
    [(0, 3), (3, 6), (6, 7)]
    """
    for first in range(0, total, step):
        yield first, min(first + step, total)


def block_elements(count: int) -> int:
    """Return the elements that hold any piece of an elementwise pass over `count` numbers.

    Examples
    --------
    >>> block_elements(100), block_elements(10**6)
    (100, 65536)
    """
    return min(count, BLOCK)


def mask_elements(count: int) -> int:
    """Return how many elements hold `count` one-byte marks, for elements of four bytes or more.

    Examples
    --------
    >>> mask_elements(9)
    3
    """
    return -(-count // 4)


@dataclass(frozen=True, slots=True)
class Tiles:
    """How a pass over a map (channels, slabs, rows, row) is cut: rows, then slabs, then channels, up to BLOCK elements.

    Attributes
    ----------
    channels, slabs, rows : int
        Sizes of the map: channels, depth, height.
    row : int
        Elements in one row: width times batch.

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

    @property
    def step(self) -> tuple[int, int, int]:
        """Channels, slabs and rows in one tile."""
        rows = max(1, min(self.rows, BLOCK // self.row))
        if rows < self.rows:
            return 1, 1, rows
        slabs = max(1, min(self.slabs, BLOCK // (self.rows * self.row)))
        if slabs < self.slabs:
            return 1, slabs, rows
        return max(1, min(self.channels, BLOCK // (self.slabs * self.rows * self.row))), slabs, rows

    @property
    def elements(self) -> int:
        """Elements that hold any tile."""
        return min(self.channels * self.slabs * self.rows * self.row, max(BLOCK, self.row))


@dataclass(frozen=True, slots=True)
class ColumnBlocks:
    """How the columns of a convolution are cut along the positions of its output.

    Attributes
    ----------
    depth : int
        Rows of the whole column matrix: channels times taps.
    slabs, rows, columns, batch : int
        Positions of the output; one column of the matrix each.

    Examples
    --------
    >>> blocks = ColumnBlocks(depth=576, slabs=1, rows=32, columns=32, batch=64)
    >>> blocks.step, blocks.elements
    ((1, 1, 8), 294912)
    """

    depth: int
    slabs: int
    rows: int
    columns: int
    batch: int

    @property
    def _limit(self) -> int:
        return max(COLUMNS // self.depth, POSITIONS)

    @property
    def step(self) -> tuple[int, int, int]:
        """Output slabs, rows and columns in one block: whole slabs or rows where one fits, else part of one row."""
        row = self.columns * self.batch
        if self.rows * row <= self._limit:
            return max(1, min(self.slabs, self._limit // (self.rows * row))), self.rows, self.columns
        if row <= self._limit:
            return 1, self._limit // row, self.columns
        return 1, 1, max(1, self._limit // self.batch)

    @property
    def count(self) -> int:
        """How many blocks there are."""
        slabs, rows, columns = self.step
        return -(-self.slabs // slabs) * -(-self.rows // rows) * -(-self.columns // columns)

    @property
    def elements(self) -> int:
        """Elements that hold any block."""
        return self.depth * min(self.slabs * self.rows * self.columns * self.batch, max(self._limit, self.batch))


@dataclass(frozen=True, slots=True)
class ConvScratch:
    """What a convolution works in, and which of the equal ways to compute it is cheaper.

    Attributes
    ----------
    input_shape, output_shape : tuple of int
        N, C and one to three sizes.
    kernel, stride : tuple of int
        Along depth, height and width; 1 along axes the map has not.
    padded : bool
        Any side has padding.
    groups : int

    Examples
    --------
    >>> conv = ConvScratch((64, 64, 32, 32), (64, 64, 32, 32), (1, 3, 3), (1, 1, 1), True, 1)
    >>> conv.depthwise, conv.direct, conv.rotated
    (False, False, True)
    """

    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    kernel: tuple[int, int, int]
    stride: tuple[int, int, int]
    padded: bool
    groups: int

    @property
    def taps(self) -> int:
        """Positions of the kernel."""
        return prod(self.kernel)

    @property
    def weights(self) -> int:
        """Numbers in the weight array."""
        return self.output_shape[1] * (self.input_shape[1] // self.groups) * self.taps

    @property
    def depthwise(self) -> bool:
        """Each channel is convolved by itself: taps are multiplied and added without columns."""
        return self.groups == self.input_shape[1] and self.groups > 1

    @property
    def direct(self) -> bool:
        """The input's memory already is the column matrix."""
        whole = self.kernel == lifted(self.input_shape[2:], 1)
        return not self.padded and (whole or (self.kernel == (1, 1, 1) and self.stride == (1, 1, 1)))

    @property
    def rotated(self) -> bool:
        """Backward gathers the output's gradient once, for both products, instead of the input and its gradient.

        The gradient of the input is then a convolution with the kernel turned by 180 degrees, and the same
        columns times the input give the gradient of the weights. Only at stride 1, and only where it is less
        work: it visits the positions of the input, not of the output.

        References
        ----------
        Dumoulin, Visin, arXiv:1603.07285, section 4 (transposed convolution).
        """
        if self.stride != (1, 1, 1) or self.direct:
            return False
        (_, channels, *sizes), (_, filters, *out_sizes) = self.input_shape, self.output_shape
        products = 2 * self.weights // MAC_SHARE
        turned = prod(sizes) * (products + filters * self.taps)
        plain = prod(out_sizes) * (products + 4 * channels * self.taps)
        return turned < plain

    @property
    def forward_blocks(self) -> ColumnBlocks:
        """Columns over the input, at the positions of the output."""
        batch, _, *sizes = self.output_shape
        return ColumnBlocks(self.input_shape[1] * self.taps, *lifted(sizes, 1), batch)

    @property
    def rotated_blocks(self) -> ColumnBlocks:
        """Columns over the output's gradient, at the positions of the input."""
        batch, _, *sizes = self.input_shape
        return ColumnBlocks(self.output_shape[1] * self.taps, *lifted(sizes, 1), batch)

    @property
    def tiles(self) -> Tiles:
        """The output of one filter a channel, cut for the depthwise way."""
        batch, _, *sizes = self.output_shape
        slabs, rows, columns = lifted(sizes, 1)
        return Tiles(self.input_shape[1], slabs, rows, columns * batch)

    def elements(self, training: bool) -> int:
        """Return how many elements of scratch memory a pass needs."""
        if self.depthwise:
            return self.tiles.elements + (self.input_shape[1] if training else 0)
        forward = self.forward_blocks
        columns = 0 if self.direct else forward.elements
        if not training:
            return columns
        plain = columns + (2 * self.weights if forward.count > 1 else 0)
        if not self.rotated:
            return plain
        turned = self.rotated_blocks
        return max(plain, turned.elements + (3 if turned.count > 1 else 2) * self.weights)


SOFTMAX_PART = 256
"""Channels that are summed one after the other before partial sums are added."""


def softmax_parts(channels: int) -> int:
    """Return into how many parts a sum over channels is cut."""
    return -(-channels // SOFTMAX_PART)


def softmax_columns(channels: int, places: int) -> int:
    """Return how many places a softmax over channels works on at a time.

    Examples
    --------
    >>> softmax_columns(10, 64), softmax_columns(1000, 50176)
    (64, 256)
    """
    return min(places, max(SOFTMAX_PART, BLOCK // channels))


def norm_step(channels: int, count: int) -> int:
    """Return how many channels of `count` numbers a normalisation works on at a time.

    Examples
    --------
    >>> norm_step(64, 32 * 32 * 64), norm_step(64, 49 * 8)
    (1, 64)
    """
    return max(1, min(channels, BLOCK // count))


def norm_elements(channels: int, count: int) -> int:
    """Return the elements that hold any piece of :func:`norm_step` channels.

    Examples
    --------
    >>> norm_elements(64, 32 * 32 * 64), norm_elements(64, 49 * 8)
    (65536, 25088)
    """
    return min(channels * count, max(BLOCK, count))


@dataclass(frozen=True, slots=True)
class GroupPieces:
    """How a normalisation walks through numbers seen as (groups, channels, positions, vectors).

    Each group is normalised over its channels and positions, for each vector by itself. Where a piece of all channels
    is wide enough, vectors are cut; otherwise whole groups, or the channels of one.

    Attributes
    ----------
    groups, channels, positions, vectors : int

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

    @property
    def along_vectors(self) -> bool:
        """Vectors are cut, not channels."""
        return self.positions == 1 and self.channels <= BLOCK // POSITIONS

    @property
    def step(self) -> tuple[int, int, int]:
        """Groups, channels and vectors in one piece."""
        if self.along_vectors:
            return 1, self.channels, min(self.vectors, BLOCK // self.channels)
        step = norm_step(self.groups * self.channels, self.positions * self.vectors)
        return max(1, step // self.channels), min(step, self.channels), self.vectors

    @property
    def elements(self) -> int:
        """Elements that hold any piece."""
        if self.along_vectors:
            return self.channels * self.step[2]
        return norm_elements(self.groups * self.channels, self.positions * self.vectors)
