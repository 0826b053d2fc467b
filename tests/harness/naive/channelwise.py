"""One number for each channel, by definition.

This imports nothing of ours, like all of :mod:`tests.harness.naive`.
"""

from __future__ import annotations

import numpy as np

from tests.harness.naive.windows import Array, NoResult


def prelu(x: Array, slopes: Array) -> Array:
    """Return x above zero and slope * x below; one slope, or one a channel.

    Examples
    --------
    >>> prelu(np.array([[-2.0, 3.0]]), np.array([0.5])).tolist()
    [[-1.0, 3.0]]
    """
    y = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        slope = slopes[index[1] if len(slopes) > 1 else 0]
        y[index] = x[index] if x[index] > 0 else slope * x[index]
    return y


def channelwise(how: str, x: Array, numbers: Array) -> Array:
    """Return each number of x times or plus that of its channel.

    Examples
    --------
    >>> channelwise("times", np.array([[2.0, 3.0]]), np.array([10.0, 1.0])).tolist()
    [[20.0, 3.0]]
    """
    y = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        mine = numbers[index[1]]
        y[index] = {"times": x[index] * mine, "plus": x[index] + mine}[how]
    return y


def rescale(x: Array, scale: float | list[float] = 1.0, shift: float | list[float] = 0.0) -> Array:
    """Return scale * x + shift, with one number for all channels or one for each.

    Raises
    ------
    NoResult
        There are more numbers than channels, or fewer.

    Examples
    --------
    >>> rescale(np.array([[2.0, 3.0]]), [1.0, 10.0], 1.0).tolist()
    [[3.0, 31.0]]
    """
    for numbers in (scale, shift):
        if isinstance(numbers, list) and len(numbers) != x.shape[1]:
            raise NoResult(f"{len(numbers)} numbers for {x.shape[1]} channels")
    y = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        a, b = (numbers[index[1]] if isinstance(numbers, list) else numbers for numbers in (scale, shift))
        y[index] = a * x[index] + b
    return y
