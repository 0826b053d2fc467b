"""Layout by Graphviz: this is the only module that imports it, and only if a layout is needed.

Graphviz gets boxes of fixed size without text, so that every version of it gives the same positions on
every system. pygraphviz is tried first, because its wheels include the engine, then a `dot` on PATH through
the graphviz package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.diagrams.fault import DrawError
from planner.diagrams.scene import Point

INCH = 72.0


@dataclass(frozen=True)
class Item:
    """A box to be placed: its size in points, its frame, and whether it is on the spine."""

    name: str
    width: float
    height: float
    group: str = ""
    spine: bool = False


@dataclass(frozen=True)
class Link:
    """An edge that takes part in the layout; a higher `weight` makes it shorter and straighter.

    A `loose` link only keeps its head from being placed above its tail; they may be side by side.
    """

    tail: str
    head: str
    weight: int = 1
    loose: bool = False


@dataclass(frozen=True)
class Places:
    """Centres of boxes and Bezier points of edges in points, y downwards."""

    centres: Mapping[str, Point]
    splines: Mapping[tuple[str, str], tuple[Point, ...]]


def place(items: Sequence[Item], links: Sequence[Link]) -> Places:
    """Return the positions of boxes and edges computed by Graphviz, from top to bottom.

    Raises
    ------
    DrawError
        If no layout engine is installed.
    """
    ids = {item.name: f"n{index}" for index, item in enumerate(items)}
    return _read(_engine(dot_of(items, links, ids)), {short: name for name, short in ids.items()})


def dot_of(items: Sequence[Item], links: Sequence[Link], ids: Mapping[str, str]) -> str:
    """Return the DOT text for Graphviz: boxes of fixed size, without text.

    Examples
    --------
    >>> print(dot_of([Item("a", 72, 36)], [], {"a": "n0"}))
    digraph layout {
      graph [rankdir=TB, nodesep=0.45, ranksep=0.6, splines=true];
      node [shape=box, fixedsize=true, label=""];
      edge [tailport=s, headport=n, arrowhead=none];
      n0 [width=1.0000, height=0.5000];
    }
    """
    lines = [
        "digraph layout {",
        "  graph [rankdir=TB, nodesep=0.45, ranksep=0.6, splines=true];",
        '  node [shape=box, fixedsize=true, label=""];',
        "  edge [tailport=s, headport=n, arrowhead=none];",
    ]
    groups: dict[str, list[str]] = {}
    for item in items:
        spine = ', group="spine"' if item.spine else ""
        line = f"{ids[item.name]} [width={item.width / INCH:.4f}, height={item.height / INCH:.4f}{spine}];"
        groups.setdefault(item.group, []).append(line)
    for number, (group, members) in enumerate(groups.items()):
        if group:
            lines += [f"  subgraph cluster_{number} {{", "    graph [margin=14];"]
            lines += [f"    {member}" for member in members]
            for level in _entries(group, items, links):
                lines.append(f"    {{ rank=same; {' '.join(ids[name] for name in level)} }}")
            lines.append("  }")
        else:
            lines += [f"  {member}" for member in members]
    for link in links:
        settings = f" [weight={link.weight}]" if link.weight != 1 else " [minlen=0]" if link.loose else ""
        lines.append(f"  {ids[link.tail]} -> {ids[link.head]}{settings};")
    return "\n".join([*lines, "}"])


def _entries(group: str, items: Sequence[Item], links: Sequence[Link]) -> list[list[str]]:
    """Return groups of boxes in a frame that read the same boxes outside it and should begin at the same height.

    Graphviz ranks a frame only by its inner edges and would move short branches to the end.
    """
    inside = [item.name for item in items if item.group == group]
    levels: dict[tuple[str, ...], list[str]] = {}
    for name in inside:
        read = tuple(sorted(link.tail for link in links if link.head == name))
        if read and not set(read) & set(inside):
            levels.setdefault(read, []).append(name)
    return [level for level in levels.values() if len(level) > 1]


def _engine(dot: str) -> str:
    """Return the plain output of Graphviz for DOT text."""
    reasons = []
    try:
        from pygraphviz import AGraph
    except ImportError:
        reasons.append("pygraphviz is not installed")
    else:
        try:
            return str(AGraph(string=dot).draw(format="plain", prog="dot").decode())
        except (ValueError, OSError) as error:  # pygraphviz 1.x runs a `dot` that may not exist
            reasons.append(f"pygraphviz: {str(error).strip().splitlines()[0] if str(error).strip() else 'failed'}")
    try:
        import graphviz
    except ImportError:
        reasons.append("the graphviz package is not installed")
    else:
        try:
            return str(graphviz.Source(dot).pipe(format="plain", encoding="utf-8"))
        except graphviz.ExecutableNotFound:
            reasons.append("there is no `dot` on PATH")
        except graphviz.CalledProcessError as error:
            reasons.append(f"`dot` failed with status {error.returncode}")
    raise DrawError.of(
        "D601",
        f"drawing needs Graphviz to place the layers, and no engine was found: {'; '.join(reasons)}",
        fixes=(
            'pip install "shapeplan[draw]"   (pygraphviz includes Graphviz)',
            "or write the graph to lay it out on another machine: give a path that ends in .dot",
        ),
    )


def _read(plain: str, names: Mapping[str, str]) -> Places:
    """Return the positions in the plain output format of Graphviz (graphviz.org/docs/outputs/plain)."""
    top = 0.0
    centres: dict[str, Point] = {}
    splines: dict[tuple[str, str], tuple[Point, ...]] = {}
    for line in plain.replace("\\\n", "").splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "graph":
            top = float(words[3])
        elif words[0] == "node":
            centres[names[words[1]]] = _point(words[2], words[3], top)
        elif words[0] == "edge":
            count = int(words[3])
            numbers = words[4 : 4 + 2 * count]
            points = tuple(_point(x, y, top) for x, y in zip(numbers[::2], numbers[1::2], strict=True))
            splines[names[words[1]], names[words[2]]] = points
    return Places(centres, splines)


def _point(x: str, y: str, top: float) -> Point:
    return round(float(x) * INCH, 1), round((top - float(y)) * INCH, 1)
