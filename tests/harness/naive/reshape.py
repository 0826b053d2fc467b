"""Layers that read tensors as vectors or in another shape, by definition.

This imports nothing of ours, like all of :mod:`tests.harness.naive`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tests.harness.naive.windows import Array, NoResult


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


def squeeze(x: Array, axis: int) -> Array:
    """Return x without an axis of size 1.

    Raises
    ------
    NoResult
        There is no such axis beside the batch, it is larger, or it is the only one.

    Examples
    --------
    >>> squeeze(np.zeros((2, 3, 1)), 2).shape
    (2, 3)
    """
    place = axis if axis > 0 else x.ndim + axis
    if not 1 <= place < x.ndim or x.ndim < 3 or x.shape[place] != 1:
        raise NoResult(f"axis {axis} of {x.shape}")
    return np.array(np.take(x, 0, place))


def unsqueeze(x: Array, axis: int) -> Array:
    """Return x with an axis of size 1 put in, behind the batch.

    Raises
    ------
    NoResult
        The axis would be no axis of the result, come before the batch, or be the fourth of a map.

    Examples
    --------
    >>> unsqueeze(np.zeros((2, 3)), -1).shape
    (2, 3, 1)
    """
    place = axis if axis > 0 else x.ndim + 1 + axis
    if not 1 <= place <= x.ndim or x.ndim == 5:
        raise NoResult(f"axis {axis} in {x.shape}")
    return np.stack([x], place)
