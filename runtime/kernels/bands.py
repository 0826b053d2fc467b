"""Depthwise convolution of narrow maps: every row a product with a banded matrix (:mod:`planner.layers.bands`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from planner.layers.bands import Bands
from planner.layers.scratch import pieces
from planner.layers.window import Window
from runtime.crew import Task, one_by_one
from runtime.kernels.base import Array, Arrays, Scratch, flat
from runtime.kernels.window import Windows, reaches, volume


@dataclass(frozen=True, slots=True)
class Segment:
    """Neighbouring rows of a target that see the same taps of the kernel.

    Attributes
    ----------
    first, last : int
        The rows.
    start : int
        The row of the source that the first tap of the first row sees.
    taps : slice
        Kernel rows that meet the source.
    """

    first: int
    last: int
    start: int
    taps: slice


def segments(count: int, start: int, step: int, taps: int, rows: int) -> Iterator[Segment]:
    """Yield target rows, each of which sees as many source rows as there are taps, `step` after the row before it.

    Parameters
    ----------
    count : int
        Target rows.
    start : int
        The source row at the first tap of target row 0, negative in the padding.
    step, taps, rows : int
        Source rows between two windows; of a window; in all.

    Examples
    --------
    >>> [(one.first, one.last, one.start, one.taps.start, one.taps.stop) for one in segments(4, -1, 1, 3, 4)]
    [(0, 1, 0, 1, 3), (1, 3, 0, 0, 3), (3, 4, 2, 0, 2)]
    """
    first = 0
    for row in range(count):
        low, high = _meeting(start + row * step, taps, rows)
        if row + 1 == count or _meeting(start + (row + 1) * step, taps, rows) != (low, high):
            yield Segment(first, row + 1, start + first * step + low, slice(low, high))
            first = row + 1


def _meeting(start: int, taps: int, rows: int) -> tuple[int, int]:
    """Return the taps, from first to last, that lie within the rows; (0, 0) where none does."""
    low, high = max(0, -start), min(taps, rows - start)
    return (low, high) if low < high else (0, 0)


@dataclass(frozen=True, slots=True)
class Diagonal:
    """Where one column of the kernel stands in a matrix of (target width, taps, source width).

    It begins at (`target`, `source`) and goes on by (`target_step`, `source_step`), `count` places in all.
    """

    target: int
    source: int
    target_step: int
    source_step: int
    count: int

    def of(self, matrices: Array) -> Array:
        """Return its places in (..., target width, taps, source width) as a view (..., places, taps)."""
        *before, down, tap, across = matrices.strides
        corner = matrices[..., self.target :, :, self.source :]
        shape = (*matrices.shape[:-3], self.count, matrices.shape[-2])
        along = self.target_step * down + self.source_step * across
        return as_strided(corner, shape, (*before, along, tap))

    @property
    def turned(self) -> Diagonal:
        """The same in the matrix of the other direction."""
        return Diagonal(self.source, self.target, self.source_step, self.target_step, self.count)


def diagonals(window: Window, size: int, positions: int) -> list[tuple[int, Diagonal]]:
    """Return the columns of a kernel that meet an input of that width anywhere, each with its diagonal."""
    return [
        (tap, Diagonal(seen.first, seen.start, 1, seen.step, seen.last - seen.first))
        for tap, seen in enumerate(reaches(window, size, positions))
        if seen is not None
    ]


def windows_of(source: Array, segment: Segment, step: int) -> Array:
    """Return what the rows of a segment see: (channels, rows, taps times width, N), overlapping, no copy."""
    channels, _, width, batch = source.shape
    channel, row, *within = source[:, segment.start :].strides
    shape = (channels, segment.last - segment.first, len(range(_stop(segment))[segment.taps]) * width, batch)
    return as_strided(source[:, segment.start :], shape, (channel, step * row, *within), writeable=False)


def _stop(segment: Segment) -> int:
    return int(segment.taps.stop)


class RowProduct:
    """Every row of a target as a banded matrix times rows of a source.

    Parameters
    ----------
    memory : Array
        Flat, for the matrices.
    weight : Array
        (channels, taps, columns of the kernel): taps in the order of the source's rows.
    places : sequence of (int, Diagonal)
    source, target : Array
        (channels, rows, width, N).
    start, step : int
        The source row at the first tap of target row 0, and how far the next row's is from it.
    """

    def __init__(
        self, memory: Array, weight: Array, places: Sequence[tuple[int, Diagonal]], source: Array, target: Array,
        start: int, step: int,
    ) -> None:  # fmt: skip
        channels, taps, _ = weight.shape
        shape = (channels, target.shape[2], taps, source.shape[2])
        self.matrices = memory[: prod(shape)].reshape(shape)
        self.copies = [(place.of(self.matrices), weight[:, None, :, column]) for column, place in places]
        self.zeros: list[Array] = []
        self.products: list[tuple[Array, Array, Array]] = []
        wide = flat(self.matrices, channels, 1, shape[1], -1)
        for part in segments(target.shape[1], start, step, taps, source.shape[1]):
            rows, width = target[:, part.first : part.last], shape[3]
            if part.taps.start == part.taps.stop:
                self.zeros.append(rows)
            else:
                used = wide[..., part.taps.start * width : part.taps.stop * width]
                self.products.append((used, windows_of(source, part, step), rows))

    def run(self) -> None:
        """Fill the target."""
        self.matrices.fill(0)
        for place, weight in self.copies:
            np.copyto(place, weight)
        for rows in self.zeros:
            rows.fill(0)
        for matrices, seen, rows in self.products:
            np.matmul(matrices, seen, out=rows)


class WeightProduct:
    """The gradient of the kernel: products of the output's gradient and what it saw, added up along the diagonals.

    Parameters
    ----------
    memory : Array
        Flat.
    bands : Bands
    places : sequence of (int, Diagonal)
    source, grad : Array
        (channels, rows, width, N): the input, and the gradient of the output.
    grad_weight : Array
        (channels, taps, columns of the kernel).
    start, step : int
        As for :class:`RowProduct`.
    """

    def __init__(
        self, memory: Array, bands: Bands, places: Sequence[tuple[int, Diagonal]], source: Array, grad: Array,
        grad_weight: Array, start: int, step: int,
    ) -> None:  # fmt: skip
        channels, taps, _ = grad_weight.shape
        width, across = grad.shape[2], source.shape[2]
        size = channels * width * taps * across
        self.total, part = (memory[at : at + size].reshape(channels, width, -1) for at in (0, size))
        memory = memory[2 * size :]
        self.begin: list[Task] = [partial(self.total.fill, 0)]
        self.steps: list[Task] = []
        found = list(segments(grad.shape[1], start, step, taps, source.shape[1]))
        # The segment that sees all taps begins the sums.
        for whole in sorted(found, key=lambda one: one.taps.start - one.taps.stop):
            used = slice(whole.taps.start * across, whole.taps.stop * across)
            sums, share = self.total[..., used], part[..., used]
            for first, last in pieces(whole.last - whole.first if whole.taps.stop else 0, bands.strip):
                seen = windows_of(source, Segment(0, last - first, whole.start + first * step, whole.taps), step)
                rows = grad[:, whole.first + first : whole.first + last]
                begins = not self.steps and share.shape == part.shape
                if begins:
                    self.begin, share = [], self.total
                if last - first == 1:
                    self.steps.append(partial(np.matmul, rows[:, 0], seen[:, 0].swapaxes(1, 2), out=share))
                else:
                    shape = (channels, last - first, width, seen.shape[2])
                    product = memory[: prod(shape)].reshape(shape)
                    self.steps.append(partial(np.matmul, rows, seen.swapaxes(2, 3), out=product))
                    self.steps.append(partial(np.add.reduce, product, axis=1, out=share))
                if not begins:
                    self.steps.append(partial(np.add, sums, share, out=sums))
                share = part[..., used]
        matrices = flat(self.total, channels, width, taps, across)
        if len(places) < grad_weight.shape[2]:
            self.begin.append(partial(grad_weight.fill, 0))  # columns of the kernel that see nothing
        self.steps += [
            partial(np.add.reduce, place.of(matrices), axis=1, out=grad_weight[:, :, column])
            for column, place in places
        ]

    def run(self) -> None:
        """Compute the gradient."""
        one_by_one([*self.begin, *self.steps])


class Banded:
    """Both passes of a convolution with as many groups as channels and filters.

    Parameters
    ----------
    bands : Bands
    windows : tuple of Window
    arrays : Arrays
    scratch : tuple of Scratch
        For the forward and for the backward pass.
    training : bool
    """

    def __init__(
        self, bands: Bands, windows: Windows, arrays: Arrays, scratch: tuple[Scratch, Scratch], training: bool
    ) -> None:
        _, high, wide = windows
        ahead, behind = scratch
        memory = ahead.take(bands.elements(backward=False))
        memory_back = behind.take(bands.elements(backward=True) if training else 0)
        x, y = _rows(arrays.inputs[0]), _rows(arrays.output)
        weight = flat(arrays.parameters["weight"], len(x), *bands.kernel)
        bias, grad, grad_input = arrays.parameters.get("bias"), arrays.grad_output, arrays.grad_inputs[0]
        places = diagonals(wide, x.shape[2], y.shape[2])
        turned = [(column, place.turned) for column, place in places]
        self.forward_steps: list[Task] = []
        self.backward_steps: list[Task] = []
        for some in (slice(*span) for span in pieces(len(x), bands.step)):
            product = RowProduct(memory, weight[some], places, x[some], y[some], -high.before, high.stride)
            self.forward_steps.append(product.run)
            if bias is not None:
                shift = bias[some].reshape(-1, 1, 1, 1)
                self.forward_steps.append(partial(np.add, y[some], shift, out=y[some]))
            if not training or grad is None:
                continue
            g, into = _rows(grad)[some], flat(arrays.grad_parameters["weight"], *weight.shape)[some]
            product_of_weights = WeightProduct(memory_back, bands, places, x[some], g, into, -high.before, high.stride)
            self.backward_steps.append(product_of_weights.run)
            if grad_input is not None:
                self.backward_steps += _back(memory_back, weight[some], turned, g, _rows(grad_input)[some], high)
        if bias is not None and training and grad is not None:
            total = arrays.grad_parameters["bias"]
            self.backward_steps.append(partial(np.add.reduce, flat(grad, len(x), -1), axis=1, out=total))

    def forward(self) -> None:
        """Compute the output."""
        for step in self.forward_steps:
            step()

    def backward(self) -> None:
        """Compute the gradients of the weights, of the bias and, where asked for, of the input."""
        for step in self.backward_steps:
            step()


def _back(
    memory: Array, weight: Array, places: Sequence[tuple[int, Diagonal]], grad: Array, grad_input: Array, window: Window
) -> Iterator[Task]:
    """Yield what fills the gradient of the input: rows a stride apart see the same taps, the last one first."""
    for phase in range(window.stride):
        taps = weight[:, phase :: window.stride][:, ::-1]
        first = (phase - window.before) % window.stride
        rows = grad_input[:, first :: window.stride]
        if not taps.shape[1]:
            yield partial(rows.fill, 0)
        elif rows.shape[1]:
            start = (first + window.before - phase) // window.stride - (taps.shape[1] - 1)
            yield RowProduct(memory, taps, places, grad, rows, start, 1).run


def _rows(array: Array) -> Array:
    """Return a map (C, H, W, N) of one slab, whatever axes it has."""
    return volume(array)[:, 0]
