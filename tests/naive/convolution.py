"""Convolution and its transpose, by definition.

This imports nothing of ours, like all of :mod:`tests.naive`.
"""

from __future__ import annotations

import numpy as np

from tests.naive.windows import Array, NoResult, Padding, Pair, a_map, both, paddings, windows_of


def conv2d(
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

    Source: torch.nn.Conv2d documentation; LeCun et al. 1998, section II.A.

    Raises
    ------
    NoResult
        No window fits, or channels or filters do not split into the groups.

    Examples
    --------
    >>> conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2))).tolist()
    [[[[4.0, 4.0], [4.0, 4.0]]]]
    """
    filters, depth, high, wide = weight.shape
    rows, columns, _ = windows_of(x, (high, wide), stride, pad, dilation, rounding)
    batch, channels, height, width = x.shape
    if channels % groups or filters % groups or depth * groups != channels:
        raise NoResult(f"{channels} channels and {filters} filters of depth {depth} in {groups} groups")
    share = filters // groups
    y = np.zeros((batch, filters, len(rows), len(columns)))
    for i, row_taps in enumerate(rows):
        for j, column_taps in enumerate(columns):
            window = np.zeros((batch, channels, high, wide))
            for u, row in enumerate(row_taps):
                for v, column in enumerate(column_taps):
                    if 0 <= row < height and 0 <= column < width:
                        window[:, :, u, v] = x[:, :, row, column]
            for k in range(filters):
                first = (k // share) * depth
                products = window[:, first : first + depth] * weight[k]
                y[:, k, i, j] = products.reshape(batch, -1).sum(axis=1)
    return y if bias is None else y + bias.reshape(1, -1, 1, 1)


def conv_transpose2d(
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
    >>> conv_transpose2d(np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 2))).tolist()
    [[[[1.0, 2.0, 1.0]]]]
    """
    a_map(x)
    strides, more, dilations = both(stride), both(output_pad), both(dilation)
    batch, channels, height, width = x.shape
    depth, share, high, wide = weight.shape
    filters = share * groups if bias is None else bias.shape[0]
    if depth != channels or channels % groups or filters % groups:
        raise NoResult(f"{channels} channels and {filters} filters do not split into {groups} groups")
    if any(extra >= max(step, gap) for extra, step, gap in zip(more, strides, dilations, strict=True)):
        raise NoResult(f"output padding {more} with strides {strides} and dilations {dilations}")
    rows = [[i * strides[0] + u * dilations[0] for u in range(high)] for i in range(height)]
    columns = [[j * strides[1] + v * dilations[1] for v in range(wide)] for j in range(width)]
    sheet = np.zeros((batch, filters, rows[-1][-1] + 1 + more[0], columns[-1][-1] + 1 + more[1]))
    for channel in range(channels):
        first = channel // (channels // groups) * share
        for i, down in enumerate(rows):
            for j, across in enumerate(columns):
                for u, row in enumerate(down):
                    for v, column in enumerate(across):
                        products = x[:, channel, i, j][:, None] * weight[channel, :, u, v][None]
                        sheet[:, first : first + share, row, column] += products
    sides = paddings(pad, (height, width), (high, wide), strides, dilations)
    (top, bottom), (left, right) = sides
    if sheet.shape[2] <= top + bottom or sheet.shape[3] <= left + right:
        raise NoResult(f"padding {sides} cuts away {sheet.shape[2]}x{sheet.shape[3]}")
    y = sheet[:, :, top : sheet.shape[2] - bottom, left : sheet.shape[3] - right]
    return y.copy() if bias is None else y + bias.reshape(1, -1, 1, 1)
