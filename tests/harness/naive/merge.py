"""Layers that join tensors, by definition.

This imports nothing of ours, like all of :mod:`tests.harness.naive`.
"""

from __future__ import annotations

import numpy as np

from tests.harness.naive.windows import Array, NoResult


def concat(*tensors: Array, axis: int = 1) -> Array:
    """Return the tensors one behind the other along an axis.

    Raises
    ------
    NoResult
        They differ along another axis, or have no such axis beside the batch.

    Examples
    --------
    >>> concat(np.zeros((1, 1)), np.ones((1, 2))).tolist()
    [[0.0, 1.0, 1.0]]
    """
    first = tensors[0]
    axis = axis if axis > 0 else first.ndim + axis
    if not 1 <= axis < first.ndim:
        raise NoResult(f"no axis {axis} of {first.ndim}")
    slices = []
    for tensor in tensors:
        if tensor.ndim != first.ndim:
            raise NoResult(f"shapes {first.shape} and {tensor.shape} differ in their axes")
        for place in range(tensor.shape[axis]):
            slices.append(np.take(tensor, place, axis))
    if len({part.shape for part in slices}) > 1:
        raise NoResult(f"shapes {[tensor.shape for tensor in tensors]} differ beside axis {axis}")
    return np.stack(slices, axis)
