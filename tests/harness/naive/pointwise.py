"""Scalar functions value by value, and softmax, by definition.

This imports nothing of ours, like all of :mod:`tests.harness.naive`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tests.harness.naive.windows import Array, NoResult


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


def hard_sigmoid(value: float) -> float:
    """Return 0 up to -3, 1 from 3, and a straight line between.

    Source: torch.nn.Hardsigmoid documentation.

    Examples
    --------
    >>> hard_sigmoid(-3.0), hard_sigmoid(0.0), hard_sigmoid(5.0)
    (0.0, 0.5, 1.0)
    """
    if value <= -3.0:
        return 0.0
    return 1.0 if value >= 3.0 else value / 6.0 + 0.5


def selu(value: float) -> float:
    """Return ``scale * x`` above zero and ``scale * alpha * (exp(x) - 1)`` below.

    Source: Klambauer et al., arXiv:1706.02515; the numbers from the authors' code, bioinf-jku/SNNs.

    Examples
    --------
    >>> round(selu(1.0), 4), round(selu(-100.0), 4)
    (1.0507, -1.7581)
    """
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
    return scale * value if value > 0 else scale * alpha * math.expm1(value)


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


def whole_maps(x: Array) -> Array:
    """Return x itself, which must have maps.

    Raises
    ------
    NoResult
        There are none: N, features.
    """
    if x.ndim < 3:
        raise NoResult(f"{x.shape} has no maps")
    return x


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
