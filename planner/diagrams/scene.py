"""Elements of a picture: boxes, curves and text with colours by role, independent of file formats.

Units are points; x grows to the right and y downwards. :mod:`planner.diagrams.svg` and
:mod:`planner.diagrams.pdf` convert a :class:`Scene` to bytes without further layout decisions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from planner.diagrams.palette import Role

Point: TypeAlias = tuple[float, float]
TAIL_GAP = 7.0
"""Distance in points between a text and its tail."""

Command: TypeAlias = tuple[str, tuple[float, ...]]
"""Absolute commands as in an SVG path: ``M`` and ``L`` with 2 numbers, ``C`` with 6, ``Z`` with none."""


@dataclass(frozen=True, slots=True)
class Ink:
    """Style of a shape: colours by role (None: not painted), opacities from 0 to 1, and a dash pattern."""

    fill: Role | None = None
    stroke: Role | None = None
    thickness: float = 1.0
    fill_opacity: float = 1.0
    stroke_opacity: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with rounded corners; `ring` marks the rectangle that shows keyboard focus."""

    x: float
    y: float
    width: float
    height: float
    radius: float
    ink: Ink
    ring: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """A path of lines and Bézier curves."""

    commands: tuple[Command, ...]
    ink: Ink


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text with its baseline at `y`; the `tail` follows the end of the text after a small gap."""

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
    """Marks of one layer: a link with an id and a description for screen readers."""

    marks: tuple[Mark, ...]
    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Scene:
    """A complete picture with its size, title and description."""

    width: float
    height: float
    title: str
    description: str
    items: tuple[Mark | Group, ...]


def polygon(points: Iterable[Point], ink: Ink) -> Curve:
    """Return a closed outline through the given points.

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
    """Return a circle with centre (x, y)."""
    return Box(x - radius, y - radius, 2 * radius, 2 * radius, radius, ink, ring)
