"""What every layer computes, by definition: slow loops in float64 that judge the fast kernels.

Nothing of ours is imported here, not even a constant, so that a mistake cannot be made on both sides.
Windows are found by sliding them (:mod:`tests.naive_windows`), never by a formula; activations are
scalar functions from `math`.
Tensors are N, C, H, W or N, features. Whatever has no result raises :class:`NoResult`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tests.naive_maps import conv_transpose2d as conv_transpose2d
from tests.naive_maps import crop as crop
from tests.naive_maps import reshape as reshape
from tests.naive_maps import upsample as upsample
from tests.naive_maps import zero_pad as zero_pad
from tests.naive_windows import Array as Array
from tests.naive_windows import NoResult as NoResult
from tests.naive_windows import Padding, Pair
from tests.naive_windows import both as both
from tests.naive_windows import paddings as paddings
from tests.naive_windows import seen as seen
from tests.naive_windows import slide as slide
from tests.naive_windows import windows_of as windows_of

# ---------------------------------------------------------------------------------- convolution and pooling


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
) -> Array:
    """Return the mean of each window.

    The divisor counts the window's positions on input and padding, never those beyond the padding that a
    ``ceil`` window overhangs; without `count_include_pad` it counts the input's only.

    Source: torch.nn.AvgPool2d documentation.

    Examples
    --------
    >>> avg_pool(np.ones((1, 1, 3, 3)), size=2, rounding="ceil").tolist()
    [[[[1.0, 1.0], [1.0, 1.0]]]]
    """

    def mean(values: Array, padded: int, _whole: int) -> Array:
        divisor = padded if count_include_pad else values.shape[2]
        return np.asarray(values.sum(axis=2) / divisor)

    return _pool(x, size, stride, pad, 1, rounding, mean)


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


# ---------------------------------------------------------------------------------------------- activations


def each(function: Callable[[float], float], x: Array) -> Array:
    """Return the function of every number by itself.

    Examples
    --------
    >>> each(lambda number: number * 2, np.array([1.0, 2.0])).tolist()
    [2.0, 4.0]
    """
    return np.array([function(float(value)) for value in x.ravel()], dtype=np.float64).reshape(x.shape)


def sigmoid(value: float) -> float:
    """Return ``1 / (1 + exp(-x))``.

    Examples
    --------
    >>> sigmoid(0.0)
    0.5
    """
    return 1.0 / (1.0 + math.exp(-value)) if value >= 0 else math.exp(value) / (1.0 + math.exp(value))


def gelu(value: float, approximate: str = "none") -> float:
    """Return ``x * Phi(x)``, or the approximation by tanh.

    Source: Hendrycks, Gimpel, arXiv:1606.08415, section 2.

    Examples
    --------
    >>> gelu(0.0), round(gelu(1.0), 4)
    (0.0, 0.8413)
    """
    if approximate == "tanh":
        return 0.5 * value * (1.0 + math.tanh(math.sqrt(2.0 / math.pi) * (value + 0.044715 * value**3)))
    return 0.5 * value * (1.0 + math.erf(value / math.sqrt(2.0)))


def softplus(value: float) -> float:
    """Return ``log(1 + exp(x))``.

    Examples
    --------
    >>> round(softplus(0.0), 6)
    0.693147
    """
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))


def softmax(x: Array, logarithm: bool = False) -> Array:
    """Return ``exp(x) / sum(exp(x))`` over axis 1, or its logarithm.

    Examples
    --------
    >>> softmax(np.zeros((1, 4))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    rows = np.moveaxis(x, 1, -1)
    flat = rows.reshape(-1, rows.shape[-1])
    result = np.zeros_like(flat)
    for index, row in enumerate(flat):
        top = max(float(value) for value in row)
        log_total = math.log(math.fsum(math.exp(float(value) - top) for value in row)) + top
        logs = [float(value) - log_total for value in row]
        result[index] = logs if logarithm else [math.exp(value) for value in logs]
    return np.ascontiguousarray(np.moveaxis(result.reshape(rows.shape), -1, 1))


# ---------------------------------------------------------------------------- norm, dense, merge, reshape


def batch_norm(
    x: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array,
    running_var: Array,
    *,
    eps: float = 1e-5,
    momentum: float = 0.1,
    training: bool = False,
) -> tuple[Array, Array, Array]:
    """Return the normalised tensor and the running mean and variance after this batch.

    Training normalises with the mean and the biased variance of the batch and mixes mean and *unbiased*
    variance into the running ones; inference uses the running ones and leaves them.

    Source: Ioffe, Szegedy, arXiv:1502.03167, algorithm 1; torch.nn.BatchNorm2d documentation.

    Raises
    ------
    NoResult
        Training on a single number a channel: it has no variance.

    Examples
    --------
    >>> one = np.ones(1)
    >>> y, mean, var = batch_norm(np.array([[1.0], [3.0]]), one, 0 * one, 0 * one, one, eps=0.0, training=True)
    >>> y.ravel().tolist(), mean.tolist(), var.tolist()
    ([-1.0, 1.0], [0.2], [1.1])
    """
    y, new_mean, new_var = np.zeros_like(x), running_mean.copy(), running_var.copy()
    for c in range(x.shape[1]):
        values = [float(value) for value in x[:, c].ravel()]
        mean, var = float(running_mean[c]), float(running_var[c])
        if training:
            if len(values) < 2:
                raise NoResult("one number a channel has no variance")
            mean = math.fsum(values) / len(values)
            squares = math.fsum((value - mean) ** 2 for value in values)
            var = squares / len(values)
            new_mean[c] = (1 - momentum) * running_mean[c] + momentum * mean
            new_var[c] = (1 - momentum) * running_var[c] + momentum * squares / (len(values) - 1)
        scale = 1.0 if weight is None else float(weight[c])
        shift = 0.0 if bias is None else float(bias[c])
        y[:, c] = (x[:, c] - mean) / math.sqrt(var + eps) * scale + shift
    return y, new_mean, new_var


def dense(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return ``x W^T + b`` for x (N, features), weight (units, features), bias (units,).

    Raises
    ------
    NoResult
        The input has other than two axes, or another number of features.

    Examples
    --------
    >>> dense(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([5.0])).tolist()
    [[16.0]]
    """
    if x.ndim != 2 or x.shape[1] != weight.shape[1]:
        raise NoResult(f"a weight {weight.shape} does not take {x.shape}")
    y = np.zeros((x.shape[0], weight.shape[0]))
    for n in range(x.shape[0]):
        for unit in range(weight.shape[0]):
            products = [float(x[n, f]) * float(weight[unit, f]) for f in range(x.shape[1])]
            y[n, unit] = math.fsum(products) + (0.0 if bias is None else float(bias[unit]))
    return y


def flatten(x: Array) -> Array:
    """Return (N, C*H*W): channel by channel, row by row.

    Examples
    --------
    >>> flatten(np.arange(4.0).reshape(1, 2, 1, 2)).tolist()
    [[0.0, 1.0, 2.0, 3.0]]
    """
    rows = []
    for image in x:
        maps = [image] if image.ndim == 1 else list(image)
        rows.append([float(value) for one in maps for value in np.ravel(one)])
    return np.array(rows, dtype=np.float64)


def add(*tensors: Array) -> Array:
    """Return the sum of tensors of one shape.

    Raises
    ------
    NoResult
        Shapes differ; nothing is stretched to fit.

    Examples
    --------
    >>> add(np.ones((1, 2)), np.ones((1, 2)), np.ones((1, 2))).tolist()
    [[3.0, 3.0]]
    """
    total = np.zeros(tensors[0].shape)
    for tensor in tensors:
        if tensor.shape != total.shape:
            raise NoResult(f"shapes {total.shape} and {tensor.shape} differ")
        for index in np.ndindex(total.shape):
            total[index] += tensor[index]
    return total


def concat(*tensors: Array) -> Array:
    """Return the tensors one behind the other along axis 1.

    Raises
    ------
    NoResult
        They differ along another axis.

    Examples
    --------
    >>> concat(np.zeros((1, 1)), np.ones((1, 2))).tolist()
    [[0.0, 1.0, 1.0]]
    """
    first = tensors[0]
    for tensor in tensors:
        if (tensor.shape[0], *tensor.shape[2:]) != (first.shape[0], *first.shape[2:]):
            raise NoResult(f"shapes {first.shape} and {tensor.shape} differ beside the channels")
    y = np.zeros((first.shape[0], sum(tensor.shape[1] for tensor in tensors), *first.shape[2:]))
    channel = 0
    for tensor in tensors:
        for c in range(tensor.shape[1]):
            y[:, channel] = tensor[:, c]
            channel += 1
    return y
