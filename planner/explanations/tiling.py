"""Tiled inference: how large images go through a network piece by piece and come out as if in one piece.

For a network that sees only so far (windows, merges, upsampling; no layer that looks at the whole map), along
each axis: where tiles may begin, how far neighbours must overlap, what each of them computes right, and
which sizes waste least. Everything follows from :mod:`planner.explanations.spans` in whole numbers, for inference
(batch normalisation with its running statistics).
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
"""Networks whose tiles can only begin every so many rows are not tried residue by residue."""

LARGEST_TILE = 2**20


@dataclass(frozen=True)
class Piece:
    """One tile of an image along one axis.

    Attributes
    ----------
    start, stop : int
        Rows of the image it is fed, `stop` not included.
    first, last : int
        Rows of its output that are kept, `last` not included.
    at : int
        Row of the whole output at which they go.
    """

    start: int
    stop: int
    first: int
    last: int
    at: int


@dataclass(frozen=True)
class AxisTiling:
    """How tiles fit together along one axis; numbers are rows, or columns, of the image unless told.

    Attributes
    ----------
    axis : int
        0 for the height, 1 for the width.
    sizes : SizeSet
        Tile sizes that waste least: with these, neighbours overlap by no more than `overlap`.
    accepted : SizeSet
        Sizes the network runs at.
    step : int
        Tiles begin at multiples of this, or their windows would lie between those of the whole image.
    stride : Fraction
        Image rows for each row of the output.
    overlap : int
        Rows that neighbouring tiles share.
    before, after : int
        The halo: how the overlap lies around the rows that a tile's kept outputs stand for.
    discarded : int
        Outputs at the beginning of a tile that its neighbour computes right.
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
        """Return how many rows a tile of that size gives."""
        return self.walk.size(self.walk.target, size)

    def advance(self, size: int) -> int:
        """Return by how much tiles of one of `sizes` advance; kept outputs are that over `stride`."""
        return size - self.overlap

    def pieces(self, image: int, tile: int) -> tuple[Piece, ...]:
        """Return the tiles of an image along this axis, from the first on; together they give every output once.

        Parameters
        ----------
        image, tile : int
            Sizes that the network runs at. A last tile may be smaller.

        Raises
        ------
        SizeError
            A size is not accepted, or tiles of this size do not give what the image of that size gives.
        """
        for size in (image, tile):
            if size not in self.accepted:
                near = [str(n) for n in (self.accepted.previous(size), self.accepted.next(size)) if n]
                raise SizeError([Finding("S209", f"the network does not run at {size}", fixes=tuple(near))])
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
        """Return where the last tile begins that gives an output and all behind it right."""
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
        message = f"tiles of {tile} do not give what a {AXES[self.axis]} of {image} gives in one piece"
        fixes = [f"tiles of {best}"] if best != tile else []
        fixes += [f"an image of {fits} or {fits + self.step} {LINES[self.axis]}s"] if fits != image else []
        return SizeError([Finding("S209", message, fixes=tuple(fixes))])


@dataclass(frozen=True)
class Tiling:
    """Tiles of a network along H and W.

    Attributes
    ----------
    name : str
        The node whose output is put together.
    axes : tuple of AxisTiling
        For H and W.
    """

    name: str
    axes: tuple[AxisTiling, AxisTiling]


def tiling(network: Network, name: str | None = None, at: Mapping[str, int] | None = None) -> Tiling:
    """Return how tiles fit together for a network, or for the part of it that ends at a layer.

    Parameters
    ----------
    network : Network
        With one input; the height and width of that input do not matter.
    name : str or None
        A node; the output unless told.
    at : Mapping of str to int
        Values for names other than the input's batch, height and width.

    Raises
    ------
    SizeError
        A layer sees the whole map, the network has several inputs or outputs, or a name has no value.
    ShapeError
        The part up to the layer has faults.

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
    """Return the height and width of an image as H and W, whatever the spec calls them, as far as they are given.

    Raises
    ------
    SizeError
        A name occurs nowhere in the network.

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
        fix = "give the image as  --at H=...,W=..."
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
        message = f"the network has {len(targets)} outputs; tiles are worked out for one at a time"
        fixes = tuple(f"name the layer:  explain SPEC {each} --tiling" for each in targets)
        raise SizeError([Finding("S209", message, fixes=fixes)])
    return targets[0]


def _part(network: Network, target: str, at: Mapping[str, int]) -> Network:
    """Return what a node depends on, as a network of its own with a free batch, height and width."""
    wanted = ancestors(network, target)
    nodes = tuple(node for node in network.nodes if node.name in wanted)
    inputs = [node for node in nodes if isinstance(node.layer, Input)]
    if len(inputs) != 1:
        names = listed(node.name for node in inputs)
        message = f"`{target}` depends on {len(inputs)} inputs, {names}; tiles are cut from one"
        raise SizeError([Finding("S209", message, layer=target)])
    (entry,) = inputs
    shape = entry.layer.output_shape(()) if entry.layer is not None else ()
    if len(shape) != 4:
        message = f"`{entry.name}` has no rows and columns to cut into tiles"
        raise SizeError([Finding("S209", message, layer=entry.name)])
    unset = sy.free(shape[1]).union(*(node.layer.free for node in nodes if node.layer and node is not entry))
    missing = sorted(unset - set(at))
    if missing:
        given = ",".join(f"{each}=..." for each in missing)
        message = f"tiles depend on {listed(missing)}"
        raise SizeError([Finding("S209", message, fixes=(f"give numbers:  --at {given}",))])
    bound = {node.name: node.layer.bind(at) for node in nodes if node.layer and node is not entry}
    channels = sy.evaluate(shape[1], at) if sy.free(shape[1]) else sy.constant(shape[1])
    bound[entry.name] = Input(shape=("N", channels, "H", "W"))
    part = network.altered(nodes=nodes, outputs={target: target}, expectations=(), train=None)
    return part.with_nodes(bound)


def _admit(network: Network, node: PlannedNode) -> None:
    """Raise for a layer that no tile can stand for."""
    inputs = node.input_shapes
    flat = any(len(shape) != 4 for shape in (*inputs, node.output_shape))
    view = None if flat or not inputs else node.layer.fields_of_view(inputs)
    if not flat and not any(each.extent is None or each.stride == 0 or each.relative for each in view or ()):
        return
    shares = any(each.relative for each in view or ())
    sees = "takes its windows from the size of the whole map" if shares else "sees the whole map"
    what = sees if len(inputs[0]) == 4 else "has no rows and columns"
    message = f"`{node.name}` {what}, so that no tile can stand for the image"
    fix = f"tile what comes before it, with the layer `{node.inputs[0]}`:  explain SPEC {node.inputs[0]} --tiling"
    where = network.by_name[node.name].mark()
    raise SizeError([Finding("S209", message, layer=node.name, where=where, label="sees it all", fixes=(fix,))])


def _along(plan: Plan, target: str, axis: int) -> AxisTiling:
    """Return the tiling along one axis: every residue of the step is tried at one large size, which decides it."""
    walk = AxisWalk(plan, target, axis)
    stride = walk.jumps[target]
    every = lcm(*(jump.numerator for jump in walk.jumps.values()))
    accepted = plan.domain["HW"[axis]]
    if every > LARGEST_STEP:
        message = f"tiles could only begin at multiples of {every} {LINES[axis]}s"
        raise SizeError([Finding("S209", message, layer=target)])
    found = {r: overlap for r in range(every) if (overlap := _overlap(walk, accepted, every, stride, r)) is not None}
    if not found:
        message = f"no tile up to {LARGEST_TILE} {LINES[axis]}s computes a step of `{target}` right"
        raise SizeError([Finding("S209", message, layer=target)])
    overlap = min(found.values())
    runs = [((-((r - overlap - every) // every), None),) if found.get(r) == overlap else () for r in range(every)]
    sizes = SizeSet(every, tuple(runs)) & accepted
    tile = sizes.minimum or 0
    first, _ = walk.span(every, tile, tile + 2 * every).kept(walk.size(target, tile))
    way = paths(plan.network, {node.name: node.output_shape for node in plan.nodes}, target, plan.lossless)[0]
    centre = sy.constant(sy.floor_div(2 * way.centre[axis], 1)) or 0
    home = Fraction(first) * stride + Fraction(centre, 2) - Fraction(stride - 1) / 2
    before = min(max((home + Fraction(1, 2)).__floor__(), 0), overlap)
    return AxisTiling(axis, sizes, accepted, every, stride, overlap, before, overlap - before, first, walk)


def _overlap(walk: AxisWalk, accepted: SizeSet, every: int, stride: Fraction, residue: int) -> int | None:
    """Return by how much tiles of a residue must overlap; None where there are none of them."""
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
