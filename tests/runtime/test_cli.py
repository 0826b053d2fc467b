"""The commands that compute: exit status, JSON on stdout, findings on stderr, never a traceback."""

import json
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from runtime.cli import demo, evaluate, predict, train

SPEC = """\
spec: 1
name: tiny
input: {image: [N, 1, H, W]}
layers:
  - conv: {filters: 4, kernel: 3, stride: 2, act: relu}
  - flatten
  - dense: {name: out, units: 10}
train: {optimizer: {adam: {lr: 0.01}}, epochs: 2, batch: 32}
"""


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(SPEC)
    return tmp_path


def run(command: click.Command, *arguments: object) -> Result:
    result = CliRunner().invoke(command, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_training_leaves_weights_curves_and_history_and_says_where() -> None:
    result = run(train, "tiny.yaml", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["network"], told["data"], len(told["epochs"])) == ("tiny", "digits", 2)
    assert told["val_accuracy"] > 0.8
    assert "Epoch 1/2" in result.stderr
    assert set(told["files"]) == {"weights", "checkpoint", "curves", "history_json", "history_csv"}
    assert all(Path(file).is_file() for file in told["files"].values())
    scores = json.loads(run(evaluate, told["files"]["weights"], "--json").stdout)
    assert scores["accuracy"] == told["val_accuracy"]
    assert "held-out accuracy" in run(train, "tiny.yaml", "--quiet", "--epochs", 1).stdout
    assert Path("runs/tiny-2/weights.safetensors").is_file()


def test_resuming_gives_what_an_unbroken_run_gives() -> None:
    run(train, "tiny.yaml", "--quiet", "--epochs", 3, "--output", "whole")
    run(train, "tiny.yaml", "--quiet", "--epochs", 1, "--output", "part")
    run(train, "tiny.yaml", "--quiet", "--epochs", 3, "--resume", "part")
    whole, part = (json.loads(Path(name, "history.json").read_text())["epochs"] for name in ("whole", "part"))
    assert [row["loss"] for row in whole] == [row["loss"] for row in part]


def test_predictions_are_probabilities_of_the_best_classes(empty_folder: Path) -> None:
    run(train, "tiny.yaml", "--quiet", "--output", "out")
    np.save("some.npy", np.zeros((2, 8, 8), np.uint8))
    found = json.loads(run(predict, "out/weights.safetensors", "some.npy", "--top", 10, "--json").stdout)
    assert [row["image"] for row in found] == [0, 1]
    assert sum(item["score"] for item in found[0]["predictions"]) == pytest.approx(1.0)
    assert "some.npy[1]" in run(predict, "out/weights.safetensors", "some.npy").stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["missing.yaml"], "P105"),
        (["tiny.yaml", "--data", "mnits"], "R505"),
        (["tiny.yaml", "--optimizer", "adm"], "N107"),
        (["tiny.yaml", "--lr", "-1"], "N107"),
        (["tiny.yaml", "--loss", "hinge"], "N107"),
        (["tiny.yaml", "--at", "Q=3"], "S209"),
        (["tiny.yaml", "--resume", "missing"], "R508"),
        (["tiny.yaml", "--at", "H=4,W=4"], "R502"),
    ],
)
def test_mistakes_give_findings_on_stderr_and_status_1(arguments: list[str], code: str) -> None:
    result = run(train, *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"error[{code}]" in result.stderr


def test_faults_of_the_spec_are_shown_in_its_text(empty_folder: Path) -> None:
    (empty_folder / "bad.yaml").write_text(SPEC.replace("lr: 0.01", "lr: -1"))
    result = run(train, "bad.yaml")
    assert result.exit_code == 1
    assert "bad.yaml:8" in result.stderr
    assert "^" in result.stderr


@pytest.mark.parametrize("arguments", [["tiny.yaml", "--epochs", "0"], ["tiny.yaml", "--at", "H"], []])
def test_misuse_is_status_2(arguments: list[str]) -> None:
    assert run(train, *arguments).exit_code == 2


def test_files_that_are_no_weights_are_findings() -> None:
    assert "error[R508]" in run(evaluate, "tiny.yaml").stderr
    assert run(predict, "missing.safetensors", "tiny.yaml").exit_code == 1


def test_a_missing_library_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    result = run(train, "tiny.yaml")
    assert result.exit_code == 1
    assert "scikit-learn" in result.stderr
    assert "shapeplan[train]" in result.stderr


@pytest.mark.slow
def test_the_demo_needs_no_files_and_reaches_97_percent(empty_folder: Path) -> None:
    result = run(demo)
    assert result.exit_code == 0
    accuracy = float(result.stdout.split("it never saw: ")[1].split("%")[0])
    assert accuracy >= 97
    assert "error[S201]" in result.stdout
    for name in ("lenet5.yaml", "weights.safetensors", "curves.svg"):
        assert (empty_folder / "shapeplan-demo" / name).is_file()


def test_a_run_with_a_larger_batch_than_the_specs_resumes_by_itself() -> None:
    run(train, "tiny.yaml", "--quiet", "--epochs", 1, "--batch", 100, "--output", "part")
    result = run(train, "tiny.yaml", "--quiet", "--epochs", 2, "--resume", "part", "--json")
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)["epochs"]) == 2
