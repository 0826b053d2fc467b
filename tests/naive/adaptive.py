"""Pooling of equal shares of a map, by definition.

This imports nothing of ours, like all of :mod:`tests.naive`.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from tests.naive.windows import Array, Pair, a_map, both


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
    rows, columns = (shares(n, o) for n, o in zip(x.shape[2:], both(size), strict=True))
    y = np.zeros((*x.shape[:2], len(rows), len(columns)))
    for n, c, i, j in np.ndindex(y.shape):
        values = [float(x[n, c, row, column]) for row in rows[i] for column in columns[j]]
        y[n, c, i, j] = max(values) if how == "max" else math.fsum(values) / len(values)
    return y
