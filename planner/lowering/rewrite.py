"""Lowering: replace the layers of a bound plan by equivalent ones that need less work or memory.

Results do not change. A max pooling commutes with clipping to an interval, so that an activation that clips is fused
into the pooling, which clips fewer numbers. A max pooling saves its argmax instead of its input, unless the input is
kept for the backward pass of another layer. Names, shapes and the order of the nodes stay the same: reports on
a network read the original nodes; the memory plan and the runtime use the lowered ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import planner.symbols as sy
from planner.layers.base import Layer
from planner.layers.merge import Concat
from planner.layers.pool import MaxPool
from planner.layers.source import Input
from planner.layers.spatial import along, rank
from planner.lowering.argmaxpool import MOST_TAPS, ArgmaxPool, Deferred
from planner.lowering.node import BoundNode
from planner.symbols import Shape


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
    """Return the nodes with their lowered layers.

    Parameters
    ----------
    nodes : sequence of BoundNode
        In execution order.
    outputs : iterable of str
        The nodes with public values.

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
        if not isinstance(node.layer, MaxPool) or not _indexable(node):
            continue
        (source,) = node.inputs
        if source in moved:
            done[node.name] = ArgmaxPool.of(node.layer, by_name[source].layer.clips)
        elif not _kept(source, node.name, by_name, readers):
            done[node.name] = ArgmaxPool.of(node.layer)
    return tuple(replace(node, layer=done[node.name]) if node.name in done else node for node in nodes)


def deferred(nodes: Sequence[Wired], outputs: Iterable[str]) -> dict[str, str]:
    """Return the activations fused into a max pooling, as a mapping from activation to pooling.

    The pooling must be the only reader of the activation, which must not be an output. A window of only padding would
    give -inf, which the activation never does; every plan excludes such windows.

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
        if _indexable(reader):
            found[node.name] = reader.name
    return found


def _readers(nodes: Sequence[Wired]) -> Mapping[str, list[Wired]]:
    """Return the nodes that read each node's value, once per read."""
    found: dict[str, list[Wired]] = {node.name: [] for node in nodes}
    for node in nodes:
        for slot, name in enumerate(node.inputs):
            if slot not in node.layer.shape_only:
                found[name].append(node)
    return found


def _indexable(node: Wired) -> bool:
    """Return whether a node is a max pooling with taps that one byte can index."""
    if type(node.layer) is not MaxPool:
        return False
    taps = sy.constant(sy.product(along(node.layer.window_size(), rank(node.input_shapes[0]))))
    return taps is not None and taps <= MOST_TAPS


def _kept(name: str, reader: str, by_name: Mapping[str, BoundNode], readers: Mapping[str, list[Wired]]) -> bool:
    """Return whether a value is kept for the backward pass even without `reader`; network inputs count as kept."""
    node = by_name[name]
    if isinstance(node.layer, Input) or "output" in node.layer.keeps:
        return True
    if any("input" in other.layer.keeps for other in readers[name] if other.name != reader):
        return True
    same_memory = node.layer.alias or isinstance(node.layer, Concat)
    return same_memory and any(_kept(source, node.name, by_name, readers) for source in node.inputs)
