"""Fusion for inference: fold batch norm into the preceding layer and remove layers that only training needs.

At inference, batch norm is one factor and one shift per channel. Both can be folded into the layer that computes the
channel. This module rewrites the graph; :mod:`runtime.fusion` computes the folded weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from planner.layers import BatchNorm, Conv, ConvTranspose, Dense, Layer
from planner.mappings import FrozenMapping
from planner.network.network import Network
from planner.network.node import Node
from planner.symbols import Shape


@dataclass(frozen=True)
class Fusion:
    """A network for inference, and the nodes of the original network that each of its nodes comes from.

    Attributes
    ----------
    network : Network
        The original network itself if there is nothing to fuse.
    origins : Mapping of str to tuple of str
        By node of `network`: the original node, followed by the batch norms that are folded into it, in order.
    """

    network: Network
    origins: Mapping[str, tuple[str, ...]]


def fuse(network: Network) -> Network:
    """Return a network with fewer layers that computes the same at inference.

    Batch norm is folded into the convolution, transposed convolution or dense layer that it reads, if no other layer
    reads that layer. The layer then has a bias. Layers that draw random numbers during training, such as dropout, are
    removed. Layers that are used several times (`use`) do not change. A layer is also kept if another layer reads it
    by a name that no remaining layer can take over. Inputs, names of outputs and the `train:` section stay the same:
    training of a fused network can continue, without the removed layers.

    Parameters
    ----------
    network : Network

    Returns
    -------
    Network
        The given network itself if there is nothing to fuse.

    References
    ----------
    torch.nn.utils.fusion.fuse_conv_bn_eval, which fuses one pair of modules.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"x": ("N", 3, 8, 8)}, layers=[
    ...     layer("conv", name="c1", filters=2, kernel=3, bias=False, norm="batch"), layer("gap")])
    >>> fuse(net)
    <Network n: 2 layers, x N x 3 x 8 x 8 -> gap1>
    """
    return plan_fusion(network).network


def plan_fusion(network: Network) -> Fusion:
    """Return the fused network, with the original nodes that each of its nodes comes from.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"image": ("N", 3, "H", "W")}, layers=[
    ...     layer("conv", name="c1", filters=8, kernel=3, bias=False, norm="batch", act="relu"), layer("dropout")])
    >>> dict(plan_fusion(net).origins)
    {'image': ('image',), 'c1': ('c1', 'c1.norm'), 'c1.act': ('c1.act',)}
    >>> plan_fusion(net).network.by_name["c1"].layer.bias
    True
    """
    plain = _without(network, _identities(network))
    hosts = _hosts(plain)
    layers = {host: _with_bias(plain.by_name[host].layer) for host in hosts.values()}
    names = _names(plain, hosts)
    origins = {node.name: [node.name] for node in plain.nodes if node.name not in hosts}
    for norm, host in hosts.items():
        origins[host].append(norm)
    by_new_name = {names.get(name, name): tuple(was) for name, was in origins.items()}
    return Fusion(_without(plain, hosts, layers, names), FrozenMapping(by_new_name))


def _identities(network: Network) -> dict[str, str]:
    """Return the layers that are an identity at inference and can be removed, each with the node it reads."""
    found: dict[str, str] = {}
    shared, outputs, expected = _shared(network), frozenset(network.outputs.values()), _expected(network)
    for node in network.nodes:
        kept = node.layer is None or not node.layer.random or node.name in shared
        if kept or any(_following(network, node, role) for role in ("norm", "act")):
            continue
        source = found.get(node.inputs[0], node.inputs[0])
        alone = source in network.inputs and node.name in outputs  # the network must keep a layer
        if not alone and expected.get(node.name) in (None, expected.get(source)):  # an input, for example, has none
            found[node.name] = source
    return found


def _hosts(network: Network) -> dict[str, str]:
    """Return the batch norms that can be folded into another layer, each with that layer; in execution order."""
    found: dict[str, str] = {}
    shared, expected = _shared(network), _expected(network)
    reads = Counter(name for node in network.nodes for name in set(node.inputs))
    reads.update(set(network.outputs.values()))
    for node in network.nodes:
        if not isinstance(node.layer, BatchNorm) or reads[node.inputs[0]] > 1:
            continue
        host = network.by_name[found.get(node.inputs[0], node.inputs[0])]
        fits = isinstance(host.layer, Conv | ConvTranspose | Dense) and shared.isdisjoint((host.name, node.name))
        if fits and _nameless(network, node, reads) and _takes_over(expected, host.name, node.name):
            found[node.name] = host.name
    return found


def _nameless(network: Network, node: Node, reads: Mapping[str, int]) -> bool:
    """Return whether a batch norm can be removed without losing a name that another layer reads.

    The name of a layer refers to the last of its `norm` and `act` layers. So a layer that reads a batch norm with an
    activation after it reads `c1.norm`, and only a normalisation can have that name.
    """
    if node.role:
        return _following(network, node, "act") is None or reads[node.name] == 1
    return _following(network, node, "norm") is None


def _names(network: Network, norms: Iterable[str]) -> dict[str, str]:
    """Return new names of activations: the activation of a separate batch norm layer gets the name of that layer."""
    nodes = (network.by_name[norm] for norm in norms)
    acts = ((_following(network, node, "act"), node) for node in nodes if not node.role)
    return {act.name: node.name for act, node in acts if act is not None}


def _without(
    network: Network,
    removed: Mapping[str, str],
    layers: Mapping[str, Layer] | None = None,
    names: Mapping[str, str] | None = None,
) -> Network:
    """Return a network with nodes removed, each replaced by another one, and with the given layers and names."""
    if not removed:
        return network
    layers, names = layers or {}, names or {}

    def renamed(name: str) -> str:
        name = removed.get(name, name)
        return names.get(name, name)

    nodes = tuple(
        replace(
            node,
            name=renamed(node.name),
            layer=layers.get(node.name, node.layer),
            inputs=tuple(map(renamed, node.inputs)),
            role="" if node.name in names else node.role,
        )
        for node in network.nodes
        if node.name not in removed
    )
    expectations = dict.fromkeys(replace(each, node=renamed(each.node)) for each in network.expectations)
    return network.altered(
        nodes=nodes,
        outputs={public: renamed(name) for public, name in network.outputs.items()},
        expectations=tuple(expectations),
    )


def _with_bias(layer: Layer | None) -> Layer:
    assert isinstance(layer, Conv | ConvTranspose | Dense)
    return replace(layer, bias=True)


def _following(network: Network, node: Node, role: str) -> Node | None:
    """Return the other normalisation or activation that the keys of a layer add after it, read or not; None if none."""
    owner = node.name.removesuffix(f".{node.role}") if node.role else node.name
    found = network.by_name.get(f"{owner}.{role}")
    return found if found is not None and found.role == role and found is not node else None


def _shared(network: Network) -> frozenset[str]:
    """Return the nodes that share their arrays with other nodes (`use`)."""
    pairs = [(node.name, node.owner) for node in network.nodes if node.owner]
    return frozenset(name for pair in pairs for name in pair)


def _expected(network: Network) -> dict[str, Shape]:
    return {each.node: each.shape for each in network.expectations}


def _takes_over(expected: dict[str, Shape], source: str, name: str) -> bool:
    """Return whether the shape asserted for a node can move to the node that replaces it; if so, move it."""
    return name not in expected or expected.setdefault(source, expected[name]) == expected[name]
