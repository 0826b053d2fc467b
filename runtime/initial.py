"""Where parameters start: He's normal distribution, scaled by the activation that follows."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.bound import BoundNode, BoundPlan
from planner.layers import LeakyRelu

_RELU_LIKE = frozenset({"relu", "relu6", "elu", "silu", "gelu"})
_TRANSPARENT = frozenset({"norm", "pool", "merge", "reshape"})
_BLOCK = 1 << 16


def fill(bound: BoundPlan, parameters: Mapping[str, NDArray[Any]], rng: np.random.Generator) -> None:
    """Write starting values into the parameters of a plan, in the order of its nodes.

    A weight with fan-in f is drawn from the normal distribution of mean 0 and standard deviation
    ``gain/sqrt(f)``; every other array is constant (biases 0, scales of normalisations 1). The numbers are drawn
    in float64, so that a seed gives the same network in both dtypes.

    Parameters
    ----------
    bound : BoundPlan
    parameters : mapping
        Arrays by ``node.name``, contiguous.
    rng : numpy.random.Generator

    Source: He et al., arXiv:1502.01852, section 2.2.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 400)}, layers=[layer("dense", name="d", units=300, act="relu")])
    >>> bound = net.check().bind(N=1)
    >>> arrays = {"d.weight": np.empty((300, 400)), "d.bias": np.empty(300)}
    >>> fill(bound, arrays, np.random.default_rng(0))
    >>> bool(abs(arrays["d.weight"].std() / np.sqrt(2 / 400) - 1) < 0.01), float(arrays["d.bias"].max())
    (True, 0.0)
    """
    for node in bound.nodes:
        for parameter in node.parameters:
            array = parameters[f"{node.name}.{parameter.name}"]
            if not parameter.fan_in:
                array.fill(parameter.initial)
                continue
            scale = gain(bound, node) / sqrt(parameter.fan_in)
            flat = array.reshape(-1)
            for start in range(0, flat.size, _BLOCK):  # a large layer is drawn without a float64 copy of it
                part = flat[start : start + _BLOCK]
                np.multiply(rng.standard_normal(part.size), scale, out=part, casting="same_kind")


def gain(bound: BoundPlan, node: BoundNode) -> float:
    """Return the factor that keeps the variance through a layer and the activation behind it.

    sqrt(2) for ReLU and its smooth relatives, ``sqrt(2/(1 + slope**2))`` for leaky ReLU, 5/3 for tanh, 1 otherwise.
    The activation is looked for behind normalisation, pooling, merges, flatten and dropout too; where several
    layers read the output, the first decides.

    Source: table of torch.nn.init.calculate_gain; He et al., arXiv:1502.01852, equations 10 and 15.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 1, 8, 8)},
    ...               layers=[layer("conv", filters=2, kernel=3), layer("maxpool", size=2), layer("tanh")])
    >>> bound = net.check().bind(N=1)
    >>> round(gain(bound, bound.nodes[1]), 4)
    1.6667
    """
    for later in _followers(bound, node.name):
        if later.kind in _RELU_LIKE:
            return sqrt(2.0)
        if isinstance(later.layer, LeakyRelu):
            return sqrt(2.0 / (1.0 + later.layer.slope**2))
        if later.kind == "tanh":
            return 5.0 / 3.0
        if later.kind != "dropout" and later.layer.category not in _TRANSPARENT:
            break
    return 1.0


def _followers(bound: BoundPlan, name: str) -> list[BoundNode]:
    found: list[BoundNode] = []
    for node in bound.nodes:  # in execution order, so that one pass follows the chain of first readers
        if name in node.inputs:
            found.append(node)
            name = node.name
    return found
