"""Pictures as PDF and PNG show every character that a typeface at hand has, and tell about the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.diagrams import Format, MissingCharacters, draw
from planner.diagrams.diagram import Diagram, DrawNode
from tests.harness.terminal import SMALL, run

pytest.importorskip("pygraphviz", reason="layout needs the extra `draw`")


def named(name: str) -> Diagram:
    return Diagram(name, "", (DrawNode(name, "conv", "conv", (), "conv", (), ("1",), (1,)),), {"out": name})


@pytest.mark.parametrize("format", ["pdf", "png"])
def test_characters_that_no_typeface_has_are_told_once_and_all_others_are_drawn(format: Format) -> None:
    pytest.importorskip("reportlab")
    pytest.importorskip("pypdfium2")
    with pytest.warns(MissingCharacters) as told:
        draw(named("größe層🙂層"), format=format)
    assert len(told) == 1
    assert "lacks 層 🙂, shown as ?" in str(told[0].message)
    draw(named("größe × 3 … ÿ"), format=format)  # without a warning, which pytest would make an error


def test_letters_beyond_latin_are_drawn_where_a_fuller_face_is_at_hand() -> None:
    pytest.importorskip("reportlab")
    pytest.importorskip("matplotlib")
    pdfium = pytest.importorskip("pypdfium2")
    made = draw(named("свёртка λ ő"), format="pdf")
    page = pdfium.PdfDocument(made)[0].get_textpage()
    assert "свёртка λ ő" in page.get_text_range()


def test_the_command_tells_about_missing_characters_on_stderr(workdir: Path) -> None:
    pytest.importorskip("reportlab")
    (workdir / "net.yaml").write_text(SMALL.replace("name: c1", "name: 層"), "utf-8")
    result = run("draw", "net.yaml", "-o", "net.pdf")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines() == [
        "warning: the typeface of PNG and PDF files lacks 層, shown as ?; SVG files show all characters",
        "wrote net.pdf",
    ]
    assert "層" in run("draw", "net.yaml", "-o", "net.svg").stderr + (workdir / "net.svg").read_text("utf-8")
