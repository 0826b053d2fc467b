"""Pooling of equal shares of a map, by definition.

This imports nothing of ours, like all of :mod:`tests.harness.naive`.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np

from tests.harness.naive.windows import Array, Pair, a_map, for_axes


def shares(size: int, count: int) -> list[list[int]]:
    """Return the positions that each of `count` equal stretches of an axis touches.

    Examples
    --------
    >>> shares(5, 2)
    [[0, 1, 2], [2, 3, 4]]
    """
    length = Fraction(size, count)
    return [[i for i in range(size) if i + 1 > p * length and i < (p + 1) * length] for p in range(count)]


def adaptive_pool(x: Array, how: str, *, size: Pair) -> Array:
    """Return ``max`` or ``avg`` of what each equal share of the map touches.

    Source: torch.nn.AdaptiveAvgPool2d documentation.

    Examples
    --------
    >>> adaptive_pool(np.arange(4.0).reshape(1, 1, 1, 4), "avg", size=[1, 2]).tolist()
    [[[[0.5, 2.5]]]]
    """
    a_map(x)
    axes = [shares(n, o) for n, o in zip(x.shape[2:], for_axes(size, x.ndim - 2), strict=True)]
    y = np.zeros((*x.shape[:2], *map(len, axes)))
    for n, c, *place in np.ndindex(y.shape):
        window = product(*(axes[axis][at] for axis, at in enumerate(place)))
        values = [float(x[n, c, *where]) for where in window]
        y[n, c, *place] = max(values) if how == "max" else math.fsum(values) / len(values)
    return y
