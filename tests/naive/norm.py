"""Normalisation, by definition.

This imports nothing of ours, like all of :mod:`tests.naive`.
"""

from __future__ import annotations

import math

import numpy as np

from tests.naive.windows import Array, NoResult


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
