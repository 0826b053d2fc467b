"""Counts, paths and tilings of a network as small tables and as JSON.

They are computed in :mod:`planner.explanations.counting`, :mod:`planner.explanations.paths` and
:mod:`planner.explanations.tiling`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import planner.symbols as sy
from planner.explanations.counting import CONVENTIONS, Tally, Tool, sentence
from planner.explanations.grid import Grid
from planner.explanations.paths import Path, alignment, all_paths, branches, paths, pixels
from planner.explanations.tiling import AXES, LINES, AxisTiling, Tiling
from planner.plan.diagnose import Diagnosis
from planner.symbols import Size
from planner.tables.table import number
from planner.wording import plural

USUAL = (128, 256, 512, 1024)
"""Common tile sizes; examples show the accepted sizes next to them."""

LISTED = 40
"""Maximum number of rows in a table of paths or pieces; the number of further rows is stated."""


def count_grid(title: str, found: Tally, tools: Sequence[Tool]) -> Grid:
    """Return the costs of every layer that at least one tool counts, and a sentence for each tool.

    Examples
    --------
    >>> from planner import Network, layer
    >>> from planner.explanations.counting import tally
    >>> net = Network(name="n", input={"x": (1, 8, 10, 10)}, layers=[layer("batchnorm", name="b")])
    >>> count_grid("n", tally(net.check(), ["thop"]), ["thop"]).rows
    (('b', 'batchnorm', '1 x 8 x 10 x 10', '0', '3,200'), ('total', '', '', '0', '3,200'))
    """
    columns = [tool for tool in tools if tool != "mac"]
    head = ("layer", "kind", "output", "MACs", *(CONVENTIONS[tool].title for tool in columns))
    rows = [
        (row.name, row.kind, sy.shape_text(row.output), number(row.macs), *(number(row.counts[t]) for t in columns))
        for row in found.rows
        if row.macs != 0 or any(count != 0 for count in row.counts.values())
    ]
    macs = sy.total(row.macs for row in found.rows)
    rows.append(("total", "", "", number(macs), *(number(found.totals[tool]) for tool in columns)))
    after = [sentence(found, tool) for tool in tools]
    after += [
        f"{CONVENTIONS[t].title}: equals  {CONVENTIONS[t].call}  in version {CONVENTIONS[t].version}"
        for t in _measured(tools)
    ]
    return Grid(title, head, tuple(rows), 3, (), tuple(after))


def count_json(found: Tally) -> dict[str, Any]:
    """Return the costs per layer and in total, with the reason for each difference, as JSON-compatible data."""
    return {
        "totals": {tool: _plain(total) for tool, total in found.totals.items()},
        "layers": [
            {"name": row.name, "kind": row.kind, **{tool: _plain(count) for tool, count in row.counts.items()}}
            for row in found.rows
        ],
        "differences": {
            tool: [{"kind": each.kind, "why": each.why, "more": _plain(each.more)} for each in differences]
            for tool, differences in found.differences.items()
        },
        "measured_with": {tool: CONVENTIONS[tool].version for tool in _measured(list(found.totals))},
    }


def path_grid(found: Diagnosis, name: str) -> Grid:
    """Return the receptive field of every path to a layer, and whether its branches are aligned.

    Examples
    --------
    >>> from planner import Network, diagnose, layer
    >>> net = Network(name="n", input={"x": ("N", 4, 8, 8)}, layers=[
    ...     layer("conv", name="c", filters=4, kernel=3, pad=1), layer("add", name="a", from_=["x", "c"])])
    >>> path_grid(diagnose(net), "a").rows
    (('x', '1', '1x1', '1', '0', '0'), ('x > c', '1', '3x3', '1', '-1', '0'))
    """
    within = found.plan.lossless if found.plan else None
    every = paths(found.network, found.shapes, name, within)
    head = ("through", "paths", "field", "step", "start", "centre")
    rows = [(_through(found, path), f"{path.count:,}", *_seen(path)) for path in every[:LISTED]]
    after = [f"... {len(every) - LISTED} more fields"] if len(every) > LISTED else []
    merged = branches(all_paths(found.network, found.shapes, within), found.network, name)
    after += [f"alignment: {alignment(merged)}"] if len(merged) > 1 else []
    after.append("in pixels of the input; start and centre: first pixel and mean position that position 0 sees")
    count, fields = sum(path.count for path in every), len(every)
    title = f"{name}: {plural(count, 'path')} from the input, {plural(fields, 'distinct receptive field')}"
    return Grid(title, head, tuple(rows), 1, (), tuple(after))


def path_json(found: Diagnosis, name: str) -> dict[str, Any]:
    """Return every path to a layer as JSON-compatible data."""
    within = found.plan.lossless if found.plan else None
    merged = branches(all_paths(found.network, found.shapes, within), found.network, name)
    return {
        "layer": name,
        "paths": [
            {
                "through": list(path.names),
                "ways": path.count,
                "size": [_plain(size) for size in path.field.size],
                "jump": [_plain(size) for size in path.field.jump],
                "start": [_plain(size) for size in path.field.start],
                "centre": [_plain(size) for size in path.centre],
            }
            for path in paths(found.network, found.shapes, name, within)
        ],
        "alignment": alignment(merged) if len(merged) > 1 else None,
    }


def tile_grid(found: Tiling, at: Mapping[str, int] | None = None, tile: int | None = None) -> Grid:
    """Return a tiling as a table: sizes, steps and halo, examples, and the pieces of an image of a given size.

    Parameters
    ----------
    found : Tiling
    at : Mapping of str to int
        H and W of an image to split into tiles.
    tile : int or None
        Tile size; default: the largest of the examples that fits.

    Raises
    ------
    SizeError
        If the image or the tiles are not accepted, or do not fit each other.
    """
    before = [line for axis in found.axes for line in _axis_lines(axis)]
    same = _facts(found.axes[0]) == _facts(found.axes[1])
    if same:
        before = [line.replace("height", "height and width") for line in _axis_lines(found.axes[0])]
    head = ("tile", "output", "kept", "advance", "useful")
    rows = [row for axis in found.axes[: 1 if same else 2] for row in _examples(axis)]
    after = ["kept: outputs used; advance: offset between tiles; useful: share of work kept, (advance/tile)^2"]
    for axis, letter in zip(found.axes, "HW", strict=True):
        if letter in (at or {}):
            after += _piece_lines(axis, (at or {})[letter], tile)
    return Grid(f"{found.name}: tiled inference", head, tuple(rows), 0, tuple(before), tuple(after))


def tile_json(found: Tiling, at: Mapping[str, int] | None = None, tile: int | None = None) -> dict[str, Any]:
    """Return a tiling as JSON-compatible data, with pieces if an image size is given."""
    axes: dict[str, Any] = {}
    for axis, letter in zip(found.axes, "HW", strict=True):
        facts = {
            "tile": axis.sizes.json(letter),
            "step": axis.step,
            "output_stride": str(axis.stride),
            "overlap": axis.overlap,
            "halo": [axis.before, axis.after],
            "discarded_outputs": axis.discarded,
        }
        if letter in (at or {}):
            image = (at or {})[letter]
            pieces = axis.pieces(image, _tile(axis, image, tile))
            facts["pieces"] = [
                {"start": p.start, "stop": p.stop, "first": p.first, "last": p.last, "at": p.at} for p in pieces
            ]
        axes[AXES[axis.axis]] = facts
    return {"layer": found.name, **axes}


def _axis_lines(axis: AxisTiling) -> list[str]:
    name, lines = AXES[axis.axis], f"{LINES[axis.axis]}s"
    line = lines.removesuffix("s") if axis.stride == 1 else lines
    return [
        f"{name}: tiles of {axis.sizes.text('HW'[axis.axis])}, starting at multiples of {axis.step}",
        f"  {axis.stride} image {line} per output {LINES[axis.axis]}; neighbours overlap by {axis.overlap}: "
        f"a halo of {axis.before} before and {axis.after} after",
        f"  drop the first {axis.discarded} output {lines} of every tile but the first"
        if axis.discarded
        else f"  keep all output {lines} from the first on",
    ]


def _facts(axis: AxisTiling) -> tuple[object, ...]:
    return axis.sizes, axis.step, axis.stride, axis.overlap, axis.before, axis.discarded


def _examples(axis: AxisTiling) -> list[tuple[str, ...]]:
    sizes = {size for usual in (1, *USUAL) if (size := axis.sizes.next(usual)) is not None}
    rows: list[tuple[str, ...]] = []
    for size in sorted(sizes):
        advance = axis.advance(size)
        share = round(100 * (advance / size) ** 2)
        kept = int(advance / axis.stride)
        rows.append((f"{size:,}", f"{axis.outputs(size):,}", f"{kept:,}", f"{advance:,}", f"{share} %"))
    return rows


def _tile(axis: AxisTiling, image: int, tile: int | None) -> int:
    if tile is not None:
        return tile
    fitting = [size for usual in (1, *USUAL) if (size := axis.sizes.next(usual)) is not None and size <= image]
    return max(fitting, default=image)


def _piece_lines(axis: AxisTiling, image: int, tile: int | None) -> list[str]:
    size = _tile(axis, image, tile)
    pieces = axis.pieces(image, size)
    lines = [f"{AXES[axis.axis]} {image:,} in {plural(len(pieces), 'tile')} of {size:,}; a-b excludes b"]
    lines += [f"  {p.start}-{p.stop}: keep outputs {p.first}-{p.last}, place at {p.at}" for p in pieces[:LISTED]]
    return [*lines, *([f"  ... {len(pieces) - LISTED} more"] if len(pieces) > LISTED else [])]


def _through(found: Diagnosis, path: Path) -> str:
    """Return the route of a path: its input, and the branch it takes at every merge."""
    network = found.network
    turns = [path.names[0]]
    for source, name in zip(path.names, path.names[1:], strict=False):
        if len(network.by_name[name].inputs) > 1 and source != turns[-1]:
            turns.append(source)
    if len(turns) > 4:
        turns = [turns[0], "...", *turns[-2:]]
    return " > ".join(turns)


def _seen(path: Path) -> tuple[str, ...]:
    field = path.field
    pairs = (field.jump, field.start, path.centre)
    return "x".join(map(sy.text, field.size)), *(", ".join(dict.fromkeys(map(pixels, pair))) for pair in pairs)


def _measured(tools: Sequence[Tool]) -> list[Tool]:
    return [tool for tool in tools if CONVENTIONS[tool].call]


def _plain(size: Size) -> int | str:
    known = sy.constant(size)
    return sy.text(size) if known is None else known
