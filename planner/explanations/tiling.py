"""Tiled inference: process a large image in tiles, with the same result as for the whole image.

The network must have a bounded receptive field (windows, merges, upsampling; no layer that sees the whole feature
map). For each axis this module computes where tiles may begin, how far neighbours must overlap, which outputs of a
tile are correct, and which sizes waste least. Everything follows from :mod:`planner.explanations.spans` in whole
numbers, for inference (batch normalisation with running statistics).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm

import planner.symbols as sy
from planner.domain.sizeset import SizeSet
from planner.explanations.axis_walk import AxisWalk
from planner.explanations.paths import ancestors, paths
from planner.explanations.spans import OutOfStepError
from planner.findings import Finding, SizeError
from planner.layers import Input
from planner.network.network import Network
from planner.plan.node import PlannedNode
from planner.plan.plan import Plan
from planner.wording import listed

AXES = ("height", "width")
LINES = ("row", "column")

LARGEST_STEP = 1024
"""Largest step between possible tile starts for which all residues are tried."""

LARGEST_TILE = 2**20


@dataclass(frozen=True)
class Piece:
    """A tile of an image along one axis.

    Attributes
    ----------
    start, stop : int
        Input rows of the tile, `stop` excluded.
    first, last : int
        Rows of the tile's output that are kept, `last` excluded.
    at : int
        Row of the whole output at which the kept rows begin.
    """

    start: int
    stop: int
    first: int
    last: int
    at: int


@dataclass(frozen=True)
class AxisTiling:
    """Tiling along one axis. If not stated otherwise, numbers count image rows (or columns).

    Attributes
    ----------
    axis : int
        0 for the height, 1 for the width.
    sizes : SizeSet
        Tile sizes that waste least: neighbours overlap by no more than `overlap`.
    accepted : SizeSet
        Sizes that the network accepts.
    step : int
        Tiles begin at multiples of this; otherwise their windows would fall between those of the whole image.
    stride : Fraction
        Image rows per output row.
    overlap : int
        Rows shared by neighbouring tiles.
    before, after : int
        The halo: parts of the overlap before and after the rows that correspond to the kept outputs of a tile.
    discarded : int
        Outputs at the beginning of a tile that are taken from the preceding tile instead.
    """

    axis: int
    sizes: SizeSet
    accepted: SizeSet
    step: int
    stride: Fraction
    overlap: int
    before: int
    after: int
    discarded: int
    walk: AxisWalk = field(repr=False, compare=False)

    def outputs(self, size: int) -> int:
        """Return the number of output rows of a tile of that size."""
        return self.walk.size(self.walk.target, size)

    def advance(self, size: int) -> int:
        """Return the offset between tiles of a size in `sizes`; a tile keeps advance / `stride` outputs."""
        return size - self.overlap

    def pieces(self, image: int, tile: int) -> tuple[Piece, ...]:
        """Return the tiles of an image along this axis, in order; together they give every output exactly once.

        Parameters
        ----------
        image, tile : int
            Sizes that the network accepts. The last tile may be smaller.

        Raises
        ------
        SizeError
            If a size is not accepted, or tiles of this size do not reproduce the output of the whole image.
        """
        for size in (image, tile):
            if size not in self.accepted:
                near = [str(n) for n in (self.accepted.previous(size), self.accepted.next(size)) if n]
                raise SizeError([Finding("S209", f"the network does not accept size {size}", fixes=tuple(near))])
        found, covered = list[Piece](), 0
        whole = self.outputs(image)
        while covered < whole:
            start = 0 if not found else max(self._reaching(covered), found[-1].start + self.step)
            if start + tile >= image:
                start = -((tile - image) // self.step) * self.step if tile < image else 0
            size = min(tile, image - start)
            first, last, at = self._right(start, size, image)
            if not at <= covered < at + last - first:
                raise self._apart(image, tile)
            first += covered - at
            found.append(Piece(start, start + size, first, last, covered))
            covered += last - first
        return tuple(found)

    def _reaching(self, covered: int) -> int:
        """Return the start of the last tile that computes the output at `covered` and all following ones correctly."""
        return (Fraction(covered - self.discarded) * self.stride / self.step).__floor__() * self.step

    def _right(self, start: int, size: int, image: int) -> tuple[int, int, int]:
        if size not in self.accepted:
            raise self._apart(image, size)
        try:
            span = self.walk.span(start, size, image)
        except OutOfStepError:
            raise self._apart(image, size) from None
        first, last = span.kept(self.outputs(size))
        return first, last, span.offset + first

    def _apart(self, image: int, tile: int) -> SizeError:
        best = self.sizes.next(tile) or self.sizes.minimum
        fits = image - (image - (best or tile)) % self.step
        message = f"tiles of {tile} do not reproduce the output of an image of {AXES[self.axis]} {image}"
        fixes = [f"tiles of {best}"] if best != tile else []
        fixes += [f"an image of {AXES[self.axis]} {fits} or {fits + self.step}"] if fits != image else []
        return SizeError([Finding("S209", message, fixes=tuple(fixes))])


@dataclass(frozen=True)
class Tiling:
    """Tiling of a network along H and W.

    Attributes
    ----------
    name : str
        The node that is computed in tiles.
    axes : tuple of AxisTiling
        Tilings along H and W.
    """

    name: str
    axes: tuple[AxisTiling, AxisTiling]


def tiling(network: Network, name: str | None = None, at: Mapping[str, int] | None = None) -> Tiling:
    """Return the tiling of a network, or of the part of it that ends at a layer.

    Parameters
    ----------
    network : Network
        A network with one input; its height and width do not matter.
    name : str or None
        A node; default: the output.
    at : Mapping of str to int
        Values for names other than the batch, height and width of the input.

    Raises
    ------
    SizeError
        If a layer sees the whole feature map, the network has several inputs or outputs, or a name has no value.
    ShapeError
        If the part up to the layer has faults.

    Examples
    --------
    >>> from planner import layer
    >>> net = Network(name="n", input={"x": ("N", 3, "H", "W")},
    ...               layers=[layer("conv", name="c", filters=4, kernel=5, pad=2), layer("maxpool", name="p", size=2)])
    >>> high, _ = tiling(net).axes
    >>> high.sizes.text("H"), high.step, str(high.stride), high.before, high.after
    ('H = 2k, H >= 6', 2, '2', 2, 2)
    >>> [(piece.start, piece.stop, piece.first, piece.last, piece.at) for piece in high.pieces(32, 16)]
    [(0, 16, 0, 7, 0), (12, 28, 1, 7, 7), (16, 32, 5, 8, 13)]
    """
    target = _target(network, name)
    plan = _part(network, target, dict(at or {})).check()
    for node in plan.nodes:
        _admit(network, node)
    high, wide = (_along(plan, target, axis) for axis in (0, 1))
    return Tiling(target, (high, wide))


def image_sizes(network: Network, at: Mapping[str, int]) -> dict[str, int]:
    """Return the given height and width of an image as H and W, whatever their names in the spec.

    Raises
    ------
    SizeError
        If a name does not occur in the network.

    Examples
    --------
    >>> from planner import layer
    >>> net = Network(name="n", input={"x": ("N", 3, "S", "S")}, layers=[layer("relu")])
    >>> image_sizes(net, {"S": 512}), image_sizes(net, {"W": 300})
    ({'H': 512, 'W': 512}, {'W': 300})
    """
    shapes = [shape for shape in network.inputs.values() if len(shape) == 4]
    found = {letter: at[letter] for letter in "HW" if letter in at}
    known = {"N", "H", "W"}.union(*(sy.free(size) for shape in network.inputs.values() for size in shape))
    known = known.union(*(node.layer.free for node in network.nodes if node.layer))
    unknown = sorted(set(at) - known)
    if unknown:
        fix = "give the image size as  --at H=...,W=..."
        raise SizeError([Finding("S209", f"the network has no size named {listed(unknown)}", fixes=(fix,))])
    for letter, axis in (("H", 2), ("W", 3)):
        named = {at[name] for shape in shapes for name in at if {name} == sy.free(shape[axis])}
        if len(named) == 1:
            found[letter] = named.pop()
    return found


def _target(network: Network, name: str | None) -> str:
    if name is not None:
        return name
    targets = tuple(dict.fromkeys(network.outputs.values()))
    if len(targets) > 1:
        message = f"the network has {len(targets)} outputs; a tiling covers one at a time"
        fixes = tuple(f"name the layer:  explain SPEC {each} --tiling" for each in targets)
        raise SizeError([Finding("S209", message, fixes=fixes)])
    return targets[0]


def _part(network: Network, target: str, at: Mapping[str, int]) -> Network:
    """Return the part of a network that a node depends on, with free batch size, height and width."""
    wanted = ancestors(network, target)
    nodes = tuple(node for node in network.nodes if node.name in wanted)
    inputs = [node for node in nodes if isinstance(node.layer, Input)]
    if len(inputs) != 1:
        names = listed(node.name for node in inputs)
        message = f"`{target}` depends on {len(inputs)} inputs, {names}; tiling supports one input"
        raise SizeError([Finding("S209", message, layer=target)])
    (entry,) = inputs
    shape = entry.layer.output_shape(()) if entry.layer is not None else ()
    if len(shape) != 4:
        message = f"`{entry.name}` has no height and width to split into tiles"
        raise SizeError([Finding("S209", message, layer=entry.name)])
    unset = sy.free(shape[1]).union(*(node.layer.free for node in nodes if node.layer and node is not entry))
    missing = sorted(unset - set(at))
    if missing:
        given = ",".join(f"{each}=..." for each in missing)
        message = f"the tiling depends on {listed(missing)}"
        raise SizeError([Finding("S209", message, fixes=(f"give values:  --at {given}",))])
    bound = {node.name: node.layer.bind(at) for node in nodes if node.layer and node is not entry}
    channels = sy.evaluate(shape[1], at) if sy.free(shape[1]) else sy.constant(shape[1])
    bound[entry.name] = Input(shape=("N", channels, "H", "W"))
    part = network.altered(nodes=nodes, outputs={target: target}, expectations=(), train=None)
    return part.with_nodes(bound)


def _admit(network: Network, node: PlannedNode) -> None:
    """Raise SizeError for a layer that cannot be computed in tiles."""
    inputs = node.input_shapes
    flat = any(len(shape) != 4 for shape in (*inputs, node.output_shape))
    view = None if flat or not inputs else node.layer.fields_of_view(inputs)
    if not flat and not any(each.extent is None or each.stride == 0 or each.relative for each in view or ()):
        return
    shares = any(each.relative for each in view or ())
    sees = "derives its windows from the size of the whole feature map" if shares else "sees the whole feature map"
    what = sees if len(inputs[0]) == 4 else "has no height and width"
    message = f"`{node.name}` {what}, so it cannot be computed in tiles"
    fix = f"tile the preceding part, up to `{node.inputs[0]}`:  explain SPEC {node.inputs[0]} --tiling"
    where = network.by_name[node.name].mark()
    raise SizeError([Finding("S209", message, layer=node.name, where=where, label="not tileable", fixes=(fix,))])


def _along(plan: Plan, target: str, axis: int) -> AxisTiling:
    """Return the tiling along one axis; one large size for every residue of the step is sufficient."""
    walk = AxisWalk(plan, target, axis)
    stride = walk.jumps[target]
    every = lcm(*(jump.numerator for jump in walk.jumps.values()))
    accepted = plan.domain["HW"[axis]]
    if every > LARGEST_STEP:
        message = f"tiles could begin only at multiples of {every} {LINES[axis]}s"
        raise SizeError([Finding("S209", message, layer=target)])
    found = {r: overlap for r in range(every) if (overlap := _overlap(walk, accepted, every, stride, r)) is not None}
    if not found:
        message = f"no tile up to {LARGEST_TILE} {LINES[axis]}s computes a whole step of `{target}` correctly"
        raise SizeError([Finding("S209", message, layer=target)])
    overlap = min(found.values())
    runs = [((-((r - overlap - every) // every), None),) if found.get(r) == overlap else () for r in range(every)]
    sizes = SizeSet(every, tuple(runs)) & accepted
    tile = sizes.minimum or 0
    first, _ = walk.span(every, tile, tile + 2 * every).kept(walk.size(target, tile))
    path = paths(plan.network, {node.name: node.output_shape for node in plan.nodes}, target, plan.lossless)[0]
    centre = sy.constant(sy.floor_div(2 * path.centre[axis], 1)) or 0
    home = Fraction(first) * stride + Fraction(centre, 2) - Fraction(stride - 1) / 2
    before = min(max((home + Fraction(1, 2)).__floor__(), 0), overlap)
    return AxisTiling(axis, sizes, accepted, every, stride, overlap, before, overlap - before, first, walk)


def _overlap(walk: AxisWalk, accepted: SizeSet, every: int, stride: Fraction, residue: int) -> int | None:
    """Return the overlap that tiles of a residue need; None if there are no such tiles."""
    tile = residue + every * 8
    while tile <= LARGEST_TILE:
        if tile in accepted and tile + 2 * every in accepted:
            try:
                first, last = walk.span(every, tile, tile + 2 * every).kept(walk.size(walk.target, tile))
            except OutOfStepError:
                return None
            advance = (Fraction(last - first) * stride / every).__floor__() * every
            if advance >= every:
                return tile - advance
        tile = residue + 2 * (tile - residue)
    return None
