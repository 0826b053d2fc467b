"""Segments: consecutive layers that work channel by channel, which threads execute in parallel.

A shard takes a part of the channels through all layers of a segment without synchronisation. The memory plan therefore
treats a segment as one step: no memory of one of its layers is reused by another one. To avoid extra memory, all layers
but one work in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

from planner.layers.tiling.shards import SHARD_ELEMENTS, in_lines, shards_for, shares
from planner.lowering.node import BoundNode


@dataclass(frozen=True)
class Segment:
    """Layers in execution order; a single one if its channels depend on each other.

    Attributes
    ----------
    first : int
        Position of its first node.
    nodes : tuple of BoundNode
    """

    first: int
    nodes: tuple[BoundNode, ...]

    @property
    def last(self) -> int:
        """Position of its last node."""
        return self.first + len(self.nodes) - 1

    @cached_property
    def shards(self) -> list[tuple[int, int]]:
        """Ranges of channels that are processed in parallel; a single one if the segment is not split."""
        channels = int(self.nodes[0].output_shape[1]) if len(self.nodes[0].output_shape) > 1 else 1
        if not _by_channel(self.nodes[0]):
            return [(0, channels)]
        elements = sum(max(map(prod, (*node.input_shapes, node.output_shape))) for node in self.nodes)
        return shares(channels, shards_for(elements, SHARD_ELEMENTS))

    def parts(self, node: BoundNode) -> list[BoundNode]:
        """Return one of the nodes for each shard: the node itself, or one with shapes cut to the shard's channels.

        Inputs of which only the shape is read stay whole.
        """
        if len(self.shards) == 1:
            return [node]
        return [
            replace(
                node,
                input_shapes=tuple(
                    shape if slot in node.layer.shape_only else _cut(shape, last - first)
                    for slot, shape in enumerate(node.input_shapes)
                ),
                output_shape=_cut(node.output_shape, last - first),
            )
            for first, last in self.shards
        ]

    def workspace(self, node: BoundNode, training: bool) -> list[int]:
        """Return the workspace of the forward pass of one of the nodes, in elements for each shard."""
        return _in_shards(
            [part.layer.workspace(part.input_shapes, part.output_shape, training) for part in self.parts(node)]
        )

    def backward_workspace(self, node: BoundNode) -> list[int]:
        """Return the workspace of the backward pass of one of the nodes, in elements for each shard."""
        return _in_shards(
            [part.layer.backward_workspace(part.input_shapes, part.output_shape) for part in self.parts(node)]
        )


def segments(nodes: Sequence[BoundNode]) -> Iterator[Segment]:
    """Yield the segments of a plan's nodes; every node is in one of them.

    Examples
    --------
    >>> from planner import Network, layer
    >>> layers = [layer("conv", name="c", filters=4, kernel=3, norm="batch", act="relu"), layer("maxpool", size=2)]
    >>> bound = Network(name="t", input={"x": ("N", 3, 8, 8)}, layers=layers).check().bind(N=1)
    >>> [[node.kind for node in segment.nodes] for segment in segments(bound.nodes)]
    [['input'], ['conv'], ['batchnorm', 'relu', 'maxpool']]
    """
    first = 0
    found: list[BoundNode] = []
    for position, node in enumerate(nodes):
        if found and not _joins(node, found):
            yield Segment(first, tuple(found))
            first, found = position, []
        found.append(node)
    if found:
        yield Segment(first, tuple(found))


def _joins(node: BoundNode, found: Sequence[BoundNode]) -> bool:
    """Return whether a node continues the segment of the nodes before it."""
    several = [*found, node]
    alike = all(_by_channel(each) and each.output_shape[1] == node.output_shape[1] for each in several)
    return alike and sum(not each.layer.in_place for each in several) <= 1


def _by_channel(node: BoundNode) -> bool:
    """Return whether a node's channels are computed separately, which excludes a channel broadcast to all others."""
    read = (shape for slot, shape in enumerate(node.input_shapes) if slot not in node.layer.shape_only)
    return node.layer.by_channel and all(shape[1] == node.output_shape[1] for shape in read)


def _in_shards(counts: list[int]) -> list[int]:
    """Return the workspace of each shard; several shards get whole cache lines."""
    return counts if len(counts) == 1 else [in_lines(count) for count in counts]


def _cut(shape: tuple[int, ...], channels: int) -> tuple[int, ...]:
    return (shape[0], channels, *shape[2:])
