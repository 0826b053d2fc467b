"""Networks with one thing changed, for each kind of finding, those that change least first.

Whether one of them helps is decided in :mod:`planner.fixes.proof`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import gcd
from typing import Any

import planner.symbols as sy
from planner.conditions import Verdict
from planner.domain.domain import Domain
from planner.findings import Finding, SettingError
from planner.layers import (
    ChannelShuffle,
    Concat,
    Conv,
    ConvTranspose,
    Crop,
    Dense,
    Flatten,
    Input,
    Layer,
    PixelShuffle,
    PixelUnshuffle,
    Reshape,
    Slice,
    Split,
    Squeeze,
    Unpool,
    axes,
)
from planner.layers.arithmetic import Arithmetic
from planner.layers.pool import Pool
from planner.layers.spatial import LETTERS, along, by, is_map, rank
from planner.layers.window import WindowLayer
from planner.network.network import Network
from planner.network.node import INDICES, Node
from planner.plan.derivation import path_to
from planner.plan.diagnose import Diagnosis

MOST_TRIES = 40
"""Candidates tried for one finding."""


@dataclass(frozen=True)
class Candidate:
    """A changed network and the words for the change; of one `group` only the first that works is offered."""

    text: str
    network: Network
    group: str = ""


def candidates(found: Diagnosis, node: Node, finding: Finding, free: Diagnosis | None) -> Iterator[Candidate]:
    """Yield what to try for a finding; `free` is the diagnosis with the size of the image left open."""
    domain = free.plan.domain if free is not None and free.plan is not None else None
    network = found.network
    if finding.code == "S219":
        yield _apart(network, node)
    node = network.by_name.get(node.owner, node)  # what is changed is changed wherever it is used
    if finding.code in ("S201", "S208"):
        yield from _other_sizes(network, domain)
        yield from _padded(network, node)
        yield from _smaller_window(found, node)
        if isinstance(node.layer, ConvTranspose):
            most = max(_or(side, 0) for side in node.layer.pad)
            yield from _changed(network, node.name, "pad", [*range(min(most, MOST_TRIES) - 1, -1, -1)], "cut off less")
        if finding.code == "S208":
            yield from _changed(network, node.name, "rounding", ["floor"])
    elif finding.code == "S301":
        lossless = free.plan.lossless if free is not None and free.plan is not None else None
        yield from _other_sizes(network, lossless)
        if isinstance(node.layer, Pool):
            yield from _changed(network, node.name, "rounding", ["ceil"])
        if isinstance(node.layer, WindowLayer):
            limit = min(_or(size, 1) for size in node.layer.window_size()) // 2
            yield from _changed(network, node.name, "pad", [*range(1, limit + 1)])
    elif finding.code == "S302":
        yield from _matched_maps(found, node)
        for owner in (
            n for name in reversed(node.inputs) for n in [network.by_name[name]] if isinstance(n.layer, Pool)
        ):
            yield from _changed(network, owner.name, "rounding", ["floor", "ceil"])
    elif finding.code == "S202":
        if isinstance(node.layer, Arithmetic):
            yield from _raised(found, node)
        yield from _matched_channels(found, node)
        if isinstance(node.layer, Concat):
            yield from _cropped(found, node)
        if isinstance(node.layer, Unpool):
            yield from _other_sizes(network, domain)
        else:
            yield from _projected(found, node)
        yield from _matched_maps(found, node)
    elif finding.code == "S217" and isinstance(node.layer, Unpool):
        shape = found.shapes.get(node.inputs[1])
        windows = () if shape is None else node.layer.pool.windows((1,) * len(shape))
        steps = [_or(window.extent, 1) for window in windows]
        yield from _changed(network, node.partner, "stride", [steps[0] if len(set(steps)) == 1 else steps])
    elif finding.code == "S203":
        yield from _other_groups(found, node)
        if isinstance(node.layer, PixelUnshuffle):
            yield from _other_sizes(network, domain)
        yield from _even(found, node)
    elif finding.code == "S216":
        yield from _within(found, node)
    elif finding.code == "S204":
        yield from _flattened(network, node)
    elif finding.code == "S210" and isinstance(node.layer, Reshape):
        sizes = list(node.layer.shape)
        for computed in range(len(sizes)):
            yield from _changed(network, node.name, "shape", [[*sizes[:computed], -1, *sizes[computed + 1 :]]])
        yield from _changed(network, node.name, "shape", [[-1]])
    elif finding.code == "S213" and isinstance(node.layer, ConvTranspose):
        shape = found.shapes[node.inputs[0]] or (1, 1, 1, 1)
        limits = [_or(sy.maximum(w.stride, w.dilation), 1) - 1 for w in node.layer.windows(shape)]
        yield from _changed(network, node.name, "output_pad", [min(limits)])
    elif finding.code == "S220":
        yield from _for_its_axes(found, node)
    elif finding.code == "S206" and isinstance(node.layer, Pool):
        halves = [sy.constant(size) for size in node.layer.size]
        if None not in halves:
            yield from _changed(network, node.name, "pad", [min(h for h in halves if h is not None) // 2])
    elif finding.code == "S211" and isinstance(node.layer, Dense):
        yield from _other_sizes(network, domain)
        yield from _other_width(found, node, node.layer)
    elif finding.code == "S303" and isinstance(node.layer, Conv):
        shape = found.shapes[node.inputs[0]] or (1, 1, 1, 1)
        reach = min(_or(window.extent, 1) for window in node.layer.windows((1,) * len(shape)))
        yield from _changed(network, node.name, "pad", [reach // 2])
    elif finding.code == "S205":
        actual = found.shapes.get(node.name)
        if actual is not None:
            kept = tuple(e for e in network.expectations if e.node != node.name)
            written = f"[{', '.join(map(sy.text, actual))}]"
            yield Candidate(f"if that is what you want, assert it:  {written}", network.altered(expectations=kept))


def _apart(network: Network, node: Node) -> Candidate:
    """Return the network in which a layer that is another one once more has weights of its own."""
    nodes = (replace(each, owner="") if each.entry is node.entry else each for each in network.nodes)
    words = f"give `{node.name}` settings and weights of its own, not those of `{node.owner}`"
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
    """Pad this window or an earlier one, the first on the path foremost."""
    path = [network.by_name[name] for name in path_to(network, node.name)]
    windows = [n for n in path if isinstance(n.layer, WindowLayer)]
    for target in [*windows[:1], *windows[:0:-1][:2]]:
        assert isinstance(target.layer, WindowLayer)
        limit = min(_or(size, 0) for size in target.layer.window_size()) // 2
        words = "pad the first layer" if target is windows[0] else "pad this layer" if target is node else "pad"
        for pad in range(1, limit + 1):
            yield from _changed(network, target.name, "pad", [pad], words)


def _smaller_window(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    shape = found.shapes.get(node.inputs[0]) if node.inputs else None
    layer = node.layer
    if isinstance(layer, Crop) and layer.size is not None:
        window, key, words = layer.size, "size", "keep less"
    elif isinstance(layer, WindowLayer):
        window, key, words = layer.window_size(), layer.geometry[0], "make the window smaller"
    else:
        return
    if shape is None or not is_map(shape):
        return
    sizes = [sy.constant(size) for size in shape[2:]]
    kernels = [sy.constant(size) for size in along(window, len(sizes))]
    if None in sizes or None in kernels:
        return
    smaller = [min(k, n) for k, n in zip(kernels, sizes, strict=True) if k is not None and n is not None]
    if min(smaller) >= 1 and smaller != kernels:
        value = smaller[0] if len(set(smaller)) == 1 else smaller
        yield from _changed(found.network, node.name, key, [value], words)


def _matched_channels(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    """Give the last convolution or dense layer of one branch as many channels as another branch has."""
    if isinstance(node.layer, Concat):  # which takes any number from each
        return
    shapes = [found.shapes.get(name) for name in node.inputs]
    counts = dict.fromkeys(sy.constant(shape[1]) for shape in shapes if shape is not None)
    for name in node.inputs:
        owner = _upstream(found.network, name, (Conv, Dense))
        if owner is not None:
            key = "filters" if isinstance(owner.layer, Conv) else "units"
            yield from _changed(found.network, owner.name, key, [count for count in counts if count is not None])


def _other_width(found: Diagnosis, node: Node, layer: Dense) -> Iterator[Candidate]:
    """Give a dense layer the width its input has, or the widths nearest to its own."""
    shape, wanted = found.shapes.get(node.inputs[0]) if node.inputs else None, _or(layer.features, 0)
    known = sy.constant(shape[1]) if shape is not None else None
    near = [width for step in range(1, MOST_TRIES // 2) for width in (wanted - step, wanted + step) if width > 0]
    yield from _changed(found.network, node.name, "features", near if known is None else [known])


def _projected(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    """Put a 1x1 convolution with a stride on the branch whose maps are larger by a whole factor."""
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
    """Make features that meet a map a number for each of its channels."""
    shapes = [found.shapes.get(name) for name in node.inputs]
    for place, (name, shape) in enumerate(zip(node.inputs, shapes, strict=True)):
        if shape is not None and len(shape) == 2 and any(other is not None and len(other) == 4 for other in shapes):
            made = Node(f"{node.name}_gate", Reshape(shape=(shape[1], 1, 1)), (name,))
            words = f"- reshape: {{name: {made.name}, from: {name}, shape: [{sy.text(shape[1])}, 1, 1]}}"
            yield _instead(found.network, made, node, place, f"one number a channel:  {words}")


def _cropped(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    """Cut the border off a branch whose maps are larger than those of another."""
    for position, name in enumerate(node.inputs):
        for like in node.inputs:
            shapes = (found.shapes.get(name), found.shapes.get(like))
            if like == name or any(shape is None or not is_map(shape) for shape in shapes):
                continue
            made = Node(f"{node.name}_crop", Crop(), (name, like))
            words = f"- crop: {{name: {made.name}, from: [{name}, {like}]}}"
            yield _instead(found.network, made, node, position, f"crop `{name}` to `{like}` first:  {words}")


def _instead(network: Network, made: Node, node: Node, position: int, text: str) -> Candidate:
    """Return the candidate in which a node reads another one made for it in one place."""
    inputs = (*node.inputs[:position], made.name, *node.inputs[position + 1 :])
    reads = f"{node.name}: {{from: [{', '.join(inputs)}]}}"
    return Candidate(f"{text}  and  {reads}", _inserted(network, made, node, inputs), "insert")


def _inserted(network: Network, made: Node, before: Node, inputs: tuple[str, ...]) -> Network:
    """Return the network with a node put in front of another, which then reads `inputs`."""
    nodes: list[Node] = []
    for each in network.nodes:
        nodes += [made, replace(each, inputs=inputs)] if each.name == before.name else [each]
    return network.altered(nodes=tuple(nodes))


def _matched_maps(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    """Change stride or padding of the last windows of a branch."""
    for name in reversed(node.inputs):
        path = [found.network.by_name[step] for step in reversed(path_to(found.network, name))]
        for owner in [n for n in path if isinstance(n.layer, WindowLayer)][:3]:
            assert isinstance(owner.layer, WindowLayer)
            limit = min(_or(size, 1) for size in owner.layer.window_size())
            yield from _changed(found.network, owner.name, "pad", [*range(limit // 2 + 1), "same"])
            yield from _changed(found.network, owner.name, "stride", [1, 2, 4])


def _upstream(network: Network, name: str, kinds: tuple[type[Layer], ...]) -> Node | None:
    for step in reversed(path_to(network, name)):
        if isinstance(network.by_name[step].layer, kinds):
            return network.by_name[step]
    return None


def _other_groups(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    shape = found.shapes.get(node.inputs[0]) if node.inputs else None
    if not isinstance(node.layer, Conv) or shape is None:
        return
    groups, filters = sy.constant(node.layer.groups), sy.constant(node.layer.filters)
    channels = sy.constant(shape[1])
    if groups is None or filters is None or channels is None:
        return
    common = gcd(channels, filters)
    divisors = sorted(sy.divisors(common), key=lambda d: abs(d - groups))
    yield from _changed(found.network, node.name, "groups", divisors[:2])
    if groups <= 4 * filters:
        rounded = max(groups, round(filters / groups) * groups)
        yield from _changed(found.network, node.name, "filters", [rounded])


def _even(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    """Cut or shuffle by a number that divides, the nearest first."""
    layer, shape = node.layer, found.shapes.get(node.inputs[0]) if node.inputs else None
    if shape is None:
        return
    if isinstance(layer, Split):
        key, sizes = "parts", [shape[axes.position(layer.axis, len(shape))]]
    elif isinstance(layer, ChannelShuffle):
        key, sizes = "groups", [shape[1]]
    elif isinstance(layer, PixelShuffle | PixelUnshuffle):
        key, sizes = "scale", [shape[1]] if isinstance(layer, PixelShuffle) else list(shape[2:])
    else:
        return
    now, known = _or(getattr(layer, key), 1), [_or(size, 0) for size in sizes]
    near = [n for step in range(1, MOST_TRIES) for n in (now - step, now + step) if n > 1]
    yield from _changed(found.network, node.name, key, [n for n in near if not any(size % n for size in known)][:4])


def _within(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    """Keep a slice within its axis, let parts fill theirs, or squeeze an axis that is 1."""
    network, layer, shape = found.network, node.layer, found.shapes.get(node.inputs[0]) if node.inputs else None
    if shape is None:
        return
    if isinstance(layer, Squeeze):
        yield from _changed(network, node.name, "axis", [at for at in range(1, len(shape)) if shape[at] == 1])
    elif isinstance(layer, Slice | Split):
        size = sy.constant(shape[axes.position(layer.axis, len(shape))])
        if isinstance(layer, Slice):
            yield from _changed(network, node.name, "stop", [None] if size is None else [size])
            yield from _changed(network, node.name, "start", [0])
        elif isinstance(layer.parts, tuple) and size is not None:
            others = [_or(part, 0) for part in layer.parts[:-1]]
            yield from _changed(network, node.name, "parts", [[*others, size - sum(others)]])


def _flattened(network: Network, node: Node) -> Iterator[Candidate]:
    """Put a flatten before a layer that wants features."""
    if not isinstance(node.layer, Dense):
        return
    made = Node(f"{node.name}.flatten", Flatten(), node.inputs)
    yield Candidate(f"put `flatten` before `{node.name}`:  - flatten", _inserted(network, made, node, (made.name,)))


def _for_its_axes(found: Diagnosis, node: Node) -> Iterator[Candidate]:
    """Give every setting that is for other axes one size for all that there are."""
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
    """Yield the network with one setting of one layer at each value that the layer can have."""
    layer = network.by_name[name].layer
    if layer is None or isinstance(layer, Input) or network.by_name[name].role == INDICES:
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


def _or(size: Any, otherwise: int) -> int:
    known = sy.constant(size)
    return otherwise if known is None else known
