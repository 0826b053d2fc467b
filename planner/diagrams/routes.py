"""Routes of edges between boxes: straight spines, bent branches, and skips on tracks next to the cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.diagrams.arrangement import FRAME_FOOT, FRAME_HEAD, FRAME_SIDE, LABEL_LINE, Arrangement, Rect
from planner.diagrams.diagram import Folded
from planner.diagrams.scene import Command, Curve, Ink, Mark, arrow_head
from planner.diagrams.wiring import Edge, Wiring

TRACK = 11.0
"""Distance between neighbouring tracks."""

_CLEAR = 15.0
_STRAIGHT = 2.0
_HEAD = 5.0
_TURN = 26.0


@dataclass(frozen=True)
class Track:
    """A vertical line segment of a skip."""

    edge: Edge
    x: float
    top: float
    bottom: float
    on_left: bool


@dataclass(frozen=True)
class Routes:
    """Painted edges, the tracks that they use, and the frames around repetitions, widened to contain the tracks."""

    marks: tuple[Mark, ...]
    tracks: tuple[Track, ...]
    frames: Mapping[str, Rect]


def route(folded: Folded, wiring: Wiring, arrangement: Arrangement) -> Routes:
    """Return the curves of all edges and the extents of all frames."""
    ghosts = {card.node.name for card in folded.cards if card.node.ghost}
    broken = {card.node.name for card in folded.cards if card.node.fault is not None} | ghosts
    frames = _frames(folded, arrangement)
    group_of = {card.node.name: card.group for card in folded.cards}
    tracks: list[Track] = []
    boxes = arrangement.boxes
    skips = [
        edge
        for edge in wiring.edges
        if edge.part == "skip" or (edge.part == "shape_only" and not _side_by_side(edge, arrangement))
    ]
    for edge in sorted(skips, key=lambda e: boxes[e.head].y - boxes[e.tail].y):
        track = _track(edge, arrangement, frames, group_of, tracks)
        tracks.append(track)
        group = group_of.get(edge.head, "")
        if group:
            frames[group] = _widened(frames[group], track)
    marks: list[Mark] = []
    by_edge = {(track.edge.tail, track.edge.head): track for track in tracks}
    for edge in wiring.edges:
        ink = _ink(edge, broken)
        if edge.part == "shape_only" and (edge.tail, edge.head) not in by_edge:
            marks += _horizontal(edge, arrangement, ink)
        elif edge.part in ("skip", "shape_only"):
            marks += _skip(by_edge[edge.tail, edge.head], arrangement, ink)
        else:
            marks += _edge(edge, arrangement, frames, group_of, ink)
    return Routes(tuple(marks), tuple(tracks), frames)


def exit_height(name: str, arrangement: Arrangement, frames: Mapping[str, Rect], group_of: Mapping[str, str]) -> float:
    """Return the y coordinate below which the output edge of a box is outside its frame and can be labelled."""
    box = arrangement.boxes[name]
    frame = frames.get(group_of.get(name, ""))
    if frame is not None and frame.bottom - FRAME_FOOT - arrangement.floors[name] < 1:
        return frame.bottom
    return box.bottom


def _ink(edge: Edge, broken: set[str]) -> Ink:
    dash: tuple[float, ...] = (5.0, 3.0) if edge.part == "skip" else ()
    if edge.tail in broken:
        return Ink(None, "edge", 1.0, stroke_opacity=0.6, dash=(1.5, 3.0))
    if edge.part == "shape_only":
        return Ink(None, "edge", 0.8, dash=(2.0, 2.5))
    return Ink(None, "edge", 1.5, dash=dash)


def _frames(folded: Folded, arrangement: Arrangement) -> dict[str, Rect]:
    frames = {}
    for frame in folded.frames:
        names = [card.node.name for card in folded.cards if card.group == frame.name]
        boxes = [arrangement.boxes[name] for name in names]
        left, right = min(b.left for b in boxes) - FRAME_SIDE, max(b.right for b in boxes) + FRAME_SIDE
        top = min(arrangement.ceilings[name] for name in names) - FRAME_HEAD
        bottom = max(arrangement.floors[name] for name in names) + FRAME_FOOT
        frames[frame.name] = Rect((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    return frames


def _widened(frame: Rect, track: Track) -> Rect:
    left, right = min(frame.left, track.x - FRAME_SIDE), max(frame.right, track.x + FRAME_SIDE)
    return Rect((left + right) / 2, frame.y, right - left, frame.height)


def _track(
    edge: Edge,
    arrangement: Arrangement,
    frames: Mapping[str, Rect],
    group_of: Mapping[str, str],
    tracks: Sequence[Track],
) -> Track:
    tail, head = arrangement.boxes[edge.tail], arrangement.boxes[edge.head]
    top = fork_height(edge.tail, arrangement, frames, group_of)
    bottom = head.y
    walls = [box for name, box in arrangement.boxes.items() if name not in (edge.tail, edge.head)]
    walls += [frame for name, frame in frames.items() if name != group_of.get(edge.head)]
    met = [wall for wall in walls if wall.bottom > top and wall.top < bottom] + [head]
    left = min([wall.left for wall in met] + [tail.x]) - _CLEAR
    right = max([wall.right for wall in met] + [tail.x]) + _CLEAR
    taken = [track for track in tracks if track.bottom > top - 1 and track.top < bottom + 1]
    for track in sorted((track for track in taken if track.on_left), key=lambda track: -track.x):
        left = min(left, track.x - TRACK)
    for track in sorted((track for track in taken if not track.on_left), key=lambda track: track.x):
        right = max(right, track.x + TRACK)
    middle = (tail.x + head.x) / 2
    offset = head.x - tail.x
    on_left = offset < 0 if abs(offset) > head.width / 2 else middle - left <= right - middle + 24
    return Track(edge, left if on_left else right, top, bottom, on_left)


def fork_height(name: str, arrangement: Arrangement, frames: Mapping[str, Rect], group_of: Mapping[str, str]) -> float:
    """Return the y coordinate at which a skip leaves the edge below a box."""
    lines = max(len(arrangement.labels.get(name, ())), 1)
    return max(exit_height(name, arrangement, frames, group_of), arrangement.floors[name]) + 5 + LABEL_LINE * lines / 2


def _skip(track: Track, arrangement: Arrangement, ink: Ink) -> list[Mark]:
    """Return a dashed curve from the edge below the tail, along the track, into the side or the top of the head."""
    tail, head = arrangement.boxes[track.edge.tail], arrangement.boxes[track.edge.head]
    toward = -1.0 if track.on_left else 1.0
    near = head.left if track.on_left else head.right
    blocked = any(
        abs(other.y - head.y) < other.height / 2 + 2 and min(track.x, near) < other.x < max(track.x, near)
        for name, other in arrangement.boxes.items()
        if name != track.edge.head
    )
    end_y = arrangement.ceilings[track.edge.head] - 12 if blocked else head.y
    radius = max(min(14.0, (end_y - track.top) / 2, abs(track.x - tail.x), abs(track.x - near)), 0.0)
    commands: list[Command] = [
        ("M", (tail.x, track.top)),
        ("L", (track.x - toward * radius, track.top)),
        ("C", (track.x, track.top, track.x, track.top, track.x, track.top + radius)),
        ("L", (track.x, end_y - radius)),
        ("C", (track.x, end_y, track.x, end_y, track.x - toward * radius, end_y)),
    ]
    solid = Ink("edge", fill_opacity=ink.stroke_opacity)
    if blocked:
        x = head.x + toward * head.width / 4
        commands += [("L", (x + toward * 6, end_y)), ("C", (x, end_y, x, end_y, x, end_y + 6))]
        commands.append(("L", (x, head.top - _HEAD)))
        return [Curve(tuple(commands), ink), arrow_head((x, head.top), solid)]
    commands.append(("L", (near + toward * _HEAD, end_y)))
    return [Curve(tuple(commands), ink), _side_head(near, end_y, toward, solid)]


def _side_by_side(edge: Edge, arrangement: Arrangement) -> bool:
    """Return whether two boxes are in the same row with no box between them."""
    tail, head = arrangement.boxes[edge.tail], arrangement.boxes[edge.head]
    between = (
        box
        for name, box in arrangement.boxes.items()
        if name not in (edge.tail, edge.head) and min(tail.x, head.x) < box.x < max(tail.x, head.x)
    )
    return abs(tail.y - head.y) < 1 and not any(box.top < head.y < box.bottom for box in between)


def _horizontal(edge: Edge, arrangement: Arrangement, ink: Ink) -> list[Mark]:
    """Return a straight line from the side of one box to the side of its neighbour."""
    tail, head = arrangement.boxes[edge.tail], arrangement.boxes[edge.head]
    toward = -1.0 if tail.x < head.x else 1.0
    start, near = (tail.right, head.left) if tail.x < head.x else (tail.left, head.right)
    line = Curve((("M", (start, tail.y)), ("L", (near + toward * _HEAD, head.y))), ink)
    return [line, _side_head(near, head.y, toward, Ink("edge", fill_opacity=ink.stroke_opacity))]


def _side_head(x: float, y: float, toward: float, ink: Ink) -> Curve:
    back = x + toward * 6
    return Curve(
        (("M", (x, y)), ("L", (back, y - 3)), ("L", (x + toward * 4.8, y)), ("L", (back, y + 3)), ("Z", ())), ink
    )


def _edge(
    edge: Edge,
    arrangement: Arrangement,
    frames: Mapping[str, Rect],
    group_of: Mapping[str, str],
    ink: Ink,
) -> list[Mark]:
    tail, head = arrangement.boxes[edge.tail], arrangement.boxes[edge.head]
    tip = (head.x, head.top)
    solid = Ink("edge", fill_opacity=ink.stroke_opacity)
    commands: list[Command] = [("M", (tail.x, tail.bottom))]
    if abs(tail.x - head.x) <= _STRAIGHT and not _passes(edge, arrangement):
        commands.append(("L", (tail.x, tip[1] - _HEAD)))
        return [Curve(tuple(commands), ink), arrow_head((tail.x, tip[1]), solid)]
    lines = max(len(arrangement.labels.get(edge.tail, ())), 1)
    trunk = max(exit_height(edge.tail, arrangement, frames, group_of), arrangement.floors[edge.tail])
    start = trunk + 5 + LABEL_LINE * lines
    commands.append(("L", (tail.x, start)))
    ceiling = arrangement.ceilings[edge.head]
    points = arrangement.splines.get((edge.tail, edge.head), ())
    if not _passes(edge, arrangement):
        commands += _bend(tail.x, start, tip[0], tip[1] - _HEAD, ceiling)
    elif _free(tail.x, start, ceiling, edge, arrangement):
        turn = max(start, ceiling - _TURN)
        commands += [("L", (tail.x, turn)), *_bend(tail.x, turn, tip[0], tip[1] - _HEAD, ceiling)]
    elif _free(tip[0], start, ceiling, edge, arrangement):
        commands += _bend(tail.x, start, tip[0], tip[1] - _HEAD, start + _TURN)
    elif len(points) > 4:
        commands += _along(points, tail.x, start, tip)
    else:
        commands += _bend(tail.x, start, tip[0], tip[1] - _HEAD, ceiling)
    return [Curve(tuple(commands), ink), arrow_head(tip, solid)]


def _bend(x: float, y: float, to_x: float, to_y: float, row: float) -> list[Command]:
    """Return a curve that starts and ends vertically and completes its bend above the row of the head."""
    low = min(to_y, row - 2)
    middle = (y + low) / 2
    return [("C", (x, middle, to_x, middle, to_x, low)), ("L", (to_x, to_y))]


def _free(x: float, top: float, bottom: float, edge: Edge, arrangement: Arrangement) -> bool:
    """Return whether a vertical line between two y coordinates meets no box."""
    return not any(
        box.left - 6 < x < box.right + 6 and box.bottom > top and box.top < bottom
        for name, box in arrangement.boxes.items()
        if name not in (edge.tail, edge.head)
    )


def _passes(edge: Edge, arrangement: Arrangement) -> bool:
    """Return whether a row lies between the two ends of an edge."""
    top, bottom = arrangement.floors[edge.tail], arrangement.ceilings[edge.head]
    return any(top < box.y < bottom for box in arrangement.boxes.values())


def _along(points: Sequence[tuple[float, float]], x: float, y: float, tip: tuple[float, float]) -> list[Command]:
    """Return the curve computed by Graphviz, from below the label to the head, adjusted to meet both ends."""
    kept = [(px, max(py, y)) for px, py in points]
    kept[0], kept[1] = (x, y), (x, max(kept[1][1], y + 4))
    last = (tip[0], tip[1] - _HEAD)
    kept[-2], kept[-1] = (tip[0], min(kept[-2][1], last[1] - 4)), last
    return [("C", (*kept[i], *kept[i + 1], *kept[i + 2])) for i in range(1, len(kept) - 2, 3)]
