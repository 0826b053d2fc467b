"""The column matrix that turns a convolution into a product of matrices.

Everything is views: which slice of the input each tap sees is settled once, so that a pass only copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from planner.layers.scratch import ColumnBlocks, pieces
from planner.layers.window import Window
from runtime.kernels.base import Array, flat
from runtime.kernels.window import Reach, reach, taps


@dataclass(frozen=True, slots=True)
class ColumnBlock:
    """One block of the column matrix.

    Attributes
    ----------
    first, last : int
        Its positions, counted over (height, width, batch) of the output.
    matrix : Array
        (groups, depth / groups, last - first).
    zeros : tuple of Array
        Parts of the matrix that lie in the padding.
    copies : tuple of (Array, Array)
        Part of the matrix and the part of the input it copies.
    sums : tuple of (Array, Array)
        The same one tap at a time, so that matrix parts can be added back.
    """

    first: int
    last: int
    matrix: Array
    zeros: tuple[Array, ...]
    copies: tuple[tuple[Array, Array], ...]
    sums: tuple[tuple[Array, Array], ...]

    def gather(self) -> None:
        """Fill the matrix from the input."""
        for part in self.zeros:
            part.fill(0)
        for part, seen in self.copies:
            np.copyto(part, seen)

    def scatter(self) -> None:
        """Add the matrix to the places its numbers were gathered from (those in `sums`)."""
        for part, seen in self.sums:
            np.add(seen, part, out=seen)


def direct_blocks(source: Array, blocks: ColumnBlocks) -> list[ColumnBlock]:
    """Return blocks of a (groups, depth, positions) matrix that is its own column matrix."""
    step = blocks.step[0] * blocks.step[1] * blocks.batch
    return [
        ColumnBlock(first, last, source[:, :, first:last], (), (), ())
        for first, last in pieces(source.shape[2], max(step, 1))
    ]


def column_blocks(
    source: Array,
    windows: tuple[Window, Window],
    out: tuple[int, int],
    blocks: ColumnBlocks,
    memory: Array,
    target: Array | None = None,
) -> list[ColumnBlock]:
    """Return the blocks of the column matrix of a map.

    Parameters
    ----------
    source : Array
        (groups, channels, H, W, N).
    windows : tuple of Window
        Plain ints; `before` may be negative, which skips positions of the input.
    out : tuple of int
        Output positions along H and W.
    blocks : ColumnBlocks
        How to cut them.
    memory : Array
        Flat, `blocks.elements` long; all blocks share it.
    target : Array, optional
        Like `source`: where `scatter` adds to.
    """
    rows, columns = blocks.step
    found = []
    for row in pieces(out[0], rows):
        for column in pieces(out[1], columns):
            found.append(_column_block(source, windows, out, row, column, memory, target))
    return found


def _column_block(
    source: Array,
    windows: tuple[Window, Window],
    out: tuple[int, int],
    rows: tuple[int, int],
    columns: tuple[int, int],
    memory: Array,
    target: Array | None,
) -> ColumnBlock:
    groups, channels, high, wide, batch = source.shape
    kernel = (windows[0].kernel, windows[1].kernel)
    lengths = (rows[1] - rows[0], columns[1] - columns[0])
    shape = (groups, channels, *kernel, *lengths, batch)
    block = memory[: int(np.prod(shape))].reshape(shape)
    zeros: list[Array] = []
    vertical = list(_runs(windows[0], high, rows))
    horizontal = list(_runs(windows[1], wide, columns))
    for some, where in vertical:
        zeros += [block[:, :, some, :, part] for part in _outside(where, rows)]
    for some, where in horizontal:
        zeros += [block[:, :, :, some, :, part] for part in _outside(where, columns)]
    copies = []
    for down, high_reach in vertical:
        for across, wide_reach in horizontal:
            if high_reach is not None and wide_reach is not None:
                part = block[:, :, down, across, high_reach.within(rows[0]), wide_reach.within(columns[0])]
                copies.append((part, _seen(source, windows, part.shape, high_reach, wide_reach)))
    sums = []
    if target is not None:
        for i, j, high_reach, wide_reach in taps(windows, (high, wide), rows, columns):
            part = block[:, :, i, j, high_reach.within(rows[0]), wide_reach.within(columns[0])]
            sums.append((part, target[:, :, high_reach.seen, wide_reach.seen]))
    first = (rows[0] * out[1] + columns[0]) * batch
    matrix = flat(block, groups, channels * kernel[0] * kernel[1], lengths[0] * lengths[1] * batch)
    return ColumnBlock(first, first + matrix.shape[2], matrix, tuple(zeros), tuple(copies), tuple(sums))


def _runs(window: Window, size: int, span: tuple[int, int]) -> Iterator[tuple[slice, Reach | None]]:
    """Yield taps with their reach: all together where each meets the input everywhere, else one by one."""
    each = [reach(window, tap, size, *span) for tap in range(window.kernel)]
    if all(one is not None and (one.first, one.last) == span for one in each):
        yield slice(0, window.kernel), each[0]
        return
    for tap, one in enumerate(each):
        yield slice(tap, tap + 1), one


def _outside(where: Reach | None, span: tuple[int, int]) -> Iterator[slice]:
    """Yield the parts of a span that a reach leaves out, counted from its start."""
    if where is None:
        yield slice(0, span[1] - span[0])
        return
    if where.first > span[0]:
        yield slice(0, where.first - span[0])
    if where.last < span[1]:
        yield slice(where.last - span[0], span[1] - span[0])


def _seen(source: Array, windows: tuple[Window, Window], shape: tuple[int, ...], high: Reach, wide: Reach) -> Array:
    """Return the input as the taps of one run see it, (groups, channels, taps, taps, rows, columns, N), no copy."""
    group, channel, row, column, batch = source.strides
    strides = (
        group,
        channel,
        row * windows[0].dilation,
        column * windows[1].dilation,
        row * high.step,
        column * wide.step,
        batch,
    )
    corner = source[:, :, high.start :, wide.start :]
    return as_strided(corner, shape=shape, strides=strides, writeable=False)
