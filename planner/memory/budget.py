"""Number of bytes a bound plan needs, by purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from planner.lowering.node import BoundNode
from planner.memory.layout import Arena, arrange
from planner.memory.lifetimes import in_blocks, timeline
from planner.training.optimizers import workspace_bytes
from planner.training.settings import TrainSettings


class Bound(Protocol):
    """The part of :class:`planner.BoundPlan` that memory planning reads."""

    @property
    def lowered(self) -> tuple[BoundNode, ...]: ...
    @property
    def outputs(self) -> Mapping[str, str]: ...
    @property
    def item_bytes(self) -> int: ...
    @property
    def parameter_count(self) -> int: ...
    @property
    def buffer_count(self) -> int: ...
    @property
    def train(self) -> TrainSettings: ...


@dataclass(frozen=True)
class Memory:
    """The memory of a bound plan; the runtime allocates exactly this.

    Attributes
    ----------
    inference, training : Arena
        All memory that depends on the batch, for one inference pass and for one training step.
    parameter_bytes, buffer_bytes : int
        Trainable arrays; running statistics.
    gradient_bytes, optimizer_bytes : int
        Gradients of the parameters; the optimizer's state and its workspace.
    """

    inference: Arena
    training: Arena
    parameter_bytes: int
    buffer_bytes: int
    gradient_bytes: int
    optimizer_bytes: int

    @property
    def inference_bytes(self) -> int:
        """Bytes of inference: arena, parameters and buffers."""
        return self.inference.bytes + self.parameter_bytes + self.buffer_bytes

    @property
    def training_bytes(self) -> int:
        """Bytes of training: arena, parameters, buffers, gradients and the optimizer's state and workspace."""
        state = self.parameter_bytes + self.buffer_bytes + self.gradient_bytes + self.optimizer_bytes
        return self.training.bytes + state


def plan_memory(bound: Bound) -> Memory:
    """Return the memory of a bound plan, for inference and for training.

    Examples
    --------
    >>> from planner.network.entry import layer
    >>> from planner.network.network import Network
    >>> net = Network(name="t", input={"x": ("N", 3, 32, 32)}, layers=[layer("conv", filters=6, kernel=5)])
    >>> memory = plan_memory(net.check().bind(N=1))
    >>> memory.parameter_bytes, memory.parameter_bytes == memory.gradient_bytes
    (1824, True)
    """
    parameter_bytes = bound.parameter_count * bound.item_bytes
    return Memory(
        inference=plan_arena(bound, training=False),
        training=plan_arena(bound, training=True),
        parameter_bytes=parameter_bytes,
        buffer_bytes=bound.buffer_count * bound.item_bytes,
        gradient_bytes=parameter_bytes,
        optimizer_bytes=parameter_bytes * bound.train.optimizer.state_arrays + workspace_bytes(parameter_bytes),
    )


def plan_arena(bound: Bound, *, training: bool, input_gradients: bool = False, in_place: bool = True) -> Arena:
    """Return the arena of one mode; the arguments are those of :func:`planner.memory.lifetimes.timeline`.

    A concat with its inputs inside its output holds all of that memory from the first input on. If that costs
    more than it saves, the inputs get separate memory: the smaller of the two arenas is returned.

    Examples
    --------
    >>> from planner.network.entry import layer
    >>> from planner.network.network import Network
    >>> net = Network(name="t", input={"x": ("N", 3, 32, 32)}, layers=[layer("relu", name="r"), layer("relu")])
    >>> arena = plan_arena(net.check().bind(N=1), training=False)
    >>> arena.bytes == 3 * 32 * 32 * 4  # both work in place
    True
    """
    arenas = [
        arrange(
            timeline(
                bound.lowered,
                bound.outputs,
                bound.item_bytes,
                training=training,
                input_gradients=input_gradients,
                in_place=in_place,
                inside=inside,
            )
        )
        for inside in concat_choices(bound)
    ]
    return min(arenas, key=lambda arena: arena.bytes)


def concat_choices(bound: Bound) -> tuple[bool, ...]:
    """Return the placements of a concat's inputs to try: inside its output (True) and separate (False).

    Examples
    --------
    >>> from planner.network.entry import layer
    >>> from planner.network.network import Network
    >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("relu"), layer("concat", from_=["relu1", "x"])])
    >>> concat_choices(net.check().bind(N=1))
    (True, False)
    """
    return (True, False) if any(map(in_blocks, bound.lowered)) else (True,)
