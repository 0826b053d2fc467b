"""Convolution and its transpose, by definition.

This imports nothing of ours, like all of :mod:`tests.harness.naive`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.harness.naive.windows import Array, NoResult, Padding, Pair, a_map, for_axes, paddings, windows_of


def conv(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = 1,
    pad: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
    rounding: str = "floor",
) -> Array:
    """Return the cross-correlation of a map (N, C, H, W) with filters (K, C / groups, kh, kw), plus bias (K,).

    Any number of axes.

    Source: torch.nn.Conv2d documentation; LeCun et al. 1998, section II.A.

    Raises
    ------
    NoResult
        No window fits, or channels or filters do not split into the groups.

    Examples
    --------
    >>> conv(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2))).tolist()
    [[[[4.0, 4.0], [4.0, 4.0]]]]
    """
    filters, depth, *kernel = weight.shape
    axes, _ = windows_of(x, kernel, stride, pad, dilation, rounding)
    batch, channels, *sizes = x.shape
    if channels % groups or filters % groups or depth * groups != channels:
        raise NoResult(f"{channels} channels and {filters} filters of depth {depth} in {groups} groups")
    share = filters // groups
    y = np.zeros((batch, filters, *map(len, axes)))
    for tap in np.ndindex(*kernel):
        # Of every window whose tap lies within the map: which window it is, and where its tap lies.
        inside = [
            [(at, taps[tap[axis]]) for at, taps in enumerate(windows) if 0 <= taps[tap[axis]] < sizes[axis]]
            for axis, windows in enumerate(axes)
        ]
        if any(not pairs for pairs in inside):
            continue
        to: Any = np.ix_(*([at for at, _ in pairs] for pairs in inside))
        seen_at: Any = np.ix_(*([place for _, place in pairs] for pairs in inside))
        for k in range(filters):
            for channel in range(depth):
                seen = x[:, (k // share) * depth + channel, *seen_at]
                y[:, k, *to] += weight[k, channel, *tap] * seen
    return y if bias is None else y + bias.reshape(1, -1, *(1,) * len(sizes))


def conv_transpose(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = 1,
    pad: Padding = 0,
    output_pad: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """Return the transposed convolution of (N, C, H, W) with weights (C, K / groups, kh, kw), plus bias (K,).

    Every input number puts a copy of its kernel, times itself, onto an empty sheet; copies of neighbours lie a
    stride apart and are added. The sheet ends where the last copy ends, is made larger by `output_pad` and
    then loses `pad` on each side.

    Source: torch.nn.ConvTranspose2d documentation.

    Raises
    ------
    NoResult
        Nothing is left, `output_pad` is not smaller than stride or dilation, or the groups do not split.

    Examples
    --------
    >>> conv_transpose(np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 2))).tolist()
    [[[[1.0, 2.0, 1.0]]]]
    """
    a_map(x)
    batch, channels, *sizes = x.shape
    strides, more, dilations = (for_axes(value, len(sizes)) for value in (stride, output_pad, dilation))
    depth, share, *kernel = weight.shape
    filters = share * groups if bias is None else bias.shape[0]
    if len(kernel) != len(sizes) or depth != channels or channels % groups or filters % groups:
        raise NoResult(f"{channels} channels and {filters} filters do not split into {groups} groups")
    if any(extra >= max(step, gap) for extra, step, gap in zip(more, strides, dilations, strict=True)):
        raise NoResult(f"output padding {more} with strides {strides} and dilations {dilations}")
    places = [
        [[i * step + u * gap for u in range(taps)] for i in range(size)]
        for size, taps, step, gap in zip(sizes, kernel, strides, dilations, strict=True)
    ]
    ends = [where[-1][-1] + 1 + extra for where, extra in zip(places, more, strict=True)]
    sheet = np.zeros((batch, filters, *ends))
    for channel in range(channels):
        first = channel // (channels // groups) * share
        for tap in np.ndindex(*kernel):
            to = np.ix_(*([taps[tap[axis]] for taps in where] for axis, where in enumerate(places)))
            for k in range(share):
                sheet[:, first + k, *to] += weight[channel, k, *tap] * x[:, channel]
    sides = paddings(pad, sizes, kernel, strides, dilations)
    if any(end <= before + after for end, (before, after) in zip(ends, sides, strict=True)):
        raise NoResult(f"padding {sides} cuts away {ends}")
    y = sheet[:, :, *(slice(before, end - after) for end, (before, after) in zip(ends, sides, strict=True))]
    return y.copy() if bias is None else y + bias.reshape(1, -1, *(1,) * len(sizes))
