"""`shapeplan fuse`: a spec gives a spec, weights give weights, and nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import planner
import runtime
from planner import spec
from tests.harness.terminal import run
from tests.runtime.test_fusion import used

SPEC = """\
spec: 1
name: tiny
input: {image: [N, 1, H, W]}
layers:
  - conv: {name: c1, filters: 4, kernel: 3, bias: false, norm: batch, act: relu}
  - dropout2d
  - gap
  - flatten
  - dense: {name: out, units: 10}
output: [out]
train: {epochs: 2}
"""


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(SPEC)
    return tmp_path


def weights(path: str = "w.safetensors") -> runtime.Model:
    model = used(runtime.Model(planner.load("tiny.yaml").check().bind(N=4, H=8, W=8), seed=1))
    model.save(path)
    return model


def test_a_spec_is_printed_and_can_be_read_by_any_command() -> None:
    result = run("fuse", "tiny.yaml")
    assert result.exit_code == 0
    network, findings = spec.read(result.stdout, "fused")
    assert (network, findings) == (planner.fuse(planner.load("tiny.yaml")), ())
    assert result.stderr == "removed 1 batchnorm, 1 dropout2d; 90 of 94 parameters left\n"
    shown = run("show", "-", stdin=result.stdout)
    assert (shown.exit_code, "batchnorm" in shown.stdout) == (0, False)
    assert run("fuse", "-", stdin=SPEC).stdout == result.stdout


def test_a_spec_is_written_to_a_new_file() -> None:
    result = run("fuse", "tiny.yaml", "-o", "new/fused.yaml")
    assert (result.exit_code, result.stdout) == (0, "")
    assert Path("new/fused.yaml").read_text("utf-8") == run("fuse", "tiny.yaml").stdout
    assert "shapeplan check new/fused.yaml" in result.stderr


def test_weights_give_weights_that_compute_the_same() -> None:
    model = weights()
    result = run("fuse", "w.safetensors", "-o", "fused.safetensors")
    assert result.exit_code == 0, result.stderr
    assert "shapeplan predict fused.safetensors" in result.stderr
    fused = runtime.Model.load("fused.safetensors")
    assert not fused.buffers
    x = np.random.default_rng(0).standard_normal((4, 1, 8, 8))
    np.testing.assert_allclose(fused(x), model(x), rtol=1e-5, atol=1e-6)
    assert run("evaluate", "fused.safetensors", "--json").exit_code == 0


def test_where_there_is_nothing_to_fuse_it_says_so() -> None:
    run("fuse", "tiny.yaml", "-o", "fused.yaml")
    result = run("fuse", "fused.yaml")
    assert result.stdout == Path("fused.yaml").read_text("utf-8")
    assert result.stderr == "nothing to fuse\n"


@pytest.mark.parametrize("source", ["tiny.yaml", "w.safetensors"])
def test_no_file_is_written_over(source: str) -> None:
    weights()
    Path("there").write_text("mine")
    result = run("fuse", source, "-o", "there")
    assert (result.exit_code, Path("there").read_text()) == (2, "mine")
    assert "there cannot be written: it exists" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["missing.yaml"], 1, "error[P105]"),
        (["missing.safetensors", "-o", "f.safetensors"], 1, "error[R508]"),
        (["w.safetensors"], 2, "-o fused.safetensors"),
        (["broken.yaml"], 1, "error[S201]"),
        (["tiny.yaml", "-o", "."], 2, "is a directory"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_left(arguments: list[str], status: int, words: str) -> None:
    weights()
    Path("broken.yaml").write_text(SPEC.replace("[N, 1, H, W]", "[N, 1, 2, 2]"))
    before = sorted(Path().iterdir())
    result = run("fuse", *arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert words in result.stderr
    assert sorted(Path().iterdir()) == before
