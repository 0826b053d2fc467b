"""im2col: the column matrix that turns a convolution into a matrix product.

All views are created once, with the slice of the input that each tap sees, so that a pass only copies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from planner.layers.tiling.im2col import ColumnBlocks
from planner.layers.tiling.shards import shared, shares
from planner.layers.tiling.workspace import pieces
from planner.layers.window import Window
from runtime.kernels.base import Array, Index, flat
from runtime.kernels.window import Reach, Span, Windows, reach, taps


@dataclass(frozen=True, slots=True)
class ColumnBlock:
    """One block of the column matrix.

    Attributes
    ----------
    first, last : int
        Positions, counted over (depth, height, width, batch) of the output; if rows overlap, those of the first row.
    matrix : Array
        (groups, depth / groups, last - first), or (groups, rows, depth / groups, last - first) where each row starts
        inside the previous one; then the depth has the kernel rows first, and the channels after them.
    zeros : tuple of Array
        Parts of the matrix that lie in the padding.
    copies : tuple of (Array, Array)
        Parts of the matrix, each with the part of the input that it copies.
    sums : tuple of (Array, Array)
        The same for one tap at a time, so that parts of the matrix can be added to a map (col2im).
    row : int
        Number of positions in a row of the output, if rows overlap.
    """

    first: int
    last: int
    matrix: Array
    zeros: tuple[Array, ...]
    copies: tuple[tuple[Array, Array], ...]
    sums: tuple[tuple[Array, Array], ...]
    row: int = 0

    def part(self, maps: Array) -> Array:
        """Return the part of (groups, ..., positions) at the positions of the block, with the axes of its matrix."""
        if self.matrix.ndim == 3:
            return maps[..., self.first : self.last]
        start = self.first // self.row
        rows = slice(start, start + self.matrix.shape[1])
        within = slice(self.first % self.row, self.first % self.row + self.matrix.shape[3])
        return flat(maps, *maps.shape[:-1], -1, self.row)[..., rows, within].swapaxes(1, 2)

    def gather(self) -> None:
        """Fill the matrix from the input."""
        for part in self.zeros:
            part.fill(0)
        for part, seen in self.copies:
            np.copyto(part, seen)

    def sliced(self, count: int) -> list[ColumnBlock]:
        """Return blocks that each gather some of the channels into the same matrix."""
        parts = [*self.zeros, *(part for part, _ in self.copies)]
        if not parts:
            return [self]
        return [
            replace(
                self,
                zeros=tuple(part[:, first:last] for part in self.zeros),
                copies=tuple((part[:, first:last], seen[:, first:last]) for part, seen in self.copies),
            )
            for first, last in shares(parts[0].shape[1], count)
        ]

    def scatter(self) -> None:
        """Add the matrix to the places from which it was gathered, as listed in `sums` (col2im)."""
        for part, seen in self.sums:
            np.add(seen, part, out=seen)


def direct_shards(source: Array, count: int) -> list[list[ColumnBlock]]:
    """Return one block per shard of a (groups, depth, positions) matrix that is its own column matrix."""
    return [
        [ColumnBlock(first, last, source[:, :, first:last], (), (), ())]
        for first, last in shares(source.shape[2], count)
    ]


def column_shards(
    source: Array,
    windows: Windows,
    out: tuple[int, ...],
    blocks: ColumnBlocks,
    memory: Array,
) -> list[list[ColumnBlock]]:
    """Return the blocks of :func:`column_blocks` by shard; shards have separate memory, and rows may overlap."""
    own = memory.size // blocks.shards
    create = _row_block if blocks.shared else _column_block
    return [
        [create(source, windows, out, spans, memory[index * own : (index + 1) * own]) for spans in shard]
        for index, shard in enumerate(shared(_cuts(out, blocks), blocks.shards))
    ]


def kernel_rows_first(weights: Array) -> Array:
    """Return a view of kernels (..., channels, kd, kh, kw) in the order of blocks with overlapping rows.

    Examples
    --------
    >>> kernel_rows_first(np.zeros((1, 16, 8, 1, 3, 5))).shape
    (1, 16, 3, 8, 1, 5)
    """
    return np.moveaxis(weights, -2, -4)


def _cuts(out: tuple[int, ...], blocks: ColumnBlocks) -> list[tuple[Span, ...]]:
    """Return the positions of each block along every axis."""
    return list(product(*(pieces(size, step) for size, step in zip(out, blocks.step, strict=True))))


def column_blocks(
    source: Array,
    windows: Windows,
    out: tuple[int, ...],
    blocks: ColumnBlocks,
    memory: Array,
    target: Array | None = None,
) -> list[ColumnBlock]:
    """Return the blocks of the column matrix of a map.

    Parameters
    ----------
    source : Array
        (groups, channels, D, H, W, N).
    windows : tuple of Window
        With plain integers; a negative `before` skips positions of the input.
    out : tuple of int
        Output positions along D, H and W.
    blocks : ColumnBlocks
        Sizes of the blocks.
    memory : Array
        Flat, with `blocks.elements` elements; shared by all blocks.
    target : Array, optional
        Map like `source` that `scatter` adds to.
    """
    return [_column_block(source, windows, out, spans, memory, target) for spans in _cuts(out, blocks)]


def _column_block(
    source: Array,
    windows: Windows,
    out: tuple[int, ...],
    spans: tuple[Span, ...],
    memory: Array,
    target: Array | None = None,
) -> ColumnBlock:
    block = memory[: prod(_block_shape(source, windows, spans))].reshape(_block_shape(source, windows, spans))
    zeros, copies = _gather_views(source, windows, spans, block)
    starts = [first for first, _ in spans]
    sums = []
    if target is not None:
        for place, sight in taps(windows, source.shape[2:5], spans):
            within = (where.within(first) for where, first in zip(sight, starts, strict=True))
            tap: Index = (slice(None), slice(None), *place, *within)
            part = block[tap]
            sums.append((part, target[:, :, *(where.seen for where in sight)]))
    first = _position(starts, out, source.shape[-1])
    matrix = flat(block, len(source), prod(block.shape[1:5]), -1)
    return ColumnBlock(first, first + matrix.shape[2], matrix, zeros, copies, tuple(sums))


def _row_block(
    source: Array, windows: Windows, out: tuple[int, ...], spans: tuple[Span, ...], memory: Array
) -> ColumnBlock:
    """Return a block with overlapping rows, in which each row of the input is gathered only once."""
    deep, high, wide = windows
    slabs, (first, last), columns = spans
    rows = (first * high.stride, (last - 1) * high.stride + high.kernel)
    single = (deep, replace(high, kernel=1, stride=1), wide)
    shape = _block_shape(source, single, (slabs, rows, columns))
    in_memory = (shape[0], shape[6], *shape[1:6], *shape[7:])  # rows before channels
    block = np.moveaxis(memory[: prod(shape)].reshape(in_memory), 1, 6)
    zeros, copies = _gather_views(source, single, (slabs, rows, columns), block)
    item, channels, width = memory.itemsize, prod(shape[1:6]), prod(shape[7:])
    size, row = (len(source), last - first, high.kernel * channels, width), channels * width * item
    strides = (shape[6] * row, high.stride * row, width * item, item)
    matrix = as_strided(memory, size, strides, writeable=False)
    start = _position([slabs[0], first, columns[0]], out, source.shape[-1])
    return ColumnBlock(start, start + width, matrix, zeros, copies, (), out[2] * source.shape[-1])


def _block_shape(source: Array, windows: Windows, spans: Sequence[Span]) -> tuple[int, ...]:
    """Return (groups, channels, kd, kh, kw, slabs, rows, columns, N)."""
    kernel = (window.kernel for window in windows)
    return (*source.shape[:2], *kernel, *(last - first for first, last in spans), source.shape[-1])


def _position(starts: Sequence[int], out: tuple[int, ...], batch: int) -> int:
    """Return the first position of a block, counted over (depth, height, width, batch) of the output."""
    return ((starts[0] * out[1] + starts[1]) * out[2] + starts[2]) * batch


def _gather_views(
    source: Array, windows: Windows, spans: Sequence[Span], block: Array
) -> tuple[tuple[Array, ...], tuple[tuple[Array, Array], ...]]:
    """Return the parts of a block, (groups, channels, taps, positions, N) by axes, that are zeros and copies."""
    whole = slice(None)
    zeros: list[Array] = []
    runs = [list(_runs(*axis)) for axis in zip(windows, source.shape[2:5], spans, strict=True)]
    for axis, along in enumerate(runs):
        for some, where in along:
            for outside in _outside(where, spans[axis]):
                index = [whole] * 8
                index[2 + axis], index[5 + axis] = some, outside
                zeros.append(block[tuple(index)])
    copies = []
    for run in product(*runs):
        reaches = [where for _, where in run if where is not None]
        if len(reaches) == len(run):
            within = (where.within(first) for where, (first, _) in zip(reaches, spans, strict=True))
            taken: Index = (whole, whole, *(some for some, _ in run), *within)
            part = block[taken]
            copies.append((part, _seen(source, windows, part.shape, reaches)))
    return tuple(zeros), tuple(copies)


def _runs(window: Window, size: int, span: Span) -> Iterator[tuple[slice, Reach | None]]:
    """Yield taps with their reach: all taps together if each is inside the input everywhere, otherwise one by one."""
    each = [reach(window, tap, size, *span) for tap in range(window.kernel)]
    if all(one is not None and (one.first, one.last) == span for one in each):
        yield slice(0, window.kernel), each[0]
        return
    for tap, one in enumerate(each):
        yield slice(tap, tap + 1), one


def _outside(where: Reach | None, span: Span) -> Iterator[slice]:
    """Yield the parts of a span outside a reach, counted from the start of the span."""
    if where is None:
        yield slice(0, span[1] - span[0])
        return
    if where.first > span[0]:
        yield slice(0, where.first - span[0])
    if where.last < span[1]:
        yield slice(where.last - span[0], span[1] - span[0])


def _seen(source: Array, windows: Windows, shape: tuple[int, ...], sight: Sequence[Reach]) -> Array:
    """Return a view of the input as the taps of one run see it: (groups, channels, taps, positions, N) by axes."""
    group, channel, *steps, batch = source.strides
    taps_apart = (step * window.dilation for step, window in zip(steps, windows, strict=True))
    apart = (step * where.step for step, where in zip(steps, sight, strict=True))
    corner = source[:, :, *(slice(where.start, None) for where in sight)]
    strides = (group, channel, *taps_apart, *apart, batch)
    return as_strided(corner, shape=shape, strides=strides, writeable=False)
