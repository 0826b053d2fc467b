"""Memory over time as a picture: the x axis is the step, the y axis is bytes, and rectangles are blocks of an arena.

Colours are those of the layer families; temporary memory is paler. A solid line shows the bytes in use, a dashed
line the lower bound.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.diagrams.palette import FAMILIES, Role
from planner.diagrams.scene import Box, Curve, Group, Ink, Mark, Scene, Text
from planner.memory import Arena, Block
from planner.plan.plan import BoundPlan
from planner.tables.table import against_bound, size
from planner.wording import plural

WIDTH, HEIGHT = 780.0, 300.0
"""Size in points of the plot area of one arena."""

LEFT, RIGHT, HEAD, FOOT = 76.0, 24.0, 62.0, 40.0
LETTER = 5.8
"""Approximate width in points of a letter of a label."""

TEMPORARY = frozenset({"workspace", "partial", "weights", "loss"})
"""Roles of memory whose contents are not kept."""

LEGEND: tuple[tuple[Role, str], ...] = (
    ("conv", "convolution"),
    ("dense", "dense"),
    ("pool", "pooling"),
    ("norm", "norm"),
    ("act", "activation"),
    ("merge", "merge"),
    ("io", "input, reshape"),
)


def memory_scene(bound: BoundPlan) -> Scene:
    """Return the arenas of inference and of a training step, one above the other.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 3, 8, 8)}, layers=[layer("conv", name="c", filters=4, kernel=3)])
    >>> scene = memory_scene(net.check().bind(N=1))
    >>> scene.title, sum(isinstance(item, Group) for item in scene.items) > 4
    ('Memory of t over time', True)
    """
    arenas = (("inference", bound.memory.inference), ("a training step", bound.memory.training))
    items: list[Mark | Group] = []
    panel = HEAD + HEIGHT + FOOT
    width, height = LEFT + WIDTH + RIGHT, panel * len(arenas) + 30
    items.append(Box(0, 0, width, height, 0, Ink("paper")))
    for number, (what, arena) in enumerate(arenas):
        items += _panel(bound, arena, f"{bound.name}, {what}", number * panel)
    items += _legend(height - 14)
    description = "; ".join(f"{what}: {size(arena.bytes)}, {against_bound(arena)}" for what, arena in arenas)
    return Scene(width, height, f"Memory of {bound.name} over time", description, tuple(items))


def _panel(bound: BoundPlan, arena: Arena, title: str, top: float) -> Iterator[Mark | Group]:
    bottom = top + HEAD + HEIGHT
    wide, high = WIDTH / max(arena.steps, 1), HEIGHT / max(arena.bytes, 1)
    yield Text(LEFT, top + 26, f"{title}: {size(arena.bytes)}", 15, "ink", bold=True)
    yield Text(LEFT, top + 44, against_bound(arena), 11, "soft")
    yield Box(LEFT, top + HEAD, WIDTH, HEIGHT, 0, Ink("card", "edge", 0.8))
    for quarter in range(5):
        y = bottom - HEIGHT * quarter / 4
        yield Text(LEFT - 8, y + 4, size(arena.bytes * quarter // 4), 10, "soft", anchor="end")
        if quarter not in (0, 4):
            yield _line([(LEFT, y), (LEFT + WIDTH, y)], Ink(stroke="frame"))
    for block in arena.blocks:
        role = FAMILIES[bound.by_name[block.name].layer.category] if block.name in bound.by_name else "io"
        x, y = LEFT + block.first * wide, bottom - (block.offset + block.bytes) * high
        yield _rectangle(block, role, x, y, (block.last - block.first + 1) * wide, block.bytes * high)
    points = []
    for step, live in enumerate(arena.live()):
        y = bottom - live * high
        points += [(LEFT + step * wide, y), (LEFT + (step + 1) * wide, y)]
    yield _line(points, Ink(stroke="ink", thickness=1.6))
    y = bottom - arena.lower_bound * high
    yield _line([(LEFT, y), (LEFT + WIDTH, y)], Ink(stroke="ink", thickness=1, dash=(5, 4)))
    yield Text(LEFT, bottom + 17, f"step 0, {bound.nodes[0].name}", 10, "soft")
    if arena.backward:
        middle = LEFT + (len(bound.nodes) + 0.5) * wide
        yield _line([(middle, bottom), (middle, bottom + 6)], Ink(stroke="edge"))
        yield Text(middle, bottom + 17, "loss, then backward pass", 10, "soft", anchor="middle")
    yield Text(LEFT + WIDTH, bottom + 17, plural(arena.steps, "step"), 10, "soft", anchor="end")


def _rectangle(block: Block, role: Role, x: float, y: float, width: float, height: float) -> Group:
    pale = block.role in TEMPORARY
    ink = Ink(role, role, 0.6, fill_opacity=0.25 if pale else 0.85)
    marks: list[Mark] = [Box(x, y, width, height, 0, ink)]
    label = block.name if block.role == "value" else f"{block.name} {block.role}"
    if len(label) * LETTER + 6 < width and height > 11:
        marks.append(Text(x + 4, y + height / 2 + 3.5, label, 9.5, "ink" if pale else "card"))
    steps = f"step {block.first}" if block.first == block.last else f"steps {block.first} to {block.last}"
    title = f"{block.name}, {block.role}: {size(block.bytes)} at {block.offset:,}, {steps}"
    return Group(tuple(marks), f"{block.name}-{block.role}-{block.first}", title)


def _legend(y: float) -> Iterator[Mark]:
    x = LEFT
    for role, what in LEGEND:
        yield Box(x, y - 9, 10, 10, 2, Ink(role))
        yield Text(x + 14, y, what, 10, "soft")
        x += 30 + len(what) * 5
    yield Text(LEFT + WIDTH, y, "pale: temporary   line: in use   dashed: lower bound", 10, "soft", anchor="end")


def _line(points: list[tuple[float, float]], ink: Ink) -> Curve:
    return Curve(tuple(("L" if index else "M", point) for index, point in enumerate(points)), ink)
