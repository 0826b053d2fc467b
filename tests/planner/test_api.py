"""The verbs of the command line as functions: they say what the commands say, and refuse what those refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

import planner
from planner import Network, PlannerError, ShapeError, SizeError, layer
from planner.explanations.document import Style
from planner.tables.table import SortKey
from tests.harness.places import EXAMPLES
from tests.harness.terminal import run

LENET = str(EXAMPLES / "lenet5.yaml")


def lenet() -> Network:
    return planner.load(LENET)


def pooled() -> Network:
    layers = [layer("conv", name="c", filters=4, kernel=3), layer("maxpool", name="p", size=2)]
    return Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=layers)


def test_check_is_the_method_that_people_type() -> None:
    assert planner.check(lenet()) == lenet().check()
    broken = planner.Network(name="b", input={"x": ("N", 1, 4, 4)}, layers=[layer("conv", filters=1, kernel=5)])
    with pytest.raises(ShapeError):
        planner.check(broken)


@pytest.mark.parametrize("sort", ["params", "macs", "output", "memory"])
def test_show_prints_what_the_command_prints(sort: SortKey) -> None:
    arguments = ("show", LENET, "--at", "N=8", "--sort", sort)
    assert planner.show(lenet(), at={"N": 8}, sort=sort) == run(*arguments).stdout


def test_show_takes_networks_plans_and_bound_plans() -> None:
    plan = lenet().check()
    assert planner.show(lenet()) == planner.show(plan)
    assert planner.show(plan.bind(N=8)) == planner.show(plan, at={"N": 8}) == str(plan.bind(N=8))
    assert "float64" in planner.show(plan.bind(N=8, dtype="float64"))


@pytest.mark.parametrize("style", ["text", "markdown", "latex"])
@pytest.mark.parametrize("name", ["c3", None])
def test_explain_prints_what_the_command_prints(style: Style, name: str | None) -> None:
    arguments = ["explain", LENET, *([name] if name else []), "--format", style, "--at", "N=8"]
    assert planner.explain(lenet(), name, at={"N": 8}, style=style) == run(*arguments).stdout


def test_explain_takes_the_code_of_a_rule() -> None:
    assert planner.explain("s201") == run("explain", "S201").stdout
    with pytest.raises(PlannerError, match="there is no rule S999; rules are P101, P102"):
        planner.explain("S999")


def test_explain_goes_up_to_a_fault() -> None:
    assert "c5" in planner.explain(lenet().with_input(image=("N", 1, 28, 28)), "c5")


def test_explain_says_what_layers_and_styles_there_are() -> None:
    with pytest.raises(PlannerError, match="has no layer `c33`; did you mean `c3`"):
        planner.explain(lenet(), "c33")
    with pytest.raises(PlannerError, match="`style` must be one of text, markdown, latex; got 'html'"):
        planner.explain(lenet(), style="html")  # type: ignore[arg-type]  # what is refused


def test_the_name_of_a_block_means_its_last_layer() -> None:
    network = planner.load("zoo:resnet18")
    assert planner.explain(network, "stage1") == run("explain", "zoo:resnet18", "stage1").stdout


def test_solve_without_a_question_gives_the_accepted_sizes() -> None:
    assert str(planner.solve(pooled())) == "N >= 1, H >= 4, W >= 4"
    assert planner.solve(pooled().with_input(x=("N", 1, 8, 8))) == planner.solve(pooled())


def test_solve_finds_sizes_next_to_given_ones() -> None:
    assert planner.solve(pooled(), near=3).above == {"H": 4, "W": 4}
    assert planner.solve(pooled(), near={"H": 3}).above == {"H": 4}
    flat = Network(name="f", input={"x": ("N", 4)}, layers=[layer("relu")])
    with pytest.raises(SizeError, match="no input of the network has a free height or width"):
        planner.solve(flat, near=3)


def test_solve_finds_sizes_and_settings_for_a_wanted_shape() -> None:
    assert planner.solve(pooled(), want="p.H=7").plan.domain["H"].text("H") == "H in {16, 17}"
    found = planner.solve(pooled(), want=["c.H=H", "c.W=W"], free="c.pad")
    assert [each.text for each in found] == ["c.pad = 1", "c.pad = same"]


def test_solve_finds_what_fits_a_budget() -> None:
    largest = planner.solve(pooled(), memory="1MiB", at={"H": 32, "W": 32})
    bound = pooled().check().bind(N=largest.value, H=32, W=32)
    assert largest.names == ("N",) and bound.memory.inference_bytes <= 2**20
    assert planner.solve(pooled(), memory="1MiB", training=True, at={"H": 32, "W": 32}).value <= largest.value
    assert planner.solve(pooled(), macs="1M", at={"N": 1}).names == ("H", "W")


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"near": 3, "macs": "1M"}, "one question at a time, not near and macs together"),
        ({"free": "c.pad"}, "`free` goes with `want`"),
        ({"training": True}, "`training` goes with `memory`"),
        ({"memory": "much"}, "'much' is not a number of bytes"),
        ({"want": "p"}, "'p' is not a wanted size"),
        ({"at": {"Q": 3}}, "no size named Q"),
        ({"at": {"H": 2}}, "H = 2"),
    ],
)
def test_solve_refuses_what_makes_no_sense(question: dict[str, object], message: str) -> None:
    with pytest.raises(PlannerError, match=message):
        planner.solve(pooled(), **question)  # type: ignore[call-overload]  # what is refused


def test_draw_writes_what_the_command_writes(tmp_path: Path) -> None:
    planner.draw(lenet(), tmp_path / "function.svg")
    assert run("draw", LENET, "-o", str(tmp_path / "command.svg")).exit_code == 0
    assert (tmp_path / "function.svg").read_text("utf-8") == (tmp_path / "command.svg").read_text("utf-8")


def test_fuse_gives_the_network_that_the_command_prints() -> None:
    fused = planner.fuse(planner.load("zoo:resnet18"))
    assert planner.spec.write(fused) == run("fuse", "zoo:resnet18").stdout
