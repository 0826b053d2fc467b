"""How a convolution is split into GEMMs: its algorithm, its shards and its workspace.

Plain ints, counted in elements; the workspace planned for a batch is enough for every smaller one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

from planner.layers.spatial import lifted
from planner.layers.tiling.depthwise import DepthwiseTiling
from planner.layers.tiling.im2col import ColumnBlocks
from planner.layers.tiling.shards import SHARD_WORK, in_lines, shards_for, shares

SHARD_POSITIONS = 64
"""Smallest number of map positions worth a shard."""

SHARD_ROWS = 16
"""Smallest number of GEMM rows worth a shard; each shard reads all columns."""

SHARD_SUMS = 2**16
"""Largest number of weights of which each shard sums the gradient separately: with more, adding up costs too much."""

SMALL_PRODUCT = 10**6
"""Multiply-accumulates of the largest GEMM that OpenBLAS computes without copying its operands first."""

GATHER_SHARE = 8
"""Multiply-accumulates that take as long as gathering one element of a long row of columns (measured)."""

TURN_SHARE = 6
"""Elements of a long row that are gathered in the time of copying one weight to the rotated weights (measured)."""

MAC_SHARE = 32
"""Multiply-accumulates inside a GEMM that take as long as moving one element (measured)."""


@dataclass(frozen=True)
class ConvTiling:
    """The workspace of a convolution, and the cheaper of its equivalent algorithms.

    Attributes
    ----------
    input_shape, output_shape : tuple of int
        N, C and one to three sizes.
    kernel, stride : tuple of int
        Along depth, height and width; 1 along axes that the map lacks.
    padded : bool
        Whether any side has padding.
    groups : int
    row_dilation : int
        Distance of the kernel's rows.

    Examples
    --------
    >>> conv = ConvTiling((64, 64, 32, 32), (64, 64, 32, 32), (1, 3, 3), (1, 1, 1), True, 1)
    >>> conv.depthwise, conv.direct, conv.rotated
    (None, False, True)
    """

    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    kernel: tuple[int, int, int]
    stride: tuple[int, int, int]
    padded: bool
    groups: int
    row_dilation: int = 1

    @property
    def taps(self) -> int:
        """Number of kernel positions."""
        return prod(self.kernel)

    @property
    def weights(self) -> int:
        """Number of weights."""
        return self.output_shape[1] * (self.input_shape[1] // self.groups) * self.taps

    @cached_property
    def depthwise(self) -> DepthwiseTiling | None:
        """How each channel is convolved separately, without im2col; None if channels mix."""
        (batch, channels, *sizes), (_, filters, *out_sizes) = self.input_shape, self.output_shape
        if self.groups != channels or self.groups == 1:
            return None
        return DepthwiseTiling(
            batch, channels, filters, lifted(sizes, 1), lifted(out_sizes, 1), self.kernel, self.row_dilation
        )

    @property
    def direct(self) -> bool:
        """Whether the input's memory already is the im2col matrix."""
        whole = self.kernel == lifted(self.input_shape[2:], 1)
        return not self.padded and (whole or (self.kernel == (1, 1, 1) and self.stride == (1, 1, 1)))

    @property
    def rotated(self) -> bool:
        """Whether backward gathers the output's gradient once for both GEMMs, not the input and its gradient.

        The gradient of the input is then a convolution with the rotated kernel, and the same im2col columns
        times the input give the gradient of the weights. This needs stride 1, and is chosen only if it is less
        work: it visits the positions of the input, not of the output.

        References
        ----------
        Dumoulin, Visin, arXiv:1603.07285, section 4 (transposed convolution).
        """
        if self.stride != (1, 1, 1) or self.direct:
            return False
        (batch, channels, *sizes), (_, filters, *out_sizes) = self.input_shape, self.output_shape
        products = 2 * self.weights // MAC_SHARE
        turned = batch * prod(sizes) * (products + filters * self.taps) + TURN_SHARE * self.weights
        plain = batch * prod(out_sizes) * (products + 4 * channels * self.taps)
        return turned < plain

    @property
    def out_positions(self) -> int:
        """Number of output positions in all images."""
        return prod(self.output_shape) // self.output_shape[1]

    @property
    def in_positions(self) -> int:
        """Number of input positions in all images."""
        return prod(self.input_shape) // self.input_shape[1]

    @property
    def forward(self) -> MapCut:
        """The GEMM that yields the output."""
        rows, depth = self.output_shape[1] // self.groups, 0 if self.direct else self.depth
        return MapCut(self.weights, rows, depth, self.out_positions)

    @property
    def backward(self) -> MapCut:
        """The GEMM that yields the input's gradient, unless it is added tap by tap."""
        rows, depth = self.input_shape[1] // self.groups, 0 if self.direct else self.output_shape[1] * self.taps
        return MapCut(self.weights, rows, depth, self.in_positions)

    @property
    def depth(self) -> int:
        """Rows of the whole im2col matrix."""
        return self.input_shape[1] * self.taps

    @property
    def forward_blocks(self) -> ColumnBlocks:
        """Im2col blocks of the input, at the positions of the output."""
        batch, _, *sizes = self.output_shape
        cut = self.forward
        return ColumnBlocks(self.depth, cut.rows, *lifted(sizes, 1), batch, cut.shards, False, *self._overlap)

    @property
    def summed_blocks(self) -> ColumnBlocks:
        """The same blocks if their products with the output's gradient are summed."""
        return replace(self.forward_blocks, summed=True)

    @property
    def _overlap(self) -> tuple[int, int]:
        """Rows of the kernel that neighbouring output rows may share, and their step."""
        return (self.kernel[1], self.stride[1]) if self.row_dilation == 1 else (1, 1)

    @property
    def rotated_blocks(self) -> ColumnBlocks:
        """Im2col blocks of the output's gradient, at the positions of the input."""
        batch, _, *sizes = self.input_shape
        cut = self.backward
        depth = self.output_shape[1] * self.taps
        return ColumnBlocks(depth, cut.rows, *lifted(sizes, 1), batch, cut.shards, self.shard_sums, *self._overlap)

    @property
    def shard_sums(self) -> bool:
        """Whether each shard sums the weight gradient over its own positions, and the sums are added up afterwards.

        This holds only for few weights; otherwise each shard has a part of the weights and visits all positions.
        """
        return self.weights <= SHARD_SUMS

    @property
    def weight_shards(self) -> list[tuple[slice, slice]]:
        """The groups, and channels of each group, of the part of the weight gradient that each shard computes."""
        every, wanted = slice(None), self.forward.wanted
        if self.groups > 1:
            return [(slice(*span), every) for span in shares(self.groups, wanted)]
        return [(every, slice(*span)) for span in shares(self.input_shape[1], wanted)]

    def weight_blocks(self, shard: tuple[slice, slice]) -> ColumnBlocks:
        """Return the im2col blocks of one of :attr:`weight_shards`, which no other shard uses."""
        channels = self.input_shape[1] // self.groups
        groups, channels = len(range(self.groups)[shard[0]]), len(range(channels)[shard[1]])
        batch, partners, *sizes = self.output_shape
        return ColumnBlocks(groups * channels * self.taps, partners // self.groups, *lifted(sizes, 1), batch)

    @property
    def forward_elements(self) -> int:
        """Elements of workspace of a forward pass."""
        if self.depthwise is not None:
            return self.depthwise.elements(backward=False)
        blocks = self.forward_blocks
        return 0 if self.direct else blocks.elements + (in_lines(self.weights) if blocks.shared else 0)

    @property
    def backward_elements(self) -> int:
        """Elements of workspace of a backward pass."""
        if self.depthwise is not None:
            return self.depthwise.elements(backward=True)
        # without the input's gradient, the pass is not rotated
        return max(self._gradients(False), self._gradients(True) if self.rotated else 0)

    def _gradients(self, rotated: bool) -> int:
        """Return the elements of workspace of a backward pass that is rotated or not."""
        blocks = self.rotated_blocks if rotated else self.summed_blocks
        columns = 0 if self.direct else blocks.elements
        apart = sum(map(self.weight_shard, self.weight_shards))
        summed = columns + self.sums(blocks, rotated) if self.shard_sums else 0
        return (in_lines(self.weights) if rotated else 0) + max(columns, apart, summed)

    def sums(self, blocks: ColumnBlocks, rotated: bool) -> int:
        """Return the elements of the weight gradient's partial sums if shards share blocks of positions."""
        if not rotated and blocks.shards == 1 and (self.direct or not (blocks.several or blocks.shared)):
            return 0  # one GEMM computes it directly
        if blocks.shared:
            return blocks.shards * (2 * in_lines(self.weights) + in_lines(blocks.row_step * self.weights))
        return blocks.shards * in_lines(self.weights) * (2 if blocks.several and not self.direct else 1)

    def weight_shard(self, shard: tuple[slice, slice]) -> int:
        """Return the elements of one of :attr:`weight_shards`: its columns and, for several blocks, two sums."""
        if self.direct:
            return 0
        blocks = self.weight_blocks(shard)
        partners = self.output_shape[1] // self.groups
        return blocks.elements + (2 * in_lines(blocks.depth * partners) if blocks.several else 0)


@dataclass(frozen=True, slots=True)
class MapCut:
    """How shards split a GEMM of weights and im2col columns that fills a map.

    Attributes
    ----------
    weights : int
    rows : int
        Of the weight matrix, in one group.
    depth : int
        Rows of the im2col matrix, which are gathered; 0 if the input's memory already is that matrix.
    positions : int
        Columns of the im2col matrix.

    Examples
    --------
    >>> MapCut(weights=36864, rows=64, depth=576, positions=65536).shards
    4
    >>> deep = MapCut(weights=2359296, rows=512, depth=4608, positions=49)
    >>> deep.shards, deep.row_shards
    (1, 4)
    """

    weights: int
    rows: int
    depth: int
    positions: int

    @property
    def wanted(self) -> int:
        """Number of shards that the work is worth."""
        return shards_for(self.positions * (self.weights + GATHER_SHARE * self.depth), SHARD_WORK)

    @property
    def shards(self) -> int:
        """Number of shards that the positions are split into."""
        return max(1, min(self.wanted, self.positions // SHARD_POSITIONS))

    @property
    def row_shards(self) -> int:
        """Number of shards that the rows are split into if there are too few positions to split."""
        return max(1, min(self.wanted, self.rows // SHARD_ROWS)) if self.shards == 1 else 1
