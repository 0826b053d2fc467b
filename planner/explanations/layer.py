"""Derivations: formula -> substituted -> number, for each quantity of a layer.

The formulas of each kind of layer are in :mod:`planner.explanations.formulas`. This module adds what depends on
preceding layers: the chain of sizes, the receptive field, and the paths that join in a merge.
:mod:`planner.explanations.steps` formats derivations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import planner.symbols as sy
from planner.explanations.formulas import derive, window_steps
from planner.explanations.paths import ALIGNED, PathsByNode, alignment, all_paths, branch_text, branches
from planner.explanations.steps import Derivation, Step, rule, shape_text, stated
from planner.layers import Input, Layer
from planner.layers.base import AxisField
from planner.layers.spatial import is_map, names, together
from planner.layers.window import WindowLayer
from planner.network.network import Network
from planner.network.node import Node
from planner.plan.derivation import chain, path_to
from planner.plan.diagnose import Diagnosis
from planner.plan.receptive import ReceptiveField, through
from planner.symbols import Shape
from planner.tables.table import field_text, settings_text

Fields: TypeAlias = Mapping[str, ReceptiveField | None]
"""Receptive fields by node."""


@dataclass(frozen=True)
class _Reader(Layer):
    """Dummy layer that reads a layer, so that the chain of sizes includes the layer itself."""


def explain(found: Diagnosis, name: str, at: Mapping[str, int] | None = None) -> Derivation:
    """Return the derivation of one layer; for a faulty layer, as far as possible.

    Parameters
    ----------
    found : Diagnosis
    name : str
        A node of the network.
    at : Mapping of str to int
        Values for free sizes.

    Raises
    ------
    KeyError
        If there is no such node.

    Examples
    --------
    >>> from planner import Network, diagnose, layer
    >>> net = Network(name="n", input={"x": ("N", 3, 32, 32)}, layers=[layer("conv", name="c1", filters=6, kernel=5)])
    >>> explain(diagnose(net), "c1").steps[0].text
    '(n - k)/s + 1 = (32 - 5)/1 + 1 = 28'
    """
    return next(derivations(found, [name], at))


def derivations(found: Diagnosis, names: Iterable[str], at: Mapping[str, int] | None = None) -> Iterator[Derivation]:
    """Yield the derivations of several layers; see :func:`explain` for the parameters.

    Examples
    --------
    >>> from planner import Network, diagnose, layer
    >>> net = Network(name="n", input={"x": ("N", 3, 8, 8)}, layers=[layer("gap", name="g")])
    >>> [derivation.kind for derivation in derivations(diagnose(net), ["x", "g"])]
    ['input', 'gap']
    """
    found = _bound(found, dict(at or {}))
    fields, sets = _fields(found), list[PathsByNode]()
    for name in names:
        if len(found.network.by_name[name].inputs) > 1 and not sets:
            sets = [all_paths(found.network, found.shapes, found.plan.domain if found.plan else None)]
            sets += [all_paths(found.network, found.shapes, found.plan.lossless)] if found.plan else []
        yield _derivation(found, name, fields, sets)


def _derivation(found: Diagnosis, name: str, fields: Fields, sets: Sequence[PathsByNode]) -> Derivation:
    node = found.network.by_name[name]
    shapes = found.shapes
    reads = {each: "unknown" if (shape := shapes[each]) is None else shape_text(shape) for each in node.inputs}
    layer = node.layer
    if layer is None or any(shapes[each] is None for each in node.inputs):
        why = _fault(found, name) or "unknown, because a preceding layer is faulty"
        kind, summary = ("", "") if layer is None else (layer.kind, layer.summary)
        return Derivation(name, kind, summary, (), reads, (), {}, why)
    inputs = tuple(shape for each in node.inputs if (shape := shapes[each]) is not None)
    output = shapes[name]
    steps: list[Step] = []
    if output is not None:
        steps += [*_own_steps(node, layer, inputs, output), *_field_steps(node, layer, inputs, fields)]
        steps += _branch_steps(node, found.network, sets) if sets else []
    elif isinstance(layer, WindowLayer) and is_map(inputs[0]):
        steps += window_steps(layer, inputs[0])
    return Derivation(
        name,
        layer.kind,
        layer.summary,
        tuple(settings_text(_settings(node, layer))),
        reads,
        tuple(steps),
        _chains(found, name, fields),
        "" if output is not None else _fault(found, name) or "it cannot be planned",
    )


def worth_explaining(found: Diagnosis) -> Iterator[str]:
    """Yield the nodes worth explaining: those that are faulty, change a shape or have parameters.

    Examples
    --------
    >>> from planner import Network, diagnose, layer
    >>> net = Network(name="n", input={"x": ("N", 3, 8, 8)}, layers=[layer("relu", name="r"), layer("gap", name="g")])
    >>> list(worth_explaining(diagnose(net)))
    ['g']
    """
    for node in found.network.nodes:
        if node.layer is None or any(found.shapes[name] is None for name in node.inputs) or not node.inputs:
            continue
        shapes = tuple(shape for name in node.inputs if (shape := found.shapes[name]) is not None)
        if found.shapes[node.name] != shapes[0] or node.layer.params(shapes):
            yield node.name


def _settings(node: Node, layer: Layer) -> Mapping[str, Any]:
    if node.owner:
        return {"use": node.owner}
    return {} if isinstance(layer, Input) else layer.settings()


def _own_steps(node: Node, layer: Layer, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    """Yield the derivation of a layer; shared parameters and buffers are counted at their owner."""
    for step in derive(layer, inputs, output):
        if not node.owner or step.quantity not in ("parameters", "buffers"):
            yield step
        elif step.quantity == "parameters":
            yield stated("parameters", f"shared with `{node.owner}` and counted there")
        else:
            yield stated("buffers", f"shared with `{node.owner}`, updated once more in each step")


def _field_steps(node: Node, layer: Layer, inputs: tuple[Shape, ...], fields: Fields) -> Iterator[Step]:
    """Yield the receptive field, with its derivation if a window reads a single earlier layer."""
    field = fields.get(node.name)
    sources = [source for slot, source in enumerate(node.inputs) if slot not in layer.shape_only]
    before = fields.get(sources[0]) if len(sources) == 1 else None
    view = layer.fields_of_view(inputs) if inputs else None
    if field is None:
        return
    if (
        before is None
        or view is None
        or len(view) != len(before.size)
        or any(axis.extent is None or axis.stride == 0 or axis.relative for axis in view)
    ):
        yield stated("receptive field / step", field_text(field))
        return
    found = [_axis_field(each, before, field, axis) for axis, each in enumerate(view)]
    if all([step.terms for step in found[0]] == [step.terms for step in other] for other in found[1:]):
        yield from found[0]
        return
    for axis, steps in zip(names(inputs[0]), found, strict=True):
        yield from (replace(step, quantity=f"{step.quantity}, {axis}") for step in steps)


def _axis_field(view: AxisField, before: ReceptiveField, field: ReceptiveField, axis: int) -> list[Step]:
    r, j, t = before.size[axis], before.jump[axis], before.start[axis]
    # if a layer enlarges its feature map, the positions read are not the kernel extent `e` of the other formulas
    e, a = ("e", "a") if view.repeat == 1 else ("q", "c")
    seen = {"r": r, e: 1 if view.extent is None else view.extent, "j": j}
    size = rule(
        "field size", f"{{r}} + ({{{e}}} - 1)*{{j}}", rf"{{r}} + ({{{e}}} - 1) \cdot {{j}}", seen, field.size[axis]
    )
    if view.repeat == 1:
        step = rule("field step", "{j}*{s}", r"{j} \cdot {s}", {"j": j, "s": view.stride}, field.jump[axis])
    else:
        values = {"j": j, "s": view.repeat}
        step = rule("field step", "{j}/{s}", r"\frac{{{j}}}{{{s}}}", values, field.jump[axis])
    values = {"t": t, a: view.before, "j": j}
    start = rule("field start", f"{{t}} - {{{a}}}*{{j}}", rf"{{t}} - {{{a}}} \cdot {{j}}", values, field.start[axis])
    return [size, step, start]


def _branch_steps(node: Node, network: Network, sets: Sequence[PathsByNode]) -> Iterator[Step]:
    """Yield the receptive field of each branch of a merge, and whether the branches are aligned.

    `sets` holds the paths at all accepted sizes and, if there is a plan, at the sizes that drop no border pixels.
    """
    found = branches(sets[0], network, node.name)
    if len(found) < 2:
        return
    sentence = alignment(found)
    if sentence != ALIGNED and len(sets) > 1:
        lossless = branches(sets[1], network, node.name)
        if alignment(lossless) == ALIGNED:
            sentence = f"{ALIGNED} at sizes that drop no border pixels; at others a crop or floor shifts them"
            found = lossless
    for branch in found:
        yield stated(f"through {branch.source}", branch_text(branch))
    yield stated("alignment", sentence)


def _fields(found: Diagnosis) -> Fields:
    fields: dict[str, ReceptiveField | None] = {}
    for node in found.network.nodes:
        inputs = tuple(shape for name in node.inputs if (shape := found.shapes.get(name)) is not None)
        output = found.shapes.get(node.name)
        if node.layer is not None and output is not None and len(inputs) == len(node.inputs):
            fields[node.name] = through(node.layer, inputs, output, [fields.get(name) for name in node.inputs])
    return fields


def _bound(found: Diagnosis, values: Mapping[str, int]) -> Diagnosis:
    """Return the diagnosis with numbers substituted for the given names."""
    if not values:
        return found
    layers = {n.name: n.layer.bind(values) for n in found.network.nodes if n.layer and n.layer.free <= set(values)}
    shapes = {name: None if shape is None else _at(shape, values) for name, shape in found.shapes.items()}
    return replace(found, network=found.network.with_nodes(layers), shapes=shapes)


def _fault(found: Diagnosis, name: str) -> str:
    return next((finding.message for finding in found.findings if finding.layer == name), "")


def _chains(found: Diagnosis, name: str, fields: Fields) -> dict[str, str]:
    """Return the feature map sizes and the receptive fields from the input to a layer."""
    end = f"{name}."
    network = found.network.altered(nodes=(*found.network.nodes, Node(end, _Reader(), (name,))))
    seen: dict[str, Shape | None] = {each: (1, 1, *f.size) if f else None for each, f in fields.items()}
    maps = (shape for each in path_to(network, end)[:-1] if (shape := found.shapes.get(each)) is not None)
    words = next((names(shape) for shape in maps if is_map(shape)), ())
    chains: dict[str, str] = {}
    for what, shapes in (("", found.shapes), ("field ", seen)):
        along = [chain(network, shapes, end, 2 + axis) for axis in range(len(words))]
        if len(set(along)) == 1:
            chains[f"{what}size" if what else together(words)] = along[0]
        else:
            chains |= {f"{what}{axis}": text for axis, text in zip(words, along, strict=True)}
    return {axis: text for axis, text in chains.items() if "->" in text}


def _at(shape: Shape, values: Mapping[str, int]) -> Shape:
    return tuple(sy.total([sy.substitute(size, values)]) for size in shape)
