"""Where windows go, found by sliding them: the part of the oracle that places every tap of a window.

Like :mod:`tests.harness.naive`, which hands these names on, this imports nothing of ours and knows no formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Pair = int | Sequence[int]
Padding = int | str | Sequence[int]
Windows = list[list[int]]


class NoResult(ValueError):
    """The layer has no result for this input: no window fits, or a sum of different shapes."""


def slide(
    size: int, kernel: int, stride: int, before: int, after: int, dilation: int = 1, rounding: str = "floor"
) -> list[list[int]]:
    """Return, for each position of a window along one axis, the indices its taps touch.

    Indices below 0 or from `size` on are padding, or lie beyond it. The window starts at the beginning
    of the padding and moves on by `stride`. ``floor`` keeps windows that end inside input and padding.
    ``ceil`` also keeps one that overhangs, as long as it begins in the input or the padding before it.
    ``exact`` wants the last window to end with the padding.

    Raises
    ------
    NoResult
        No window fits, or with ``exact`` the last one leaves something over.

    Source: torch.nn.MaxPool2d documentation (shape section and the remark on `ceil_mode`).

    Examples
    --------
    >>> slide(7, kernel=3, stride=2, before=0, after=0)
    [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    >>> slide(1, kernel=2, stride=2, before=0, after=0, rounding="ceil")
    [[0, 1]]
    """
    windows: list[list[int]] = []
    covered_all = False
    for start in count(-before, stride):
        taps = [start + tap * dilation for tap in range(kernel)]
        inside = taps[-1] < size + after
        if rounding == "ceil":
            # Another window is wanted only while the one before it stopped short of the end.
            previous_end = taps[-1] - stride
            wanted = start < size and previous_end < size + after - 1
        else:
            wanted = inside
        if not wanted:
            break
        windows.append(taps)
        covered_all = taps[-1] == size + after - 1
    if not windows:
        raise NoResult(f"a window of {kernel} with dilation {dilation} does not fit into {before} + {size} + {after}")
    if rounding == "exact" and not covered_all:
        raise NoResult(f"windows of {kernel} at stride {stride} leave something of {before} + {size} + {after} over")
    return windows


def for_axes(value: Pair, axes: int) -> tuple[int, ...]:
    """Return a setting given as one number or as one for each axis as one for each.

    Raises
    ------
    NoResult
        There are other than so many.

    Examples
    --------
    >>> for_axes(3, 2), for_axes([1, 2], 2)
    ((3, 3), (1, 2))
    """
    given = (value,) * axes if isinstance(value, int) else tuple(value)
    if len(given) == 1:
        given *= axes
    if len(given) != axes:
        raise NoResult(f"{value} for {axes} axes")
    return given


def paddings(
    pad: Padding, sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[tuple[int, int]]:
    """Return the padding before and after along every axis.

    ``same`` starts a window at every stride-th position of the input and pads just enough for the last
    one, half of it before, an odd one after.

    Examples
    --------
    >>> paddings("same", (5, 6), (3, 3), (2, 2), (1, 1)), paddings([1, 2, 3, 4], (5, 6), (3, 3), (1, 1), (1, 1))
    ([(1, 1), (0, 1)], [(1, 2), (3, 4)])
    """
    if isinstance(pad, str):
        sides = []
        for axis in range(len(sizes)):
            last_start = list(range(0, sizes[axis], stride[axis]))[-1]
            last_end = last_start + (kernel[axis] - 1) * dilation[axis] + 1
            missing = max(last_end - sizes[axis], 0)
            sides.append((missing // 2, missing - missing // 2))
        return sides
    if not isinstance(pad, int) and len(pad) == 2 * len(sizes):
        return [(pad[2 * axis], pad[2 * axis + 1]) for axis in range(len(sizes))]
    return [(side, side) for side in for_axes(pad, len(sizes))]


def windows_of(
    x: Array, kernel: Pair, stride: Pair, pad: Padding, dilation: Pair, rounding: str
) -> tuple[list[Windows], list[tuple[int, int]]]:
    """Return the windows along every axis of the map, and the padding that was used.

    Raises
    ------
    NoResult
        The input is no map, or no window fits.

    Examples
    --------
    >>> windows_of(np.zeros((1, 1, 2, 3)), kernel=2, stride=1, pad=0, dilation=1, rounding="floor")
    ([[[0, 1]], [[0, 1], [1, 2]]], [(0, 0), (0, 0)])
    """
    a_map(x)
    sizes = x.shape[2:]
    kernels, strides, dilations = (for_axes(value, len(sizes)) for value in (kernel, stride, dilation))
    if isinstance(pad, str) and rounding == "ceil":
        rounding = "floor"  # `same` already says how many windows there are
    sides = paddings(pad, sizes, kernels, strides, dilations)
    found = [
        slide(sizes[axis], kernels[axis], strides[axis], *sides[axis], dilations[axis], rounding)
        for axis in range(len(sizes))
    ]
    return found, sides


def seen(taps: list[int], size: int) -> list[int]:
    """Return the taps that lie on the input.

    Examples
    --------
    >>> seen([-1, 1, 3], 3)
    [1]
    """
    return [tap for tap in taps if 0 <= tap < size]


def a_map(x: Array) -> None:
    """Assert that a tensor has one, two or three axes behind N and C.

    Raises
    ------
    NoResult
        It has not.
    """
    if x.ndim not in (3, 4, 5):
        raise NoResult(f"a map has N, C and one to three axes more; got {x.ndim} axes")
