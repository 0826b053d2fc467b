"""The slow judge of memory plans: pairwise overlap, and a run on tokens; shares no code with the planner."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from planner.bound import BoundNode
from planner.memory import Arena


def assert_no_overlap(arena: Arena) -> None:
    """Compare every pair of blocks, byte range against byte range, step against step."""
    for block in arena.blocks:
        assert block.offset % 64 == 0 and block.bytes % 64 == 0
        assert block.offset >= 0 and block.offset + block.bytes <= arena.bytes
        assert 0 <= block.first <= block.last < arena.steps
    for one, other in combinations(arena.blocks, 2):
        together = one.first <= other.last and other.first <= one.last
        apart = one.offset + one.bytes <= other.offset or other.offset + other.bytes <= one.offset
        assert apart or not together, (one, other)
    busiest = max(sum(b.bytes for b in arena.blocks if b.first <= step <= b.last) for step in range(arena.steps))
    assert busiest == arena.lower_bound <= arena.bytes


class Simulation:
    """Runs a network on tokens instead of numbers: each 64-byte cell remembers what was last written into it.

    Reading anything but the token that was written for it means that somebody overwrote it too early.
    """

    def __init__(self, nodes: Sequence[BoundNode], outputs: Sequence[str], arena: Arena) -> None:
        self.nodes, self.outputs, self.arena = {n.name: n for n in nodes}, outputs, arena
        self.cells: list[object] = [None] * (arena.bytes // 64)

    def cells_of(self, key: Any, count: int) -> range:
        block = self.arena.places[key]
        assert block.bytes >= count
        return range(block.offset // 64, (block.offset + -(-count // 64) * 64) // 64)

    def write(self, key: Any, shape: Sequence[int], token: object) -> None:
        for cell in self.cells_of(key, _bytes(shape)):
            self.cells[cell] = token

    def read(self, key: Any, shape: Sequence[int], token: object) -> None:
        assert all(self.cells[cell] == token for cell in self.cells_of(key, _bytes(shape))), (key, token)

    def token(self, name: str) -> object:
        """An alias holds what its input holds."""
        n = self.nodes[name]
        return self.token(n.inputs[0]) if n.layer.alias else ("value", name)

    def scratch(self, n: BoundNode, training: bool, content: object) -> None:
        count = n.layer.workspace(n.input_shapes, n.output_shape, training)
        if count:
            self.write(("workspace", n.name, 0), (count,), content)

    def forward(self, training: bool) -> None:
        for n in self.nodes.values():
            if not n.inputs:
                self.write(("value", n.name, 0), n.output_shape, ("value", n.name))
        for n in self.nodes.values():
            if n.inputs:
                self.scratch(n, training, "rubbish")
                for name, shape in (n.layer.saved(n.input_shapes, n.output_shape) if training else {}).items():
                    self.write(("saved", n.name, name), shape, ("saved", n.name, name))
                for name in n.inputs:
                    self.read(("value", name, 0), self.nodes[name].output_shape, self.token(name))
                if not n.layer.alias:
                    self.write(("value", n.name, 0), n.output_shape, ("value", n.name))
                self.read(("value", n.name, 0), n.output_shape, self.token(n.name))
        for name in self.outputs:
            self.read(("value", name, 0), self.nodes[name].output_shape, self.token(name))

    def step(self) -> None:
        self.forward(training=True)
        self.write(("loss", "loss", 0), (1,), "rubbish")
        written: dict[str, object] = {}
        for name in self.outputs:
            self.write(("gradient", name, 0), self.nodes[name].output_shape, ("gradient", name))
        for name in self.outputs:
            self.read(("gradient", name, 0), self.nodes[name].output_shape, ("gradient", name))
            written[name] = ("gradient", name)
        for name in self.arena.backward:
            n = self.nodes[name]
            if n.inputs:
                self.backward(n, written)
        for n in self.nodes.values():
            if not n.inputs and n.name in self.arena.backward:
                self.read(("gradient", n.name, 0), n.output_shape, written[n.name])

    def backward(self, n: BoundNode, written: dict[str, object]) -> None:
        self.scratch(n, True, "rubbish")
        self.read(("gradient", n.name, 0), n.output_shape, written[n.name])
        for name, shape in n.layer.saved(n.input_shapes, n.output_shape).items():
            self.read(("saved", n.name, name), shape, ("saved", n.name, name))
        if "output" in n.layer.keeps:
            self.read(("value", n.name, 0), n.output_shape, self.token(n.name))
        if "input" in n.layer.keeps:
            for name in n.inputs:
                self.read(("value", name, 0), self.nodes[name].output_shape, self.token(name))
        parts = []
        for slot, name in enumerate(n.inputs):
            if name not in self.arena.backward:
                continue
            shape = self.nodes[name].output_shape
            key: Any = ("partial", n.name, slot) if name in written else ("gradient", name, 0)
            token = written[n.name] if n.layer.alias else (*key, n.name)
            if n.layer.alias:
                self.read(key, shape, token)
            else:
                self.write(key, shape, token)
            if name in written:
                parts.append((key, name, shape, token))
            else:
                written[name] = token
        for key, name, shape, token in parts:
            self.read(key, shape, token)
            self.read(("gradient", name, 0), shape, written[name])
            written[name] = (written[name], token)
            self.write(("gradient", name, 0), shape, written[name])


def _bytes(shape: Sequence[int]) -> int:
    count = 4
    for size in shape:
        count *= size
    return count
