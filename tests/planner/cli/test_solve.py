"""`shapeplan solve`: every question has an answer in text and JSON, and every mistake a finding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.harness.terminal import run


def test_the_command_tells_sets_reasons_and_formulas(workdir: Path) -> None:
    assert workdir.is_dir()
    told = run("solve", "examples/lenet5.yaml")
    assert told.exit_code == 0
    assert "the same layers accept: H >= 32, W >= 32, any N" in told.stdout
    assert "H >= 32 because of `c5`" in told.stdout
    assert "no border dropped: H = 4k, H >= 32" in told.stdout
    found = json.loads(run("solve", "examples/lenet5.yaml", "--near", "30", "--json").stdout)
    assert found["accepted"]["H"]["minimum"] == 32
    assert found["near"]["accepted"]["padding"] == {"H": [1, 1], "W": [1, 1]}
    assert found["formulas"]["where"]
    assert "\\begin{align*}" in run("solve", "small.yaml", "--format", "latex").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--want", "c1.H=28"], "H = 32, W >= 5, any N"),
        (["--want", "c1.H=28", "--free", "c1.pad", "--at", "H=28"], "c1.pad = 2"),
        (["--memory", "1MiB", "--at", "H=32,W=32"], "N = "),
        (["--memory", "1MiB", "--training", "--at", "N=1"], "H = W = "),
        (["--macs", "600M"], "H = W = "),
        (["--near", "H=3"], "reached by padding H by 1 before and 1 after"),
        (["--as", "torch"], "dynamic_shapes = "),
        (["--as", "python", "--lossless"], "assert H >= 5"),
    ],
)
def test_every_question_has_an_answer_in_text_and_json(workdir: Path, arguments: list[str], words: str) -> None:
    assert workdir.is_dir()
    told = run("solve", "small.yaml", *arguments)
    assert (told.exit_code, told.stderr) == (0, "")
    assert words in told.stdout
    found = run("solve", "small.yaml", *arguments, "--json")
    assert found.exit_code == 0
    assert json.loads(found.stdout)["name"] == "small"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--want", "nowhere.H=1"], 1, "error[N103]"),
        (["--want", "c1.C=5"], 1, "error[S212]: no accepted size gives c1.C = 5"),
        (["--want", "c1.H=9", "--at", "H=20"], 1, "error[S212]: no accepted size gives c1.H = 9 at H = 20"),
        (["--memory", "1GiB"], 1, "--at N=1  for the largest image"),
        (["--near", "Q=9"], 1, "no free size named Q"),
        (["--at", "H=2"], 1, "error[S209]"),
        (["--want", "c1"], 2, "is not a wanted size"),
        (["--free", "c1.pad"], 2, "--free needs --want"),
        (["--memory", "lots"], 2, "is not a number of bytes"),
        (["--memory", "1GiB", "--macs", "1M"], 2, "--macs and --memory cannot be combined"),
        (["--training"], 2, "--training needs --memory"),
        (["--lossless"], 2, "--lossless needs --as"),
        (["--near", "x"], 2, "is not name=number"),
    ],
)
def test_mistakes_are_told_with_a_way_out(workdir: Path, arguments: list[str], status: int, words: str) -> None:
    assert workdir.is_dir()
    told = run("solve", "small.yaml", *arguments)
    assert told.exit_code == status
    assert words in told.stderr
    assert "Traceback" not in told.output


def test_findings_go_to_a_reader_of_json_as_json(workdir: Path) -> None:
    assert workdir.is_dir()
    told = run("solve", "small.yaml", "--want", "c1.C=5", "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["findings"][0]["code"] == "S212"
    broken = run("solve", "examples/broken/lenet5_28.yaml")
    assert broken.exit_code == 1
    assert "error[S201]" in broken.stderr
