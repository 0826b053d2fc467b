"""Networks with one change, for each kind of finding, the smallest changes first.

:mod:`planner.fixes.proof` decides whether a change is a fix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

import planner.symbols as sy
from planner.conditions import Verdict
from planner.domain.domain import Domain
from planner.findings import Finding, SettingError
from planner.fixes.kinds import blames_the_map, changes, most_padding, reads_features, width_setting
from planner.layers import Concat, Conv, Crop, Flatten, Layer, Reshape, Unpool
from planner.layers.arithmetic import Arithmetic
from planner.layers.spatial import LETTERS, by, is_map, rank
from planner.network.network import Network
from planner.network.node import INDICES, Node
from planner.plan.derivation import path_to
from planner.plan.diagnose import Diagnosis


@dataclass(frozen=True)
class Candidate:
    """A changed network and a description of the change; only the first fix of each `group` is offered."""

    text: str
    network: Network
    group: str = ""


def candidates(found: Diagnosis, node: Node, finding: Finding, free: Diagnosis | None) -> Iterator[Candidate]:
    """Yield the candidates for a finding; `free` is the diagnosis with a free image size."""
    domain = free.plan.domain if free is not None and free.plan is not None else None
    network = found.network
    if finding.code == "S219":
        yield _apart(network, node)
    node = network.by_name.get(node.owner, node)  # a change applies to all uses of the layer
    if node.layer is None:
        return
    if finding.code in ("S201", "S208"):
        yield from _other_sizes(network, domain)
        yield from _padded(network, node)
        yield from _changes(found, node, finding.code)
        if finding.code == "S208":
            yield from _changed(network, node.name, "rounding", ["floor"])
    elif finding.code == "S301":
        yield from _other_sizes(network, free.plan.lossless if free is not None and free.plan is not None else None)
        yield from _changes(found, node, finding.code)
    elif finding.code == "S302":
        yield from _matched_maps(found, node)
        for name in reversed(node.inputs):
            yield from _changes(found, network.by_name[name], finding.code)
    elif finding.code == "S202":
        yield from _made_to_fit(node.layer, found, node, domain)
    elif finding.code == "S204":
        yield from _flattened(network, node)
    elif finding.code == "S220":
        yield from _for_its_axes(found, node)
    elif finding.code == "S205":
        actual = found.shapes.get(node.name)
        if actual is not None:
            kept = tuple(e for e in network.expectations if e.node != node.name)
            written = f"[{', '.join(map(sy.text, actual))}]"
            yield Candidate(f"if that is what you want, assert it:  {written}", network.altered(expectations=kept))
    else:
        if blames_the_map(node.layer, finding.code):
            yield from _other_sizes(network, domain)
        yield from _changes(found, node, finding.code)


@singledispatch
def _made_to_fit(_layer: Layer, found: Diagnosis, node: Node, _domain: Domain | None) -> Iterator[Candidate]:
    """Yield changes that make the inputs of a layer agree."""
    yield from _matched_channels(found, node)
    yield from _projected(found, node)
    yield from _matched_maps(found, node)


_any_layer_made_to_fit = _made_to_fit.dispatch(Layer)


@_made_to_fit.register
def _(layer: Arithmetic, found: Diagnosis, node: Node, domain: Domain | None) -> Iterator[Candidate]:
    yield from _raised(found, node)
    yield from _any_layer_made_to_fit(layer, found, node, domain)


@_made_to_fit.register
def _(_layer: Concat, found: Diagnosis, node: Node, _domain: Domain | None) -> Iterator[Candidate]:
    """Yield changes of the maps only: the branches may have different numbers of channels."""
    yield from _cropped(found, node)
    yield from _projected(found, node)
    yield from _matched_maps(found, node)


@_made_to_fit.register
def _(_layer: Unpool, found: Diagnosis, node: Node, domain: Domain | None) -> Iterator[Candidate]:
    yield from _matched_channels(found, node)
    yield from _other_sizes(found.network, domain)
    yield from _matched_maps(found, node)


def _changes(found: Diagnosis, node: Node, code: str) -> Iterator[Candidate]:
    """Yield the changes of a layer of this kind for a finding."""
    inputs = tuple(found.shapes.get(name) for name in node.inputs)
    for change in changes(node.layer, code, inputs) if node.layer is not None else ():
        changed = node.partner if change.of_partner else node.name
        yield from _changed(found.network, changed, change.setting, change.values, change.words)


def _apart(network: Network, node: Node) -> Candidate:
    """Return the network in which a layer that uses another one has separate weights instead."""
    nodes = (replace(each, owner="") if each.entry is node.entry else each for each in network.nodes)
    words = f"give `{node.name}` separate settings and weights instead of those of `{node.owner}`"
    return Candidate(words, network.altered(nodes=tuple(nodes)))


def _other_sizes(network: Network, domain: Domain | None) -> Iterator[Candidate]:
    if domain is None or len(network.inputs) != 1:
        return
    ((name, shape),) = network.inputs.items()
    letters, given = LETTERS.get(rank(shape), ()), [size for size in map(sy.constant, shape[2:]) if size is not None]
    if not letters or len(given) < len(letters) or any(letter not in domain for letter in letters):
        return
    for step in ("next", "previous"):
        sizes = [getattr(domain[letter], step)(size) for letter, size in zip(letters, given, strict=True)]
        if None not in sizes and sizes != given:
            written = ", ".join(map(sy.text, (*shape[:2], *sizes)))
            what = {1: f"a length of {by(sizes)}", 2: f"{by(sizes)} images", 3: f"{by(sizes)} volumes"}[len(sizes)]
            text = f"feed {what}:  {name}: [{written}]"
            yield Candidate(text, network.with_input(**{name: (*shape[:2], *sizes)}))


def _padded(network: Network, node: Node) -> Iterator[Candidate]:
    """Yield networks with padding at this window or an earlier one, beginning with the first on the path."""
    path = [network.by_name[name] for name in path_to(network, node.name)]
    padded = [(n, most) for n in path if n.layer is not None and (most := most_padding(n.layer)) is not None]
    for target, limit in [*padded[:1], *padded[:0:-1][:2]]:
        words = "pad the first layer" if target is padded[0][0] else "pad this layer" if target is node else "pad"
        for pad in range(1, limit + 1):
            yield from _changed(network, target.name, "pad", [pad], words)


def _matched_channels(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    """Yield networks in which the last convolution or dense layer of a branch has the channels of another branch."""
    shapes = [found.shapes.get(name) for name in node.inputs]
    counts = dict.fromkeys(sy.constant(shape[1]) for shape in shapes if shape is not None)
    for name in node.inputs:
        steps = (found.network.by_name[step] for step in reversed(path_to(found.network, name)))
        for owner, key in ((n, width_setting(n.layer)) for n in steps if n.layer is not None):
            if key:
                yield from _changed(found.network, owner.name, key, [count for count in counts if count is not None])
                break


def _projected(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    """Yield networks with a strided 1x1 convolution on a branch with maps that are larger by a whole factor."""
    shapes = [found.shapes.get(name) for name in node.inputs]
    for position, (name, large) in enumerate(zip(node.inputs, shapes, strict=True)):
        for small in dict.fromkeys(shapes):
            if large is None or small is None or len(large) != len(small) or node.inputs.count(name) > 1:
                continue
            sizes = [(sy.constant(a), sy.constant(b)) for a, b in zip(large[2:], small[2:], strict=True)]
            strides = {-(-a // b) for a, b in sizes if a is not None and b is not None and a > b}
            filters = sy.constant(small[1])
            if len(strides) != 1 or filters is None:
                continue
            (stride,) = strides
            made = Node(f"{node.name}_skip", Conv(filters=filters, kernel=1, stride=stride), (name,))
            words = f"- conv: {{name: {made.name}, from: {name}, filters: {filters}, kernel: 1, stride: {stride}}}"
            yield _instead(found.network, made, node, position, f"project `{name}` first:  {words}")


def _raised(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    """Yield networks that reshape features to one number for each channel of a map they are combined with."""
    shapes = [found.shapes.get(name) for name in node.inputs]
    for place, (name, shape) in enumerate(zip(node.inputs, shapes, strict=True)):
        if shape is not None and len(shape) == 2 and any(other is not None and len(other) == 4 for other in shapes):
            made = Node(f"{node.name}_gate", Reshape(shape=(shape[1], 1, 1)), (name,))
            words = f"- reshape: {{name: {made.name}, from: {name}, shape: [{sy.text(shape[1])}, 1, 1]}}"
            yield _instead(found.network, made, node, place, f"reshape to one number per channel:  {words}")


def _cropped(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    """Yield networks that crop the maps of a branch to the size of another branch."""
    for position, name in enumerate(node.inputs):
        for like in node.inputs:
            shapes = (found.shapes.get(name), found.shapes.get(like))
            if like == name or any(shape is None or not is_map(shape) for shape in shapes):
                continue
            made = Node(f"{node.name}_crop", Crop(), (name, like))
            words = f"- crop: {{name: {made.name}, from: [{name}, {like}]}}"
            yield _instead(found.network, made, node, position, f"crop `{name}` to `{like}` first:  {words}")


def _instead(network: Network, made: Node, node: Node, position: int, text: str) -> Candidate:
    """Return the candidate in which one input of a node is replaced by a new node."""
    inputs = (*node.inputs[:position], made.name, *node.inputs[position + 1 :])
    reads = f"{node.name}: {{from: [{', '.join(inputs)}]}}"
    return Candidate(f"{text}  and  {reads}", _inserted(network, made, node, inputs), "insert")


def _inserted(network: Network, made: Node, before: Node, inputs: tuple[str, ...]) -> Network:
    """Return the network with a node inserted before another one, which then reads `inputs`."""
    nodes: list[Node] = []
    for each in network.nodes:
        nodes += [made, replace(each, inputs=inputs)] if each.name == before.name else [each]
    return network.altered(nodes=tuple(nodes))


def _matched_maps(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    """Yield networks with another stride or padding at the last windows of a branch."""
    for name in reversed(node.inputs):
        path = [found.network.by_name[step] for step in reversed(path_to(found.network, name))]
        padded = ((n, most_padding(n.layer)) for n in path if n.layer is not None)
        for owner, limit in [(n, most) for n, most in padded if most is not None][:3]:
            yield from _changed(found.network, owner.name, "pad", [*range(limit + 1), "same"])
            yield from _changed(found.network, owner.name, "stride", [1, 2, 4])


def _flattened(network: Network, node: Node) -> Iterator[Candidate]:
    """Yield the network with a flatten before a layer that reads features."""
    if node.layer is None or not reads_features(node.layer):
        return
    made = Node(f"{node.name}.flatten", Flatten(), node.inputs)
    yield Candidate(f"put `flatten` before `{node.name}`:  - flatten", _inserted(network, made, node, (made.name,)))


def _for_its_axes(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    """Yield the network in which settings with the wrong number of axes have one size for all axes."""
    shapes = tuple(shape for name in node.inputs if (shape := found.shapes[name]) is not None)
    changed = {
        broken.setting: getattr(node.layer, broken.setting)[0]
        for broken in (node.layer.requires(shapes) if node.layer is not None else ())
        if broken.code == "S220" and broken.condition.verdict() is Verdict.FAILS
    }
    if changed and node.layer is not None:
        text = ", ".join(f"{key}: {sy.text(value)}" for key, value in changed.items())
        other = replace(node.layer, **changed)
        yield Candidate(f"{node.name}: {{..., {text}}}", found.network.with_nodes({node.name: other}))


def _changed(network: Network, name: str, key: str, values: list[Any], words: str = "") -> Iterator[Candidate]:
    """Yield the network with one setting of one layer changed to each valid value."""
    layer = network.by_name[name].layer
    if layer is None or layer.category == "io" or network.by_name[name].role == INDICES:
        return
    for value in values:
        try:
            other = replace(layer, **{key: value})
        except SettingError:
            continue
        group = "" if key == "shape" else f"{name}.{key}"
        if other != layer:
            text = f"{name}: {{..., {key}: {value}}}"
            yield Candidate(f"{words}:  {text}" if words else text, network.with_nodes({name: other}), group)
