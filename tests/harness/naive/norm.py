"""Normalisation, by definition.

This imports nothing of ours, like all of :mod:`tests.harness.naive`.
"""

from __future__ import annotations

import math

import numpy as np

from tests.harness.naive.windows import Array, NoResult, a_map


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


def _standard(values: list[float], eps: float) -> list[float]:
    mean = math.fsum(values) / len(values)
    var = math.fsum((value - mean) ** 2 for value in values) / len(values)
    return [(value - mean) / math.sqrt(var + eps) for value in values]


def layer_norm(
    x: Array, weight: Array | None, bias: Array | None, *, over: str = "channels", eps: float = 1e-5
) -> Array:
    """Return each image normalised as a whole, or each of its positions over the channels.

    Source: torch.nn.LayerNorm documentation; for positions, on the tensor with the channels last.

    Examples
    --------
    >>> layer_norm(np.array([[1.0, 3.0]]), None, None, eps=0.0).tolist()
    [[-1.0, 1.0]]
    """
    y = np.zeros_like(x)
    for n in range(x.shape[0]):
        places = [(slice(None), *place) for place in np.ndindex(x.shape[2:])] if over == "channels" else [...]
        for place in places:
            part = x[n][place]
            y[n][place] = np.reshape(_standard([float(value) for value in part.ravel()], eps), part.shape)
    for n in range(x.shape[0]):
        for place in np.ndindex(x.shape[1:]):
            own = place if over == "all" else place[0]
            if weight is not None and bias is not None:
                y[n][place] = y[n][place] * weight[own] + bias[own]
    return y


def group_norm(x: Array, weight: Array | None, bias: Array | None, *, groups: int = 32, eps: float = 1e-5) -> Array:
    """Return each group of channels of each image normalised.

    Source: torch.nn.GroupNorm documentation.

    Raises
    ------
    NoResult
        The channels cannot be split.

    Examples
    --------
    >>> group_norm(np.array([[1.0, 3.0, 5.0, 9.0]]), None, None, groups=2, eps=0.0).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """
    if x.shape[1] % groups:
        raise NoResult(f"{x.shape[1]} channels in {groups} groups")
    y = np.zeros_like(x)
    for n in range(x.shape[0]):
        for some in np.split(np.arange(x.shape[1]), groups):
            part = x[n][some]
            y[n][some] = np.reshape(_standard([float(value) for value in part.ravel()], eps), part.shape)
    for c in range(x.shape[1]):
        if weight is not None and bias is not None:
            y[:, c] = y[:, c] * weight[c] + bias[c]
    return y


def local_response_norm(x: Array, *, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Array:
    """Return each number divided by a power of the mean square of its neighbours across the channels.

    Source: torch.nn.LocalResponseNorm documentation, whose average counts ``size`` channels also at the ends.

    Examples
    --------
    >>> local_response_norm(np.ones((1, 2, 1, 1)), size=2, alpha=2.0, beta=1.0).ravel().tolist()
    [0.5, 0.3333333333333333]
    """
    a_map(x)
    y = np.zeros_like(x)
    for n, c, *place in np.ndindex(x.shape):
        around = [q for q in range(c - size // 2, c - size // 2 + size) if 0 <= q < x.shape[1]]
        mean = math.fsum(float(x[n, q, *place]) ** 2 for q in around) / size
        y[n, c, *place] = x[n, c, *place] / (k + alpha * mean) ** beta
    return y
