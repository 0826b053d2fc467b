"""Arithmetic of several tensors of one shape, by definition: what is 1 along an axis is copied along it.

This imports nothing of ours, like all of :mod:`tests.harness.naive`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.harness.naive.windows import Array, NoResult


def combined(how: Callable[[Array, Array], Array], *tensors: Array) -> Array:
    """Return one number of several at each place; what is 1 along an axis, not the batch, is at every place of it.

    Raises
    ------
    NoResult
        Axes, batches, or sizes other than 1 differ.

    Examples
    --------
    >>> combined(np.subtract, np.array([[5.0, 6.0]]), np.array([[1.0]]), np.array([[1.0, 2.0]])).tolist()
    [[3.0, 3.0]]
    """
    if len({tensor.ndim for tensor in tensors}) > 1 or len({len(tensor) for tensor in tensors}) > 1:
        raise NoResult(f"axes or batches of {[tensor.shape for tensor in tensors]} differ")
    shape = []
    for sizes in zip(*(tensor.shape for tensor in tensors), strict=True):
        larger = set(sizes) - {1}
        if len(larger) > 1:
            raise NoResult(f"sizes {sizes} differ")
        shape.append(larger.pop() if larger else 1)
    copied = []
    for tensor in tensors:
        for axis, size in enumerate(shape):
            tensor = np.repeat(tensor, size, axis) if tensor.shape[axis] == 1 else tensor
        copied.append(tensor)
    y = copied[0].astype(np.float64)
    for other in copied[1:]:
        assert other.shape == y.shape, "no place is left to be filled by broadcasting"
        y = how(y, other)
    return y
