"""A scene as SVG: light colours as attributes, dark colours in a style sheet, every layer as a named link."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from planner.diagrams.palette import LIGHT, stylesheet
from planner.diagrams.scene import TAIL_GAP, Box, Curve, Group, Ink, Mark, Scene, Text
from planner.diagrams.typeface import STACK

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def svg_text(scene: Scene, *, id_prefix: str = "layer-") -> str:
    """Return a scene as the text of an SVG file.

    Parameters
    ----------
    scene : Scene
    id_prefix : str
        Prefix of the id of every layer; use a different prefix for each picture on a page.

    Examples
    --------
    >>> text = svg_text(Scene(10, 10, "<b>", "", ()))
    >>> "<b>" in text, "&lt;b&gt;" in text
    (False, True)
    """
    ids = _Ids(id_prefix)
    title, description = f"{id_prefix}title", f"{id_prefix}description"
    wide, high = _number(scene.width), _number(scene.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="shapeplan" viewBox="0 0 {wide} {high}" '
        f'width="{wide}" height="{high}" style="max-width:100%;height:auto" '
        f'role="graphics-document document" aria-labelledby={_quoted(f"{title} {description}")} '
        f"font-family={_quoted(STACK)}>"
    )
    lines = [
        head,
        f"<title id={_quoted(title)}>{_plain(scene.title)}</title>",
        f"<desc id={_quoted(description)}>{_plain(scene.description)}</desc>",
        f"<style>\n{stylesheet()}</style>",
    ]
    for item in scene.items:
        lines += _group(item, ids) if isinstance(item, Group) else [_mark(item)]
    return "\n".join([*lines, "</svg>", ""])


class _Ids:
    """Unique ids for layer names that are safe in a link."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._used: set[str] = set()

    def of(self, name: str) -> str:
        base = self.prefix + re.sub(r"[^A-Za-z0-9_.-]", "_", name)
        found, number = base, 2
        while found in self._used:
            found, number = f"{base}-{number}", number + 1
        self._used.add(found)
        return found


def _group(group: Group, ids: _Ids) -> list[str]:
    own = ids.of(group.name)
    return [
        f"<a id={_quoted(own)} href={_quoted('#' + own)} data-layer={_quoted(group.name)} "
        f"aria-label={_quoted(group.title)}>",
        f"<title>{_plain(group.title)}</title>",
        *map(_mark, group.marks),
        "</a>",
    ]


def _mark(mark: Mark) -> str:
    if isinstance(mark, Box):
        ring = ' class="ring"' if mark.ring else ""
        radius = f' rx="{_number(mark.radius)}"' if mark.radius else ""
        return (
            f'<rect{ring} x="{_number(mark.x)}" y="{_number(mark.y)}" width="{_number(mark.width)}" '
            f'height="{_number(mark.height)}"{radius}{_ink(mark.ink)}/>'
        )
    if isinstance(mark, Curve):
        return f'<path d="{_path(mark)}"{_ink(mark.ink)}/>'
    anchor = "" if mark.anchor == "start" else f' text-anchor="{mark.anchor}"'
    weight = ' font-weight="bold"' if mark.bold else ""
    return (
        f'<text x="{_number(mark.x)}" y="{_number(mark.y)}" font-size="{_number(mark.size)}"{weight}{anchor} '
        f'fill="{LIGHT[mark.colour]}">{_plain(mark.text)}{_tail(mark)}</text>'
    )


def _tail(mark: Text) -> str:
    if not mark.tail:
        return ""
    weight = "bold" if mark.tail_bold else "normal"
    size = _number(mark.tail_size)
    return f'<tspan dx="{_number(TAIL_GAP)}" font-size="{size}" font-weight="{weight}">{_plain(mark.tail)}</tspan>'


def _ink(ink: Ink) -> str:
    made = f' fill="{LIGHT[ink.fill] if ink.fill else "none"}"'
    if ink.fill and ink.fill_opacity < 1:
        made += f' fill-opacity="{_number(ink.fill_opacity)}"'
    if ink.stroke:
        made += f' stroke="{LIGHT[ink.stroke]}" stroke-width="{_number(ink.thickness)}" stroke-linejoin="round"'
        if ink.stroke_opacity < 1:
            made += f' stroke-opacity="{_number(ink.stroke_opacity)}"'
        if ink.dash:
            made += f' stroke-dasharray="{" ".join(map(_number, ink.dash))}"'
    return made


def _path(curve: Curve) -> str:
    return "".join(letter + " ".join(map(_number, numbers)) for letter, numbers in curve.commands)


def _number(value: float) -> str:
    made = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if made == "-0" else made


def _plain(text: str) -> str:
    return escape(_FORBIDDEN.sub("�", text))


def _quoted(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("�", text))
