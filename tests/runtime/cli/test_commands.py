"""The commands that compute: exit status, JSON on stdout, findings on stderr, never a traceback."""

import json
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from runtime.cli.demo import demo
from runtime.cli.evaluate import evaluate
from runtime.cli.predict import predict
from runtime.cli.train import train
from tests.harness.interrupting import Interrupting

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
    accuracy = float(result.stdout.split("unseen digits: ")[1].split("%")[0])
    assert accuracy >= 97
    assert "error[S201]" in result.stdout
    for name in ("lenet5.yaml", "weights.safetensors", "curves.svg"):
        assert (empty_folder / "shapeplan-demo" / name).is_file()


def test_a_run_with_a_larger_batch_than_the_specs_resumes_by_itself() -> None:
    run(train, "tiny.yaml", "--quiet", "--epochs", 1, "--batch", 100, "--output", "part")
    result = run(train, "tiny.yaml", "--quiet", "--epochs", 2, "--resume", "part", "--json")
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)["epochs"]) == 2


def test_nothing_is_trained_where_the_output_cannot_be_written(empty_folder: Path) -> None:
    (empty_folder / "file").write_text("")
    result = run(train, "tiny.yaml", "--output", "file/run")
    assert result.exit_code == 1
    assert "error[R508]" in result.stderr
    assert "Epoch" not in result.stderr


def test_without_matplotlib_a_run_says_so_first_and_leaves_everything_but_curves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run(train, "tiny.yaml", "--json")
    assert result.exit_code == 0
    assert result.stderr.index("curves will not be drawn") < result.stderr.index("Epoch 1/2")
    assert set(json.loads(result.stdout)["files"]) == {"weights", "checkpoint", "history_json", "history_csv"}


@pytest.mark.parametrize("at", [3, 46, 70])
def test_a_stopped_run_tells_the_accuracy_of_the_weights_it_saved(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    monkeypatch.setattr("runtime.training.train.chosen", lambda _: Interrupting(at))
    result = run(train, "tiny.yaml", "--json", "--output", "out")
    assert result.exit_code == 130
    told = json.loads(result.stdout)
    assert len(told["epochs"]) == at // 45
    scores = json.loads(run(evaluate, "out/weights.safetensors", "--json").stdout)
    assert (told["val_accuracy"], told["val_loss"]) == (scores["accuracy"], scores["loss"])
    result = run(train, "tiny.yaml", "--output", "again")
    assert f"held-out accuracy {scores['accuracy']:.2%}" in result.stdout
    assert "with the weights saved at the interruption" in result.stdout


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--batch", 16], "batch is 16, was 32"),
        (["--lr", 0.5], "lr is 0.5, was 0.01"),
        (["--seed", 4], "seed is 4, was 0"),
        (["--data", "few.npz"], "training images, was 1,438"),
    ],
)
def test_resuming_with_something_else_says_what_and_asks_for_consent(more: list[object], words: str) -> None:
    np.savez("few.npz", images=np.zeros((50, 8, 8), np.uint8), labels=np.arange(50) % 10)
    run(train, "tiny.yaml", "--quiet", "--epochs", 1, "--output", "part")
    result = run(train, "tiny.yaml", "--quiet", "--resume", "part", *more)
    assert result.exit_code == 1
    assert words in result.stderr
    assert "--allow-changes" in result.stderr
    assert run(train, "tiny.yaml", "--quiet", "--resume", "part", "--allow-changes", *more).exit_code == 0


def test_a_run_that_is_over_says_so_even_quietly() -> None:
    run(train, "tiny.yaml", "--quiet", "--output", "part")
    result = run(train, "tiny.yaml", "--quiet", "--epochs", 1, "--resume", "part")
    assert result.exit_code == 0
    assert "already at epoch 2 of 1" in result.stderr


def test_a_schedule_is_an_option() -> None:
    result = run(train, "tiny.yaml", "--quiet", "--schedule", "cosine", "--warmup", 0.5, "--json")
    rows = json.loads(result.stdout)["epochs"]
    assert rows[0]["lr_first"] < rows[0]["lr_last"] <= 0.01
    assert rows[1]["lr_last"] < 0.001
    assert "did you mean `cosine`?" in run(train, "tiny.yaml", "--schedule", "cosin").stderr


def test_consent_without_a_run_to_go_on_with_is_misuse() -> None:
    assert run(train, "tiny.yaml", "--allow-changes").exit_code == 2


@pytest.mark.parametrize("batch", [10**8, 10**9, 10**11, 10**12])
def test_a_batch_beyond_memory_names_the_command_that_finds_one(batch: int) -> None:
    result = run(train, "tiny.yaml", "--batch", batch)
    assert result.exit_code == 1
    assert "shapeplan solve SPEC --memory 2GiB --training" in result.stderr


def test_labels_short_of_images_are_counted() -> None:
    np.savez("short.npz", images=np.zeros((50, 8, 8), np.uint8), labels=np.zeros(40, int))
    assert "40 labels for 50 images" in run(train, "tiny.yaml", "--data", "short.npz").stderr
