"""Initial values of parameters: He's normal distribution, scaled for the activation that follows."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.lowering.node import BoundNode
from planner.plan.plan import BoundPlan

_BLOCK = 1 << 16


def fill(bound: BoundPlan, parameters: Mapping[str, NDArray[Any]], rng: np.random.Generator) -> None:
    """Write initial values into the parameters of a plan, in the order of its nodes.

    A weight with fan-in f is drawn from the normal distribution with mean 0 and standard deviation
    ``gain/sqrt(f)``. Every other array is constant (biases 0, scales of normalisations 1). The numbers are drawn
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
    by_node = gains(bound)
    for node in bound.nodes:
        for parameter in node.parameters.values():
            array = parameters[f"{node.name}.{parameter.name}"]
            if not parameter.fan_in:
                array.fill(parameter.initial)
                continue
            scale = by_node[node.name] / sqrt(parameter.fan_in)
            flat = array.reshape(-1)
            for start in range(0, flat.size, _BLOCK):  # in blocks, to avoid a float64 copy of a large layer
                part = flat[start : start + _BLOCK]
                np.multiply(rng.standard_normal(part.size), scale, out=part, casting="same_kind")


def gains(bound: BoundPlan) -> Mapping[str, float]:
    """Return, by node, the gain that preserves the variance through a layer and the activation that follows.

    Each activation defines its gain in :meth:`planner.layers.Layer.weight_gain`: sqrt(2) for ReLU and its smooth
    relatives, ``sqrt(2/(1 + slope**2))`` for leaky ReLU and PReLU, 5/3 for tanh. The activation may also follow after
    normalisation, pooling, merges, flatten and dropout. If several layers read the output, the first one decides.
    Without an activation the gain is 1.

    Source: table of torch.nn.init.calculate_gain; He et al., arXiv:1502.01852, equations 10 and 15.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 1, 8, 8)},
    ...               layers=[layer("conv", filters=2, kernel=3), layer("maxpool", size=2), layer("tanh")])
    >>> {name: round(factor, 4) for name, factor in gains(net.check().bind(N=1)).items()}
    {'tanh1': 1.0, 'maxpool1': 1.6667, 'conv1': 1.6667, 'x': 1.0}
    """
    first_reader: dict[str, BoundNode] = {}
    for node in bound.nodes:
        for source in node.inputs:
            first_reader.setdefault(source, node)
    found: dict[str, float] = {}
    for node in reversed(bound.nodes):  # in reverse, so that the gains of all readers are already known
        reader = first_reader.get(node.name)
        found[node.name] = 1.0 if reader is None else _gain_before(reader, found)
    return found


def gain(bound: BoundPlan, node: BoundNode) -> float:
    """Return the gain of one node; see :func:`gains`.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("dense", units=2), layer("relu")])
    >>> bound = net.check().bind(N=1)
    >>> round(gain(bound, bound.nodes[1]), 4)
    1.4142
    """
    return gains(bound)[node.name]


def _gain_before(reader: BoundNode, found: Mapping[str, float]) -> float:
    """Return the gain for the input of a node, given the gains for its output and those of later nodes."""
    own = reader.layer.weight_gain()
    return found[reader.name] if own is None else own
