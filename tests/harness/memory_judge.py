"""The slow judge of memory plans: pairwise overlap, and a run on tokens; shares no code with the planner."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from planner.lowering.node import BoundNode
from planner.memory import Arena


def assert_no_overlap(arena: Arena) -> None:
    """Compare every pair of blocks, byte range against byte range, step against step."""
    for block in arena.blocks:
        assert block.offset % 64 == 0 and block.bytes % 64 == 0
        assert block.offset >= 0 and block.offset + block.bytes <= arena.bytes
        assert 0 <= block.first <= block.last < arena.steps
    for one, other in combinations(arena.blocks, 2):
        overlap = one.first <= other.last and other.first <= one.last
        apart = one.offset + one.bytes <= other.offset or other.offset + other.bytes <= one.offset
        assert apart or not overlap, (one, other)
    busiest = max(sum(b.bytes for b in arena.blocks if b.first <= step <= b.last) for step in range(arena.steps))
    assert busiest == arena.lower_bound <= arena.bytes


Content = list[object]
"""What a value holds: one token for each 64-byte cell, in the order of memory (channels first, the batch last)."""


class Simulation:
    """Runs a network on tokens instead of numbers: each 64-byte cell remembers what was last written into it.

    Reading anything but the tokens that were written for it means that somebody overwrote it too early. A channel
    must be a whole number of cells where networks concatenate.
    """

    def __init__(self, nodes: Sequence[BoundNode], outputs: Sequence[str], arena: Arena) -> None:
        self.nodes, self.outputs, self.arena = {n.name: n for n in nodes}, outputs, arena
        self.cells: Content = [None] * (arena.bytes // 64)
        self.sums = 0

    def cells_of(self, key: Any, count: int) -> slice:
        block, start = self.arena.places[key], self.arena.starts.get(key, 0)
        assert start >= 0 and start + count <= block.bytes and start % 64 == 0
        first = (block.offset + start) // 64
        return slice(first, first + -(-count // 64))

    def write(self, key: Any, shape: Sequence[int], content: Content) -> None:
        where = self.cells_of(key, _bytes(shape))
        assert len(content) == where.stop - where.start
        self.cells[where] = content

    def read(self, key: Any, shape: Sequence[int], content: Content) -> None:
        found = self.cells[self.cells_of(key, _bytes(shape))]
        assert found == content, (key, found, content)

    def value(self, name: str) -> Content:
        """An alias holds what its input holds, a concat what its inputs hold."""
        n = self.nodes[name]
        if n.layer.alias:
            return self.value(n.inputs[0])
        if n.kind == "concat":
            return [token for source in n.inputs for token in self.value(source)]
        return _fresh(("value", name), n.output_shape)

    def parts(self, n: BoundNode) -> list[slice]:
        """Return which cells of a concat's output each of its inputs is."""
        counts = [-(-_bytes(shape) // 64) for shape in n.input_shapes]
        return [slice(sum(counts[:slot]), sum(counts[: slot + 1])) for slot in range(len(counts))]

    def workspace(self, n: BoundNode, direction: str, count: int) -> None:
        if count:
            self.write(("workspace", n.name, direction), (count,), ["rubbish"] * -(-count // 16))

    def forward(self, training: bool) -> None:
        for n in self.nodes.values():
            if not n.inputs:
                self.write(("value", n.name, 0), n.output_shape, self.value(n.name))
        for n in self.nodes.values():
            if n.inputs:
                self.workspace(n, "forward", n.layer.workspace(n.input_shapes, n.output_shape, training))
                for name, shape in (n.layer.saved(n.input_shapes, n.output_shape) if training else {}).items():
                    self.write(("saved", n.name, name), shape, _fresh(("saved", n.name, name), shape))
                for name in n.inputs:
                    self.read(("value", name, 0), self.nodes[name].output_shape, self.value(name))
                self.compute(n)
                self.read(("value", n.name, 0), n.output_shape, self.value(n.name))
        for name in self.outputs:
            self.read(("value", name, 0), self.nodes[name].output_shape, self.value(name))

    def compute(self, n: BoundNode) -> None:
        key = ("value", n.name, 0)
        if n.kind == "concat":  # input by input, as the cells are at that moment
            output = self.cells_of(key, _bytes(n.output_shape)).start
            for part, name, shape in zip(self.parts(n), n.inputs, n.input_shapes, strict=True):
                source = self.cells[self.cells_of(("value", name, 0), _bytes(shape))]
                self.cells[output + part.start : output + part.stop] = source
        elif not n.layer.alias:
            self.write(key, n.output_shape, self.value(n.name))

    def step(self) -> None:
        self.forward(training=True)
        self.write(("loss", "loss", 0), (1,), ["rubbish"])
        written: dict[str, Content] = {}
        for name in self.outputs:
            shape = self.nodes[name].output_shape
            written[name] = _fresh(("gradient", name), shape)
            self.write(("gradient", name, 0), shape, written[name])
        for name in self.outputs:
            self.read(("gradient", name, 0), self.nodes[name].output_shape, written[name])
        for name in self.arena.backward:
            n = self.nodes[name]
            if n.inputs:
                self.backward(n, written)
        for n in self.nodes.values():
            if not n.inputs and n.name in self.arena.backward:
                self.read(("gradient", n.name, 0), n.output_shape, written[n.name])

    def backward(self, n: BoundNode, written: dict[str, Content]) -> None:
        self.workspace(n, "backward", n.layer.backward_workspace(n.input_shapes, n.output_shape))
        self.read(("gradient", n.name, 0), n.output_shape, written[n.name])
        for name, shape in n.layer.saved(n.input_shapes, n.output_shape).items():
            self.read(("saved", n.name, name), shape, _fresh(("saved", n.name, name), shape))
        if "output" in n.layer.keeps:
            self.read(("value", n.name, 0), n.output_shape, self.value(n.name))
        if "input" in n.layer.keeps:
            kept = n.layer.keeps_of_inputs
            for name in [name for slot, name in enumerate(n.inputs) if kept is None or slot in kept]:
                self.read(("value", name, 0), self.nodes[name].output_shape, self.value(name))
        parts = []
        for slot, name in enumerate(n.inputs):
            if name not in self.arena.backward or slot in n.layer.shape_only | n.layer.without_gradient:
                continue
            shape = self.nodes[name].output_shape
            key: Any = ("partial", n.name, slot) if name in written else ("gradient", name, 0)
            content = self.contribution(n, slot, key, written[n.name])
            if not n.layer.alias:
                self.write(key, shape, content)
            if name in written:
                parts.append((key, name, shape, content))
            else:
                written[name] = content
        for key, name, shape, content in parts:
            self.read(key, shape, content)
            self.read(("gradient", name, 0), shape, written[name])
            self.sums += 1
            written[name] = _fresh(("sum", self.sums), shape)
            self.write(("gradient", name, 0), shape, written[name])

    def contribution(self, n: BoundNode, slot: int, key: Any, gradient: Content) -> Content:
        """Return what a backward pass adds to the gradient of one input."""
        if n.layer.alias:
            return gradient
        if n.kind == "concat":
            return gradient[self.parts(n)[slot]]
        return _fresh((*key, n.name), n.input_shapes[slot])


def _fresh(token: object, shape: Sequence[int]) -> Content:
    """Return a token that is another one in each cell, so that a part in the wrong place is noticed."""
    return [(token, cell) for cell in range(-(-_bytes(shape) // 64))]


def _bytes(shape: Sequence[int]) -> int:
    count = 4
    for size in shape:
        count *= size
    return count
