"""BoundPlan: a plan at known sizes, plain ints only. What the runtime runs.

Made by :meth:`planner.Plan.bind`; nothing symbolic is left in it but the plan it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from planner.layers.base import Layer, Parameter
from planner.lowering.rewrite import work
from planner.memory import Memory, plan_memory
from planner.outline import outline
from planner.plan.receptive import ReceptiveField, ReceptiveFields, Seen
from planner.training.settings import TrainSettings

if TYPE_CHECKING:
    from planner.plan.plan import Plan

DType = Literal["float32", "float64"]
ITEM_BYTES: Mapping[str, int] = {"float32": 4, "float64": 8}


@dataclass(frozen=True)
class BoundNode:
    """One layer of a bound plan: every number a kernel needs, as plain ints.

    Attributes
    ----------
    name, kind : str
    layer : Layer
        The settings; every size in them is a plain int.
    inputs : tuple of str
        Names of the nodes it reads, in order.
    input_shapes, output_shape
        In the order N, C, H, W.
    parameters, buffers : tuple of Parameter
    macs : int
    owner : str
        The node whose arrays it works with, and which alone has them as `parameters` and `buffers`; "" for itself.
    """

    name: str
    kind: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    output_shape: tuple[int, ...]
    parameters: tuple[Parameter, ...]
    buffers: tuple[Parameter, ...]
    macs: int
    owner: str = ""

    @property
    def arrays_of(self) -> str:
        """Name of the node that has the arrays this one works with."""
        return self.owner or self.name


@dataclass(frozen=True)
class BoundPlan:
    """A plan at known sizes: plain ints only, and a dtype, so that bytes are known. What the runtime runs.

    Attributes
    ----------
    plan : Plan
        The symbolic plan it comes from.
    nodes : tuple of BoundNode
    sizes : Mapping of str to int
        The values given to :meth:`Plan.bind`.
    dtype : str
    """

    plan: Plan
    nodes: tuple[BoundNode, ...]
    sizes: Mapping[str, int]
    dtype: DType = "float32"

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.plan.name

    @property
    def item_bytes(self) -> int:
        """Bytes of one number."""
        return ITEM_BYTES[self.dtype]

    @cached_property
    def receptive_fields(self) -> Mapping[str, ReceptiveField | None]:
        """What one position of each node sees of the input, in plain numbers."""
        fields = ReceptiveFields()
        for node in self.nodes:
            fields.add(node.name, Seen(node.layer, node.inputs, node.input_shapes, node.output_shape))
        return {node.name: fields[node.name] for node in self.nodes}

    @property
    def train(self) -> TrainSettings:
        """The `train:` section, with its defaults."""
        return self.plan.train

    @cached_property
    def by_name(self) -> Mapping[str, BoundNode]:
        """Nodes by name."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def work(self) -> tuple[BoundNode, ...]:
        """The nodes with what is done at each as its layer: what memory is planned for, and the runtime executes."""
        return work(self.nodes, self.outputs.values())

    @cached_property
    def inputs(self) -> dict[str, str]:
        """Node of each input by its name (the same)."""
        return {node.name: node.name for node in self.nodes if node.kind == "input"}

    @property
    def outputs(self) -> Mapping[str, str]:
        """Node that each output's public name stands for."""
        return self.plan.outputs

    @cached_property
    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the inputs by name."""
        return {name: self.by_name[name].output_shape for name in self.inputs}

    @cached_property
    def output_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the outputs by their public names."""
        return {public: self.by_name[node].output_shape for public, node in self.outputs.items()}

    @cached_property
    def batch(self) -> int:
        """Images the plan takes at once."""
        return next(iter(self.input_shapes.values()))[0]

    @cached_property
    def parameters(self) -> int:
        """Trainable parameters."""
        return sum(p.count for node in self.nodes for p in node.parameters)

    @cached_property
    def buffers(self) -> int:
        """Numbers of untrained state."""
        return sum(p.count for node in self.nodes for p in node.buffers)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of one forward pass over the batch."""
        return sum(node.macs for node in self.nodes)

    @cached_property
    def memory(self) -> Memory:
        """Every byte of inference and training, laid out."""
        return plan_memory(self)

    def __repr__(self) -> str:
        layers = len(self.nodes) - len(self.inputs)
        title = f"BoundPlan {self.name} in {self.dtype}"
        return outline(title, layers, self.parameters, self.input_shapes, self.output_shapes)

    def __str__(self) -> str:
        """Return the table of layers, totals and memory at these sizes."""
        from planner.tables.table import show  # tables read plans; plans only ask for one

        return show(self.plan, self.sizes, dtype=self.dtype)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or a pickle needs: the fields, not what was computed from them."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @cached_property
    def spec(self) -> str:
        """The network as the text of a spec file."""
        from planner.spec.write import write  # the writer reads networks; plans only ask for it

        return write(self.plan.network)
