"""Pooling over windows and over whole maps, by definition.

This imports nothing of ours, like all of :mod:`tests.naive`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tests.naive.windows import Array, NoResult, Padding, Pair, both, seen, windows_of


def _pool(
    x: Array,
    size: Pair,
    stride: Pair | None,
    pad: Padding,
    dilation: Pair,
    rounding: str,
    reduce: Callable[[Array, int, int], Array],
) -> Array:
    """Return ``reduce(values, with_padding, whole)`` of each window.

    Values are (N, C, numbers seen); `with_padding` counts positions of input and padding in the window,
    `whole` all of its positions.
    """
    rows, columns, sides = windows_of(x, size, size if stride is None else stride, pad, dilation, rounding)
    batch, channels, height, width = x.shape
    y = np.zeros((batch, channels, len(rows), len(columns)))
    for i, row_taps in enumerate(rows):
        for j, column_taps in enumerate(columns):
            values = x[:, :, seen(row_taps, height), :][:, :, :, seen(column_taps, width)]
            if values.shape[2] * values.shape[3] == 0:
                raise NoResult(f"the window at output {i}, {j} sees nothing of the input")
            with_padding = sum(tap < height + sides[0][1] for tap in row_taps)
            with_padding *= sum(tap < width + sides[1][1] for tap in column_taps)
            whole = len(row_taps) * len(column_taps)
            y[:, :, i, j] = reduce(values.reshape(batch, channels, -1), with_padding, whole)
    return y


def max_pool(
    x: Array, *, size: Pair, stride: Pair | None = None, pad: Padding = 0, dilation: Pair = 1, rounding: str = "floor"
) -> Array:
    """Return the largest input value of each window; padding never wins.

    Source: torch.nn.MaxPool2d documentation.

    Raises
    ------
    NoResult
        No window fits, or one sees nothing of the input.

    Examples
    --------
    >>> max_pool(np.arange(16.0).reshape(1, 1, 4, 4), size=2).tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """
    return _pool(x, size, stride, pad, dilation, rounding, lambda values, _padded, _whole: values.max(axis=2))


def sum_pool(x: Array, *, size: Pair, stride: Pair | None = None, pad: Padding = 0, rounding: str = "floor") -> Array:
    """Return the sum of each window.

    Examples
    --------
    >>> sum_pool(np.ones((1, 1, 3, 3)), size=2, rounding="ceil").tolist()
    [[[[4.0, 2.0], [2.0, 1.0]]]]
    """
    return _pool(x, size, stride, pad, 1, rounding, lambda values, _padded, _whole: values.sum(axis=2))


def avg_pool(
    x: Array,
    *,
    size: Pair,
    stride: Pair | None = None,
    pad: Padding = 0,
    rounding: str = "floor",
    count_include_pad: bool = True,
    divisor: int | None = None,
) -> Array:
    """Return the mean of each window.

    The divisor counts the window's positions on input and padding, never those beyond the padding that a
    ``ceil`` window overhangs; without `count_include_pad` it counts the input's only. A `divisor` takes its place.

    Source: torch.nn.AvgPool2d documentation.

    Examples
    --------
    >>> avg_pool(np.ones((1, 1, 3, 3)), size=2, rounding="ceil").tolist()
    [[[[1.0, 1.0], [1.0, 1.0]]]]
    """

    def mean(values: Array, padded: int, _whole: int) -> Array:
        counted = padded if count_include_pad else values.shape[2]
        return np.asarray(values.sum(axis=2) / (counted if divisor is None else divisor))

    return _pool(x, size, stride, pad, 1, rounding, mean)


def lp_pool(
    x: Array,
    *,
    size: Pair,
    stride: Pair | None = None,
    pad: Padding = 0,
    rounding: str = "floor",
    p: float = 2.0,
) -> Array:
    """Return the Lp norm of each window; the sum of one that overhangs the padding is scaled up to its whole.

    Source: torch.nn.functional.lp_pool2d, which is its mean times the window's positions.

    Examples
    --------
    >>> lp_pool(np.array([[[[3.0, -4.0]]]]), size=[1, 2]).tolist()
    [[[[5.0]]]]
    """

    def norm(values: Array, padded: int, whole: int) -> Array:
        return np.asarray((whole / padded * (np.abs(values) ** p).sum(axis=2)) ** (1 / p))

    return _pool(x, size, stride, pad, 1, rounding, norm)


def global_pool(x: Array, how: str) -> Array:
    """Return ``max``, ``avg`` or ``sum`` of each channel's map as (N, C, 1, 1).

    Raises
    ------
    NoResult
        The input is no map.

    Examples
    --------
    >>> global_pool(np.arange(4.0).reshape(1, 1, 2, 2), "avg").tolist()
    [[[[1.5]]]]
    """
    if x.ndim != 4:
        raise NoResult(f"a global pooling takes N, C, H, W; got {x.ndim} axes")
    y = np.zeros((*x.shape[:2], 1, 1))
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            values = [float(value) for value in x[n, c].ravel()]
            total = math.fsum(values)
            y[n, c] = {"max": max(values), "sum": total, "avg": total / len(values)}[how]
    return y


def max_indices(
    x: Array, *, size: Pair, stride: Pair | None = None, pad: Padding = 0, dilation: Pair = 1, rounding: str = "floor"
) -> Array:
    """Return, for each window, the number of its first tap that sees the largest value, counted in reading order.

    Examples
    --------
    >>> max_indices(np.array([[[[1.0, 9.0], [9.0, 0.0]]]]), size=2).tolist()
    [[[[1.0]]]]
    """
    rows, columns, _ = windows_of(x, size, size if stride is None else stride, pad, dilation, rounding)
    batch, channels, height, width = x.shape
    y = np.zeros((batch, channels, len(rows), len(columns)))
    for n, c, i, j in np.ndindex(*y.shape):
        found = [
            (float(x[n, c, row, column]), number)
            for number, (row, column) in enumerate((r, k) for r in rows[i] for k in columns[j])
            if 0 <= row < height and 0 <= column < width
        ]
        if not found:
            raise NoResult(f"the window at output {i}, {j} sees nothing of the input")
        largest = max(value for value, _ in found)
        y[n, c, i, j] = next(number for value, number in found if value == largest)
    return y


def max_unpool(x: Array, like: Array, *, pool: Mapping[str, Any]) -> Array:
    """Return zeros as large as what a max pooling reads, with each value where its window's maximum is.

    Source: torch.nn.MaxUnpool2d documentation.

    Raises
    ------
    NoResult
        The pooling does not give as many values, or two windows meet, so that two values could want one place.

    Examples
    --------
    >>> max_unpool(np.array([[[[7.0]]]]), np.array([[[[1.0, 9.0], [5.0, 0.0]]]]), pool={"size": 2}).tolist()
    [[[[0.0, 7.0], [0.0, 0.0]]]]
    """
    positions = max_indices(like, **pool)
    if x.shape != positions.shape:
        raise NoResult(f"{x.shape} values for {positions.shape} windows")
    size, step, gap = both(pool["size"]), both(pool.get("stride", pool["size"])), both(pool.get("dilation", 1))
    if any((count - 1) * apart + 1 > moved for count, moved, apart in zip(size, step, gap, strict=True)):
        raise NoResult("windows overlap")
    settings = {"stride": step, "pad": 0, "dilation": 1, "rounding": "floor", **pool}
    rows, columns, _ = windows_of(
        like, size, settings["stride"], settings["pad"], settings["dilation"], settings["rounding"]
    )
    y = np.zeros(like.shape)
    for n, c, i, j in np.ndindex(*x.shape):
        places = [(row, column) for row in rows[i] for column in columns[j]]
        y[n, c][places[int(positions[n, c, i, j])]] = x[n, c, i, j]
    return y
