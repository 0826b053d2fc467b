"""What is done at each node of a bound plan, where that is something else than the node's layer says.

The numbers that come out are the same. A max pooling commutes with what confines numbers to an interval, so that the
pooling does it, on the fewer numbers that are left; and a max pooling whose input nobody else keeps for the backward
pass remembers where its maxima were, and keeps it neither. Names, shapes and the order of the nodes stay: reports of
what a network is read the nodes as they are, memory and the runtime what is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import planner.symbols as sy
from planner.layers.base import Layer
from planner.layers.merge import Concat
from planner.layers.pool import MaxPool
from planner.layers.source import Input
from planner.layers.spatial import along, rank
from planner.lowering.argmaxpool import MOST_TAPS, ArgmaxPool, Deferred
from planner.symbols import Shape

if TYPE_CHECKING:
    from planner.lowering.node import BoundNode


class Wired(Protocol):
    """A node of a plan, symbolic or bound."""

    @property
    def name(self) -> str: ...
    @property
    def layer(self) -> Layer: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def input_shapes(self) -> tuple[Shape, ...]: ...


def lower(nodes: Sequence[BoundNode], outputs: Iterable[str]) -> tuple[BoundNode, ...]:
    """Return the nodes with what is done at each as its layer.

    Parameters
    ----------
    nodes : sequence of BoundNode
        In execution order.
    outputs : iterable of str
        The nodes whose values are public.

    Examples
    --------
    >>> from planner import Network, layer
    >>> layers = [layer("conv", name="c", filters=4, kernel=3, act="relu"), layer("maxpool", name="p", size=2)]
    >>> bound = Network(name="t", input={"x": ("N", 3, 8, 8)}, layers=layers).check().bind(N=1)
    >>> [(node.name, node.layer.kind) for node in lower(bound.nodes, bound.outputs.values())]
    [('x', 'input'), ('c', 'conv'), ('c.act', 'deferred'), ('p', 'argmaxpool')]
    """
    by_name = {node.name: node for node in nodes}
    readers = _readers(nodes)
    moved = deferred(nodes, outputs)
    done: dict[str, Layer] = dict.fromkeys(moved, Deferred())
    for node in nodes:
        if not isinstance(node.layer, MaxPool) or not _numbered(node):
            continue
        (source,) = node.inputs
        if source in moved:
            done[node.name] = ArgmaxPool.of(node.layer, by_name[source].layer.clips)
        elif not _kept(source, node.name, by_name, readers):
            done[node.name] = ArgmaxPool.of(node.layer)
    return tuple(replace(node, layer=done[node.name]) if node.name in done else node for node in nodes)


def deferred(nodes: Sequence[Wired], outputs: Iterable[str]) -> dict[str, str]:
    """Return the activations that a max pooling does, by name, and which.

    The pooling is the only layer that reads the activation, and the caller does not. That a window sees nothing but
    padding, -inf, which the activation would never give, every plan rules out.

    Examples
    --------
    >>> from planner import Network, layer
    >>> layers = [layer("relu", name="r"), layer("maxpool", name="p", size=2)]
    >>> plan = Network(name="t", input={"x": ("N", 3, "H", "W")}, layers=layers).check()
    >>> deferred(plan.nodes, plan.outputs.values())
    {'r': 'p'}
    """
    readers, public = _readers(nodes), set(outputs)
    found = {}
    for node in nodes:
        if node.layer.clips is None or node.name in public or len(readers[node.name]) != 1:
            continue
        (reader,) = readers[node.name]
        if _numbered(reader):
            found[node.name] = reader.name
    return found


def _readers(nodes: Sequence[Wired]) -> Mapping[str, list[Wired]]:
    """Return which nodes read each node's numbers, one as often as it does."""
    found: dict[str, list[Wired]] = {node.name: [] for node in nodes}
    for node in nodes:
        for slot, name in enumerate(node.inputs):
            if slot not in node.layer.shape_only:
                found[name].append(node)
    return found


def _numbered(node: Wired) -> bool:
    """Tell whether a node is a max pooling the taps of whose windows have numbers of one byte."""
    if type(node.layer) is not MaxPool:
        return False
    taps = sy.constant(sy.product(along(node.layer.window_size(), rank(node.input_shapes[0]))))
    return taps is not None and taps <= MOST_TAPS


def _kept(name: str, reader: str, by_name: Mapping[str, BoundNode], readers: Mapping[str, list[Wired]]) -> bool:
    """Tell whether a value is kept for the backward pass without that reader; the network's inputs count as kept."""
    node = by_name[name]
    if isinstance(node.layer, Input) or "output" in node.layer.keeps:
        return True
    if any("input" in other.layer.keeps for other in readers[name] if other.name != reader):
        return True
    same_memory = node.layer.alias or isinstance(node.layer, Concat)
    return same_memory and any(_kept(source, node.name, by_name, readers) for source in node.inputs)
