"""Layers that join tensors, by definition.

This imports nothing of ours, like all of :mod:`tests.naive`.
"""

from __future__ import annotations

import numpy as np

from tests.naive.windows import Array, NoResult


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


def multiply(x: Array, y: Array) -> Array:
    """Return the product of two tensors of one shape, or of a map and a number for each channel.

    Raises
    ------
    NoResult
        The second has neither shape.

    Examples
    --------
    >>> multiply(np.ones((1, 1, 1, 2)), np.full((1, 1, 1, 1), 3.0)).tolist()
    [[[[3.0, 3.0]]]]
    """
    if y.shape != x.shape and not (y.ndim == 4 and y.shape == (*x.shape[:2], 1, 1)):
        raise NoResult(f"shapes {x.shape} and {y.shape}")
    product = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        product[index] = x[index] * y[index if y.shape == x.shape else (*index[:2], 0, 0)]
    return product
