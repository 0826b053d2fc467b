"""Typefaces embedded in PDF and PNG files: Bitstream Vera from reportlab, or DejaVu Sans if characters are missing.

Both have the same widths for the same letters. A picture with only characters of Bitstream Vera looks the same on
every system.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from planner.diagrams.scene import Group, Scene, Text

_VERA = ("Vera.ttf", "VeraBd.ttf")
_DEJAVU = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")


class MissingCharacters(UserWarning):
    """Warning that a picture shows question marks for characters that no available typeface has."""


@dataclass(frozen=True)
class Typeface:
    """A registered typeface in two weights, and the characters available in both."""

    regular: str
    bold: str
    characters: frozenset[str]

    def name(self, bold: bool) -> str:
        """Return the font name of a weight in reportlab."""
        return self.bold if bold else self.regular

    def printable(self, text: str) -> str:
        """Return a text with a question mark for every missing character."""
        return "".join(character if character in self.characters else "?" for character in text)


def typeface_for(scene: Scene) -> Typeface:
    """Return the first typeface that has all characters of a picture, else the one that has most of them.

    The warning :class:`MissingCharacters` lists missing characters. reportlab must be installed.
    """
    needed = frozenset("".join(_texts(scene)))
    faces = []
    for regular, bold in _files():
        face = _registered(regular, bold)
        if needed <= face.characters:
            return face
        faces.append(face)
    best = min(faces, key=lambda face: len(needed - face.characters))
    missing = " ".join(sorted(character for character in needed - best.characters if character.isprintable()))
    warnings.warn(
        f"the typeface of PNG and PDF files lacks {missing or 'control characters'}, shown as ?; "
        "SVG files show all characters",
        MissingCharacters,
        stacklevel=2,
    )
    return best


def _texts(scene: Scene) -> Iterator[str]:
    for item in scene.items:
        marks: Iterable[object] = item.marks if isinstance(item, Group) else (item,)
        for mark in marks:
            if isinstance(mark, Text):
                yield mark.text
                yield mark.tail


def _files() -> Iterator[tuple[str, str]]:
    """Yield files of a regular and a bold face; DejaVu Sans is taken from matplotlib without importing it."""
    yield _VERA
    spec = find_spec("matplotlib")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        regular, bold = (Path(place, "mpl-data", "fonts", "ttf", file) for file in _DEJAVU)
        if regular.is_file() and bold.is_file():
            yield str(regular), str(bold)


def _registered(regular: str, bold: str) -> Typeface:
    metrics: Any = import_module("reportlab.pdfbase.pdfmetrics")
    fonts: Any = import_module("reportlab.pdfbase.ttfonts")
    names = [f"Shapeplan-{Path(file).stem}" for file in (regular, bold)]
    for name, file in zip(names, (regular, bold), strict=True):
        if name not in metrics.getRegisteredFontNames():
            metrics.registerFont(fonts.TTFont(name, file))
    codes = [set(metrics.getFont(name).face.charWidths) for name in names]
    return Typeface(names[0], names[1], frozenset(map(chr, codes[0] & codes[1])))
