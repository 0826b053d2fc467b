"""Derivations: formula -> substituted -> number, for each quantity of a layer.

How a kind of layer is explained is a function registered for its class; a kind without one gets the
derivation every layer has. How a derivation is printed is the business of :mod:`planner.steps`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TypeAlias

import planner.symbols as sy
from planner.check import Diagnosis
from planner.derivation import chain
from planner.layers import BatchNorm, Concat, Conv, Dense, Flatten, Input, Layer
from planner.layers.window import Window, WindowLayer
from planner.network import Node
from planner.receptive import ReceptiveField, through
from planner.steps import Derivation, Step, bracketed, rule, shape_step, shape_text, stated
from planner.symbols import Shape, Size
from planner.table import field_text, settings_text

AXES = ("height", "width")

Fields: TypeAlias = Mapping[str, ReceptiveField | None]
"""Receptive fields by node."""


@dataclass(frozen=True)
class _Reader(Layer):
    """Stands behind a layer, so that its chain includes the layer itself."""


def explain(found: Diagnosis, name: str, at: Mapping[str, int] | None = None) -> Derivation:
    """Return the derivation of one layer, also of a faulty one as far as it goes.

    Parameters
    ----------
    found : Diagnosis
    name : str
        A node of its network.
    at : Mapping of str to int
        Values for free sizes.

    Raises
    ------
    KeyError
        There is no such node.

    Examples
    --------
    >>> from planner import Network, diagnose, layer
    >>> net = Network(name="n", input={"x": ("N", 3, 32, 32)}, layers=[layer("conv", name="c1", filters=6, kernel=5)])
    >>> explain(diagnose(net), "c1").steps[0].text
    '(n - k)/s + 1 = (32 - 5)/1 + 1 = 28'
    """
    return next(derivations(found, [name], at))


def derivations(found: Diagnosis, names: Iterable[str], at: Mapping[str, int] | None = None) -> Iterator[Derivation]:
    """Yield the derivation of each of several layers; the arguments are those of :func:`explain`.

    Examples
    --------
    >>> from planner import Network, diagnose, layer
    >>> net = Network(name="n", input={"x": ("N", 3, 8, 8)}, layers=[layer("gap", name="g")])
    >>> [derivation.kind for derivation in derivations(diagnose(net), ["x", "g"])]
    ['input', 'gap']
    """
    found = _bound(found, dict(at or {}))
    fields = _fields(found)
    for name in names:
        yield _derivation(found, name, fields)


def _derivation(found: Diagnosis, name: str, fields: Fields) -> Derivation:
    node = found.network.by_name[name]
    shapes = found.shapes
    reads = {each: "unknown" if (shape := shapes[each]) is None else shape_text(shape) for each in node.inputs}
    layer = node.layer
    if layer is None or any(shapes[each] is None for each in node.inputs):
        why = _fault(found, name) or "nothing is known behind a faulty layer"
        kind, summary = ("", "") if layer is None else (layer.kind, layer.summary)
        return Derivation(name, kind, summary, (), reads, (), {}, why)
    inputs = tuple(shape for each in node.inputs if (shape := shapes[each]) is not None)
    output = shapes[name]
    steps: list[Step] = []
    if output is not None:
        steps += [*derive(layer, inputs, output), *_field_steps(node, layer, inputs, fields)]
    elif isinstance(layer, WindowLayer) and len(inputs[0]) == 4:
        steps += window_steps(layer, inputs[0])
    return Derivation(
        name,
        layer.kind,
        layer.summary,
        () if isinstance(layer, Input) else tuple(settings_text(layer.settings())),
        reads,
        tuple(steps),
        _chains(found, name),
        "" if output is not None else _fault(found, name) or "it cannot be planned",
    )


def worth_explaining(found: Diagnosis) -> Iterator[str]:
    """Yield the nodes whose derivation says something: faulty ones, and those that change a shape or own numbers.

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


@singledispatch
def derive(layer: Layer, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    """Yield the steps of one kind of layer; registered by class, this one serves every kind.

    Examples
    --------
    >>> from planner.layers import Relu
    >>> [step.quantity for step in derive(Relu(), ((8, 3, 4, 4),), (8, 3, 4, 4))]
    ['output']
    """
    yield shape_step("output", output)
    arrays = layer.params(inputs)
    if arrays:
        parts = [f"{array.name} {'*'.join(bracketed(sy.text(size)) for size in array.shape)}" for array in arrays]
        counts = sy.total(array.count for array in arrays)
        yield stated("parameters", " + ".join(parts), sy.text(counts))
    macs = layer.macs(inputs, output)
    if macs != 0:
        yield stated("MACs", sy.text(macs))


@derive.register(WindowLayer)
def _(layer: WindowLayer, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    yield from window_steps(layer, inputs[0])
    yield from derive.dispatch(Layer)(layer, inputs, output)


@derive.register(Conv)
def _(layer: Conv, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    high, wide = layer.kernel
    values = {"filters": layer.filters, "channels": inputs[0][1], "groups": layer.groups, "kh": high, "kw": wide}
    share, latex_share = "({channels}/{groups})", r"\frac{{{channels}}}{{{groups}}}"
    if layer.groups == 1:
        values.pop("groups")
        share = latex_share = "{channels}"
    bias, latex_bias = (" + {filters}", " + {filters}") if layer.bias else ("", "")
    yield from window_steps(layer, inputs[0])
    yield shape_step("output", output)
    yield rule(
        "parameters",
        f"{{filters}}*{share}*{{kh}}*{{kw}}{bias}",
        rf"{{filters}} \cdot {latex_share} \cdot {{kh}} \cdot {{kw}}{latex_bias}",
        values,
        sy.total(array.count for array in layer.params(inputs)),
    )
    yield rule(
        "MACs",
        f"{{N}}*{{filters}}*{{H'}}*{{W'}}*{share}*{{kh}}*{{kw}}",
        rf"{{N}} \cdot {{filters}} \cdot {{H'}} \cdot {{W'}} \cdot {latex_share} \cdot {{kh}} \cdot {{kw}}",
        {**values, "N": output[0], "H'": output[2], "W'": output[3]},
        layer.macs(inputs, output),
    )


@derive.register(Dense)
def _(layer: Dense, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    values = {"units": layer.units, "features": inputs[0][1]}
    bias = " + {units}" if layer.bias else ""
    parameters = sy.total(array.count for array in layer.params(inputs))
    yield shape_step("output", output)
    yield rule("parameters", "{units}*{features}" + bias, r"{units} \cdot {features}" + bias, values, parameters)
    yield rule(
        "MACs",
        "{N}*{units}*{features}",
        r"{N} \cdot {units} \cdot {features}",
        {**values, "N": output[0]},
        layer.macs(inputs, output),
    )


@derive.register(Flatten)
def _(_: Flatten, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    letters = ("channels", "height", "width") if len(inputs[0]) == 4 else ("features",)
    text = "*".join(f"{{{letter}}}" for letter in letters)
    values = dict(zip(letters, inputs[0][1:], strict=True))
    yield rule("features", text, text.replace("*", r" \cdot "), values, output[1])
    yield shape_step("output", output)


@derive.register(Concat)
def _(_: Concat, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    yield stated("channels", " + ".join(sy.text(shape[1]) for shape in inputs), sy.text(output[1]))
    yield shape_step("output", output)


@derive.register(BatchNorm)
def _(layer: BatchNorm, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    values = {"channels": inputs[0][1]}
    yield shape_step("output", output)
    for quantity, arrays in (("parameters", layer.params(inputs)), ("buffers", layer.buffers(inputs))):
        if arrays:
            total = sy.total(array.count for array in arrays)
            yield rule(quantity, "2*{channels}", r"2 \cdot {channels}", values, total)


def window_steps(layer: WindowLayer, shape: Shape) -> list[Step]:
    """Return how output height and width follow from the window rule; one step where both are the same.

    Examples
    --------
    >>> F, S, N = map(sy.symbol, "FSN")
    >>> [step.text for step in window_steps(Conv(filters=1, kernel=F, stride=S), (1, 3, N, N))]
    ['floor((n - k)/s) + 1 = floor((N - F)/S) + 1']
    >>> [step.text for step in window_steps(Conv(filters=1, kernel=3, stride=3), (1, 3, 7, 7))]
    ['floor((n - k)/s) + 1 = floor((7 - 3)/3) + 1 = 2']
    """
    stride, pad, _, _ = layer.window_settings()
    found = []
    for axis, window in enumerate(layer.windows(shape)):
        size = shape[2 + axis]
        if isinstance(pad, str):
            values = {"n": size, "s": stride[axis]}
            count = layer.map_size(shape)[axis]
            found.append(
                [rule(AXES[axis], "ceil({n}/{s})", r"\left\lceil \frac{{{n}}}{{{s}}} \right\rceil", values, count)]
            )
        else:
            found.append(_axis_steps(AXES[axis], window, size))
    high, wide = found
    if [step.terms for step in high] == [step.terms for step in wide]:
        return [replace(step, quantity=step.quantity.replace("height", "height and width")) for step in high]
    return high + wide


def _axis_steps(name: str, window: Window, size: Size) -> list[Step]:
    """Return the steps along one axis: the window's extent where it is dilated, then its positions."""
    steps = []
    reach, values = "k", {"n": size, "k": window.kernel, "s": window.stride}
    if window.dilation != 1:
        spread = {"d": window.dilation, "k": window.kernel}
        steps.append(rule(f"window {name} e", "{d}*({k} - 1) + 1", r"{d} \cdot ({k} - 1) + 1", spread, window.extent))
        reach, values = "e", {"n": size, "e": window.extent, "s": window.stride}
    if sy.difference(window.before, window.after) != 0:
        padding = " + {a} + {b}"
        values |= {"a": window.before, "b": window.after}
    elif window.before != 0:
        padding = " + 2*{p}"
        values |= {"p": window.before}
    else:
        padding = ""
    inside = f"({{n}}{padding} - {{{reach}}})/{{s}}"
    top = f"{{n}}{padding.replace('*', ' ')} - {{{reach}}}"
    fraction = rf"\frac{{{{{top}}}}}{{{{{{s}}}}}}"
    text, latex = f"{inside} + 1", f"{fraction} + 1"
    # rounding that changes nothing is left out, as textbooks do
    if window.rounding == "ceil":
        text, latex = f"ceil({inside}) + 1", rf"\left\lceil {fraction} \right\rceil + 1"
    elif window.rounding == "floor" and window.remainder(size) != 0:
        text, latex = f"floor({inside}) + 1", rf"\left\lfloor {fraction} \right\rfloor + 1"
    plain = sy.constant(window.stride) is not None and sy.constant(window.extent) is not None
    positions = window.positions(size)
    steps.append(rule(name, text, latex, values, positions if plain or sy.constant(positions) is not None else None))
    if window.rounding == "ceil":
        straight = sy.ceil_div(sy.total([size, window.before, window.after, -window.extent]), window.stride) + 1
        if sy.difference(straight, positions) != 0:
            less = stated(f"{name}, no window begins in the padding", sy.text(positions))
            steps[-1] = replace(steps[-1], terms=(*steps[-1].terms[:2], sy.text(straight)))
            steps.append(less)
    return steps


def _field_steps(node: Node, layer: Layer, inputs: tuple[Shape, ...], fields: Fields) -> Iterator[Step]:
    """Yield the receptive field, with its derivation where a window sees a field of one earlier layer."""
    field = fields.get(node.name)
    before = fields.get(node.inputs[0]) if len(node.inputs) == 1 else None
    view = layer.fields_of_view(inputs) if inputs else None
    if field is None:
        return
    if before is None or view is None or any(axis.extent is None for axis in view):
        yield stated("receptive field / step", field_text(field))
        return
    r, j, t = (pair[0] for pair in (before.size, before.jump, before.start))
    extent, stride, pad = view[0].extent, view[0].stride, view[0].before
    axis = "" if view[0] == view[1] else " (height)"
    values = {"r": r, "e": 1 if extent is None else extent, "j": j}
    yield rule(f"field size{axis}", "{r} + ({e} - 1)*{j}", r"{r} + ({e} - 1) \cdot {j}", values, field.size[0])
    yield rule(f"field step{axis}", "{j}*{s}", r"{j} \cdot {s}", {"j": j, "s": stride}, field.jump[0])
    yield rule(
        f"field start{axis}", "{t} - {a}*{j}", r"{t} - {a} \cdot {j}", {"t": t, "a": pad, "j": j}, field.start[0]
    )


def _fields(found: Diagnosis) -> Fields:
    fields: dict[str, ReceptiveField | None] = {}
    for node in found.network.nodes:
        inputs = tuple(shape for name in node.inputs if (shape := found.shapes.get(name)) is not None)
        output = found.shapes.get(node.name)
        if node.layer is not None and output is not None and len(inputs) == len(node.inputs):
            fields[node.name] = through(node.layer, inputs, output, [fields.get(name) for name in node.inputs])
    return fields


def _bound(found: Diagnosis, values: Mapping[str, int]) -> Diagnosis:
    """Return the diagnosis with numbers in the place of known names."""
    if not values:
        return found
    layers = {n.name: n.layer.bind(values) for n in found.network.nodes if n.layer and n.layer.free <= set(values)}
    shapes = {name: None if shape is None else _at(shape, values) for name, shape in found.shapes.items()}
    return replace(found, network=found.network.with_nodes(layers), shapes=shapes)


def _fault(found: Diagnosis, name: str) -> str:
    return next((finding.message for finding in found.findings if finding.layer == name), "")


def _chains(found: Diagnosis, name: str) -> dict[str, str]:
    end = f"{name}."
    network = found.network.altered(nodes=(*found.network.nodes, Node(end, _Reader(), (name,))))
    texts = [chain(network, found.shapes, end, axis) for axis in (2, 3)]
    both = {"height and width": texts[0]} if texts[0] == texts[1] else dict(zip(AXES, texts, strict=True))
    return {axis: text for axis, text in both.items() if "->" in text}


def _at(shape: Shape, values: Mapping[str, int]) -> Shape:
    return tuple(sy.total([sy.substitute(size, values)]) for size in shape)
