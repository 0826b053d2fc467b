"""The column matrix that turns a convolution into a product of matrices.

Everything is views: which slice of the input each tap sees is settled once, so that a pass only copies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from planner.layers.columns import ColumnBlocks
from planner.layers.lanes import shared, shares
from planner.layers.scratch import pieces
from planner.layers.window import Window
from runtime.kernels.base import Array, Index, flat
from runtime.kernels.window import Reach, Span, Windows, reach, taps


@dataclass(frozen=True, slots=True)
class ColumnBlock:
    """One block of the column matrix.

    Attributes
    ----------
    first, last : int
        Its positions, counted over (depth, height, width, batch) of the output.
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

    def sliced(self, count: int) -> list[ColumnBlock]:
        """Return blocks that gather some of the channels each, into the same matrix."""
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
        """Add the matrix to the places its numbers were gathered from (those in `sums`)."""
        for part, seen in self.sums:
            np.add(seen, part, out=seen)


def direct_lanes(source: Array, count: int) -> list[list[ColumnBlock]]:
    """Return one block for each lane of a (groups, depth, positions) matrix that is its own column matrix."""
    return [
        [ColumnBlock(first, last, source[:, :, first:last], (), (), ())]
        for first, last in shares(source.shape[2], count)
    ]


def column_lanes(
    source: Array,
    windows: Windows,
    out: tuple[int, ...],
    blocks: ColumnBlocks,
    memory: Array,
) -> list[list[ColumnBlock]]:
    """Return what :func:`column_blocks` does, shared by lanes that have memory of their own."""
    own = memory.size // blocks.lanes
    return [
        [_column_block(source, windows, out, spans, memory[index * own : (index + 1) * own], None) for spans in lane]
        for index, lane in enumerate(shared(_cuts(out, blocks), blocks.lanes))
    ]


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
        Plain ints; `before` may be negative, which skips positions of the input.
    out : tuple of int
        Output positions along D, H and W.
    blocks : ColumnBlocks
        How to cut them.
    memory : Array
        Flat, `blocks.elements` long; all blocks share it.
    target : Array, optional
        Like `source`: where `scatter` adds to.
    """
    return [_column_block(source, windows, out, spans, memory, target) for spans in _cuts(out, blocks)]


def _column_block(
    source: Array,
    windows: Windows,
    out: tuple[int, ...],
    spans: tuple[Span, ...],
    memory: Array,
    target: Array | None,
) -> ColumnBlock:
    groups, channels, *sizes, batch = source.shape
    kernel = [window.kernel for window in windows]
    lengths = [last - first for first, last in spans]
    shape = (groups, channels, *kernel, *lengths, batch)
    block = memory[: prod(shape)].reshape(shape)
    whole = slice(None)
    zeros: list[Array] = []
    runs = [list(_runs(*axis)) for axis in zip(windows, sizes, spans, strict=True)]
    for axis, along in enumerate(runs):
        for some, where in along:
            for beside in _outside(where, spans[axis]):
                index = [whole] * 8
                index[2 + axis], index[5 + axis] = some, beside
                zeros.append(block[tuple(index)])
    starts = [first for first, _ in spans]
    copies = []
    for run in product(*runs):
        reaches = [where for _, where in run if where is not None]
        if len(reaches) == len(run):
            within = (where.within(first) for where, first in zip(reaches, starts, strict=True))
            taken: Index = (whole, whole, *(some for some, _ in run), *within)
            part = block[taken]
            copies.append((part, _seen(source, windows, part.shape, reaches)))
    sums = []
    if target is not None:
        for place, sight in taps(windows, sizes, spans):
            within = (where.within(first) for where, first in zip(sight, starts, strict=True))
            tap: Index = (whole, whole, *place, *within)
            part = block[tap]
            sums.append((part, target[:, :, *(where.seen for where in sight)]))
    first = ((starts[0] * out[1] + starts[1]) * out[2] + starts[2]) * batch
    matrix = flat(block, groups, channels * prod(kernel), prod(lengths) * batch)
    return ColumnBlock(first, first + matrix.shape[2], matrix, tuple(zeros), tuple(copies), tuple(sums))


def _runs(window: Window, size: int, span: Span) -> Iterator[tuple[slice, Reach | None]]:
    """Yield taps with their reach: all together where each meets the input everywhere, else one by one."""
    each = [reach(window, tap, size, *span) for tap in range(window.kernel)]
    if all(one is not None and (one.first, one.last) == span for one in each):
        yield slice(0, window.kernel), each[0]
        return
    for tap, one in enumerate(each):
        yield slice(tap, tap + 1), one


def _outside(where: Reach | None, span: Span) -> Iterator[slice]:
    """Yield the parts of a span that a reach leaves out, counted from its start."""
    if where is None:
        yield slice(0, span[1] - span[0])
        return
    if where.first > span[0]:
        yield slice(0, where.first - span[0])
    if where.last < span[1]:
        yield slice(where.last - span[0], span[1] - span[0])


def _seen(source: Array, windows: Windows, shape: tuple[int, ...], sight: Sequence[Reach]) -> Array:
    """Return the input as the taps of one run see it, (groups, channels, taps, positions, N) by axes, no copy."""
    group, channel, *steps, batch = source.strides
    taps_apart = (step * window.dilation for step, window in zip(steps, windows, strict=True))
    apart = (step * where.step for step, where in zip(steps, sight, strict=True))
    corner = source[:, :, *(slice(where.start, None) for where in sight)]
    strides = (group, channel, *taps_apart, *apart, batch)
    return as_strided(corner, shape=shape, strides=strides, writeable=False)
