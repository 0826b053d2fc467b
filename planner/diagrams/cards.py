"""Appearance of one layer: size and marks of its card, merge circle or output pill.

A card shows a glyph of the output shape, the name in the colour of its family, costs on the right, the settings that
differ from their defaults below, and a stripe at the bottom for each layer folded into it.
"""

from __future__ import annotations

from planner.diagrams.diagram import Card
from planner.diagrams.glyph import glyph
from planner.diagrams.palette import FAMILIES, Role
from planner.diagrams.scene import TAIL_GAP, Box, Curve, Group, Ink, Mark, Text, circle
from planner.diagrams.typeface import shorten, width, wrap

CARD_WIDTH = 264.0
CARD_HEIGHT = 48.0
STRIPE = 4.0
MERGE_RADIUS = 11.0
PILL_HEIGHT = 22.0

_TEXT_X = 58.0
_MARGIN = 12.0
_RING = 3.0
_LABEL_SIZES = (10.5, 9.0)
_DETAIL_SIZES = (9.5, 8.5)
_FAULT_LINES = 4
_FAULT_SIZE = 9.5


def is_merge(card: Card) -> bool:
    """Return whether a card is drawn as a small circle; a broken merge is not, because it needs space for a message."""
    return card.node.category == "merge" and card.node.fault is None


def extent(card: Card) -> tuple[float, float]:
    """Return the width and height of a card in points."""
    if is_merge(card):
        across = 2 * (MERGE_RADIUS + (_RING * len(card.stripes) + 1 if card.stripes else 0))
        return across, across
    lines = len(_fault_lines(card))
    more = 12.0 * lines + 2 if lines else 0.0
    return CARD_WIDTH, CARD_HEIGHT + STRIPE * len(card.stripes) + more


def pill_width(name: str) -> float:
    """Return the width of the pill that names an output."""
    return min(width(name, 10.5, bold=True) + 24, CARD_WIDTH)


def family(card: Card) -> Role:
    """Return the colour role of a card: that of its family, of a fault, or of an edge for a ghost."""
    if card.node.fault is not None:
        return "fault"
    return "edge" if card.node.ghost else FAMILIES[card.node.category]


def describe(card: Card) -> str:
    """Return the description of a card for screen readers and tooltips."""
    node = card.node
    parts = [f"{node.name}: {node.kind}", *node.details]
    if card.stripes:
        parts.append("then " + ", ".join(stripe.kind for stripe in card.stripes))
    if node.sizes is not None:
        parts.append("output " + " × ".join(node.sizes))
    if node.note:
        parts.append(node.note)
    if card.times > 1:
        parts.append(f"{card.times} times")
    if node.fault is not None:
        parts.append(f"BROKEN: {node.fault}")
    elif node.ghost:
        parts.append("unknown, because a preceding layer is broken")
    return " · ".join(parts)


def paint_card(card: Card, x: float, y: float, heat: float | None = None, tint: float = 0.0) -> Group:
    """Return the marks of a card or merge circle whose centre is (x, y).

    Parameters
    ----------
    card : Card
    x, y : float
        Centre, in points.
    heat : float, optional
        Share of the total, from 0 to 1, to print on the card; None if the picture shows no heat.
    tint : float
        Strength of the heat colour, from 0 to 1.
    """
    marks = _merge(card, x, y) if is_merge(card) else _card(card, x, y, heat, tint)
    return Group(tuple(marks), card.node.name, describe(card))


def _merge(card: Card, x: float, y: float) -> list[Mark]:
    ghost = card.node.ghost
    role = family(card)
    dash = (3.0, 2.5) if ghost else ()
    marks: list[Mark] = []
    for index, stripe in reversed(list(enumerate(card.stripes))):
        ring: Role = "edge" if ghost else FAMILIES[stripe.category]
        marks.append(circle(x, y, MERGE_RADIUS + _RING * (index + 1) - 0.5, Ink("card", ring, 2.2, dash=dash)))
    marks.append(circle(x, y, MERGE_RADIUS, Ink("card", role, 1.6, dash=dash), ring=True))
    stroke = Ink(None, role, 2.0)
    if card.node.kind in ("add", "subtract"):
        marks.append(Curve((("M", (x - 5, y)), ("L", (x + 5, y))), stroke))
        if card.node.kind == "add":
            marks.append(Curve((("M", (x, y - 5)), ("L", (x, y + 5))), stroke))
    elif card.node.kind == "maximum":
        marks.append(Curve((("M", (x - 5, y + 3.5)), ("L", (x, y - 3.5)), ("L", (x + 5, y + 3.5))), stroke))
    elif card.node.kind == "multiply":
        marks.append(Curve((("M", (x - 4, y - 4)), ("L", (x + 4, y + 4))), stroke))
        marks.append(Curve((("M", (x - 4, y + 4)), ("L", (x + 4, y - 4))), stroke))
    else:
        marks.append(Curve((("M", (x - 2.6, y - 5)), ("L", (x - 2.6, y + 5))), stroke))
        marks.append(Curve((("M", (x + 2.6, y - 5)), ("L", (x + 2.6, y + 5))), stroke))
    return marks


def _card(card: Card, x: float, y: float, heat: float | None, tint: float) -> list[Mark]:
    node, role = card.node, family(card)
    wide, high = extent(card)
    left, top = x - wide / 2, y - high / 2
    dash = (4.0, 3.0) if node.ghost else ()
    weight = 2.0 if node.fault is not None else 1.4
    marks: list[Mark] = []
    if node.category == "block" and node.label:  # draw a stack, because the block is repeated
        for shift in (7.0, 3.5):
            marks.append(Box(left + shift, top + shift, wide, high - 2 * shift, 9, Ink("card", role, 1.0, 1.0, 0.5)))
    marks.append(Box(left, top, wide, high, 9, Ink("card")))
    if tint:
        marks.append(Box(left, top, wide, high, 9, Ink("heat", fill_opacity=round(0.03 + 0.5 * tint, 3))))
    marks += _stripes(card, left, top + high, wide)
    marks.append(Box(left, top, wide, high, 9, Ink(None, role, weight, dash=dash), ring=True))
    if node.volume is not None:
        marks += glyph(node.volume, left + 30, top + CARD_HEIGHT / 2, role, 0.5 if node.ghost else 1.0)
    elif node.fault is not None:
        marks += _cross(left + 30, top + CARD_HEIGHT / 2)
    return marks + _words(card, left, top, wide, heat)


def _stripes(card: Card, left: float, foot: float, wide: float) -> list[Mark]:
    marks: list[Mark] = []
    start = foot - STRIPE * len(card.stripes) - 3.0
    for index, stripe in enumerate(card.stripes):
        role: Role = "edge" if card.node.ghost else FAMILIES[stripe.category]
        strength = 0.4 if card.node.ghost else 1.0
        y = start + index * STRIPE
        marks.append(Box(left + 9, y, wide - 18, STRIPE - 0.8, 0.8, Ink(role, fill_opacity=strength)))
    return marks


def _cross(x: float, y: float) -> list[Mark]:
    ink = Ink(None, "fault", 2.4)
    return [
        circle(x, y, 12, Ink(None, "fault", 1.6)),
        Curve((("M", (x - 5, y - 5)), ("L", (x + 5, y + 5))), ink),
        Curve((("M", (x - 5, y + 5)), ("L", (x + 5, y - 5))), ink),
    ]


def _words(card: Card, left: float, top: float, wide: float, heat: float | None) -> list[Mark]:
    node, role = card.node, family(card)
    start, end = left + _TEXT_X, left + wide - _MARGIN
    colour: Role = "soft" if node.ghost else role
    marks: list[Mark] = []
    cost = "" if node.ghost else shorten(node.cost, 110, 9)
    available = end - start - (width(cost, 9) + 10 if cost else 0)
    label = _label(card)
    taken = width(card.title, 12.5, bold=True) + TAIL_GAP
    sizes = [size for size in _LABEL_SIZES if taken + width(label, size, bold=node.category == "block") <= available]
    fits = bool(label and sizes)
    second = _second_line(card, start, end, top + 36.5, "" if fits else label, heat)
    base = top + 20 if second else top + CARD_HEIGHT / 2 + 4.5
    name = shorten(card.title, available, 12.5, bold=True)
    tail = label if fits else ""
    tail_size = sizes[0] if sizes else _LABEL_SIZES[0]
    bold = node.category == "block"
    marks.append(Text(start, base, name, 12.5, colour, True, tail=tail, tail_size=tail_size, tail_bold=bold))
    if cost:
        marks.append(Text(end, base, cost, 9, "soft", anchor="end"))
    marks += second
    for index, line in enumerate(_fault_lines(card)):
        marks.append(Text(left + _MARGIN + 2, top + CARD_HEIGHT + 6 + 12 * index, line, _FAULT_SIZE, "fault"))
    return marks


def _second_line(card: Card, start: float, end: float, y: float, label: str, heat: float | None) -> list[Mark]:
    node = card.node
    marks: list[Mark] = []
    details = " · ".join(part for part in (label, *node.details) if part)
    available = end - start
    if heat:
        share = f"{100 * heat:.0f} %" if heat >= 0.01 else "< 1 %"
        marks.append(Text(end, y, share, 9.5, "ink", bold=True, anchor="end"))
        available -= width(share, 9.5, bold=True) + 10
    elif heat is None and not node.ghost:
        names = sum(width(stripe.kind, 9) + 7 for stripe in card.stripes)
        if width(details, 9.5) + names + 6 <= available:
            x = end
            for stripe in reversed(card.stripes):
                marks.append(Text(x, y, stripe.kind, 9, FAMILIES[stripe.category], anchor="end"))
                x -= width(stripe.kind, 9) + 7
    if details:
        size = next((size for size in _DETAIL_SIZES if width(details, size) <= available), _DETAIL_SIZES[0])
        marks.append(Text(start, y, shorten(details, available, size), size, "soft" if node.ghost else "ink"))
    return marks


def _label(card: Card) -> str:
    """Return kind and window, without the kind if the name already begins with it (``conv1``)."""
    kind, label = card.node.kind, card.node.label
    last = card.title.rpartition(".")[2]
    return label.removeprefix(kind).strip() if last.rstrip("0123456789") == kind else label


def _fault_lines(card: Card) -> list[str]:
    if card.node.fault is None:
        return []
    return wrap(card.node.fault.split(), CARD_WIDTH - 2 * _MARGIN - 4, _FAULT_SIZE, " ", _FAULT_LINES)
