"""Plan: a checked network, everything symbolic.

A :class:`Plan` comes from :meth:`planner.Network.check`; :meth:`Plan.bind` gives every free size a
number and returns the :class:`planner.plan.bound.BoundPlan` that the runtime executes. Whether a network is right is
decided in :mod:`planner.plan.diagnose`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import get_args

import planner.symbols as sy
from planner.conditions import Condition, Verdict
from planner.domain.affine import solve_condition
from planner.domain.domain import Domain, Open, solve
from planner.findings import Finding, SizeError, nearest
from planner.layers.base import Layer, Parameter
from planner.layers.source import Input
from planner.layers.spatial import letters
from planner.mappings import FrozenMapping
from planner.network.network import Network, listed
from planner.outline import outline
from planner.plan.bound import BoundNode, BoundPlan, DType
from planner.plan.receptive import ReceptiveField, ReceptiveFields
from planner.symbols import Shape, Size
from planner.training.settings import TrainSettings


@dataclass(frozen=True)
class PlannedNode:
    """One layer of a plan, everything symbolic.

    Attributes
    ----------
    name : str
    layer : Layer
    inputs : tuple of str
        Names of the nodes it reads, in order.
    input_shapes, output
        In the order N, C, H, W.
    parameters, buffers : tuple of Parameter
    fields : ReceptiveFields
        Of all nodes of the plan, computed when asked for.
    role : str
        ``norm`` or ``act`` for a layer that another one's key of that name stands for, else "".
    owner : str
        The node whose arrays it works with, and which alone has them as `parameters` and `buffers`; "" for itself.
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output: Shape
    parameters: tuple[Parameter, ...]
    buffers: tuple[Parameter, ...]
    fields: ReceptiveFields = field(compare=False, repr=False)
    role: str = ""
    owner: str = ""

    @property
    def kind(self) -> str:
        """Key of the layer in a spec."""
        return self.layer.kind

    @cached_property
    def macs(self) -> Size:
        """Multiply-accumulates of one forward pass over the batch, bias not counted; an int where nothing is free."""
        return sy.total([self.layer.macs(self.input_shapes, self.output)])

    @property
    def receptive_field(self) -> ReceptiveField | None:
        """What one position of the output sees of the input; None without rows and columns.

        Also None where its formula in the free sizes would be too long to use.
        """
        return self.fields[self.name]

    @property
    def parameter_count(self) -> Size:
        """How many trainable numbers the layer owns; an int where nothing is free."""
        return sy.total(p.count for p in self.parameters)

    @property
    def buffer_count(self) -> Size:
        """How many numbers of untrained state the layer owns; an int where nothing is free."""
        return sy.total(p.count for p in self.buffers)


@dataclass(frozen=True)
class Plan:
    """A checked network: every size, count and open requirement as a formula.

    Attributes
    ----------
    network : Network
    nodes : tuple of PlannedNode
        In execution order.
    requirements : tuple of Open
        What must hold of the free sizes for the network to run.
    losses : tuple of Open
        What must hold of them so that, beyond that, no input is dropped at a border.
    warnings : tuple of Finding

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"image": ("N", 3, "H", "W")},
    ...               layers=[layer("conv", name="c1", filters=6, kernel=5), layer("gap"), layer("flatten")])
    >>> plan = net.check()
    >>> plan.parameters, plan.output_shapes, plan.domain["H"].text("H")
    (456, {'flatten1': (N, 6)}, 'H >= 5')
    >>> plan.bind(N=1, H=32, W=32).macs
    352800
    """

    network: Network
    nodes: tuple[PlannedNode, ...]
    requirements: tuple[Open, ...]
    losses: tuple[Open, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.network.name

    @property
    def outputs(self) -> Mapping[str, str]:
        """Node that each output's public name stands for."""
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
        return {node.name: node.output for node in self.nodes if isinstance(node.layer, Input)}

    @cached_property
    def output_shapes(self) -> dict[str, Shape]:
        """Shapes of the outputs by their public names."""
        return {public: self.by_name[node].output for public, node in self.outputs.items()}

    @cached_property
    def parameters(self) -> Size:
        """Trainable parameters; an int where nothing is free."""
        return sy.total(node.parameter_count for node in self.nodes)

    @cached_property
    def buffers(self) -> Size:
        """Numbers of untrained state, such as running statistics; an int where nothing is free."""
        return sy.total(node.buffer_count for node in self.nodes)

    @cached_property
    def macs(self) -> Size:
        """Multiply-accumulates of one forward pass over the batch; an int where nothing is free."""
        return sy.total(node.macs for node in self.nodes)

    @cached_property
    def free(self) -> tuple[str, ...]:
        """Names that :meth:`bind` needs, inputs' axes first, then settings, in order of appearance."""
        found: dict[str, None] = {}
        for node in self.nodes:
            sizes = node.output if isinstance(node.layer, Input) else ()
            for size in sizes:
                found.update(dict.fromkeys(sorted(sy.free(size))))
        for node in self.nodes:
            found.update(dict.fromkeys(sorted(node.layer.free)))
        return tuple(found)

    @cached_property
    def zeros(self) -> frozenset[str]:
        """Free names that may be 0: those that stand for padding alone."""
        return frozenset().union(*(node.layer.zeros for node in self.nodes))

    @cached_property
    def domain(self) -> Domain:
        """Which sizes the network accepts, exactly."""
        return solve(self.free, self.requirements, self.zeros)

    @cached_property
    def lossless(self) -> Domain:
        """The accepted sizes at which no window leaves rows or columns of its input unseen."""
        return solve(self.free, (*self.requirements, *self.losses), self.zeros)

    def __repr__(self) -> str:
        layers = len(self.nodes) - len(self.input_shapes)
        return outline(f"Plan {self.name}", layers, self.parameters, self.input_shapes, self.output_shapes)

    def __str__(self) -> str:
        """Return the table of layers, totals and memory."""
        from planner.tables.table import show  # tables read plans; plans only ask for one

        return show(self)

    def __reduce__(self) -> tuple[Callable[[Network], Plan], tuple[Network]]:
        """Return how to make it again: from its network, because requirements hold functions."""
        return _planned, (self.network,)

    def accepts(self, /, **sizes: int) -> bool:
        """Tell whether the network runs at these sizes (for some choice of the sizes not given).

        Names are the plan's free ones; the axis letters N, C, H and W may also be given for axes that
        the spec fixes, and are then compared.

        Raises
        ------
        SizeError
            A name is neither.
        """
        values, findings = self._read_sizes(sizes)
        unknown = [finding for finding in findings if finding.label != "fixed"]
        if unknown:
            raise SizeError(unknown)
        return not findings and self.domain.accepts(values)

    def bind(self, /, *, dtype: DType = "float32", **sizes: int) -> BoundPlan:
        """Return the plan in plain ints.

        Raises
        ------
        SizeError
            A free size is missing or not accepted, or a name is unknown; one finding each.
        """
        if dtype not in get_args(DType):
            raise SizeError.of("S209", f"dtype must be float32 or float64, got {dtype!r}")
        values, findings = self._read_sizes(sizes)
        missing = [name for name in self.free if name not in sizes]
        if missing:
            wanted = ", ".join(f"{name}=..." for name in self.free)
            findings.append(Finding("S209", f"no value for {listed(missing)}", fixes=(f"give all of  {wanted}",)))
        findings += self._refusals(values) if not findings else []
        if findings:
            raise SizeError(findings)
        return BoundPlan(self, _bound_nodes(self, values), FrozenMapping(values), dtype)

    def _read_sizes(self, sizes: Mapping[str, int]) -> tuple[dict[str, int], list[Finding]]:
        """Return the values of free names, and a finding for every other name and every bad value."""
        fixed = self._fixed_axes()
        values: dict[str, int] = {}
        findings: list[Finding] = []
        for name, given in sizes.items():
            size = sy.whole(given)
            least = 0 if name in self.zeros else 1
            if size is None or not least <= size <= sy.LARGEST:
                message = f"{name} must be a whole number from {least} to 2^40, got {given!r}"
                findings.append(Finding("S209", message, fixes=(f"give {name} a whole number",)))
            elif name in self.free:
                values[name] = size
            elif name in fixed:
                if size != fixed[name]:
                    message = f"the spec fixes {name} = {fixed[name]}, but {name} = {size} was given"
                    fix = f"leave {name} out, or write the name {name} in the spec's input"
                    findings.append(Finding("S209", message, label="fixed", fixes=(fix,)))
            else:
                close = nearest(name, self.free)
                known = f"did you mean {close}?" if close else f"free sizes are {listed(self.free) or 'none'}"
                findings.append(Finding("S209", f"the network has no size named {name}", fixes=(known,)))
        return values, findings

    def _fixed_axes(self) -> dict[str, int]:
        """Return the axes, such as N, C, H, W, that every input gives as the same number."""
        shapes = list(self.input_shapes.values())
        alike = len({len(shape) for shape in shapes}) == 1
        axes = zip(letters(shapes[0]), zip(*shapes, strict=True), strict=True) if alike else ()
        found = {}
        for letter, sizes in axes:
            known = {sy.constant(size) for size in sizes}
            if len(known) == 1 and (value := known.pop()) is not None:
                found[letter] = value
        return found

    def _refusals(self, values: Mapping[str, int]) -> list[Finding]:
        """Return a finding for every layer whose requirement these sizes break, the first one of each."""
        findings: dict[str, Finding] = {}
        for opened in self.requirements:
            condition = opened.requirement.condition
            if opened.node in findings or condition.holds(values):
                continue
            at = ", ".join(f"{name} = {values[name]}" for name in sorted(condition.free))
            notes = [f"accepted: {self.domain.text()}"]
            near = [
                f"nearest accepted: {name} = {size}"
                for name in sorted(condition.free)
                for size in _neighbours(self.domain, name, values[name])
            ]
            findings[opened.node] = Finding(
                "S209",
                f"`{opened.node}` cannot run at {at}: it needs {_solved_text(condition)}",
                layer=opened.node,
                notes=tuple(notes),
                fixes=tuple(near),
            )
        return list(findings.values())


def _planned(network: Network) -> Plan:
    return network.check()


def _bound_nodes(plan: Plan, values: Mapping[str, int]) -> tuple[BoundNode, ...]:
    """Run every layer's own rules again on plain ints."""
    shapes: dict[str, tuple[int, ...]] = {}
    nodes = []
    for node in plan.nodes:
        layer = node.layer.bind(values)
        inputs = tuple(shapes[name] for name in node.inputs)
        for requirement in layer.requires(inputs):
            if requirement.condition.verdict() is Verdict.FAILS:
                raise SizeError([Finding("S209", f"`{node.name}`: {requirement.sentence}", layer=node.name)])
        output = layer.output_shape(inputs)
        if sy.product(output) > sy.LARGEST:
            message = f"`{node.name}` would be {sy.shape_text(output)}: more numbers than any machine holds (2^40)"
            raise SizeError([Finding("S214", message, layer=node.name, fixes=("give smaller sizes",))])
        shapes[node.name] = output
        nodes.append(
            BoundNode(
                node.name,
                node.kind,
                layer,
                node.inputs,
                inputs,
                output,
                () if node.owner else layer.params(inputs),
                () if node.owner else layer.buffers(inputs),
                layer.macs(inputs, output),
                node.owner,
            )
        )
    return tuple(nodes)


def _solved_text(condition: Condition) -> str:
    """Return a condition solved for its size where there is one: ``H >= 32`` for ``floor(H/4) >= 8``."""
    names = condition.free
    solved = solve_condition(condition, *names) if len(names) == 1 else None
    return condition.text() if solved is None else solved.text(*names)


def _neighbours(domain: Domain, name: str, size: int) -> list[int]:
    if name not in domain:
        return []
    found = (domain[name].previous(size), domain[name].next(size))
    return [n for n in found if n is not None and n != size]
