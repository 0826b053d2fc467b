"""Final positions of all boxes: columns and ranks from Graphviz, with row spacing adapted to the labels.

Graphviz uses the same distance between all ranks; here each gap is as high as its contents. Colours are chosen
elsewhere.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.diagrams.cards import CARD_WIDTH, PILL_HEIGHT, extent, pill_width
from planner.diagrams.diagram import Folded, shape_line
from planner.diagrams.layout import Item, Link, Places, place
from planner.diagrams.scene import Point
from planner.diagrams.typeface import wrap_product
from planner.diagrams.wiring import OUTPUT, Wiring

LABEL_SIZE = 9.5
LABEL_LINE = 11.5
FRAME_SIDE = 13.0
FRAME_HEAD = 22.0
FRAME_FOOT = 9.0

_GAP = 20.0
_BEND = 20.0
_LABEL_WIDTH = CARD_WIDTH / 2 + 4


@dataclass(frozen=True)
class Rect:
    """A rectangle given by its centre and size, in points."""

    x: float
    y: float
    width: float
    height: float

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height / 2

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True)
class Arrangement:
    """Positions of boxes and labels, before any edge is drawn.

    Attributes
    ----------
    boxes : Mapping of str to Rect
        Cards, merges and output pills.
    floors : Mapping of str to float
        Lower edge of the row of each box, where the gap below the row begins.
    ceilings : Mapping of str to float
        Upper edge of the row of each box.
    labels : Mapping of str to tuple of str
        Lines of the label with the output shape of each box.
    splines : Mapping
        Curves computed by Graphviz for edges that pass other rows.
    """

    boxes: Mapping[str, Rect]
    floors: Mapping[str, float]
    ceilings: Mapping[str, float]
    labels: Mapping[str, tuple[str, ...]]
    splines: Mapping[tuple[str, str], tuple[Point, ...]]


def arrange(folded: Folded, wiring: Wiring) -> Arrangement:
    """Return the positions of all boxes.

    Raises
    ------
    DrawError
        If no layout engine is installed.
    """
    items = _items(folded, wiring)
    drawn = [edge for edge in wiring.edges if edge.part != "skip"]
    readers = Counter(edge.tail for edge in drawn if edge.part != "shape_only")
    links = [
        Link(e.tail, e.head, 1, loose=True)
        if e.part == "shape_only"
        else Link(e.tail, e.head, 40 if e.part == "spine" else min(readers[e.tail], 3))
        for e in drawn
    ]
    places = place(items, list(dict.fromkeys(links)))
    labels = {
        card.node.name: tuple(wrap_product(shape_line(card.node.sizes), _LABEL_WIDTH, LABEL_SIZE))
        for card in folded.cards
        if card.node.sizes is not None
    }
    return _respaced(wiring, items, places, labels)


def _items(folded: Folded, wiring: Wiring) -> list[Item]:
    items = []
    for card in folded.cards:
        wide, high = extent(card)
        items.append(Item(card.node.name, wide, high, card.group, card.node.name in wiring.spine))
    for public in folded.outputs:
        name = OUTPUT + public
        items.append(Item(name, pill_width(public), PILL_HEIGHT, "", name in wiring.spine))
    return items


def _respaced(
    wiring: Wiring,
    items: Sequence[Item],
    places: Places,
    labels: Mapping[str, tuple[str, ...]],
) -> Arrangement:
    rows = _rows(items, places)
    sizes = {item.name: item for item in items}
    group_rows: dict[str, list[int]] = {}
    row_of = {name: index for index, row in enumerate(rows) for name in row}
    for item in items:
        if item.group:
            group_rows.setdefault(item.group, []).append(row_of[item.name])
    starts = {min(found) for found in group_rows.values()}
    ends = {max(found) for found in group_rows.values()}
    bent = {
        row
        for edge in wiring.edges
        if edge.part in ("spine", "branch") and abs(places.centres[edge.tail][0] - places.centres[edge.head][0]) > 2
        for row in (row_of[edge.tail], row_of[edge.head] - 1)
    }
    y = FRAME_HEAD if 0 in starts else 0.0
    old: list[float] = []
    new: list[float] = []
    tops: list[float] = []
    bottoms: list[float] = []
    for index, row in enumerate(rows):
        high = max(sizes[name].height for name in row)
        middle = places.centres[row[0]][1]
        old += [middle - high / 2, middle + high / 2]
        new += [y, y + high]
        tops.append(y)
        bottoms.append(y + high)
        lines = max((len(labels.get(name, ())) for name in row), default=0)
        y += high + _GAP + LABEL_LINE * max(lines, 1)
        y += (_BEND if index in bent else 0) + (FRAME_FOOT if index in ends else 0)
        y += FRAME_HEAD if index + 1 in starts else 0
    boxes = {
        name: Rect(places.centres[name][0], (tops[i] + bottoms[i]) / 2, sizes[name].width, sizes[name].height)
        for name, i in row_of.items()
    }
    splines = {edge: tuple((x, _moved(py, old, new)) for x, py in points) for edge, points in places.splines.items()}
    return Arrangement(
        boxes,
        {name: bottoms[i] for name, i in row_of.items()},
        {name: tops[i] for name, i in row_of.items()},
        labels,
        splines,
    )


def _rows(items: Sequence[Item], places: Places) -> list[list[str]]:
    """Return the names in each rank from top to bottom, each rank from left to right."""
    ordered = sorted((places.centres[item.name][1], places.centres[item.name][0], item.name) for item in items)
    rows: list[list[str]] = []
    last = None
    for y, _, name in ordered:
        if last is None or y - last > 1.0:
            rows.append([])
        rows[-1].append(name)
        last = y
    return rows


def _moved(y: float, old: Sequence[float], new: Sequence[float]) -> float:
    """Return the new y coordinate of a point, by linear interpolation between `old` and `new` coordinates."""
    index = bisect_right(old, y) - 1
    if index < 0:
        return y - old[0] + new[0]
    if index >= len(old) - 1:
        return y - old[-1] + new[-1]
    share = (y - old[index]) / (old[index + 1] - old[index])
    return new[index] + share * (new[index + 1] - new[index])
