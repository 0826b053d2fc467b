"""A scene as PDF, or as PNG rendered from that PDF, with light colours and embedded fonts.

reportlab writes the PDF with a typeface of :mod:`planner.diagrams.fonts`; pypdfium2 renders the page to pixels. Both
have wheels for every system and need no system fonts. They are imported only if needed.
"""

from __future__ import annotations

from importlib import import_module
from io import BytesIO
from typing import Any, TypeAlias

from planner.diagrams.fault import DrawError
from planner.diagrams.fonts import Typeface, typeface_for
from planner.diagrams.palette import LIGHT
from planner.diagrams.scene import TAIL_GAP, Box, Curve, Group, Ink, Scene, Text

Canvas: TypeAlias = Any  # reportlab ships no types

_LONGEST_SIDE = 16000
"""Maximum pixels per side; larger pictures get a lower resolution, because viewers reject them."""


def pdf_bytes(scene: Scene) -> bytes:
    """Return a scene as a PDF file with one page; the same scene gives the same bytes.

    Warns
    -----
    MissingCharacters
        If the typeface lacks some characters.

    Raises
    ------
    DrawError
        If reportlab is not installed.
    """
    canvas_module: Any = _library("reportlab.pdfgen.canvas", "PDF")
    face = typeface_for(scene)
    buffer = BytesIO()
    canvas = canvas_module.Canvas(buffer, pagesize=(scene.width, scene.height), invariant=1, pageCompression=1)
    canvas.setTitle(scene.title)
    canvas.setSubject(scene.description)
    canvas.translate(0, scene.height)
    canvas.scale(1, -1)  # y downwards, as in the scene
    canvas.setLineJoin(1)
    for item in scene.items:
        for mark in item.marks if isinstance(item, Group) else (item,):
            canvas.saveState()
            if isinstance(mark, Text):
                _text(canvas, mark, face)
            elif isinstance(mark, Box):
                _ink(canvas, mark.ink)
                radius = min(mark.radius, mark.width / 2, mark.height / 2)
                fill, stroke = int(mark.ink.fill is not None), int(mark.ink.stroke is not None)
                canvas.roundRect(mark.x, mark.y, mark.width, mark.height, radius, stroke, fill)
            else:
                _curve(canvas, mark)
            canvas.restoreState()
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def png_bytes(scene: Scene, scale: float = 2.0) -> bytes:
    """Return a scene as a PNG file with `scale` pixels per point.

    Raises
    ------
    DrawError
        If reportlab or pypdfium2 is not installed.
    """
    pdfium: Any = _library("pypdfium2", "PNG")
    page_bytes = pdf_bytes(scene)
    scale = min(scale, _LONGEST_SIDE / max(scene.width, scene.height))
    document = pdfium.PdfDocument(page_bytes)
    try:
        page = document[0]
        bitmap = page.render(scale=scale)
        buffer = BytesIO()
        bitmap.to_pil().save(buffer, format="PNG", optimize=True)
        bitmap.close()
        page.close()
    finally:
        document.close()
    return buffer.getvalue()


def _library(module: str, what: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise DrawError.of(
            "D604",
            f"writing a {what} file needs the package {module.split('.')[0]}, which is not installed",
            fixes=('pip install "shapeplan[draw]"', "or write an SVG file: give a path that ends in .svg"),
        ) from None


def _ink(canvas: Canvas, ink: Ink) -> None:
    if ink.fill:
        canvas.setFillColor(_colour(LIGHT[ink.fill], ink.fill_opacity))
    if ink.stroke:
        canvas.setStrokeColor(_colour(LIGHT[ink.stroke], ink.stroke_opacity))
        canvas.setLineWidth(ink.thickness)
        if ink.dash:
            canvas.setDash(list(ink.dash))


def _colour(code: str, opacity: float) -> Any:
    colours: Any = import_module("reportlab.lib.colors")
    return colours.HexColor(int(code[1:], 16) * 256 + round(opacity * 255), hasAlpha=True)


def _curve(canvas: Canvas, curve: Curve) -> None:
    _ink(canvas, curve.ink)
    path = canvas.beginPath()
    for letter, numbers in curve.commands:
        if letter == "M":
            path.moveTo(*numbers)
        elif letter == "L":
            path.lineTo(*numbers)
        elif letter == "C":
            path.curveTo(*numbers)
        else:
            path.close()
    canvas.drawPath(path, stroke=int(curve.ink.stroke is not None), fill=int(curve.ink.fill is not None))


def _text(canvas: Canvas, mark: Text, face: Typeface) -> None:
    canvas.setFillColor(_colour(LIGHT[mark.colour], 1.0))
    canvas.translate(mark.x, mark.y)
    canvas.scale(1, -1)
    name = face.name(mark.bold)
    canvas.setFont(name, mark.size)
    text = face.printable(mark.text)
    if mark.anchor == "end":
        canvas.drawRightString(0, 0, text)
    elif mark.anchor == "middle":
        canvas.drawCentredString(0, 0, text)
    else:
        canvas.drawString(0, 0, text)
    if mark.tail:
        after = canvas.stringWidth(text, name, mark.size) + TAIL_GAP
        canvas.setFont(face.name(mark.tail_bold), mark.tail_size)
        canvas.drawString(after, 0, face.printable(mark.tail))
