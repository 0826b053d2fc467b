"""Positions of an output that see padding, computed exactly by propagating every position through all layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain

from planner.layers import Concat, ConvTranspose, Resize
from planner.layers.adaptive import share
from planner.layers.slicing import Cut
from planner.layers.spatial import is_map
from planner.layers.window import Window
from planner.lowering.node import BoundNode
from planner.plan.plan import BoundPlan

Touched = tuple[bool, ...]
"""For each position along one axis of a feature map, whether it sees any padding."""


def halos(bound: BoundPlan, node: str, axis: int) -> tuple[int, int]:
    """Return the number of positions at the beginning and at the end of a node's feature map that see padding.

    If every position sees padding, both numbers are the whole length. Axis 0 is the height, 1 the width.

    Examples
    --------
    >>> from planner import Network, layer
    >>> pads = [layer("conv", filters=1, kernel=3, pad=1, name=name) for name in "ab"]
    >>> net = Network(name="n", input={"x": (1, 1, 9, 9)}, layers=[*pads, layer("maxpool", size=2, name="p")])
    >>> halos(net.check().bind(), "b", 0), halos(net.check().bind(), "p", 0)
    ((2, 2), (1, 1))
    """
    maps: dict[str, Touched] = {}
    for each in bound.nodes:
        has_axis = is_map(each.output_shape) and axis < len(each.output_shape) - 2
        if not has_axis or any(name not in maps for name in each.inputs):
            continue
        maps[each.name] = _through(each, axis, [maps[name] for name in each.inputs])
        if each.name == node:
            break
    seen = maps[node]
    if all(seen):
        return len(seen), len(seen)
    return seen.index(False), seen[::-1].index(False)


def _through(node: BoundNode, axis: int, inputs: list[Touched]) -> Touched:
    """Return which positions of a layer's output see padding, given those of its inputs."""
    size = node.output_shape[2 + axis]
    if not inputs:
        return (False,) * size
    read = [seen for slot, seen in enumerate(inputs) if slot not in node.layer.shape_only]
    if len(node.output_shape) != len(node.input_shapes[0]):  # axes change, so any output may depend on any input
        return (any(map(any, read)),) * size
    if isinstance(node.layer, Concat):
        end_to_end = tuple(chain(*read))
        return end_to_end if len(end_to_end) == size else tuple(map(any, zip(*read, strict=True)))
    view = node.layer.fields_of_view(node.input_shapes)
    if isinstance(node.layer, ConvTranspose):
        return _spread(node.layer.windows(node.input_shapes[0])[axis], read[0], size)
    if view is None:
        return tuple(map(any, zip(*read, strict=True)))
    (seen, *_), field = read, view[axis]
    if isinstance(node.layer, Resize):
        step = node.layer.step(axis, len(seen), size)
        return tuple(any(seen[i] for i, _ in sources) for sources in node.layer.sources(len(seen), size, step))
    if field.relative and not isinstance(node.layer, Cut):
        windows = (share(position, len(seen), size) for position in range(size))
        return tuple(any(seen[first:last]) for first, last in windows)
    if field.extent is None:
        return (any(seen),) * size
    counts = (0, *accumulate(map(int, seen)))
    found = []
    for position in range(size):
        first = position // int(field.repeat) * int(field.stride) - int(field.before)
        last = first + int(field.extent)
        found.append(first < 0 or last > len(seen) or counts[last] > counts[first])
    return tuple(found)


def _spread(window: Window, seen: Sequence[bool], size: int) -> Touched:
    """Return which outputs of a transposed convolution see padding; inputs beyond the border count as padding."""
    stride, dilation, before = int(window.stride), int(window.dilation), int(window.before)
    found = []
    for position in range(size):
        places = (position + before - tap * dilation for tap in range(int(window.kernel)))
        read = [place // stride for place in places if place % stride == 0]
        found.append(any(not 0 <= place < len(seen) or seen[place] for place in read))
    return tuple(found)
