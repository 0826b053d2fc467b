"""Small networks of bound nodes for tests of memory, planned and judged in both modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from planner.layers import Conv, MaxPool
from planner.layers.base import Layer, by_name
from planner.lowering.node import BoundNode
from planner.memory import Arena, arrange, timeline
from tests.harness.memory_judge import Simulation, assert_no_overlap

SHAPE = (2, 3, 8, 8)
BYTES = 2 * 3 * 8 * 8 * 4


def node(name: str, layer: Layer, *inputs: BoundNode) -> BoundNode:
    shapes = tuple(item.output_shape for item in inputs)
    flat = (SHAPE[0], SHAPE[1] * SHAPE[2] * SHAPE[3])
    wide = (SHAPE[0], sum(shape[1] for shape in shapes), *SHAPE[2:])
    output = {"flatten": flat, "concat": wide}.get(layer.kind, shapes[0] if shapes else SHAPE)
    layer = layer.bind({})
    parameters = by_name(layer.params(shapes) if layer.kind == "conv" else ())
    reads = tuple(item.name for item in inputs)
    return BoundNode(name, layer.kind, layer, reads, shapes, output, parameters, by_name(()), 0)


def same_conv(channels: int = 3) -> Conv:
    return Conv(filters=channels, kernel=3, pad=1)


def same_pool() -> MaxPool:
    return MaxPool(size=3, stride=1, pad=1)


def plan(nodes: Sequence[BoundNode], *outputs: str, training: bool = False, **options: bool) -> Arena:
    return arrange(timeline(nodes, {name: name for name in outputs}, 4, training=training, **options))


def place(arena: Arena, *key: Any) -> tuple[int, int, int]:
    block = arena.places[key if len(key) == 3 else (*key, 0)]
    return block.offset, block.first, block.last


def judge(nodes: Sequence[BoundNode], *outputs: str, **options: bool) -> tuple[Arena, Arena]:
    """Plan both modes, check them, and return them."""
    inference, training = plan(nodes, *outputs), plan(nodes, *outputs, training=True, **options)
    assert_no_overlap(inference)
    assert_no_overlap(training)
    for _ in range(2):
        Simulation(nodes, outputs, inference).forward(training=False)
        Simulation(nodes, outputs, training).step()
    return inference, training
