"""Conversion of plans, bound plans and faulty networks to a :class:`Diagram`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import planner.symbols as sy
from planner.diagrams.diagram import Diagram, DrawNode, cost_line, pretty, short
from planner.layers import KINDS, Layer, Parameter
from planner.layers.base import by_name
from planner.layers.spatial import PerAxis, along, is_map, rank
from planner.mappings import FrozenMapping
from planner.network.network import Network
from planner.network.node import Node
from planner.plan.diagnose import Diagnosis, diagnose
from planner.plan.plan import BoundPlan, Plan
from planner.plan.receptive import ReceptiveField
from planner.symbols import Shape, Size

Subject: TypeAlias = Plan | BoundPlan | Diagnosis | Network | Diagram
"""Types that can be drawn."""

_TYPICAL = {0: 1, 1: 64, 2: 224, 3: 224}
"""Values of free input sizes by axis, for glyphs only."""

_ANY_SETTING = 8
_LONGEST_FORMULA = 16


@dataclass(frozen=True)
class _Facts:
    """Facts about one node, from a plan, a bound plan or a diagnosis."""

    name: str
    layer: Layer | None
    kind: str
    inputs: tuple[str, ...]
    output: Shape | None
    parameters: Mapping[str, Parameter] = FrozenMapping({})
    macs: Size = 0
    field: ReceptiveField | None = None
    owner: str = ""
    axes: int = 2

    @property
    def window(self) -> PerAxis:
        """Window size along each spatial axis; empty if the layer has no window."""
        window = getattr(self.layer, "kernel", None) or getattr(self.layer, "size", None)
        if window is None:
            return ()
        axes = self.axes if self.output is None or not is_map(self.output) else rank(self.output)
        return along(window, axes) if isinstance(window, tuple) else (window,)


def diagram_of(subject: Subject, at: Mapping[str, int] | None = None) -> Diagram:
    """Return the diagram of a plan, a bound plan, or a network that may be broken.

    Parameters
    ----------
    subject : Plan, BoundPlan, Diagnosis, Network or Diagram
    at : Mapping of str to int, optional
        Values for free sizes; the default batch size is 1.

    Raises
    ------
    SizeError
        If a size in `at` is not accepted.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"x": ("N", 3, "H", "W")}, layers=[layer("conv", name="c", filters=6, kernel=5)])
    >>> diagram_of(net).nodes[1].sizes
    ('6', 'H - 4', 'W - 4')
    >>> diagram_of(net, at={"H": 32, "W": 32}).nodes[1].cost
    '456 · 353 k'
    """
    if isinstance(subject, Diagram):
        return subject
    if isinstance(subject, Network):
        subject = diagnose(subject)
    if isinstance(subject, Diagnosis):
        if subject.plan is None:
            return _broken(subject)
        subject = subject.plan
    if isinstance(subject, Plan) and at:
        batches = {name: 1 for shape in subject.input_shapes.values() for name in sy.free(shape[0])}
        subject = subject.bind(dtype="float32", **(batches | dict(at)))
    return _planned(subject)


def _planned(plan: Plan | BoundPlan) -> Diagram:
    if isinstance(plan, Plan):
        facts = [
            _Facts(n.name, n.layer, n.kind, n.inputs, n.output_shape, n.parameters, n.macs, n.receptive_field, n.owner)
            for n in plan.nodes
        ]
    else:
        fields = plan.receptive_fields
        facts = [
            _Facts(n.name, n.layer, n.kind, n.inputs, n.output_shape, n.parameters, n.macs, fields[n.name], n.owner)
            for n in plan.nodes
        ]
    nodes = _nodes(facts, {}, _batches(facts))
    return Diagram(plan.name, _totals(nodes), nodes, plan.outputs)


def _broken(found: Diagnosis) -> Diagram:
    axes = next((rank(shape) for shape in found.network.inputs.values() if is_map(shape)), 2)
    by_layer = {f.layer: f.message for f in reversed(found.errors) if f.layer}
    facts = []
    for node in found.network.nodes:
        output = found.shapes.get(node.name)
        inputs = [found.shapes.get(name) for name in node.inputs]
        known = tuple(shape for shape in inputs if shape is not None)
        if node.layer is None or output is None or len(known) < len(inputs):
            facts.append(_Facts(node.name, node.layer, _kind(node), node.inputs, None, owner=node.owner, axes=axes))
            continue
        parameters = by_name(() if node.owner else node.layer.params(known))
        macs = sy.total([node.layer.macs(known, output)])
        kind = node.layer.kind
        facts.append(_Facts(node.name, node.layer, kind, node.inputs, output, parameters, macs, owner=node.owner))
    nodes = _nodes(facts, by_layer, _batches(facts))
    count = len(found.errors)
    where = [f"`{node.name}`" for node in nodes if node.fault]
    summary = f"broken at {', '.join(where[:3])}" if where else "broken"
    more = f"{count} findings" if count > 1 else "1 finding"
    return Diagram(found.network.name, f"{summary.replace('`', '')} · {more}", nodes, found.network.outputs)


def _kind(node: Node) -> str:
    if node.layer is not None:
        return node.layer.kind
    return node.entry.kind if node.entry else "layer"


def _batches(facts: Sequence[_Facts]) -> tuple[dict[str, int], int]:
    """Return a mapping of every batch size name to 1, and the batch size if it is a number (else 1)."""
    names: dict[str, int] = {}
    number = 1
    for fact in facts:
        if fact.kind == "input" and fact.output is not None:
            names |= dict.fromkeys(sy.free(fact.output[0]), 1)
            number = sy.constant(fact.output[0]) or number
    return names, number


def _nodes(
    facts: Sequence[_Facts], faults: Mapping[str, str], batches: tuple[Mapping[str, int], int]
) -> tuple[DrawNode, ...]:
    typical = dict(batches[0])
    for fact in facts:
        if fact.kind == "input" and fact.output is not None:
            for axis, size in enumerate(fact.output):
                typical |= {name: _TYPICAL[axis] for name in sy.free(size) if name not in typical}
    return tuple(_node(fact, faults.get(fact.name), batches, typical) for fact in facts)


def _node(
    fact: _Facts, fault: str | None, batches: tuple[Mapping[str, int], int], typical: Mapping[str, int]
) -> DrawNode:
    known = fact.output is not None
    sizes = None if fact.output is None else tuple(_text(size) for size in fact.output[1:])
    parameters = sy.total(p.count for p in fact.parameters.values())
    macs = _per_image(fact.macs, batches)
    category = fact.layer.category if fact.layer else KINDS[fact.kind].category if fact.kind in KINDS else "io"
    return DrawNode(
        name=fact.name,
        kind=fact.kind,
        category=category,
        inputs=fact.inputs,
        label=_label(fact),
        details=_details(fact),
        sizes=sizes,
        volume=None if fact.output is None else tuple(_typical(size, typical) for size in fact.output[1:]),
        parameter_count=sy.constant(parameters) if known else None,
        macs=sy.constant(macs) if known else None,
        elements=None if fact.output is None else sy.constant(sy.product(fact.output[1:])),
        cost=cost_line(_count(parameters), _count(macs)) if known else "",
        note=_note(fact, parameters, macs) if known else "",
        shape_only=fact.layer.shape_only if fact.layer else frozenset(),
        same_as=fact.layer,
        owner=fact.owner,
        fault=None if fault is None else _sentence(fact.name, fault),
        ghost=not known and fault is None,
    )


def _text(size: Size) -> str:
    return pretty(sy.text(size))


def _per_image(macs: Size, batches: tuple[Mapping[str, int], int]) -> Size:
    names, number = batches
    one = sy.substitute(macs, names)
    known = sy.constant(one)
    return one if known is None or names else known // number


def _typical(size: Size, values: Mapping[str, int]) -> int:
    return max(sy.evaluate(size, {name: values.get(name, _ANY_SETTING) for name in sy.free(size)}), 1)


def _sentence(name: str, message: str) -> str:
    plain = message.removeprefix(f"`{name}`").lstrip(":").strip()
    return plain.replace("`", "")


def _count(value: Size) -> str:
    """Return an abbreviated count or a short formula; "" for 0 and for long formulas."""
    known = sy.constant(value)
    if known is not None:
        return short(known) if known else ""
    formula = _text(value)
    return formula if len(formula) <= _LONGEST_FORMULA else ""


def _note(fact: _Facts, parameters: Size, macs: Size) -> str:
    parts = []
    for value, word in ((parameters, "parameters"), (macs, "multiply-accumulates per image")):
        known = sy.constant(value)
        if known != 0:
            parts.append(f"{known:,} {word}" if known is not None else f"{_text(value)} {word}")
    if fact.field is not None and fact.kind != "input":
        parts.append(f"sees {' × '.join(map(sy.text, fact.field.size))} of the input")
    return " · ".join(parts)


def _label(fact: _Facts) -> str:
    return f"{fact.kind} {_value(fact.window, square=True)}" if fact.window else fact.kind


def _details(fact: _Facts) -> tuple[str, ...]:
    if fact.layer is None:
        return ()
    if fact.kind == "input" and fact.output is not None:
        return (" × ".join(_text(size) for size in fact.output),)
    if fact.owner:
        return (f"weights of {fact.owner}",)
    made = []
    for name, value in fact.layer.settings().items():
        if name in ("filters", "units"):
            made.append(f"{_value(value)} {name.removesuffix('s') if sy.constant(value) == 1 else name}")
        elif isinstance(value, bool):
            made.append(name.replace("_", " ") if value else f"no {name.replace('_', ' ')}")
        elif name not in ("kernel", "size") and not _is_default(fact.layer, name, value):
            made.append(f"{name.replace('_', ' ')} {_value(value)}")
    return tuple(made)


def _is_default(layer: Layer, name: str, value: Any) -> bool:
    """Return whether a setting is its default in a longer form, such as a stride of (1, 1)."""
    default = {f: 0 if f == "pad" else 1 for f in ("pad", "stride", "dilation")}.get(name)
    if default is None or not isinstance(value, tuple):
        return False
    if name == "stride" and layer.category == "pool":
        return False
    return all(sy.constant(item) == default for item in value)


def _value(value: Any, square: bool = False) -> str:
    """Return a setting as text: one number for equal sides, ``3×5`` for others."""
    if isinstance(value, tuple):
        texts = [_value(item) for item in value]
        if len(texts) > 3:
            if texts[::2] != texts[1::2]:
                return "/".join(texts)
            texts = texts[::2]
        return texts[0] if len(set(texts)) == 1 and not square else "×".join(texts)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float):
        return f"{value:g}"
    return _text(value) if isinstance(value, (int, sy.Size)) else str(value)


def _totals(nodes: Sequence[DrawNode]) -> str:
    parts = []
    for counts, word in (
        ([node.parameter_count for node in nodes], "parameters"),
        ([node.macs for node in nodes], "MACs per image"),
    ):
        known = [count for count in counts if count is not None]
        if len(known) == len(counts):
            whole = sum(known)
            parts.append(f"{whole:,} {word}" if whole < 10**8 else f"{short(whole)} {word}")
    return " · ".join(parts)
