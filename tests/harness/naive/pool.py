"""Pooling over windows and over whole maps, by definition.

This imports nothing of ours, like all of :mod:`tests.harness.naive`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tests.harness.naive.windows import Array, NoResult, Padding, Pair, Windows, a_map, for_axes, seen, windows_of


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
    axes, sides = windows_of(x, size, size if stride is None else stride, pad, dilation, rounding)
    batch, channels, *sizes = x.shape
    y = np.zeros((batch, channels, *map(len, axes)))
    for place in np.ndindex(*map(len, axes)):
        windows = [axes[axis][at] for axis, at in enumerate(place)]
        values = x
        for axis, taps in enumerate(windows):
            values = values.take(seen(taps, sizes[axis]), axis=2 + axis)
        if values.size == 0:
            raise NoResult(f"the window at output {place} sees nothing of the input")
        with_padding = 1
        for axis, taps in enumerate(windows):
            with_padding *= sum(tap < sizes[axis] + sides[axis][1] for tap in taps)
        whole = math.prod(map(len, windows))
        y[:, :, *place] = reduce(values.reshape(batch, channels, -1), with_padding, whole)
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
    a_map(x)
    y = np.zeros((*x.shape[:2], *(1,) * (x.ndim - 2)))
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
    axes, _ = windows_of(x, size, size if stride is None else stride, pad, dilation, rounding)
    y = np.zeros((*x.shape[:2], *map(len, axes)))
    for n, c, *place in np.ndindex(*y.shape):
        found = [
            (float(x[n, c, *where]), number)
            for number, where in enumerate(_places(axes, place))
            if all(0 <= at < size for at, size in zip(where, x.shape[2:], strict=True))
        ]
        if not found:
            raise NoResult(f"the window at output {place} sees nothing of the input")
        largest = max(value for value, _ in found)
        y[n, c, *place] = next(number for value, number in found if value == largest)
    return y


def _places(axes: list[Windows], place: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the positions that the taps of one window touch, in reading order."""
    return list(itertools.product(*(windows[at] for windows, at in zip(axes, place, strict=True))))


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
    chosen = pool["size"], pool.get("stride", pool["size"]), pool.get("dilation", 1)
    size, step, gap = (for_axes(value, x.ndim - 2) for value in chosen)
    if any((count - 1) * apart + 1 > moved for count, moved, apart in zip(size, step, gap, strict=True)):
        raise NoResult("windows overlap")
    settings = {"stride": step, "pad": 0, "dilation": 1, "rounding": "floor", **pool}
    axes, _ = windows_of(
        like, size, settings["stride"], settings["pad"], settings["dilation"], settings["rounding"]
    )
    y = np.zeros(like.shape)
    for n, c, *place in np.ndindex(*x.shape):
        y[n, c][_places(axes, place)[int(positions[n, c, *place])]] = x[n, c, *place]
    return y
