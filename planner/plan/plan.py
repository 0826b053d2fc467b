"""Plans: a checked network with every size as a formula, and bound plans with every size as a number.

A :class:`Plan` comes from :meth:`planner.Network.check`. :meth:`Plan.bind` gives every free size a number and returns
the :class:`BoundPlan` that the runtime executes. :mod:`planner.plan.diagnose`
checks networks.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, get_args

import planner.symbols as sy
from planner.domain.domain import Domain, Open, solve
from planner.findings import Finding, SizeError
from planner.layers.source import Input
from planner.lowering.node import ITEM_BYTES, BoundNode, DType
from planner.lowering.rewrite import lower
from planner.mappings import FrozenMapping
from planner.memory import Memory, plan_memory
from planner.network.network import Network
from planner.plan.bind import bound_nodes, read_sizes, refusals
from planner.plan.node import PlannedNode
from planner.plan.receptive import ReceptiveField, ReceptiveFields, Seen
from planner.symbols import Shape, Size
from planner.training.settings import TrainSettings
from planner.wording import listed, outline


@dataclass(frozen=True)
class Plan:
    """A checked network: every size, count and open requirement as a formula.

    Attributes
    ----------
    network : Network
    nodes : tuple of PlannedNode
        In execution order.
    requirements : tuple of Open
        Conditions on the free sizes under which the network runs.
    border_requirements : tuple of Open
        Additional conditions under which no border pixels are dropped.
    warnings : tuple of Finding

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"image": ("N", 3, "H", "W")},
    ...               layers=[layer("conv", name="c1", filters=6, kernel=5), layer("gap"), layer("flatten")])
    >>> plan = net.check()
    >>> plan.parameter_count, plan.output_shapes, plan.domain["H"].text("H")
    (456, {'flatten1': (N, 6)}, 'H >= 5')
    >>> plan.bind(N=1, H=32, W=32).macs
    352800
    """

    network: Network
    nodes: tuple[PlannedNode, ...]
    requirements: tuple[Open, ...]
    border_requirements: tuple[Open, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.network.name

    @property
    def outputs(self) -> Mapping[str, str]:
        """Node of each output, by public name."""
        return self.network.outputs

    @property
    def train(self) -> TrainSettings:
        """The `train:` section, with its defaults."""
        return self.network.train or TrainSettings()

    @cached_property
    def by_name(self) -> Mapping[str, PlannedNode]:
        """Nodes by name."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def input_shapes(self) -> dict[str, Shape]:
        """Shapes of the inputs by name."""
        return {node.name: node.output_shape for node in self.nodes if isinstance(node.layer, Input)}

    @cached_property
    def output_shapes(self) -> dict[str, Shape]:
        """Shapes of the outputs by their public names."""
        return {public: self.by_name[node].output_shape for public, node in self.outputs.items()}

    @cached_property
    def parameter_count(self) -> Size:
        """Number of trainable parameters; an int if no size is free."""
        return sy.total(node.parameter_count for node in self.nodes)

    @cached_property
    def buffer_count(self) -> Size:
        """Number of elements in buffers, such as running statistics; an int if no size is free."""
        return sy.total(node.buffer_count for node in self.nodes)

    @property
    def parameters(self) -> Size:
        """Old name of `parameter_count`.

        .. deprecated:: 0.1
        """
        warnings.warn("use Plan.parameter_count", DeprecationWarning, stacklevel=2)
        return self.parameter_count

    @cached_property
    def macs(self) -> Size:
        """Multiply-accumulates of one forward pass over the batch; an int if no size is free."""
        return sy.total(node.macs for node in self.nodes)

    @cached_property
    def free(self) -> tuple[str, ...]:
        """Names that :meth:`bind` needs, first axes of inputs, then settings, in order of appearance."""
        found: dict[str, None] = {}
        for node in self.nodes:
            sizes = node.output_shape if isinstance(node.layer, Input) else ()
            for size in sizes:
                found.update(dict.fromkeys(sorted(sy.free(size))))
        for node in self.nodes:
            found.update(dict.fromkeys(sorted(node.layer.free)))
        return tuple(found)

    @cached_property
    def zeros(self) -> frozenset[str]:
        """Free names that may be 0: those used only as padding."""
        return frozenset().union(*(node.layer.zeros for node in self.nodes))

    @cached_property
    def domain(self) -> Domain:
        """The exact set of accepted sizes."""
        return solve(self.free, self.requirements, self.zeros)

    @cached_property
    def lossless(self) -> Domain:
        """The accepted sizes at which no layer drops rows or columns of its input."""
        return solve(self.free, (*self.requirements, *self.border_requirements), self.zeros)

    def __repr__(self) -> str:
        layers = len(self.nodes) - len(self.input_shapes)
        return outline(f"Plan {self.name}", layers, self.parameter_count, self.input_shapes, self.output_shapes)

    def __str__(self) -> str:
        """Return the table of layers, totals and memory."""
        from planner.tables.table import show  # tables import plans

        return show(self)

    def __reduce__(self) -> tuple[Callable[[Network], Plan], tuple[Network]]:
        """Return a recipe that plans the network again, because requirements contain functions."""
        return _planned, (self.network,)

    def accepts(self, /, **sizes: int) -> bool:
        """Return whether the network runs at these sizes (for some choice of the sizes not given).

        Names are the free names of the plan. The axis letters N, C, H and W may also be given for axes that
        the spec fixes; they are compared with the fixed size.

        Raises
        ------
        SizeError
            A name is neither a free name nor such an axis.
        """
        values, findings = read_sizes(sizes, self.free, self.zeros, self.input_shapes.values())
        unknown = [finding for finding in findings if finding.label != "fixed"]
        if unknown:
            raise SizeError(unknown)
        return not findings and self.domain.accepts(values)

    def bind(self, /, *, dtype: DType = "float32", **sizes: int) -> BoundPlan:
        """Return the plan with plain ints as sizes.

        Raises
        ------
        SizeError
            A free size is missing or not accepted, or a name is unknown; one finding for each.
        """
        if dtype not in get_args(DType):
            raise SizeError.of("S209", f"dtype must be float32 or float64, got {dtype!r}")
        values, findings = read_sizes(sizes, self.free, self.zeros, self.input_shapes.values())
        missing = [name for name in self.free if name not in sizes]
        if missing:
            wanted = ", ".join(f"{name}=..." for name in self.free)
            findings.append(Finding("S209", f"no value for {listed(missing)}", fixes=(f"give all of  {wanted}",)))
        findings += refusals(self.requirements, self.domain, values) if not findings else []
        if findings:
            raise SizeError(findings)
        return BoundPlan(self, bound_nodes(self.nodes, values), FrozenMapping(values), dtype)


@dataclass(frozen=True)
class BoundPlan:
    """A plan at known sizes with a dtype, so that bytes are known. The runtime executes bound plans.

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
        """Bytes of one element."""
        return ITEM_BYTES[self.dtype]

    @cached_property
    def receptive_fields(self) -> Mapping[str, ReceptiveField | None]:
        """Receptive field of one position of each node, as numbers."""
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
    def lowered(self) -> tuple[BoundNode, ...]:
        """Lowered nodes: each layer is the operation that memory is planned for and that the runtime executes."""
        return lower(self.nodes, self.outputs.values())

    @cached_property
    def inputs(self) -> dict[str, str]:
        """Node of each input by name (both names are the same)."""
        return {node.name: node.name for node in self.nodes if node.kind == "input"}

    @property
    def outputs(self) -> Mapping[str, str]:
        """Node of each output, by public name."""
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
        """Batch size."""
        return next(iter(self.input_shapes.values()))[0]

    @cached_property
    def parameter_count(self) -> int:
        """Number of trainable parameters."""
        return sum(p.count for node in self.nodes for p in node.parameters.values())

    @cached_property
    def buffer_count(self) -> int:
        """Number of elements in buffers."""
        return sum(p.count for node in self.nodes for p in node.buffers.values())

    @property
    def parameters(self) -> int:
        """Old name of `parameter_count`.

        .. deprecated:: 0.1
        """
        warnings.warn("use BoundPlan.parameter_count", DeprecationWarning, stacklevel=2)
        return self.parameter_count

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of one forward pass over the batch."""
        return sum(node.macs for node in self.nodes)

    @cached_property
    def memory(self) -> Memory:
        """Memory layout of inference and training."""
        return plan_memory(self)

    def __repr__(self) -> str:
        layers = len(self.nodes) - len(self.inputs)
        title = f"BoundPlan {self.name} in {self.dtype}"
        return outline(title, layers, self.parameter_count, self.input_shapes, self.output_shapes)

    def __str__(self) -> str:
        """Return the table of layers, totals and memory at these sizes."""
        from planner.tables.table import show  # tables import plans

        return show(self)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for a copy or a pickle: the fields, without cached values."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @cached_property
    def spec(self) -> str:
        """The network as the text of a spec file."""
        from planner.spec.write import write  # not needed for a plan

        return write(self.plan.network)


def _planned(network: Network) -> Plan:
    return network.check()
