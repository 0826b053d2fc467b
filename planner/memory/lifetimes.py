"""Lifetimes of the memory of a bound plan: one request for every piece of memory that a run uses.

This module reads nodes and their facts (`keeps`, `alias`, `in_place`, `saved`, `workspace`, `backward_workspace`), but
no offsets; :mod:`planner.memory.layout` places the requests.

Time is counted in steps. Inference: step i is node i, and in step n the caller reads the outputs. Training: step
i is the forward pass of node i, step n the loss, step 2n - i the backward pass of node i.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from math import prod

from planner.layers.merge import Concat
from planner.lowering.node import BoundNode
from planner.lowering.segments import segments
from planner.memory.requests import Key, Request, Role, Span, Timeline
from planner.training.settings import loss_workspace


@dataclass(eq=False)
class _Storage:
    """A request under construction: a piece of memory that one or more values share."""

    name: str
    role: Role
    bytes: int
    first: int
    last: int
    keys: dict[Key, int] = field(default_factory=dict)
    """The values in it, and their offsets."""
    outer: tuple[_Storage, int] | None = None
    """The storage that this one is a part of, and the offset in it."""

    def use(self, step: int) -> None:
        self.first, self.last = min(self.first, step), max(self.last, step)

    def join(self, outer: _Storage, start: int) -> None:
        """Become a part of another storage."""
        self.outer = outer, start
        outer.use(self.first)
        outer.use(self.last)

    def place(self) -> tuple[_Storage, int]:
        """Return the outermost storage that contains this one (possibly itself), and the offset in it."""
        path: list[tuple[_Storage, int]] = []
        storage = self
        while storage.outer is not None:
            path.append((storage, storage.outer[1]))
            storage = storage.outer[0]
        start = 0
        for inner, step in reversed(path):  # path compression: each stores the outermost
            start += step
            inner.outer = storage, start
        return storage, start

    def request(self) -> Request:
        starts = {key: start for key, start in self.keys.items() if start}
        return Request(self.name, self.role, self.bytes, ((self.first, self.last),), tuple(self.keys), starts)


def timeline(
    nodes: Sequence[BoundNode],
    outputs: Mapping[str, str],
    item_bytes: int,
    *,
    training: bool,
    input_gradients: bool = False,
    in_place: bool = True,
    inside: bool = True,
) -> Timeline:
    """Return the memory requests of a run, with their lifetimes.

    - A value lives from its producer to its last reader. Network inputs live from step 0, because the caller
      fills all of them before every run. Network outputs live until the caller, or the loss, has read
      them (step n).
    - Training: a value that a layer `keeps` lives until that layer's backward pass, and `saved` arrays from
      the forward to the backward pass of their node. Nothing is kept for nodes without a backward
      pass: those with neither own parameters nor parameters upstream.
    - The gradient of a value lives from the first backward pass that contributes to it to the backward pass of
      its producer. The first contribution is written into it; every other one is a `partial`, alive during one
      step, which the program adds to it.
    - The gradient of weights shared by several layers is not part of this plan. The first backward pass of
      these layers writes it; each other one writes `weights`, alive during one step, which the program adds to it.
    - The workspace of a forward pass lives for its step, and that of a backward pass for its own step.
    - A segment of layers that work channel by channel (:mod:`planner.lowering.segments`) counts as one step: all
      memory of its layers lives from its first layer to its last.
    - The output of an `alias` layer is its input's memory, and the gradient it passes on is its gradient's memory.
    - An `in_place` layer overwrites its input if that is legal: nothing reads the input's current contents
      after that step (no later reader, no backward pass, not the caller, also not through an alias). Its gradient may
      always be overwritten: only its own backward pass reads it.
    - With the batch last, each input of a concat along the channels is one contiguous part of its output. An input is
      written there directly, and lives as long as the output, if all of its memory fits there: its storage is not
      part of another one, unless neighbouring inputs fill that one together, and it is not a repetition of the same
      input. The gradient of an input that the concat contributes to is that part of the output's gradient.

    Parameters
    ----------
    nodes : sequence of BoundNode
        In execution order.
    outputs : mapping
        Public name -> node name.
    item_bytes : int
        Bytes of one number.
    training : bool
        Whether to plan a training step instead of an inference pass.
    input_gradients : bool
        Whether to keep the gradients of the network's inputs too, to the end of the step.
    in_place : bool
        Whether layers may work in place; False is for comparisons.
    inside : bool
        Whether to place the inputs of a concat, and their gradients, inside its output.

    Examples
    --------
    >>> from planner.layers import Input, Relu
    >>> from planner.lowering.node import BoundNode
    >>> shape = (8, 3, 4, 4)
    >>> x = BoundNode("x", "input", Input(shape), (), (), shape, {}, {}, 0)
    >>> y = BoundNode("y", "relu", Relu(), ("x",), (shape,), shape, {}, {}, 0)
    >>> [(r.name, r.role, r.bytes, r.spans) for r in timeline([x, y], {"out": "y"}, 4, training=False).requests]
    [('x', 'value', 1536, ((0, 2),))]
    """
    plan = _Planner(nodes, outputs, item_bytes, training, input_gradients, in_place, inside)
    requests = [*(storage.request() for storage in (*plan.values(), *plan.gradients())), *plan.extras()]
    steps = 2 * plan.count + 1 if training else plan.count + 1
    return Timeline(tuple(map(plan.over_segments, requests)), steps, plan.backward)


class _Planner:
    def __init__(
        self,
        nodes: Sequence[BoundNode],
        outputs: Mapping[str, str],
        item_bytes: int,
        training: bool,
        input_gradients: bool,
        in_place: bool,
        inside: bool,
    ) -> None:
        self.nodes, self.item_bytes = nodes, item_bytes
        self.training, self.in_place, self.inside = training, in_place, inside and in_place
        self.count = len(nodes)
        self.publics: dict[str, list[str]] = {}
        for public, name in outputs.items():
            self.publics.setdefault(name, []).append(public)
        self.readers: dict[str, list[tuple[int, int]]] = {node.name: [] for node in nodes}
        for position, node in enumerate(nodes):
            for slot, name in _read(node):
                self.readers[name].append((position, slot))
        self.owned = {node.name: sum(parameter.count for parameter in node.parameters.values()) for node in nodes}
        active = self._active(input_gradients) if training else set()
        self.active = active
        self.backward = tuple(node.name for node in reversed(nodes) if node.name in active)
        self.segments = [segment for segment in segments(nodes) for _ in segment.nodes]

    def _active(self, input_gradients: bool) -> set[str]:
        """Return the nodes that get a gradient and pass it on to a node or parameter that needs it."""
        wanting: set[str] = set()
        for node in self.nodes:
            asked = input_gradients and not node.inputs
            if self.owned[node.arrays_of] or asked or any(name in wanting for _, name in _passes_gradient(node)):
                wanting.add(node.name)
        getting = set(self.publics)
        for node in reversed(self.nodes):
            if node.name in getting:
                getting.update(name for _, name in _passes_gradient(node))
        return wanting & getting

    def _bytes(self, shape: tuple[int, ...]) -> int:
        return prod(shape) * self.item_bytes

    def _backward_step(self, position: int) -> int:
        return 2 * self.count - position

    def _last_use(self, position: int) -> int:
        """Return the last step that reads a node's value."""
        node = self.nodes[position]
        last = position
        if node.name in self.publics:
            last = self.count
        if node.name in self.active and "output" in node.layer.keeps:
            last = max(last, self._backward_step(position))
        for reader, slot in self.readers[node.name]:
            last = max(last, reader)
            if self.nodes[reader].name in self.active and _keeps_input(self.nodes[reader], slot):
                last = max(last, self._backward_step(reader))
        return last

    def values(self) -> list[_Storage]:
        """Return the memory of the values, shared by aliases, layers in place and the inputs of a concat."""
        storages: list[_Storage] = []
        home: dict[str, _Storage] = {}
        for position, node in enumerate(self.nodes):
            shared = home[node.inputs[0]] if node.inputs else None
            if shared is not None and (node.layer.alias or self._may_overwrite(shared, position)):
                home[node.name] = shared
            else:
                size = self._bytes(node.output_shape)
                home[node.name] = _Storage(node.name, "value", size, position, position)
                storages.append(home[node.name])
                if self.inside and in_blocks(node):
                    self._place_inside(node, home)
            storage, _ = home[node.name].place()
            storage.use(self._last_use(position) if node.inputs else 0)
            storage.use(self._last_use(position))
        for name, storage in home.items():
            whole, start = storage.place()
            whole.keys["value", name, 0] = start
        return [storage for storage in storages if storage.outer is None]

    def _may_overwrite(self, storage: _Storage, position: int) -> bool:
        """Return whether a node may overwrite its input: no alias of that memory is used later."""
        return self._works_in_place(position) and storage.place()[0].last <= position

    def _place_inside(self, node: BoundNode, home: Mapping[str, _Storage]) -> None:
        """Make the memory of a concat's inputs part of its output's if possible."""
        output, starts = home[node.name], self._starts(node)
        slot = 0
        while slot < len(node.inputs):
            storage, filled, following = home[node.inputs[slot]].place()[0], 0, slot
            while following < len(node.inputs) and home[node.inputs[following]].place() == (storage, filled):
                filled += self._bytes(node.input_shapes[following])
                following += 1
            if storage is not output and filled == storage.bytes:
                storage.join(output, starts[slot])
                slot = following
            else:
                slot += 1

    def _starts(self, node: BoundNode) -> list[int]:
        """Return the offset of each input of a concat in its output, in bytes."""
        return [0, *accumulate(self._bytes(shape) for shape in node.input_shapes)]

    def _works_in_place(self, position: int) -> bool:
        node = self.nodes[position]
        return (
            self.in_place
            and node.layer.in_place
            and len(node.inputs) == 1
            and node.input_shapes[0] == node.output_shape
        )

    def gradients(self) -> list[_Storage]:
        """Return the memory of the values' gradients and of the partial gradients added to them."""
        storages: list[_Storage] = []
        home: dict[str, tuple[_Storage, int]] = {}
        if not self.training:
            return storages

        def new(name: str, role: Role, size: int, step: int) -> _Storage:
            storages.append(_Storage(name, role, size, step, step))
            return storages[-1]

        for position in reversed(range(self.count)):
            node = self.nodes[position]
            size = self._bytes(node.output_shape)
            for public in self.publics.get(node.name, ()):
                if node.name not in home:
                    home[node.name] = new(node.name, "gradient", size, self.count), 0
                    home[node.name][0].keys["gradient", node.name, 0] = 0
                else:
                    new(node.name, "partial", size, self.count).keys["partial", node.name, public] = 0
            if node.name not in self.active:
                continue
            for reader, slot in sorted(self.readers[node.name], key=lambda pair: (-pair[0], pair[1])):
                consumer = self.nodes[reader]
                if consumer.name not in self.active or slot in consumer.layer.without_gradient:
                    continue
                step = self._backward_step(reader)
                role: Role = "partial" if node.name in home else "gradient"
                if consumer.layer.alias or self._works_in_place(reader):
                    storage, start = home[consumer.name]
                elif self.inside and in_blocks(consumer):
                    storage, start = home[consumer.name]
                    start += self._starts(consumer)[slot]
                else:
                    storage, start = new(node.name, role, size, step), 0
                if role == "gradient":
                    home[node.name] = storage, start
                    storage.keys["gradient", node.name, 0] = start
                else:
                    storage.keys["partial", consumer.name, slot] = start
            # the caller reads the gradient of a network input after the last step
            home[node.name][0].use(self._backward_step(position) if node.inputs else 2 * self.count)
        return storages

    def over_segments(self, request: Request) -> Request:
        """Return the request with spans that touch a segment extended to the whole segment."""
        spans = tuple((self._segment_steps(first)[0], self._segment_steps(last)[1]) for first, last in request.spans)
        return request if spans == request.spans else replace(request, spans=spans)

    def _segment_steps(self, step: int) -> Span:
        """Return the first and last step of the segment that a step belongs to."""
        if step < self.count:
            segment = self.segments[step]
            return segment.first, segment.last
        position = 2 * self.count - step
        if position >= self.count:
            return step, step
        segment = self.segments[position]
        return self._backward_step(segment.last), self._backward_step(segment.first)

    def extras(self) -> list[Request]:
        """Return the requests for saved arrays, workspace and the loss."""
        found: list[Request] = []
        for position, node in enumerate(self.nodes):
            ends = [position]
            if node.name in self.active:
                ends.append(self._backward_step(position))
            shapes = (node.input_shapes, node.output_shape)
            for name, shape in (node.layer.saved(*shapes) if self.training else {}).items():
                key: Key = ("saved", node.name, name)
                found.append(Request(node.name, "saved", self._bytes(shape), ((ends[0], ends[-1]),), (key,)))
            segment = self.segments[position]
            found += self._workspace(node, "forward", segment.workspace(node, self.training), position)
            if node.name in self.active:
                step = self._backward_step(position)
                found += self._workspace(node, "backward", segment.backward_workspace(node), step)
        found += self._shared_gradients()
        if self.training:
            shapes_out = [node.output_shape for node in self.nodes if node.name in self.publics]
            size = loss_workspace(shapes_out, self.item_bytes) * self.item_bytes
            found.append(Request("loss", "loss", size, ((self.count, self.count),), (("loss", "loss", 0),)))
        return found

    def _workspace(self, node: BoundNode, direction: str, shards: list[int], step: int) -> list[Request]:
        """Return the request for the workspace of one pass, if it needs any."""
        size = sum(shards) * self.item_bytes
        key: Key = ("workspace", node.name, direction)
        return [Request(node.name, "workspace", size, ((step, step),), (key,))] if size else []

    def _shared_gradients(self) -> list[Request]:
        """Return the memory of the contributions to the gradient of shared weights after the first."""
        found: list[Request] = []
        written: set[str] = set()
        positions = {node.name: position for position, node in enumerate(self.nodes)}
        for name in self.backward:
            position = positions[name]
            owner = self.nodes[position].arrays_of
            if owner in written and self.owned[owner]:
                step, size = self._backward_step(position), self.owned[owner] * self.item_bytes
                found.append(Request(name, "weights", size, ((step, step),), (("weights", name, 0),)))
            written.add(owner)
        return found


def in_blocks(node: BoundNode) -> bool:
    """Return whether a node is a concat with inputs that are contiguous parts of its output."""
    return isinstance(node.layer, Concat) and node.layer.in_blocks(node.output_shape)


def _read(node: BoundNode) -> list[tuple[int, str]]:
    """Return the inputs that a node reads, with their positions, without those of which it reads only the shape."""
    return [(slot, name) for slot, name in enumerate(node.inputs) if slot not in node.layer.shape_only]


def _passes_gradient(node: BoundNode) -> list[tuple[int, str]]:
    """Return the inputs that a node passes a gradient on to, with their positions."""
    return [(slot, name) for slot, name in _read(node) if slot not in node.layer.without_gradient]


def _keeps_input(node: BoundNode, slot: int) -> bool:
    """Return whether a node's backward pass reads one of its inputs again."""
    kept = node.layer.keeps_of_inputs
    return "input" in node.layer.keeps and (kept is None or slot in kept)
