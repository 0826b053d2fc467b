"""Complete pictures: heading, frames, edges with labels, cards and legend, combined into a :class:`Scene`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from planner.diagrams.arrangement import LABEL_LINE, LABEL_SIZE, Arrangement, Rect, arrange
from planner.diagrams.cards import paint_card
from planner.diagrams.diagram import Folded
from planner.diagrams.fault import DrawError
from planner.diagrams.palette import FAMILIES, Role
from planner.diagrams.routes import Routes, exit_height, route
from planner.diagrams.scene import Box, Curve, Group, Ink, Mark, Scene, Text
from planner.diagrams.typeface import shorten, width, wrap
from planner.diagrams.wiring import OUTPUT, wire
from planner.wording import plural

Heat = Literal["macs", "params", "memory"]
"""Quantity that tints the cards."""

HEATS: tuple[Heat, ...] = ("macs", "params", "memory")

_WORDS: Mapping[Heat, str] = {
    "macs": "multiply-accumulates",
    "params": "parameters",
    "memory": "output elements",
}
_PAPER_MARGIN = 16.0
_LEAST_WIDTH = 300.0


def paint(folded: Folded, heat: Heat | None = None) -> Scene:
    """Return the picture of a folded diagram.

    Parameters
    ----------
    folded : Folded
    heat : {"macs", "params", "memory"}, optional
        Tint cards by their share of the total.

    Raises
    ------
    DrawError
        If no layout engine is installed, or the heat depends on sizes without values.
    """
    shares = heat_shares(folded, heat) if heat else {}
    hottest = max(shares.values(), default=0.0) or 1.0
    wiring = wire(folded)
    arrangement = arrange(folded, wiring)
    routes = route(folded, wiring, arrangement)
    items: list[Mark | Group] = [*_frame_marks(folded, routes), *routes.marks]
    items += _labels(folded, arrangement, routes)
    for card in folded.cards:
        box = arrangement.boxes[card.node.name]
        share = shares.get(card.node.name)
        items.append(paint_card(card, box.x, box.y, share, (share or 0.0) / hottest))
    for public in folded.outputs:
        items += _pill(public, arrangement.boxes[OUTPUT + public], folded)
    return _on_paper(folded, items, _extent(items, arrangement, routes), heat)


def heat_shares(folded: Folded, heat: Heat) -> dict[str, float]:
    """Return the share of each card in the whole network, including repetitions.

    Raises
    ------
    DrawError
        If a count depends on a size without a value.
    """
    counts: dict[str, int] = {}
    for card in folded.cards:
        node = card.node
        value = {"macs": node.macs, "params": node.parameter_count, "memory": node.elements}[heat]
        if value is None and not (node.ghost or node.fault):
            raise DrawError.of(
                "D603",
                f"`{node.name}`: {_WORDS[heat]} depend on sizes without values, so the heat cannot be computed",
                fixes=("give values to the sizes:  --at H=224,W=224   (in Python: at={'H': 224, 'W': 224})",),
            )
        counts[node.name] = (value or 0) * card.times
    whole = sum(counts.values())
    return {name: count / whole if whole else 0.0 for name, count in counts.items()}


def _frame_marks(folded: Folded, routes: Routes) -> list[Mark]:
    marks: list[Mark] = []
    for frame in folded.frames:
        box = routes.frames[frame.name]
        if frame.times > 1:
            for shift in (7.0, 3.5):
                marks.append(_frame_box(box, shift))
        marks.append(_frame_box(box, 0.0))
        times = f"×{frame.times}" if frame.times > 1 else ""
        inside = [track.x for track in routes.tracks if track.on_left and box.left < track.x < box.left + box.width / 3]
        left = max([box.left, *(x for x in inside)]) + 11
        available = box.right - left - 12 - (width(times, 12, bold=True) + 8 if times else 0)
        label = shorten(frame.label, available, 10, bold=True)
        marks.append(Text(left, box.top + 14.5, label, 10, "block", bold=True))
        if times:
            marks.append(Text(box.right - 12, box.top + 14.5, times, 12, "block", bold=True, anchor="end"))
    return marks


def _frame_box(box: Rect, shift: float) -> Box:
    ink = Ink("frame", "edge", 0.8, stroke_opacity=0.55)
    return Box(box.left + shift, box.top + shift, box.width, box.height - 2 * shift, 13, ink)


def _labels(folded: Folded, arrangement: Arrangement, routes: Routes) -> list[Mark]:
    """Return the shape labels, each next to the edge below its box, on a side without a skip connection."""
    marks: list[Mark] = []
    group_of = {card.node.name: card.group for card in folded.cards}
    leaving_right = {track.edge.tail for track in routes.tracks if not track.on_left}
    read = {name for card in folded.cards for name in card.node.inputs} | set(folded.outputs.values())
    for name, lines in arrangement.labels.items():
        if name not in read:
            continue
        start = max(exit_height(name, arrangement, routes.frames, group_of), arrangement.floors[name])
        x = arrangement.boxes[name].x
        for index, line in enumerate(lines):
            y = start + 14 + LABEL_LINE * index
            if name in leaving_right:
                marks.append(Text(x - 7, y, line, LABEL_SIZE, "soft", anchor="end"))
            else:
                marks.append(Text(x + 7, y, line, LABEL_SIZE, "soft"))
    return marks


def _pill(public: str, box: Rect, folded: Folded) -> list[Mark]:
    broken = any(c.node.name == folded.outputs[public] and (c.node.ghost or c.node.fault) for c in folded.cards)
    role: Role = "edge" if broken else "io"
    ink = Ink("card", role, 1.4, dash=(4.0, 3.0) if broken else ())
    name = shorten(public, box.width - 16, 10.5, bold=True)
    return [
        Box(box.left, box.top, box.width, box.height, box.height / 2, ink),
        Text(box.x, box.y + 3.7, name, 10.5, "soft" if broken else "io", bold=True, anchor="middle"),
    ]


def _extent(items: Sequence[Mark | Group], arrangement: Arrangement, routes: Routes) -> Rect:
    rects = [*arrangement.boxes.values(), *routes.frames.values()] or [Rect(0.0, 0.0, 0.0, 0.0)]
    left = min([r.left for r in rects] + [track.x - 4 for track in routes.tracks])
    right = max([r.right + 7 for r in rects] + [track.x + 4 for track in routes.tracks])
    for item in items:
        if isinstance(item, Text) and item.anchor == "start":
            right = max(right, item.x + width(item.text, item.size, item.bold))
        elif isinstance(item, Text) and item.anchor == "end":
            left = min(left, item.x - width(item.text, item.size, item.bold))
        elif isinstance(item, Curve):
            across = [x for _, numbers in item.commands for x in numbers[::2]]
            left, right = min(left, *across), max(right, *across)
    top, bottom = min(r.top for r in rects), max(r.bottom for r in rects) + 7
    return Rect((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)


def _on_paper(folded: Folded, items: Sequence[Mark | Group], extent: Rect, heat: Heat | None) -> Scene:
    """Return the scene with a heading above and a legend below, shifted to begin at (0, 0)."""
    diagram = folded.diagram
    inner = max(extent.width, _LEAST_WIDTH)
    wide = inner + 2 * _PAPER_MARGIN
    heading: list[Mark] = [Text(_PAPER_MARGIN, 30, shorten(diagram.name, inner, 16, bold=True), 16, "ink", bold=True)]
    y = 30.0
    for line in wrap(diagram.summary.split(" · "), inner, 10, " · ", 3):
        y += 15
        heading.append(Text(_PAPER_MARGIN, y, line, 10, "soft"))
    top = y + 18
    shift_x, shift_y = wide / 2 - extent.x, top - extent.top
    body = [_moved(item, shift_x, shift_y) for item in items]
    foot, high = _legend(folded, top + extent.height + 12, inner, heat)
    paper = Box(0, 0, wide, high, 0, Ink("paper"))
    description = f"{plural(len(folded.cards), 'layer')} drawn from top to bottom; {diagram.summary}"
    return Scene(round(wide, 1), round(high, 1), diagram.name, description, (paper, *heading, *body, *foot))


def _legend(folded: Folded, y: float, available: float, heat: Heat | None) -> tuple[list[Mark], float]:
    words: dict[Role, str] = {
        "conv": "convolution", "pool": "pooling", "norm": "normalisation", "act": "activation",
        "dense": "dense", "merge": "merge", "fault": "broken",
    }  # fmt: skip
    known = [card for card in folded.cards if not card.node.ghost]
    present = {FAMILIES[card.node.category] for card in known if card.node.fault is None}
    present |= {FAMILIES[stripe.category] for card in known for stripe in card.stripes}
    if any(card.node.fault for card in folded.cards):
        present.add("fault")
    marks: list[Mark] = []
    x = 0.0
    y += 8
    for role, word in words.items():
        if role not in present:
            continue
        long = 13 + width(word, 8.5) + 12
        if x and x + long > available:
            x, y = 0.0, y + 13
        marks.append(Box(_PAPER_MARGIN + x, y - 6.5, 8, 8, 2, Ink(role)))
        marks.append(Text(_PAPER_MARGIN + x + 13, y, word, 8.5, "soft"))
        x += long
    notes = []
    costs = [card.node for card in folded.cards if not card.node.ghost and card.node.fault is None]
    if any(node.macs is None and " · " not in node.cost and "MACs" not in node.cost for node in costs):
        notes.append("multiply-accumulates depend on free sizes: give values to the sizes to show them")
    if any(" · " in node.cost for node in costs):
        notes.append("on the right of a card: parameters · multiply-accumulates per image")
    if any(card.node.shape_only for card in folded.cards):
        notes.append("thin dotted line: only the shape of the tensor is read")
    if heat:
        notes.append(f"tint and percentage: share of all {_WORDS[heat]}")
    for note in notes:
        for line in wrap(note.split(), available, 8.5, " ", 2):
            y += 13
            marks.append(Text(_PAPER_MARGIN, y, line, 8.5, "soft"))
    return marks, y + 14


def _moved(item: Mark | Group, x: float, y: float) -> Mark | Group:
    if isinstance(item, Group):
        return Group(tuple(_shifted(mark, x, y) for mark in item.marks), item.name, item.title)
    return _shifted(item, x, y)


def _shifted(mark: Mark, x: float, y: float) -> Mark:
    if isinstance(mark, (Box, Text)):
        return replace(mark, x=mark.x + x, y=mark.y + y)
    moved = tuple(
        (letter, tuple(n + (x if i % 2 == 0 else y) for i, n in enumerate(numbers)))
        for letter, numbers in mark.commands
    )
    return Curve(moved, mark.ink)
