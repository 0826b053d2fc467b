"""Weights of a fused network: batch norm folded into the weights of the preceding layer.

:mod:`planner.network.fusion` decides which batch norms are folded, and builds the network without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.layers import BatchNorm, ConvTranspose, Layer
from planner.lowering.node import BoundNode
from planner.network.fusion import Fusion
from planner.plan.plan import BoundPlan

Array = NDArray[Any]

AFFINE = {"weight": 1.0, "bias": 0.0}
"""The scale and shift of a batch norm that has no such parameters."""


def write_fused(
    fusion: Fusion, bound: BoundPlan, arrays: Mapping[str, Array], fused: BoundPlan, out: Mapping[str, Array]
) -> None:
    """Write the parameters and buffers of a fused network.

    Arrays that batch norm changes are computed in float64 and rounded once; all others are copied.

    Parameters
    ----------
    fusion : Fusion
        The original nodes of each node of the fused network.
    bound : BoundPlan
        The original network.
    arrays : mapping of str to array
        Its parameters and buffers by ``node.name``.
    fused : BoundPlan
        The fused network.
    out : mapping of str to array
        Its parameters and buffers by ``node.name``; overwritten.
    """
    for node in fused.nodes:
        own, *norms = fusion.origins[node.name]
        new = {name: out[f"{node.name}.{name}"] for name in (*node.parameters, *node.buffers)}
        old = {name: arrays[f"{own}.{name}"] for name in new if f"{own}.{name}" in arrays}
        if not norms:
            for name, array in new.items():
                np.copyto(array, old[name])
            continue
        factor, bias = np.ones(()), old.get("bias", np.zeros(()))
        for norm in norms:
            more, shift = factor_and_shift(bound.by_name[norm], arrays)
            factor, bias = factor * more, bias * more + shift
        np.multiply(
            old["weight"], for_weight(node.layer, old["weight"], factor), out=new["weight"], casting="same_kind"
        )
        np.copyto(new["bias"], bias, casting="same_kind")


def factor_and_shift(norm: BoundNode, arrays: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return the factor and the shift that a batch norm applies to each channel at inference: (C,) each, float64.

    These are ``weight / sqrt(running_var + eps)`` and ``bias - running_mean * factor``.

    Parameters
    ----------
    norm : BoundNode
    arrays : mapping of str to array
        Parameters and running statistics by ``node.name``.

    Source: Ioffe, Szegedy, arXiv:1502.03167, algorithm 2, line 11.

    Examples
    --------
    >>> import planner
    >>> net = planner.Network(name="t", input={"x": ("N", 1)},
    ...                       layers=[planner.layer("batchnorm", name="n", eps=0.5, affine=False)])
    >>> arrays = {"n.running_mean": np.array([3.0]), "n.running_var": np.array([3.5])}
    >>> [each.tolist() for each in factor_and_shift(net.check().bind(N=1).by_name["n"], arrays)]
    [[0.5], [-1.5]]
    """
    assert isinstance(norm.layer, BatchNorm)
    weight, bias = (np.asarray(arrays.get(f"{norm.name}.{name}", usual), np.float64) for name, usual in AFFINE.items())
    mean, variance = (arrays[f"{norm.name}.running_{name}"].astype(np.float64) for name in ("mean", "var"))
    factor = weight / np.sqrt(variance + norm.layer.eps)
    return factor, bias - mean * factor


def for_weight(layer: Layer, weight: Array, values: Array) -> Array:
    """Reshape one value per filter so that it multiplies the filters in the weight of a layer.

    Parameters
    ----------
    layer : Conv, ConvTranspose or Dense
        A bound layer.
    weight : array
        (filters, ...), and for a transposed convolution (C, filters / groups, ...).
    values : array, (filters,)

    Examples
    --------
    >>> from planner.layers import Conv
    >>> for_weight(Conv(filters=6, kernel=5), np.empty((6, 3, 5, 5)), np.arange(6)).shape
    (6, 1, 1, 1)
    >>> grouped = ConvTranspose(filters=4, kernel=1, groups=2)
    >>> for_weight(grouped, np.empty((6, 2, 1, 1)), np.arange(4))[:, :, 0, 0].tolist()
    [[0, 1], [0, 1], [0, 1], [2, 3], [2, 3], [2, 3]]
    """
    if isinstance(layer, ConvTranspose):  # each input channel has the filters of its group
        groups = int(layer.groups)
        values = values.reshape(groups, -1).repeat(len(weight) // groups, axis=0)
    return values.reshape(*values.shape, *[1] * (weight.ndim - values.ndim))
