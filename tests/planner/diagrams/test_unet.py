"""Pictures of networks with skips whose sizes are formulas: U-Net as published."""

from __future__ import annotations

import pytest

import planner
from planner.diagrams import draw
from planner.diagrams.arrangement import LABEL_SIZE, arrange
from planner.diagrams.diagram import pretty
from planner.diagrams.folding import LEVELS, Level, fold
from planner.diagrams.picture import paint
from planner.diagrams.scene import Group, Text
from planner.diagrams.source import diagram_of
from planner.diagrams.typeface import width, wrap_product
from planner.diagrams.wiring import wire
from tests.harness.places import EXAMPLES

pytest.importorskip("pygraphviz", reason="layout needs the extra `draw`")


def unet() -> planner.Plan:
    return planner.load(EXAMPLES / "unet.yaml").check()


def words(plan: planner.Plan) -> list[str]:
    """Return every text of a picture, those outside cards first."""
    items = paint(fold(diagram_of(plan))).items
    inside = [mark for item in items if isinstance(item, Group) for mark in item.marks]
    return [mark.text for mark in (*items, *inside) if isinstance(mark, Text)]


@pytest.mark.parametrize("level", LEVELS)
def test_a_crop_stands_beside_the_spine_next_to_what_lends_it_a_shape(level: Level) -> None:
    folded = fold(diagram_of(unet()), level)
    wiring = wire(folded)
    boxes = arrange(folded, wiring).boxes
    for number in range(1, 5):
        up, crop = boxes[f"up{number}"], boxes[f"skip{number}"]
        assert f"skip{number}" not in wiring.spine
        assert f"up{number}" in wiring.spine
        assert up.y == crop.y and up.right < crop.left
    parts = {(edge.tail, edge.head): edge.part for edge in wiring.edges}
    assert parts["up1", "skip1"] == "shape_only"
    assert parts["skip1", "concat4"] == "branch"
    assert parts["up1", "concat4"] == "spine"
    source = next(tail for tail, head in parts if head == "skip1" and tail != "up1")
    assert parts[source, "skip1"] == "skip"


def test_sizes_that_are_formulas_are_never_cut() -> None:
    written = " ".join(words(unet())).replace("\N{NO-BREAK SPACE}", "")
    assert "(16·floor((H - 12)/16) - 168)" in written
    assert "…" not in written
    assert "**" not in written


@pytest.mark.parametrize(
    "factor", ["(16·floor((H - 12)/16) - 168)", "H·W·C·F·G·" * 8 + "K", "(H + " * 9 + "1" + ")" * 9]
)
@pytest.mark.parametrize("room", [60.0, 136.0])
def test_a_wrapped_product_holds_everything_and_fits(factor: str, room: float) -> None:
    lines = wrap_product(["64", factor, "W"], room, LABEL_SIZE)
    assert "".join(lines).replace("\N{NO-BREAK SPACE}", "").replace(" ", "") == f"64×{factor}×W".replace(" ", "")
    assert all(width(line, LABEL_SIZE) <= room or not any(sign in line[8:] for sign in "+-·") for line in lines)


def test_formulas_are_printed_as_in_books() -> None:
    assert pretty("3*F**2*K + K**12") == "3·F²·K + K¹²"
    network = planner.Network(
        name="n", input={"x": ("N", 3, 32, 32)}, layers=[planner.layer("conv", name="c", filters="K", kernel="F")]
    )
    assert "3·F²·K + K params" in words(network.check())


def test_the_legend_says_what_is_there() -> None:
    free, known = words(unet()), words(planner.load(EXAMPLES / "lenet5.yaml").check())
    both = "on the right of a card: parameters · multiply-accumulates per image"
    assert (both in " ".join(free), both in " ".join(known)) == (False, True)
    assert "multiply-accumulates depend on free sizes" in " ".join(free)
    assert "depend on" not in " ".join(known)
    assert "only the shape of the tensor is read" in " ".join(free)


def test_dot_text_dashes_an_edge_that_only_lends_its_shape() -> None:
    assert str(draw(unet(), format="dot")).count("style=dashed") == 4
