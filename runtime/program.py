"""Kernels bound to one arena: the operations of a forward pass or a training step.

All decisions are made when a program is built; running it only computes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.lowering.node import BoundNode
from planner.lowering.segments import Segment, segments
from planner.memory import Arena, Key
from planner.plan.plan import BoundPlan
from runtime.blas_threads import for_step
from runtime.kernels.base import Arrays, Kernel, in_shards, kernels
from runtime.parameters import State
from runtime.thread_pool import Task, one_by_one, run_parallel

Array = NDArray[Any]

BUFFER = 2048
"""Elements of the buffers that NumPy uses for mixed types or strides, the only memory that a step allocates.

This is a quarter of NumPy's default: three operands then fit in the L1 cache of a core, and stay below 64 KiB.
"""


class Program:
    """The kernels of a plan with their arrays, at one batch size, in one arena.

    A batch smaller than the plan's uses the same offsets and fewer elements.

    Parameters
    ----------
    bound : BoundPlan
    state : State
        Parameters, buffers, gradients and random numbers.
    arena : Arena
        Places of all arrays.
    memory : array of uint8
        At least ``arena.bytes``, aligned to 64 bytes.
    batch : int
        Number of images at once, at most the plan's batch.

    Attributes
    ----------
    inputs : mapping of str to array
        (C, H, W, N) or (features, N) by name. Fill all of them before every :meth:`forward`, which reuses
        their memory.
    outputs : mapping of str to array
        By public name. Valid after :meth:`forward`; in training only until :meth:`backward`.
    grad_outputs : mapping of str to array
        In training, fill all of them after :meth:`forward` and before :meth:`backward`, which overwrites them.
    grad_inputs : mapping of str to array
        Gradients of the network's inputs, if the arena keeps them; valid after :meth:`backward`.
    loss_workspace : array, 1-D
        Workspace for a loss between :meth:`forward` and :meth:`backward`; contents are undefined before and after.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("relu", name="y")])
    >>> bound = net.check().bind(N=2)
    >>> arena = bound.memory.inference
    >>> program = Program(bound, State(bound, 0), arena, np.empty(arena.bytes, np.uint8), batch=2)
    >>> program.inputs["x"][:] = [[-1, 1], [2, -2], [3, 3], [0, -4]]
    >>> program.forward()
    >>> program.outputs["y"].tolist()
    [[0.0, 1.0], [2.0, 0.0], [3.0, 3.0], [0.0, 0.0]]
    """

    def __init__(self, bound: BoundPlan, state: State, arena: Arena, memory: NDArray[np.uint8], *, batch: int) -> None:
        self.bound, self.batch = bound, batch
        self._arena, self._memory, self._state = arena, memory, state
        self._dtype = np.dtype(bound.dtype)
        self._shapes = {node.name: _memory_order(node.output_shape, batch) for node in bound.nodes}
        self._wanted = frozenset(arena.backward)
        self.training = ("loss", "loss", 0) in arena.places

        self.inputs: Mapping[str, Array] = {public: self._value(node) for public, node in bound.inputs.items()}
        self.outputs: Mapping[str, Array] = {public: self._value(node) for public, node in bound.outputs.items()}
        self.grad_outputs: Mapping[str, Array] = {}
        self.grad_inputs: Mapping[str, Array] = {}
        self.loss_workspace: Array = self._flat(("loss", "loss", 0))
        self._forward: list[Callable[[], object]] = []
        self._backward: list[Callable[[], object]] = []
        if self.training:
            self._bind_outputs()
        self._bind_kernels()

    def forward(self) -> None:
        """Compute the outputs from the inputs."""
        with for_step():
            _run(self._forward)

    def backward(self) -> None:
        """Compute the gradients of the parameters from the gradients of the outputs."""
        with for_step():
            _run(self._backward)

    def _bind_outputs(self) -> None:
        """Create the arrays for the gradients of outputs and inputs."""
        gradients: dict[str, Array] = {}
        for public, name in self.bound.outputs.items():
            gradient = self._gradient(name)
            part = self._optional(("partial", name, public), self._shapes[name])
            gradients[public] = gradient if part is None else part
            if part is not None and name in self._wanted:
                self._backward.append(in_shards(np.add, gradient, part, out=gradient))
        self.grad_outputs = gradients
        self.grad_inputs = {
            public: self._gradient(node) for public, node in self.bound.inputs.items() if node in self._wanted
        }

    def _bind_kernels(self) -> None:
        backward: list[list[Task]] = []
        for segment in segments([self._resized(node) for node in self.bound.lowered]):
            forward_shards: list[list[Task]] = [[] for _ in segment.shards]
            backward_shards: list[list[Task]] = [[] for _ in segment.shards]
            weights: list[Task] = []
            for node in segment.nodes:
                sums = [(self._gradient(node.inputs[slot]), part) for slot, part in self._partials(node).items()]
                for shard, kernel in enumerate(self._kernels(segment, node)):
                    steps = [_sum(segment, shard, whole, part) for whole, part in sums]
                    if kernel is not None:
                        forward_shards[shard].append(kernel.forward)
                        if node.name in self._wanted:
                            steps.insert(0, kernel.backward)
                    backward_shards[shard][:0] = steps
                if ("weights", node.name, 0) in self._arena.places:
                    row = self._state.gradients.row(node.arrays_of)
                    part = self._flat(("weights", node.name, 0))[: row.size]
                    weights.insert(0, in_shards(np.add, row, part, out=row))
            self._forward += _merge_shards(forward_shards)
            backward.append([*_merge_shards(backward_shards), *weights])
        for steps in reversed(backward):
            self._backward += steps

    def _kernels(self, segment: Segment, node: BoundNode) -> Sequence[Kernel[Any] | None]:
        """Return the kernels of a node, one for each shard; None if there is nothing to compute."""
        if not node.inputs or node.layer.alias:
            return [None]
        return kernels(segment, node, self._arrays(node), self.training)

    def _partials(self, node: BoundNode) -> dict[int, Array]:
        """Return the partial gradients that a node's backward pass writes and that are added to others, by slot."""
        if node.name not in self._wanted:
            return {}
        found = {
            slot: self._optional(("partial", node.name, slot), self._shapes[source])
            for slot, source in enumerate(node.inputs)
            if source in self._wanted and slot not in node.layer.shape_only | node.layer.without_gradient
        }
        return {slot: part for slot, part in found.items() if part is not None}

    def _grad_inputs(self, node: BoundNode) -> tuple[Array | None, ...]:
        """Return where a node writes the gradients of its inputs; None for those that are not needed."""
        if node.name not in self._wanted:
            return (None,) * len(node.inputs)
        parts, without = self._partials(node), node.layer.shape_only | node.layer.without_gradient
        return tuple(
            parts.get(slot, None if source not in self._wanted or slot in without else self._gradient(source))
            for slot, source in enumerate(node.inputs)
        )

    def _arrays(self, node: BoundNode) -> Arrays:
        saved = node.layer.saved(node.input_shapes, node.output_shape) if self.training else {}
        return Arrays(
            inputs=tuple(self._value(name) for name in node.inputs),
            output=self._value(node.name),
            parameters=self._state.parameters.of(node.arrays_of),
            buffers=self._state.buffers.of(node.arrays_of),
            saved={name: self._place(("saved", node.name, name), shape) for name, shape in saved.items()},
            workspace=self._flat(("workspace", node.name, "forward")),
            backward_workspace=self._flat(("workspace", node.name, "backward")),
            grad_output=self._gradient(node.name) if node.name in self._wanted else None,
            grad_inputs=self._grad_inputs(node),
            grad_parameters=self._grad_parameters(node) if self.training else {},
            rng=self._state.rng,
        )

    def _grad_parameters(self, node: BoundNode) -> Mapping[str, Array]:
        """Return where a node writes its weight gradients: a separate place if another node wrote them before."""
        arrays = self._state.gradients.of(node.arrays_of)
        if ("weights", node.name, 0) not in self._arena.places:
            return arrays
        part, start, found = self._flat(("weights", node.name, 0)), 0, {}
        for name, array in arrays.items():
            found[name] = part[start : start + array.size].reshape(array.shape)
            start += array.size
        return found

    def _resized(self, node: BoundNode) -> BoundNode:
        if self.batch == self.bound.batch:
            return node
        return replace(
            node,
            input_shapes=tuple((self.batch, *shape[1:]) for shape in node.input_shapes),
            output_shape=(self.batch, *node.output_shape[1:]),
            macs=node.macs * self.batch // self.bound.batch,
        )

    def _value(self, name: str) -> Array:
        return self._place(("value", name, 0), self._shapes[name])

    def _gradient(self, name: str) -> Array:
        return self._place(("gradient", name, 0), self._shapes[name])

    def _optional(self, key: Key, shape: tuple[int, ...]) -> Array | None:
        return self._place(key, shape) if key in self._arena.places else None

    def _place(self, key: Key, shape: tuple[int, ...]) -> Array:
        """Return a view of the arena in the shape that kernels use, with the batch last."""
        start = self._arena.starts.get(key, 0) // self._dtype.itemsize * self.batch // self.bound.batch
        flat = self._flat(key)[start:]
        count = prod(shape)
        if count > flat.size:
            raise AssertionError(f"{key} needs {count} elements, but the plan has {flat.size}")
        return flat[:count].reshape(shape)

    def _flat(self, key: Key) -> Array:
        block = self._arena.places.get(key)
        if block is None:
            return self._memory[:0].view(self._dtype)
        return self._memory[block.offset : block.offset + block.bytes].view(self._dtype)


def _sum(segment: Segment, shard: int, whole: Array, part: Array) -> Task:
    """Return the task that adds a partial gradient to the whole one, in the channels of a shard."""
    if len(segment.shards) == 1:
        return in_shards(np.add, whole, part, out=whole)
    some = slice(*segment.shards[shard])
    return partial(np.add, whole[some], part[some], out=whole[some])


def _merge_shards(shards: list[list[Task]]) -> list[Task]:
    """Return the steps of a single shard; for several shards, one step that runs them in parallel."""
    tasks = [partial(one_by_one, steps) for steps in shards if steps]
    return shards[0] if len(shards) == 1 else [partial(run_parallel, tasks)] if tasks else []


def _run(steps: Sequence[Callable[[], object]]) -> None:
    before = np.setbufsize(BUFFER)
    try:
        one_by_one(steps)
    finally:
        np.setbufsize(before)


def _memory_order(shape: tuple[int, ...], batch: int) -> tuple[int, ...]:
    return (*shape[1:], batch)
