"""Receptive fields of each path from an input to a layer, and whether the paths are aligned.

A merge adds or concatenates positions of its branches. If one branch is shifted by half a pixel against another,
features are blurred although all sizes fit. Size, step and start are those of :mod:`planner.plan.receptive`;
`centre` is the mean position that position 0 sees, so that upsampling and pooling can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import singledispatch
from itertools import takewhile
from math import lcm
from typing import TypeAlias

import planner.symbols as sy
from planner.domain.sizeset import SizeSet
from planner.layers import ConvTranspose, Resize, Upsample
from planner.layers.adaptive import AdaptivePool
from planner.layers.base import AxisField, Layer
from planner.layers.spatial import is_map, rank
from planner.network.network import Network
from planner.plan.receptive import ReceptiveField, itself, through
from planner.symbols import Shape, Size

ALIGNED = "all branches are aligned"
"""Result of :func:`alignment` if no branch is shifted against another."""

PERIOD = 1024
"""Largest period of a formula for which it is evaluated whether it is constant over all accepted sizes."""

MOST = 4096
"""Maximum number of distinct receptive fields kept for one layer; further ones are dropped."""

Places: TypeAlias = tuple[Size, ...]
"""One number per axis."""

WAYS = (("down", "up"), ("right", "left"))
"""Names of the positive and the negative direction along height and width."""

Within: TypeAlias = Mapping[str, SizeSet]
"""Sets of sizes by name; a formula that is constant over them is replaced by its value."""


@dataclass(frozen=True)
class Path:
    """Paths from an input to a layer that have the same receptive field.

    Attributes
    ----------
    field : ReceptiveField
        Size, step and start along each axis, in positions of the input.
    centre : tuple of Size
        Centre of position 0 along each axis; fractions of a pixel are exact.
    count : int
        Number of paths.
    names : tuple of str
        Nodes of one of the paths, starting with the input.
    """

    field: ReceptiveField
    centre: Places
    count: int
    names: tuple[str, ...]


PathsByNode: TypeAlias = Mapping[str, tuple[Path, ...]]
"""Paths by the node at which they end."""


@dataclass(frozen=True)
class Branch:
    """One input of a layer with all paths through it.

    Attributes
    ----------
    source : str
        The node that the layer reads.
    paths : tuple of Path
    """

    source: str
    paths: tuple[Path, ...]

    @property
    def centres(self) -> tuple[Places, ...]:
        """Distinct centres of the paths."""
        return tuple(dict.fromkeys(path.centre for path in self.paths))

    @property
    def jumps(self) -> tuple[Places, ...]:
        """Distinct steps of the paths."""
        return tuple(dict.fromkeys(path.field.jump for path in self.paths))


def paths(
    network: Network, shapes: Mapping[str, Shape | None], name: str, within: Within | None = None
) -> tuple[Path, ...]:
    """Return the paths to a layer, grouped by receptive field, smallest field first.

    The result is empty if the layer reads no feature map or follows a fault. The offset of a crop depends on the
    size; with `within`, such as ``plan.lossless``, only the sizes in it are considered.

    Examples
    --------
    >>> from planner import diagnose, layer
    >>> net = Network(name="n", input={"x": ("N", 4, 8, 8)}, layers=[
    ...     layer("conv", name="c", filters=4, kernel=3, pad=1), layer("add", name="a", from_=["x", "c"])])
    >>> [(path.field.size, path.centre, path.names) for path in paths(net, diagnose(net).shapes, "a")]
    [((1, 1), (0, 0), ('x', 'a')), ((3, 3), (0, 0), ('x', 'c', 'a'))]
    """
    part = ancestors(network, name)
    nodes = tuple(node for node in network.nodes if node.name in part)
    return _sorted(all_paths(network.altered(nodes=nodes), shapes, within).get(name, ()))


def branches(found: PathsByNode, network: Network, name: str) -> tuple[Branch, ...]:
    """Return the inputs of a layer with the paths through each; inputs that are only read for their shape are omitted.

    Examples
    --------
    >>> from planner import diagnose, layer
    >>> net = Network(name="n", input={"x": ("N", 4, 8, 8)}, layers=[
    ...     layer("conv", name="c", filters=4, kernel=3, pad=1), layer("add", name="a", from_=["x", "c"])])
    >>> [(branch.source, branch.centres) for branch in branches(all_paths(net, diagnose(net).shapes), net, "a")]
    [('x', ((0, 0),)), ('c', ((0, 0),))]
    """
    node = network.by_name[name]
    if node.layer is None:
        return ()
    slots = [source for slot, source in enumerate(node.inputs) if slot not in node.layer.shape_only]
    return tuple(Branch(source, _sorted(found[source])) for source in slots if found.get(source))


def alignment(found: Sequence[Branch]) -> str:
    """Return a sentence on whether the branches of a layer are aligned, in pixels of the input.

    Examples
    --------
    >>> from planner import diagnose, layer
    >>> net = Network(name="n", input={"x": ("N", 4, 8, 8)}, layers=[
    ...     layer("conv", name="c", filters=4, kernel=3, stride=2, pad=1),
    ...     layer("maxpool", name="m", size=2, from_="x"), layer("concat", name="j", from_=["c", "m"])])
    >>> alignment(branches(all_paths(net, diagnose(net).shapes), net, "j"))
    '`m` is centred 0.5 pixels further down and 0.5 pixels further right than `c`'
    """
    if not found:
        return "no feature map is read"
    if len({jump for branch in found for jump in branch.jumps}) > 1:
        steps = ", ".join(f"`{branch.source}` {_listed(branch.jumps)}" for branch in found)
        return f"the steps differ, so positions drift apart: {steps}"
    split = [branch for branch in found if len(branch.centres) > 1]
    if split:
        parts = [f"`{branch.source}` has {len(branch.centres)} different centres" for branch in split]
        return f"{', '.join(parts)}: an earlier merge is not aligned"
    first, *others = found
    parts = []
    for other in others:
        directions = {1: (("on", "back"),), 2: WAYS, 3: (("back", "front"), *WAYS)}.get(len(first.centres[0]), ())
        offsets = (sy.difference(b, a) for a, b in zip(first.centres[0], other.centres[0], strict=False))
        words = [word for far, names in zip(offsets, directions, strict=False) if (word := _moved(far, *names))]
        if words:
            parts.append(f"`{other.source}` is centred {' and '.join(words)} than `{first.source}`")
    if parts:
        return "; ".join(parts)
    return ALIGNED


def branch_text(branch: Branch) -> str:
    """Return one line on a branch: receptive fields, number of paths, step and centre.

    Examples
    --------
    >>> field = ReceptiveField((3, 3), (2, 2), (-1, -1))
    >>> branch_text(Branch("c", (Path(field, (0, 0), 1, ("x", "c")),)))
    'field 3x3, step 2, start -1, centre 0'
    """
    sizes = list(dict.fromkeys("x".join(map(sy.text, path.field.size)) for path in branch.paths))
    starts = list(dict.fromkeys(_axes(path.field.start) for path in branch.paths))
    count = sum(path.count for path in branch.paths)
    parts = [f"field {_ends(sizes)}" + (f" over {count} paths" if count > 1 else ""), f"step {_listed(branch.jumps)}"]
    return ", ".join([*parts, f"start {_ends(starts)}", f"centre {_listed(branch.centres)}"])


def pixels(value: Size) -> str:
    """Return a number of pixels as text; halves, quarters and so on as decimals.

    Examples
    --------
    >>> pixels(sy.quotient(131, 2)), pixels(sy.quotient(1, 3)), pixels(-4)
    ('65.5', '1/3', '-4')
    """
    text = sy.text(value)
    if not re.fullmatch(r"-?[0-9]+/[0-9]+", text):
        return text
    exact = Fraction(text)
    whole, part = divmod(abs(exact), 1)
    sign, places = "-" if exact < 0 else "", part.denominator.bit_length() - 1
    if part.denominator != 1 << places or places > 6:
        return text
    return f"{sign}{whole}.{int(part * 10**places):0{places}d}"


def _ends(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{texts[0]} to {texts[-1]}"


def _axes(places: Places) -> str:
    return ", ".join(dict.fromkeys(map(pixels, places)))


@singledispatch
def shift(layer: Layer, inputs: tuple[Shape, ...], axis: int) -> Size:
    """Return the shift of the centre of position 0 along an axis, in positions of the layer's input.

    Examples
    --------
    >>> from planner.layers import MaxPool
    >>> shift(MaxPool(size=2), ((1, 1, 8, 8),), 0)
    1/2
    """
    view = layer.fields_of_view(inputs)
    if view is None:
        return 0
    field: AxisField = view[axis]
    extent = inputs[0][2 + axis] if field.extent is None else field.extent
    return sy.quotient(extent - 1 - 2 * field.before, 2)


@shift.register
def _(layer: Upsample, inputs: tuple[Shape, ...], axis: int) -> Size:
    scale = layer.scales(inputs[0])[axis]
    return sy.quotient(1 - scale, 2 * scale)


@shift.register
def _(layer: Resize, inputs: tuple[Shape, ...], axis: int) -> Size:
    size, count = inputs[0][2 + axis], layer.map_size(inputs)[axis]
    scale = layer.fractions(axis + 1)[axis]
    if scale is not None:
        size, count = scale.denominator, scale.numerator
    return 0 if layer.align_corners else sy.quotient(size - count, 2 * count)


@shift.register
def _(layer: AdaptivePool, inputs: tuple[Shape, ...], axis: int) -> Size:
    return sy.quotient(sy.ceil_div(inputs[0][2 + axis], layer.shares(inputs[0])[axis]) - 1, 2)


@shift.register
def _(layer: ConvTranspose, inputs: tuple[Shape, ...], axis: int) -> Size:
    window = layer.windows(inputs[0])[axis]
    return sy.quotient(2 * window.before - window.extent + 1, 2 * window.stride)


def all_paths(network: Network, shapes: Mapping[str, Shape | None], within: Within | None = None) -> PathsByNode:
    """Return the paths to every node; see :func:`paths`.

    Examples
    --------
    >>> from planner import diagnose, layer
    >>> net = Network(name="n", input={"x": ("N", 4, 8, 8)}, layers=[layer("maxpool", name="p", size=2)])
    >>> {name: found[0].centre for name, found in all_paths(net, diagnose(net).shapes).items()}
    {'x': (0, 0), 'p': (1/2, 1/2)}
    """
    found: dict[str, tuple[Path, ...]] = {}
    for node in network.nodes:
        if node.layer is None:
            continue
        output = shapes.get(node.name)
        inputs = tuple(shape for source in node.inputs if (shape := shapes.get(source)) is not None)
        if output is None or len(inputs) != len(node.inputs):
            continue
        if not inputs:
            axes = rank(output)
            found[node.name] = (Path(itself(axes), (0,) * axes, 1, (node.name,)),) if is_map(output) else ()
            continue
        slots = [source for slot, source in enumerate(node.inputs) if slot not in node.layer.shape_only]
        before = [path for source in slots for path in found.get(source, ())]
        found[node.name] = _merged(
            _settled(_extended(path, node.name, node.layer, inputs, output), within or {}) for path in before
        )
    return found


def ancestors(network: Network, name: str) -> set[str]:
    """Return a node and all nodes that it depends on."""
    wanted, waiting = set[str](), [name]
    while waiting:
        each = waiting.pop()
        if each not in wanted:
            wanted.add(each)
            waiting += network.by_name[each].inputs
    return wanted


def _extended(path: Path, name: str, layer: Layer, inputs: tuple[Shape, ...], output: Shape) -> Path:
    # pass only the field of this path: the fields of other inputs belong to other paths
    field = through(layer, inputs, output, [path.field]) or path.field
    centre = path.centre
    if rank(inputs[0]) == len(centre):
        moved = (shift(layer, inputs, axis) * jump for axis, jump in enumerate(path.field.jump))
        centre = tuple(sy.total([place, more]) for place, more in zip(centre, moved, strict=True))
    return Path(field, centre, path.count, (*path.names, name))


def _settled(path: Path, within: Within) -> Path:
    """Return a path with every formula that is constant over the given sizes replaced by its value."""
    field = path.field
    facts = (field.size, field.jump, field.start, path.centre)
    size, jump, start, centre = (tuple(_number(each, within) for each in fact) for fact in facts)
    return replace(path, field=ReceptiveField(size, jump, start), centre=centre)


def _number(value: Size, within: Within) -> Size:
    names = sy.free(value)
    if len(names) != 1 or not names <= set(within):
        return value
    (name,) = names
    sizes = within[name]
    reach = lcm(sy.period(value), sizes.modulus)
    # a formula with max or min may change its slope at any size
    if reach > PERIOD or sizes.minimum is None or re.search("max|min", sy.text(value)):
        return value
    # constant over two periods means constant at all sizes: the value grows by the same amount in every period
    last = sizes.minimum + 2 * reach
    values = (sy.total([sy.substitute(value, {name: size})]) for size in takewhile(last.__ge__, sizes))
    first = next(values)
    return first if all(other == first for other in values) else value


def _merged(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the paths with those of equal field and centre combined into one."""
    found: dict[tuple[ReceptiveField, Places], Path] = {}
    for path in paths:
        key = path.field, path.centre
        if key in found:
            found[key] = replace(found[key], count=found[key].count + path.count)
        elif len(found) < MOST:
            found[key] = path
    return tuple(found.values())


def _sorted(paths: Sequence[Path]) -> tuple[Path, ...]:
    def key(path: Path) -> tuple[int, str]:
        known = sy.constant(path.field.size[0])
        return (sy.LARGEST if known is None else known), str(path.field.size)

    return tuple(sorted(paths, key=key))


def _moved(far: Size, positive: str, negative: str) -> str:
    text = sy.text(far)
    if text == "0":
        return ""
    size, word = (-far, negative) if text.startswith("-") else (far, positive)
    return f"{pixels(size)} pixel{'' if size == 1 else 's'} further {word}"


def _listed(pairs: Sequence[Places]) -> str:
    return " and ".join(dict.fromkeys(map(_axes, pairs)))
