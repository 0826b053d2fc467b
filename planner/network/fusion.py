"""A network for inference: batch norm folded into the preceding layer, without what only training needs.

At inference batch norm is one factor and one shift a channel, and both can be part of the layer that makes the channel.
This module rewrites the graph; the weights are computed in :mod:`runtime.fusion`.
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
    """A network for inference, and what of the network it was made of is in each of its nodes.

    Attributes
    ----------
    network : Network
        The very same network where there is nothing to fuse.
    origins : Mapping of str to tuple of str
        By node of `network`: the node it was, followed by the batch norms folded into it, in order.
    """

    network: Network
    origins: Mapping[str, tuple[str, ...]]


def fuse(network: Network) -> Network:
    """Return the network that computes at inference what a network does, with fewer layers.

    Batch norm becomes part of the convolution, transposed convolution or dense layer that it reads, if nothing else
    reads that layer; the layer then has a bias. Layers that draw random numbers while training, such as dropout, are
    left out. Layers that are used several times (`use`) stay as they are, and so does a layer with a name that another
    layer reads and that no other layer can take over. Inputs, names of outputs and the `train:` section stay the same:
    a fused network can be trained on, without what was left out.

    Parameters
    ----------
    network : Network

    Returns
    -------
    Network
        The very same one if there is nothing to fuse.

    References
    ----------
    torch.nn.utils.fusion.fuse_conv_bn_eval, which does it module by module.

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
    """Return the fused network, with what of the network each of its nodes is made of.

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
    """Return the layers that do nothing at inference and can be removed, each with the node it repeats."""
    found: dict[str, str] = {}
    shared, outputs, expected = _shared(network), frozenset(network.outputs.values()), _expected(network)
    for node in network.nodes:
        stays = node.layer is None or not node.layer.random or node.name in shared
        if stays or any(_norm_act(network, node, role) for role in ("norm", "act")):
            continue
        source = found.get(node.inputs[0], node.inputs[0])
        alone = source in network.inputs and node.name in outputs  # else a network might have no layers left
        if not alone and expected.get(node.name) in (None, expected.get(source)):  # an input, for one, asserts nothing
            found[node.name] = source
    return found


def _hosts(network: Network) -> dict[str, str]:
    """Return the batch norms that may be part of another layer, each with that layer; in execution order."""
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
    """Return whether a batch norm can be removed without removing a name that another layer reads.

    The name of a layer means the last node it stands for. A batch norm that is followed by an activation is read as
    `c1.norm`, and only a normalisation can have that name.
    """
    if node.role:
        return _norm_act(network, node, "act") is None or reads[node.name] == 1
    return _norm_act(network, node, "norm") is None


def _names(network: Network, norms: Iterable[str]) -> dict[str, str]:
    """Return new names of activations: each that follows a separate batch norm gets its name."""
    nodes = (network.by_name[norm] for norm in norms)
    acts = ((_norm_act(network, node, "act"), node) for node in nodes if not node.role)
    return {act.name: node.name for act, node in acts if act is not None}


def _without(
    network: Network,
    gone: Mapping[str, str],
    layers: Mapping[str, Layer] | None = None,
    names: Mapping[str, str] | None = None,
) -> Network:
    """Return a network without some nodes, each replaced by another one, with other layers and names if given."""
    if not gone:
        return network
    layers, names = layers or {}, names or {}

    def now(name: str) -> str:
        name = gone.get(name, name)
        return names.get(name, name)

    nodes = tuple(
        replace(
            node,
            name=now(node.name),
            layer=layers.get(node.name, node.layer),
            inputs=tuple(map(now, node.inputs)),
            role="" if node.name in names else node.role,
        )
        for node in network.nodes
        if node.name not in gone
    )
    expectations = dict.fromkeys(replace(each, node=now(each.node)) for each in network.expectations)
    return network.altered(
        nodes=nodes,
        outputs={public: now(name) for public, name in network.outputs.items()},
        expectations=tuple(expectations),
    )


def _with_bias(layer: Layer | None) -> Layer:
    assert isinstance(layer, Conv | ConvTranspose | Dense)
    return replace(layer, bias=True)


def _norm_act(network: Network, node: Node, role: str) -> Node | None:
    """Return the normalisation or activation that the keys of a layer stand for, if there is one."""
    owner = node.name.removesuffix(f".{node.role}") if node.role else node.name
    found = network.by_name.get(f"{owner}.{role}")
    return found if found is not None and found.role == role and found is not node else None


def _shared(network: Network) -> frozenset[str]:
    """Return the nodes that share their arrays with other nodes."""
    pairs = [(node.name, node.owner) for node in network.nodes if node.owner]
    return frozenset(name for pair in pairs for name in pair)


def _expected(network: Network) -> dict[str, Shape]:
    return {each.node: each.shape for each in network.expectations}


def _takes_over(expected: dict[str, Shape], source: str, name: str) -> bool:
    """Return whether what is asserted of a node can be asserted of its replacement, and record it."""
    return name not in expected or expected.setdefault(source, expected[name]) == expected[name]
