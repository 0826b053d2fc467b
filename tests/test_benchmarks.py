"""The benchmarks' arithmetic, and that both sides of a race are the same network."""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import time
import weakref

import numpy as np
import pytest

import runtime
from tests.benchmarks import __main__ as bench
from tests.benchmarks import resident, shares, sides
from tests.benchmarks.networks import LARGE, SMALL, bound
from tests.benchmarks.race import Race, race
from tests.benchmarks.rivals import RIVALS
from tests.harness.places import ROOT


def test_a_race_tells_the_median_of_pairs_and_not_the_ratio_of_medians() -> None:
    result = Race((1.0, 9.0, 2.0), (2.0, 3.0, 1.0))
    assert (result.ours, result.theirs, result.ratio) == (2.0, 2.0, 2.0)
    assert result.spread == (0.5, 3.0)


def test_the_sides_take_turns_and_short_calls_are_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    monkeypatch.setattr("time.perf_counter", lambda: next(clock) * 1e-3)
    calls: list[str] = []
    result = race(lambda: calls.append("a"), lambda: calls.append("b"), seconds=0.0, least=3, warm=1, pause=0.0)
    assert len(result.our_times) == 3
    assert "".join(calls) == "aa" + "bb" + "aabb" * 3, "one to warm up, one to time; then two a turn"


def test_the_second_turn_waits_until_the_threads_of_the_first_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    race(lambda: None, lambda: None, seconds=0.0, least=3, pause=0.25)
    assert waits == [0.25] * 6


@pytest.mark.other_frameworks
@pytest.mark.parametrize("name", SMALL)
def test_both_sides_of_a_race_start_as_the_same_network_and_learn(name: str) -> None:
    pytest.importorskip("torch").manual_seed(0)  # of its dropout: unseeded, some runs learn nothing from four images
    plan = bound(name, 4)
    model = runtime.Model(plan, seed=0)
    theirs, ours = RIVALS["PyTorch"].side("step", plan, model), sides.step(plan, model)
    first = ours(), theirs()
    if name != "mnist_cnn":  # whose dropout draws other numbers
        assert first[0] == pytest.approx(first[1], rel=1e-4)
    for side, start in zip((ours, theirs), first, strict=True):
        assert np.mean([side() for _ in range(20)][-5:]) < start


@pytest.mark.other_frameworks
@pytest.mark.parametrize("name", RIVALS)
def test_every_rival_computes_and_learns_what_we_do(name: str) -> None:
    rival, plan = RIVALS[name], bound("lenet5", 4)
    if rival.missing():
        pytest.skip(f"{rival.missing()} is not installed")
    model = runtime.Model(plan, seed=0)
    np.testing.assert_allclose(rival.side("infer", plan, model)(), sides.infer(plan, model)(), rtol=1e-4, atol=1e-5)
    theirs = rival.side("step", plan, model)
    if theirs is None:
        assert name in ("onnxruntime", "ONNX reference"), "made for use alone"
        return
    ours = sides.step(plan, model)
    for _ in range(4):
        assert ours() == pytest.approx(theirs(), rel=1e-3)


@pytest.mark.other_frameworks
def test_a_fused_network_is_timed_beside_the_same_pass_where_it_has_batch_norms() -> None:
    plain, plan = bound("lenet5", 2), bound("resnet20", 2)
    assert sides.fused(plain, runtime.Model(plain)) is None
    model = runtime.Model(plan, seed=0)
    ours, expected = sides.fused(plan, model), sides.infer(plan, model)()
    assert ours is not None
    np.testing.assert_allclose(ours(), expected, rtol=1e-3, atol=1e-4)
    if not RIVALS["PyTorch"].missing():
        np.testing.assert_allclose(ours(), RIVALS["PyTorch"].side("fused", plan, model)(), rtol=1e-3, atol=1e-4)


@pytest.mark.other_frameworks
@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_the_graph_of_a_plan_is_the_network(name: str) -> None:
    if RIVALS["onnxruntime"].missing():
        pytest.skip("onnxruntime is not installed")
    plan = bound(name, 1)
    model = runtime.Model(plan, seed=0)
    theirs = RIVALS["onnxruntime"].side("infer", plan, model)()
    np.testing.assert_allclose(sides.infer(plan, model)(), theirs, rtol=1e-3, atol=1e-4 * np.abs(theirs).max())


def test_who_is_not_installed_is_said_and_not_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.benchmarks.rivals.find_spec", lambda _: None)
    groups = ["train", "infer", "peers"]
    chosen = argparse.Namespace(groups=groups, nets=["lenet5"], batches=[1], seconds=0.0, clock="wall", json=None)
    bench.run(chosen)
    printed = capsys.readouterr().out
    assert "# PyTorch is not measured: torch not installed" in printed
    assert "# numpy-ml is not measured" in printed
    assert printed.count("lenet5") == 0


@pytest.mark.skipif(not resident.CLEAR.exists(), reason="the peak of a process is begun anew as Linux does it")
def test_how_far_a_process_grows_is_what_it_holds_and_not_what_it_held() -> None:
    planned = bound("cifar_vgg", 32).memory.training_bytes
    command = [sys.executable, "-m", "tests.benchmarks.resident", "cifar_vgg", "32", "step", "ours"]
    grown = int(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)
    assert 0.8 * planned < grown < 1.3 * planned


def test_shares_name_every_kind_of_layer_and_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "COPIED_BYTES", 2**20)
    speed, *rows = shares.rows(["lenet5"], [4], 1, time.perf_counter)
    assert speed["gigabytes_per_second"]["1"] > 0
    *kinds, whole = rows
    assert {row["layers"] for row in kinds} >= {"conv", "dense", "maxpool"}
    assert whole["bytes"] == sum(row["bytes"] for row in kinds)
    assert whole["alone_ms"] == pytest.approx(sum(row["alone_ms"] for row in kinds))
    assert all(shares.line(row) for row in (speed, *rows))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["speed"], "no group 'speed'; there are train"),
        (["train", "--nets", "lenet"], "no network 'lenet'; there are lenet5"),
        (["train", "--batches", "0"], "count from 1"),
    ],
)
def test_what_the_command_does_not_know_is_told_with_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: list[str], words: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", *wrong])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.other_frameworks
def test_the_torch_reference_lets_go_of_what_nobody_reads_again() -> None:
    torch = pytest.importorskip("torch")
    from tests.benchmarks.torch_reference import TorchReference

    plan = bound("resnet20", 1)
    reference, alive = TorchReference(plan).eval(), []
    live: set[int] = set()

    def made(module: object, inputs: object, output: object) -> None:
        live.add(id(output))
        weakref.finalize(output, live.discard, id(output))
        alive.append(len(live))

    for layer in reference.layers:
        layer.register_forward_hook(made)
    with torch.inference_mode():
        reference(torch.zeros(plan.input_shapes["image"]))
    assert max(alive) <= 4, "the map at hand, the one before, and a shortcut"
