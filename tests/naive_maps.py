"""What layers that resize maps compute, by definition: the part of the oracle beside windows and activations.

Like :mod:`tests.naive`, which hands these names on, this imports nothing of ours and knows no formula for a size:
numbers are put where they belong, and what has been touched is the result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tests.naive_windows import Array, NoResult, Padding, Pair, both, paddings


def _map(x: Array) -> None:
    if x.ndim != 4:
        raise NoResult(f"a map has N, C, H, W; got {x.ndim} axes")


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
    _map(x)
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


def upsample(x: Array, *, scale: Pair) -> Array:
    """Return the map with every position repeated.

    Examples
    --------
    >>> upsample(np.array([[[[1.0, 2.0]]]]), scale=2).tolist()
    [[[[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]]]
    """
    _map(x)
    high, wide = both(scale)
    rows = [row for row in range(x.shape[2]) for _ in range(high)]
    columns = [column for column in range(x.shape[3]) for _ in range(wide)]
    return np.stack([x[:, :, row][:, :, columns] for row in rows], axis=2)


def zero_pad(x: Array, *, pad: Padding) -> Array:
    """Return the map with zeros around it.

    Examples
    --------
    >>> zero_pad(np.ones((1, 1, 1, 1)), pad=[0, 1, 0, 0]).tolist()
    [[[[1.0], [0.0]]]]
    """
    _map(x)
    (top, bottom), (left, right) = paddings(pad, (x.shape[2], x.shape[3]), (1, 1), (1, 1), (1, 1))
    y = x
    for count, axis, at in ((top, 2, 0), (bottom, 2, -1), (left, 3, 0), (right, 3, -1)):
        for _ in range(count):
            line = np.zeros_like(y.take([0], axis=axis))
            y = np.concatenate([line, y] if at == 0 else [y, line], axis=axis)
    return y


def crop(*tensors: Array, size: Pair | None = None) -> Array:
    """Return the middle of the first tensor, of a size or as large as the second; an odd line more goes at the end.

    Lines are taken off one at a time: the end first, then the beginning, and so on.

    Raises
    ------
    NoResult
        The map is smaller, or there are other than the tensors that are needed.

    Examples
    --------
    >>> crop(np.arange(4.0).reshape(1, 1, 1, 4), size=[1, 1]).tolist()
    [[[[1.0]]]]
    """
    if len(tensors) != (2 if size is None else 1):
        raise NoResult(f"{len(tensors)} tensors and size {size}")
    for tensor in tensors:
        _map(tensor)
    wanted = both((tensors[1].shape[2], tensors[1].shape[3]) if size is None else size)
    y = tensors[0]
    for axis, kept in zip((2, 3), wanted, strict=True):
        if y.shape[axis] < kept:
            raise NoResult(f"{y.shape[axis]} is less than {kept}")
        at_end = True
        while y.shape[axis] > kept:
            y = np.delete(y, -1 if at_end else 0, axis=axis)
            at_end = not at_end
    return y.copy()


def reshape(x: Array, *, shape: int | Sequence[int]) -> Array:
    """Return the numbers of each image in another shape; -1 is found by trying.

    Raises
    ------
    NoResult
        The counts differ.

    Examples
    --------
    >>> reshape(np.arange(4.0).reshape(1, 4), shape=[2, -1, 1]).tolist()
    [[[[0.0], [1.0]], [[2.0], [3.0]]]]
    """
    wanted = [shape] if isinstance(shape, int) else list(shape)
    numbers = [float(value) for value in x[0].ravel()]
    for computed in range(1, len(numbers) + 1):
        sizes = [computed if size == -1 else size for size in wanted]
        if math.prod(sizes) == len(numbers):
            return np.array([[float(value) for value in image.ravel()] for image in x]).reshape(x.shape[0], *sizes)
    raise NoResult(f"{len(numbers)} numbers are not {wanted}")
