"""`shapeplan explain`: counts, paths and tilings as people and machines read them, and what is misuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.harness.terminal import run


def test_counts_stand_beside_macs_and_say_why_they_differ(workdir: Path) -> None:
    assert workdir.is_dir()
    text = run("explain", "examples/lenet5.yaml", "--count", "thop", "--count", "torchinfo").stdout
    assert "  total" in text
    assert "416,520  418,096    423,038" in text
    assert "avgpool +1,576 (one operation per mean, whatever the window size)" in text
    found = json.loads(run("explain", "examples/lenet5.yaml", "--count", "fvcore", "--at", "N=4", "--json").stdout)
    assert found["totals"] == {"fvcore": 1666080}
    assert found["measured_with"] == {"fvcore": "0.1.5.post20221221"}


def test_one_layer_is_counted_alone_and_free_sizes_stay_letters(workdir: Path) -> None:
    assert workdir.is_dir()
    text = run("explain", "examples/resnet18.yaml", "maxpool1", "--count", "thop").stdout
    assert text.startswith("maxpool1: one image, evaluation mode")
    text = run("explain", "examples/resnet18.yaml", "gap1", "--count", "thop").stdout
    assert "floor((H - 1)/32)" in text


def test_paths_are_listed_with_their_alignment(workdir: Path) -> None:
    assert workdir.is_dir()
    text = run("explain", "examples/resnet18.yaml", "stage2.1.add1", "--paths").stdout
    assert text.startswith("stage2.1.add1: 8 paths from the input, 6 distinct receptive fields")
    assert "alignment: all branches are aligned" in text
    found = json.loads(run("explain", "examples/resnet18.yaml", "stage2.1.add1", "--paths", "--json").stdout)
    assert sum(path["ways"] for path in found["paths"]) == 8
    assert found["paths"][0]["size"] == [11, 11]


def test_a_tiling_is_told_with_the_pieces_of_an_image(workdir: Path) -> None:
    assert workdir.is_dir()
    result = run("explain", "examples/unet.yaml", "--tiling", "--tile", "300", "--at", "H=412,W=300")
    assert "tiles of H = 16k + 12, H >= 204, starting at multiples of 16" in result.stdout
    assert "  height 412 in 2 tiles of 300" in result.stdout
    assert "    112-412: keep outputs 4-116, place at 116" in result.stdout
    found = json.loads(run("explain", "examples/unet.yaml", "--tile", "300", "--at", "H=412", "--json").stdout)
    assert found["height"]["halo"] == [92, 96]
    assert found["height"]["pieces"][1] == {"start": 112, "stop": 412, "first": 4, "last": 116, "at": 116}
    assert "pieces" not in found["width"]


def test_the_name_of_a_block_stands_for_its_last_layer(workdir: Path) -> None:
    assert workdir.is_dir()
    assert run("explain", "examples/resnet18.yaml", "stage4", "--tiling").stdout.startswith("stage4.2.add1.act: tiled")


def test_a_network_that_cannot_be_tiled_names_the_layer_its_place_and_what_can_be(workdir: Path) -> None:
    assert workdir.is_dir()
    result = run("explain", "examples/lenet5.yaml", "--tiling")
    assert result.exit_code == 1
    assert "`flatten1` sees the whole feature map" in result.stderr
    assert "examples/lenet5.yaml:12" in result.stderr
    assert "explain SPEC c5.act --tiling" in result.stderr
    assert run("explain", "examples/lenet5.yaml", "c5.act", "--tiling").exit_code == 0


def test_tiles_the_network_refuses_are_refused_with_the_nearest(workdir: Path) -> None:
    assert workdir.is_dir()
    result = run("explain", "examples/unet.yaml", "--tile", "299", "--at", "H=412")
    assert result.exit_code == 1
    assert "284" in result.stderr
    assert "300" in result.stderr


def test_a_size_the_network_does_not_know_is_not_passed_over(workdir: Path) -> None:
    assert workdir.is_dir()
    result = run("explain", "examples/unet.yaml", "--tiling", "--at", "Q=412")
    assert result.exit_code == 1
    assert "no size named `Q`" in result.stderr


@pytest.mark.parametrize("question", [["--count", "thop"], ["--paths"], ["--tiling"]])
@pytest.mark.parametrize("style", ["text", "markdown", "latex"])
def test_every_question_is_answered_in_every_format(workdir: Path, question: list[str], style: str) -> None:
    assert workdir.is_dir()
    result = run("explain", "examples/unet.yaml", *question, "--format", style)
    assert result.exit_code == 0
    assert {"text": "  ", "markdown": "|---", "latex": r"\begin{tabular}"}[style] in result.stdout


@pytest.mark.parametrize("question", [["--count", "thop"], ["--paths"], ["--tiling"]])
def test_a_broken_spec_is_reported_whatever_is_asked(workdir: Path, question: list[str]) -> None:
    assert workdir.is_dir()
    result = run("explain", "examples/broken/lenet5_28.yaml", *question)
    assert result.exit_code == 1
    assert "error[S201]" in result.stderr
    assert json.loads(run("explain", "examples/broken/lenet5_28.yaml", *question, "--json").stdout)["findings"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["examples/lenet5.yaml", "--paths", "--tiling"],
        ["examples/lenet5.yaml", "--count", "guess"],
        ["examples/lenet5.yaml", "--tile", "0"],
        ["S201", "--paths"],
        ["S201", "c1"],
    ],
)
def test_questions_that_make_no_sense_together_are_misuse(workdir: Path, arguments: list[str]) -> None:
    assert workdir.is_dir()
    assert run("explain", *arguments).exit_code == 2


def test_letters_of_formulas_are_explained_below_them(workdir: Path) -> None:
    assert workdir.is_dir()
    assert "n input size, k kernel, s stride or scale" in run("explain", "examples/lenet5.yaml", "c3").stdout
    latex = run("explain", "examples/lenet5.yaml", "c3", "--format", "latex").stdout
    assert "% n input size" in latex
