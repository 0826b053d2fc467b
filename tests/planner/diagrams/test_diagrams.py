"""Promises of diagrams: what is drawn, that it fits, that it is safe, that it is the same every time."""

import os
import random
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import pytest

from planner import Network, SizeError, layer
from planner.diagrams import DrawError, draw
from planner.diagrams.arrangement import arrange
from planner.diagrams.diagram import Diagram, DrawNode, short
from planner.diagrams.folding import fold
from planner.diagrams.glyph import HEIGHT, WIDTH, block, glyph
from planner.diagrams.palette import DARK, FAMILIES, LIGHT, contrast
from planner.diagrams.picture import heat_shares, paint
from planner.diagrams.scene import Box, Curve, Group, Scene, Text
from planner.diagrams.source import diagram_of
from planner.diagrams.typeface import width
from planner.diagrams.wiring import wire
from planner.network.builder import Builder
from planner.plan.diagnose import diagnose
from tests.harness.diagram_networks import NETWORKS, card_names, lenet, residual, two_inputs
from tests.harness.places import GOLDEN, ROOT

pytest.importorskip("pygraphviz", reason="layout needs the extra `draw`")

SVG = "{http://www.w3.org/2000/svg}"


def scene_of(network: Network | Diagram, **settings: object) -> Scene:
    return paint(fold(diagram_of(network), **settings))  # type: ignore[arg-type]  # levels by name


def groups(scene: Scene) -> dict[str, Group]:
    return {item.name: item for item in scene.items if isinstance(item, Group)}


@pytest.mark.parametrize("name", ["lenet5", "lenet5-broken", "residual", "inception"])
def test_pictures_are_as_recorded(name: str) -> None:
    made = draw(NETWORKS[name]())
    recorded = GOLDEN / f"draw-{name}.svg"
    if os.environ.get("SHAPEPLAN_UPDATE_GOLDEN"):
        recorded.write_text(str(made), encoding="utf-8")
    assert made == recorded.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_network_gives_the_same_bytes(name: str) -> None:
    assert draw(NETWORKS[name]()) == draw(NETWORKS[name]())


@pytest.mark.parametrize("name", NETWORKS)
def test_no_two_boxes_overlap(name: str) -> None:
    folded = fold(diagram_of(NETWORKS[name]()))
    boxes = arrange(folded, wire(folded)).boxes
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        apart = a.right < b.left or b.right < a.left or a.bottom < b.top or b.bottom < a.top
        assert apart, (one, other)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_text_leaves_its_card(name: str) -> None:
    for group in groups(scene_of(NETWORKS[name]())).values():
        ring = next(mark for mark in group.marks if isinstance(mark, Box) and mark.ring)
        for mark in group.marks:
            if isinstance(mark, Text):
                long = width(mark.text, mark.size, mark.bold)
                long += 7 + width(mark.tail, mark.tail_size, mark.tail_bold) if mark.tail else 0
                left = mark.x - long if mark.anchor == "end" else mark.x
                assert ring.x <= left and left + long <= ring.x + ring.width, mark.text


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_leaves_the_paper(name: str) -> None:
    scene = scene_of(NETWORKS[name]())
    for item in scene.items:
        for mark in item.marks if isinstance(item, Group) else (item,):
            if isinstance(mark, Box):
                assert mark.x >= 0 and mark.x + mark.width <= scene.width + 0.1
                assert mark.y >= 0 and mark.y + mark.height <= scene.height + 0.1
            elif isinstance(mark, Curve):
                assert all(0 <= x <= scene.width for _, numbers in mark.commands for x in numbers[::2])
            elif mark.anchor == "start":
                assert mark.x + width(mark.text, mark.size, mark.bold) <= scene.width


@pytest.mark.parametrize("seed", range(12))
def test_any_wiring_gives_a_picture_without_overlaps(seed: int) -> None:
    draws = random.Random(seed)
    nodes = [DrawNode("n0", "input", "io", (), "input", (), ("3", "8", "8"), (3, 8, 8))]
    for index in range(1, draws.randint(2, 25)):
        several = draws.random() < 0.4
        known = [node.name for node in nodes[-6:]]
        read = tuple(draws.choices(known, k=draws.randint(2, 4))) if several else (draws.choice(known),)
        kind, category = ("add", "merge") if several else ("conv", "conv")
        nodes.append(DrawNode(f"n{index}", kind, category, read, kind, (), ("3", "8", "8"), (3, 8, 8)))
    read_names = {name for node in nodes for name in node.inputs}
    ends = {node.name: node.name for node in nodes if node.name not in read_names}
    diagram = Diagram("any", "", tuple(nodes), ends)
    folded = fold(diagram)
    boxes = list(arrange(folded, wire(folded)).boxes.values())
    assert all(
        a.right < b.left or b.right < a.left or a.bottom < b.top or b.bottom < a.top for a, b in combinations(boxes, 2)
    )
    ET.fromstring(draw(diagram))


def test_every_card_is_a_link_with_its_own_id_and_a_title() -> None:
    links = list(ET.fromstring(draw(two_inputs())).iter(f"{SVG}a"))
    ids = [link.get("id") for link in links]
    assert len(links) == len(card_names(two_inputs())) == len(set(ids))
    assert all(link.get("href") == f"#{link.get('id')}" for link in links)
    assert all(link.findtext(f"{SVG}title") == link.get("aria-label") for link in links)


def test_the_picture_names_and_describes_itself_and_has_a_fluid_size() -> None:
    root = ET.fromstring(draw(lenet()))
    assert root.findtext(f"{SVG}title") == "lenet5"
    assert "61,706 parameters" in (root.findtext(f"{SVG}desc") or "")
    assert root.get("viewBox") and "max-width:100%" in (root.get("style") or "")
    assert set((root.get("aria-labelledby") or "").split()) <= {element.get("id") for element in root.iter()}


def test_a_layer_called_script_is_text() -> None:
    name = "</title><script>alert(1)</script>\x00]]>&\"'"
    node = DrawNode(name, "conv", "conv", (), "conv", (name,), (name,), (1, 1, 1), fault=None)
    made = str(draw(Diagram(name, name, (node,), {name: name})))
    root = ET.fromstring(made)
    assert "<script" not in made and not list(root.iter(f"{SVG}script"))
    assert next(root.iter(f"{SVG}a")).get("data-layer") == name.replace("\x00", "\ufffd")
    assert '\\"' in str(draw(Diagram(name, name, (node,), {}), format="dot"))


def test_the_picture_asks_for_nothing_from_outside() -> None:
    made = str(draw(lenet()))
    assert "url(" not in made and "@import" not in made and made.count("http") == 1


def test_dark_paper_has_its_own_colours_and_every_colour_one_role() -> None:
    made = str(draw(lenet()))
    assert "prefers-color-scheme:dark" in made
    assert all(f"--{role}:{colour}" in made for role, colour in DARK.items())
    assert len(set(LIGHT.values())) == len(LIGHT) and LIGHT.keys() == DARK.keys()


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_words_can_be_read_on_their_paper(colours: dict[str, str]) -> None:
    least = 4.5 if colours is LIGHT else 4.0
    for role in {*FAMILIES.values(), "ink", "soft", "fault"}:
        assert contrast(colours[role], colours["card"]) >= least, role


def test_a_broken_network_is_drawn_up_to_the_fault_and_the_rest_is_ghosted() -> None:
    nodes = {node.name: node for node in diagram_of(lenet(28)).nodes}
    assert nodes["c5"].fault is not None and "does not fit" in nodes["c5"].fault
    assert nodes["s4"].sizes == ("16", "4", "4")
    assert [name for name, node in nodes.items() if node.ghost][:2] == ["c5.act", "flatten1"]
    made = str(draw(diagnose(lenet(28))))
    assert LIGHT["fault"] in made.split("</style>")[1]


def test_red_is_for_faults_only() -> None:
    assert LIGHT["fault"] not in str(draw(residual())).split("</style>")[1]


def test_a_layer_that_could_not_be_made_is_drawn_as_a_fault_or_a_ghost() -> None:
    builder = Builder("n", {"x": ("N", 3, 8, 8)})
    builder.add(layer("conv", name="c", filters=-1, kernel=3))
    builder.add(layer("relu"))
    ET.fromstring(draw(Network.of(**builder.finish(None, None))))


def test_sizes_stand_beside_edges_as_formulas_with_brackets() -> None:
    texts = [item.text for item in scene_of(lenet("H")).items if isinstance(item, Text)]
    assert "6 × (H - 4) × (H - 4)" in texts


def test_numbers_for_free_sizes_are_filled_in_and_judged() -> None:
    nodes = {node.name: node for node in diagram_of(residual(size="H"), {"H": 64}).nodes}
    assert nodes["stage2.1.a"].sizes == ("32", "32", "32") and nodes["stem"].macs == 3 * 9 * 16 * 64 * 64
    with pytest.raises(SizeError):
        draw(lenet("H"), at={"H": 3})


def test_costs_are_per_image_whatever_the_batch() -> None:
    eight = diagram_of(lenet().check().bind(N=8))
    assert [node.macs for node in eight.nodes] == [node.macs for node in diagram_of(lenet()).nodes]


@pytest.mark.parametrize("heat", ["macs", "params", "memory"])
def test_heat_shares_add_up_to_the_whole(heat: str) -> None:
    for level in ("overview", "blocks", "full"):
        shares = heat_shares(fold(diagram_of(residual((3, 3))), level), heat)  # type: ignore[arg-type]  # by name
        assert sum(shares.values()) == pytest.approx(1.0)
    assert " %" in str(draw(lenet(), heat=heat))  # type: ignore[arg-type]  # by name


def test_heat_without_numbers_says_which_to_give() -> None:
    with pytest.raises(DrawError, match="depend on sizes without values") as caught:
        draw(lenet("H"), heat="macs")
    assert caught.value.findings[0].code == "D603" and "--at" in caught.value.findings[0].fixes[0]


def test_the_suffix_chooses_the_format(tmp_path: Path) -> None:
    for suffix, start in (("svg", b"<svg "), ("dot", b"digraph ")):
        path = tmp_path / f"net.{suffix.upper()}"
        draw(lenet(), path)
        assert path.read_bytes().startswith(start)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.DOT", "net.SVG"]


def test_an_unknown_suffix_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(DrawError, match=r"did you mean \.svg") as caught:
        draw(lenet(), tmp_path / "net.svgz")
    assert caught.value.findings[0].code == "D602"
    with pytest.raises(DrawError, match="needs a suffix"):
        draw(lenet(), tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_an_unknown_level_or_heat_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(DrawError, match="did you mean blocks"):
        draw(lenet(), level="block")  # type: ignore[arg-type]  # the mistake
    with pytest.raises(DrawError, match="did you mean params"):
        draw(lenet(), heat="param")  # type: ignore[arg-type]  # the mistake


def test_a_place_that_cannot_be_written_keeps_what_was_there(tmp_path: Path) -> None:
    with pytest.raises(DrawError, match="cannot be written") as caught:
        draw(lenet(), tmp_path / "missing" / "net.svg")
    assert caught.value.findings[0].code == "D605"
    (tmp_path / "net.svg").mkdir()
    with pytest.raises(DrawError):
        draw(lenet(), tmp_path / "net.svg")
    assert [file.name for file in tmp_path.iterdir()] == ["net.svg"]


def test_no_dot_on_path_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    with_path = draw(residual())
    monkeypatch.setenv("PATH", "")
    assert draw(residual()) == with_path


@pytest.mark.parametrize("missing", [("pygraphviz", "graphviz"), ("pygraphviz",)])
def test_without_an_engine_the_way_out_is_named_and_dot_still_works(
    missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    for module in missing:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DrawError, match="pip install") as caught:
        draw(lenet())
    assert caught.value.findings[0].code == "D601"
    assert '"c1\\nconv 5×5 · 6 filters' in str(draw(lenet(), format="dot"))


def test_without_an_engine_the_graph_is_written_as_dot_beside_the_picture_over_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    for module in ("pygraphviz", "graphviz"):
        monkeypatch.setitem(sys.modules, module, None)
    for expected in (["net.dot"], ["net.dot"]):  # the second time it is there already
        with pytest.raises(DrawError) as caught:
            draw(lenet(), tmp_path / "net.svg")
        assert f"the graph was written to {tmp_path / 'net.dot'} instead" in caught.value.findings[0].notes[0]
        assert [file.name for file in tmp_path.iterdir()] == expected
    assert (tmp_path / "net.dot").read_text("utf-8") == draw(lenet(), format="dot")
    (tmp_path / "net.dot").write_text("somebody else's", "utf-8")
    with pytest.raises(DrawError):
        draw(lenet(), tmp_path / "net.svg")
    assert (tmp_path / "net.dot").read_text("utf-8") == "somebody else's"
    assert (tmp_path / "net.svg.dot").read_text("utf-8") == draw(lenet(), format="dot")


def test_dot_text_is_read_by_graphviz() -> None:
    from pygraphviz import AGraph

    graph = AGraph(string=str(draw(residual((3, 3)), format="dot", level="blocks")))
    assert graph.number_of_nodes() == len(card_names(residual((3, 3)), level="blocks")) + 1
    assert len(graph.subgraphs()) == 3


def test_pdf_and_png_are_whole_files_and_the_same_every_time() -> None:
    pytest.importorskip("reportlab")
    pytest.importorskip("pypdfium2")
    pdf, png = draw(lenet(), format="pdf"), draw(lenet(), format="png")
    assert isinstance(pdf, bytes) and pdf.startswith(b"%PDF-") and pdf.rstrip().endswith(b"%%EOF")
    assert isinstance(png, bytes) and png.startswith(b"\x89PNG") and png.rstrip().endswith(b"IEND\xaeB`\x82")
    assert pdf == draw(lenet(), format="pdf") and png == draw(lenet(), format="png")


def test_a_missing_pdf_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reportlab.pdfgen.canvas", None)
    monkeypatch.setitem(sys.modules, "reportlab", None)
    with pytest.raises(DrawError, match="reportlab") as caught:
        draw(lenet(), format="pdf")
    assert caught.value.findings[0].code == "D604"


def test_glyphs_grow_with_their_tensor_and_never_leave_their_room() -> None:
    assert block(64, 56, 56) > block(32, 56, 56)
    for volume in ((1, 1, 1), (2**40, 2**40, 2**40), (3, 224, 224), (2048, 1, 1)):
        for mark in glyph(volume, 0, 0, "conv"):
            assert isinstance(mark, Curve)
            across = [x for _, numbers in mark.commands for x in numbers[::2]]
            along = [y for _, numbers in mark.commands for y in numbers[1::2]]
            assert max(map(abs, across)) <= WIDTH / 2 and max(map(abs, along)) <= HEIGHT / 2


def test_counts_in_short_never_round_up_to_four_digits() -> None:
    assert [short(n) for n in (0, 999, 1000, 9_994, 9_995, 99_949, 99_950, 999_499, 999_500)] == [
        "0", "999", "1.00 k", "9.99 k", "10.0 k", "99.9 k", "100 k", "999 k", "1.00 M",
    ]  # fmt: skip


def test_drawing_never_imports_numpy() -> None:
    code = (
        "import sys; from planner import Network, layer; from planner.diagrams import draw; "
        "net = Network(name='n', input={'x': ('N', 1, 8, 8)}, layers=[layer('conv', filters=2, kernel=3)]); "
        "[draw(net, format=f) for f in sys.argv[1:]]; "
        "sys.exit('numpy' in sys.modules or 'runtime' in sys.modules)"
    )
    formats = ["svg", "dot"]
    if all(find_spec(library) for library in ("reportlab", "pypdfium2")):
        formats += ["pdf", "png"]
    ran = subprocess.run([sys.executable, "-c", code, *formats], cwd=ROOT, check=False)
    assert ran.returncode == 0


def test_a_network_without_layers_is_still_a_picture() -> None:
    ET.fromstring(draw(Diagram("nothing", "", (), {})))
