"""Depthwise convolution of narrow maps: every row is a product with a banded matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from planner.layers.tiling.banded import Bands
from planner.layers.tiling.workspace import pieces
from planner.layers.window import Window
from runtime.kernels.base import Array, Arrays, Workspace, flat
from runtime.kernels.window import Windows, channel_tiles, reaches, volume
from runtime.thread_pool import Task, one_by_one


@dataclass(frozen=True, slots=True)
class Segment:
    """Neighbouring target rows that see the same kernel taps.

    Attributes
    ----------
    first, last : int
        Half-open range of rows.
    start : int
        Source row that the first tap of the first row sees.
    taps : slice
        Kernel rows that overlap the source.
    """

    first: int
    last: int
    start: int
    taps: slice


def segments(count: int, start: int, step: int, taps: int, rows: int) -> Iterator[Segment]:
    """Yield segments of target rows; each window has `taps` source rows, and windows are `step` rows apart.

    Parameters
    ----------
    count : int
        Number of target rows.
    start : int
        Source row at the first tap of target row 0; negative in the padding.
    step, taps, rows : int
        Distance between two windows in source rows; source rows in a window; all source rows.

    Examples
    --------
    >>> [(one.first, one.last, one.start, one.taps.start, one.taps.stop) for one in segments(4, -1, 1, 3, 4)]
    [(0, 1, 0, 1, 3), (1, 3, 0, 0, 3), (3, 4, 2, 0, 2)]
    """
    first = 0
    for row in range(count):
        low, high = _overlapping_taps(start + row * step, taps, rows)
        if row + 1 == count or _overlapping_taps(start + (row + 1) * step, taps, rows) != (low, high):
            yield Segment(first, row + 1, start + first * step + low, slice(low, high))
            first = row + 1


def _overlapping_taps(start: int, taps: int, rows: int) -> tuple[int, int]:
    """Return the half-open range of taps that lie within the rows; (0, 0) if there are none."""
    low, high = max(0, -start), min(taps, rows - start)
    return (low, high) if low < high else (0, 0)


@dataclass(frozen=True, slots=True)
class Diagonal:
    """The places of one kernel column in a matrix of (target width, taps, source width).

    The diagonal starts at (`target`, `source`), advances by (`target_step`, `source_step`) and has `count` places.
    """

    target: int
    source: int
    target_step: int
    source_step: int
    count: int

    def of(self, matrices: Array) -> Array:
        """Return the diagonal of matrices (..., target width, taps, source width) as a view (..., places, taps)."""
        *before, down, tap, across = matrices.strides
        corner = matrices[..., self.target :, :, self.source :]
        shape = (*matrices.shape[:-3], self.count, matrices.shape[-2])
        along = self.target_step * down + self.source_step * across
        return as_strided(corner, shape, (*before, along, tap))

    @property
    def transposed(self) -> Diagonal:
        """The same diagonal in the transposed matrix."""
        return Diagonal(self.source, self.target, self.source_step, self.target_step, self.count)


def diagonals(window: Window, size: int, positions: int) -> list[tuple[int, Diagonal]]:
    """Return the kernel columns that overlap an input of that width at any position, each with its diagonal."""
    return [
        (tap, Diagonal(seen.first, seen.start, 1, seen.step, seen.last - seen.first))
        for tap, seen in enumerate(reaches(window, size, positions))
        if seen is not None
    ]


def windows_of(source: Array, segment: Segment, step: int) -> Array:
    """Return the windows of a segment, (..., rows, taps times width, N), as overlapping views of the source."""
    *before, _, width, batch = source.shape
    corner = source[..., segment.start :, :, :]
    *outside, row, across, item = corner.strides
    taps = int(segment.taps.stop) - int(segment.taps.start)
    shape = (*before, segment.last - segment.first, taps * width, batch)
    return as_strided(corner, shape, (*outside, step * row, across, item), writeable=False)


class RowProduct:
    """The product that computes every target row as a banded matrix times source rows, one tile of channels at a time.

    Parameters
    ----------
    memory : Array
        Flat workspace for the matrices of one tile.
    weight : Array
        (tiles, channels, taps, kernel columns), taps in the order of the source rows.
    places : sequence of (int, Diagonal)
    source, target : Array
        (tiles, channels, rows, width, N).
    start, step : int
        Source row at the first tap of target row 0, and the distance to that of the next row.
    """

    def __init__(
        self, memory: Array, weight: Array, places: Sequence[tuple[int, Diagonal]], source: Array, target: Array,
        start: int, step: int,
    ) -> None:  # fmt: skip
        self.tiles, channels, taps, _ = weight.shape
        shape = (channels, target.shape[3], taps, source.shape[3])
        self.matrices = memory[: prod(shape)].reshape(shape)
        self.copies = [(place.of(self.matrices), weight[:, :, None, :, column]) for column, place in places]
        self.zeros: list[Array] = []
        self.products: list[tuple[Array, Array, Array]] = []
        wide, width = flat(self.matrices, channels, 1, shape[1], -1), shape[3]
        for part in segments(target.shape[2], start, step, taps, source.shape[2]):
            rows = target[:, :, part.first : part.last]
            if part.taps.start == part.taps.stop:
                self.zeros.append(rows)
            else:
                used = wide[..., part.taps.start * width : part.taps.stop * width]
                self.products.append((used, windows_of(source, part, step), rows))

    def run(self) -> None:
        """Fill the target."""
        for rows in self.zeros:
            rows.fill(0)
        for tile in range(self.tiles):
            self.matrices.fill(0)
            for place, weight in self.copies:
                np.copyto(place, weight[tile])
            for matrices, seen, rows in self.products:
                np.matmul(matrices, seen[tile], out=rows[tile])


class WeightProduct:
    """The gradient of the kernel: products of the output gradient and its windows, summed along the diagonals.

    Parameters
    ----------
    memory : Array
        Flat workspace.
    bands : Bands
    places : sequence of (int, Diagonal)
    source, grad : Array
        (tiles, channels, rows, width, N): the input, and the gradient of the output.
    grad_weight : Array
        (tiles, channels, taps, kernel columns).
    start, step : int
        As for :class:`RowProduct`.
    """

    def __init__(
        self, memory: Array, bands: Bands, places: Sequence[tuple[int, Diagonal]], source: Array, grad: Array,
        grad_weight: Array, start: int, step: int,
    ) -> None:  # fmt: skip
        self.grad_weight = grad_weight
        _, channels, taps, columns = grad_weight.shape
        width, across = grad.shape[3], source.shape[3]
        size = channels * width * taps * across
        self.total, part = (memory[at : at + size].reshape(channels, width, -1) for at in (0, size))
        memory = memory[2 * size :]
        self.whole = len(places) == columns  # every kernel column overlaps the input
        self.begun = False
        self.steps: list[tuple[Array, Array, Array, Array, Array | None]] = []
        found = list(segments(grad.shape[2], start, step, taps, source.shape[2]))
        # The segment with all taps comes first: it writes the sums, the others are added to them.
        for one in sorted(found, key=lambda one: one.taps.start - one.taps.stop):
            used = slice(one.taps.start * across, one.taps.stop * across)
            for first, last in pieces(one.last - one.first if one.taps.stop else 0, bands.strip):
                seen = windows_of(source, Segment(0, last - first, one.start + first * step, one.taps), step)
                rows = grad[:, :, one.first + first : one.first + last]
                begins = not self.steps and one.taps == slice(0, taps)
                self.begun = self.begun or begins
                share, sums = (self.total, None) if begins else (part[..., used], self.total[..., used])
                if last - first == 1:
                    rows, seen, product = rows[:, :, 0], seen[:, :, 0], share
                else:
                    shape = (channels, last - first, width, seen.shape[3])
                    product = memory[: prod(shape)].reshape(shape)
                self.steps.append((rows, seen.swapaxes(-2, -1), product, share, sums))
        matrices = flat(self.total, channels, width, taps, across)
        self.sums = [(place.of(matrices), grad_weight[..., column]) for column, place in places]

    def run(self) -> None:
        """Compute the gradient."""
        if not self.whole:
            self.grad_weight.fill(0)
        for tile in range(len(self.grad_weight)):
            if not self.begun:
                self.total.fill(0)
            for rows, seen, product, share, sums in self.steps:
                np.matmul(rows[tile], seen[tile], out=product)
                if product.ndim > share.ndim:
                    np.add.reduce(product, axis=1, out=share)
                if sums is not None:
                    np.add(sums, share, out=sums)
            for diagonal, target in self.sums:
                np.add.reduce(diagonal, axis=1, out=target[tile])


class Banded:
    """Forward and backward pass of a convolution with as many groups as channels and filters.

    Parameters
    ----------
    bands : Bands
    windows : tuple of Window
    arrays : Arrays
    workspace : tuple of Workspace
        For the forward pass and for the backward pass.
    training : bool
    """

    def __init__(
        self, bands: Bands, windows: Windows, arrays: Arrays, workspace: tuple[Workspace, Workspace], training: bool
    ) -> None:
        _, high, wide = windows
        forward_workspace, backward_workspace = workspace
        memory = forward_workspace.take(bands.elements(backward=False))
        memory_back = backward_workspace.take(bands.elements(backward=True) if training else 0)
        x, y, bias = arrays.inputs[0], arrays.output, arrays.parameters.get("bias")
        shape = (len(x), *bands.kernel)
        places = diagonals(wide, volume(x).shape[3], volume(y).shape[3])
        transposed = [(column, place.transposed) for column, place in places]
        start, step = -high.before, high.stride

        def tiles(array: Array) -> list[Array]:
            return channel_tiles(array, bands.step)

        weights, maps, outputs = tiles(flat(arrays.parameters["weight"], *shape)), tiles(_rows(x)), tiles(_rows(y))
        self.forward_steps: list[Task] = [
            RowProduct(memory, weight, places, source, target, start, step).run
            for weight, source, target in zip(weights, maps, outputs, strict=True)
        ]
        if bias is not None:
            self.forward_steps.append(partial(np.add, y, bias.reshape(-1, *(1,) * (y.ndim - 1)), out=y))
        self.backward_steps: list[Task] = []
        grad, grad_input = arrays.grad_output, arrays.grad_inputs[0]
        if not training or grad is None:
            return
        grads, grad_weights = tiles(_rows(grad)), tiles(flat(arrays.grad_parameters["weight"], *shape))
        for source, given, into in zip(maps, grads, grad_weights, strict=True):
            self.backward_steps.append(WeightProduct(memory_back, bands, places, source, given, into, start, step).run)
        inputs = [] if grad_input is None else list(zip(weights, grads, tiles(_rows(grad_input)), strict=True))
        for weight, given, into in inputs:
            self.backward_steps += _input_gradient(memory_back, weight, transposed, given, into, high)
        if bias is not None:
            total = arrays.grad_parameters["bias"]
            self.backward_steps.append(partial(np.add.reduce, flat(grad, len(x), -1), axis=1, out=total))

    def forward(self) -> None:
        """Compute the output."""
        one_by_one(self.forward_steps)

    def backward(self) -> None:
        """Compute the gradients of the weights, of the bias and, if needed, of the input."""
        one_by_one(self.backward_steps)


def _input_gradient(
    memory: Array, weight: Array, places: Sequence[tuple[int, Diagonal]], grad: Array, grad_input: Array, window: Window
) -> Iterator[Task]:
    """Yield the tasks that fill the input gradient: rows one stride apart see the same taps, the last tap first."""
    for phase in range(window.stride):
        taps = weight[:, :, phase :: window.stride][:, :, ::-1]
        first = (phase - window.before) % window.stride
        rows = grad_input[:, :, first :: window.stride]
        if not taps.shape[2]:
            yield partial(rows.fill, 0)
        elif rows.shape[2]:
            start = (first + window.before - phase) // window.stride - (taps.shape[2] - 1)
            yield RowProduct(memory, taps, places, grad, rows, start, 1).run


def _rows(array: Array) -> Array:
    """Return a map of one or two axes as (C, H, W, N)."""
    return volume(array)[:, 0]
