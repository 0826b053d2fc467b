"""What a painted picture consists of: boxes, curves and text with colours by role. No file formats.

Units are points; x grows to the right and y downwards. Painters (:mod:`planner.diagrams.svg`,
:mod:`planner.diagrams.pdf`) turn a :class:`Scene` into bytes without deciding anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from planner.diagrams.palette import Role

Point: TypeAlias = tuple[float, float]
TAIL_GAP = 7.0
"""Points between a text and its tail."""

Command: TypeAlias = tuple[str, tuple[float, ...]]
"""``M`` and ``L`` with 2 numbers, ``C`` with 6, ``Z`` with none, as in an SVG path, absolute."""


@dataclass(frozen=True, slots=True)
class Ink:
    """How a shape is painted: colours by role (None is not at all), opacities from 0 to 1, a dash pattern."""

    fill: Role | None = None
    stroke: Role | None = None
    thickness: float = 1.0
    fill_opacity: float = 1.0
    stroke_opacity: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with round corners; `ring` marks the one that shows keyboard focus."""

    x: float
    y: float
    width: float
    height: float
    radius: float
    ink: Ink
    ring: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """A path of lines and Bezier curves."""

    commands: tuple[Command, ...]
    ink: Ink


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `y` is its baseline. The `tail` follows after a small gap, wherever the text ends."""

    x: float
    y: float
    text: str
    size: float
    colour: Role
    bold: bool = False
    anchor: Literal["start", "middle", "end"] = "start"
    tail: str = ""
    tail_size: float = 10.5
    tail_bold: bool = False


Mark: TypeAlias = Box | Curve | Text


@dataclass(frozen=True, slots=True)
class Group:
    """Marks that belong to one layer: a link with an identity and words for screen readers."""

    marks: tuple[Mark, ...]
    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole picture with its size, title and description."""

    width: float
    height: float
    title: str
    description: str
    items: tuple[Mark | Group, ...]


def polygon(points: Iterable[Point], ink: Ink) -> Curve:
    """Return a closed outline through points.

    Examples
    --------
    >>> [command for command, _ in polygon([(0, 0), (4, 0), (0, 3)], Ink()).commands]
    ['M', 'L', 'L', 'Z']
    """
    first, *rest = points
    return Curve((("M", first), *(("L", point) for point in rest), ("Z", ())), ink)


def arrow_head(tip: Point, ink: Ink, size: float = 6.0) -> Curve:
    """Return a filled triangle that points down at `tip`."""
    x, y = tip
    return polygon([(x, y), (x - size * 0.5, y - size), (x, y - size * 0.8), (x + size * 0.5, y - size)], ink)


def circle(x: float, y: float, radius: float, ink: Ink, ring: bool = False) -> Box:
    """Return a circle about (x, y)."""
    return Box(x - radius, y - radius, 2 * radius, 2 * radius, radius, ink, ring)
