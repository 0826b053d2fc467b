"""The thread pool: tasks side by side, errors and Ctrl-C, and results that do not know how many threads there were."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import planner
import planner.lowering.segments
from planner import layer
from planner.layers.tiling import banded, conv, depthwise, shards, workspace
from planner.lowering.segments import segments
from runtime.blas_threads import for_step
from runtime.kernels import dense
from runtime.model import Model
from runtime.thread_pool import Job, run_parallel
from tests.harness.kernel_bench import THREADS

PATIENCE = 120
"""Seconds until threads that wait for each other for ever are given up."""


pytestmark = pytest.mark.usefixtures("known_libraries")


def meeting(found: dict[int, int], count: int) -> list[Callable[[], None]]:
    """Return an even number of tasks that are over once another one is at work on another thread, two by two."""
    pair = threading.Barrier(2, timeout=PATIENCE)

    def task(number: int) -> None:
        pair.wait()
        found[number] = threading.get_ident()

    return [partial(task, number) for number in range(count)]


def sleeping(found: dict[int, int], number: int) -> Callable[[], None]:
    def task() -> None:
        time.sleep(0.02)
        found[number] = threading.get_ident()

    return task


@pytest.mark.usefixtures("thread_pool")
def test_tasks_run_on_several_threads_and_all_are_over_at_the_end() -> None:
    found: dict[int, int] = {}
    run_parallel(meeting(found, 6))
    assert sorted(found) == list(range(6))
    assert 1 < len(set(found.values())) <= THREADS


@pytest.mark.usefixtures("thread_pool")
def test_with_one_thread_tasks_run_where_they_were_brought() -> None:
    found: dict[int, int] = {}
    with threadpool_limits(limits=1, user_api="blas"), for_step():
        run_parallel([sleeping(found, number) for number in range(3)])
    assert set(found.values()) == {threading.get_ident()}


@pytest.mark.usefixtures("thread_pool")
def test_a_task_that_brings_tasks_does_them_itself() -> None:
    outer: dict[int, int] = {}
    inner: dict[int, int] = {}

    def task(number: int) -> Callable[[], None]:
        def run() -> None:
            outer[number] = threading.get_ident()
            run_parallel([sleeping(inner, 10 * number + other) for other in range(2)])

        return run

    run_parallel([task(number) for number in range(3)])
    assert len(inner) == 6
    assert all(inner[number] == outer[number // 10] for number in inner)


@pytest.mark.usefixtures("thread_pool")
@pytest.mark.parametrize("failing", [0, 5])
def test_what_a_task_raises_comes_out_after_the_others_are_over(failing: int) -> None:
    running: set[int] = set()

    def task(number: int) -> Callable[[], None]:
        def run() -> None:
            running.add(number)
            time.sleep(0.01)
            running.discard(number)
            if number == failing:
                raise ZeroDivisionError(number)

        return run

    with pytest.raises(ZeroDivisionError, match=str(failing)):
        run_parallel([task(number) for number in range(6)])
    assert not running
    run_parallel([lambda: None] * 4)


@pytest.mark.usefixtures("thread_pool")
def test_ctrl_c_waits_for_those_who_still_write() -> None:
    finished: list[int] = []
    begun, interrupted = threading.Event(), threading.Event()

    def slow(number: int) -> Callable[[], None]:
        def run() -> None:
            if threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt
            begun.set()
            assert interrupted.wait(PATIENCE)
            finished.append(number)

        return run

    job = Job([slow(number) for number in range(4)])
    helper = threading.Thread(target=job.help)
    helper.start()
    assert begun.wait(PATIENCE)
    job.work()
    interrupted.set()
    with pytest.raises(KeyboardInterrupt):
        job.finish()
    assert len(finished) == 1  # the one that was being done; the others were not begun
    helper.join()


@pytest.mark.usefixtures("thread_pool")
def test_helpers_work_under_the_error_settings_of_whoever_brings_the_job() -> None:
    def overflow() -> None:
        time.sleep(0.01)
        np.exp(np.full(4, 1e4, np.float32))

    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        run_parallel([overflow] * 6)
    with np.errstate(over="ignore"):
        run_parallel([overflow] * 6)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.usefixtures("thread_pool")
def test_a_forked_process_has_a_thread_pool_of_its_own() -> None:
    run_parallel(meeting({}, 6))
    child = os.fork()
    if not child:
        signal.alarm(PATIENCE)
        mine: dict[int, int] = {}
        run_parallel(meeting(mine, 6))
        os._exit(0 if len(set(mine.values())) > 1 else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "-14: the child waits for threads it does not have"


def network() -> planner.Network:
    """Return a network with every way of sharing work: few and many weights, strides, groups, depthwise, segments."""
    layers = [
        layer("conv", name="stem", filters=16, kernel=3, pad=1, norm="batch", act="relu"),
        layer("conv", name="left", filters=16, kernel=3, pad=1, norm="batch"),
        layer("add", name="sum", from_=["left", "stem"], act="relu"),
        layer("maxpool", size=2),
        layer("conv", filters=32, kernel=3, stride=2, pad=1, act="tanh"),
        layer("conv", filters=32, kernel=3, pad=1, groups=32, act="relu6"),
        layer("conv", filters=64, kernel=3, pad=1, groups=32),
        layer("conv", filters=256, kernel=1),
        layer("conv", filters=64, kernel=3, pad=1, groups=2),
        layer("conv", filters=160, kernel=3, pad=1),
        layer("conv", filters=64, kernel=3, pad=1),
        layer("convtranspose", filters=32, kernel=2, stride=2),
        layer("convtranspose", filters=32, kernel=3, stride=2, pad=1, norm="group"),
        layer("layernorm"),
        layer("instancenorm", running=True),
        layer("lrn", size=3),
        layer("gap"),
        layer("flatten"),
        layer("dropout", rate=0.3),
        layer("dense", name="hidden", units=512, act="gelu"),
        layer("dense", name="out", units=10),
    ]
    return planner.Network(name="all", input={"image": ("N", 3, 20, 20)}, layers=layers)


def trained(threads: int) -> tuple[list[np.ndarray[Any, Any]], set[str]]:
    rng = np.random.default_rng(0)
    images, labels = rng.standard_normal((24, 3, 20, 20), dtype=np.float32), rng.integers(0, 10, 24)
    with threadpool_limits(limits=threads, user_api="blas"):
        model = Model(network().check().bind(N=8), seed=4)
        model.fit(images, labels, epochs=2, batch=8, optimizer="adam", progress=False)
        outputs = model.predict(images)
    names = {thread.name for thread in threading.enumerate()}
    return [outputs, model.flat_parameters.copy(), model.flat_buffers.copy()], names


@pytest.mark.usefixtures("thread_pool")
def test_the_same_seed_gives_the_same_bits_whatever_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner.lowering.segments, "SHARD_ELEMENTS", 2**14)
    for module, name in ((workspace, "SUMMED_ELEMENTS"), (shards, "SUMMED_ELEMENTS"), (shards, "SUMMED_COLUMNS")):
        monkeypatch.setattr(module, name, 2**9)
    for module in (conv, dense):
        monkeypatch.setattr(module, "SHARD_WORK", 2**18)
    monkeypatch.setattr(banded, "CALL_MACS", 2**12)
    for worth in ("SHARD_BANDED", "SHARD_TAPS"):
        monkeypatch.setattr(depthwise, worth, 2**13)
    bound = network().check().bind(N=8)
    assert any(len(segment.shards) > 1 for segment in segments(bound.lowered))
    tilings = [
        node.layer.tiling(node.input_shapes, node.output_shape)
        for node in bound.nodes
        if isinstance(node.layer, planner.layers.Conv)
    ]
    assert {found.shard_sums for found in tilings if found.forward.shards > 1} == {True, False}
    assert any(found.weights > conv.SHARD_SUMS for found in tilings)
    assert {found.forward_blocks.shared for found in tilings if found.forward.shards > 1} == {True, False}
    channelwise = [found.depthwise for found in tilings if found.depthwise is not None]
    assert {found.bands is None for found in channelwise if len(found.shards) > 1} == {True, False}
    one, _ = trained(1)
    for threads in (2, THREADS):
        several, names = trained(threads)
        assert "shapeplan" in names
        for expected, found in zip(one, several, strict=True):
            np.testing.assert_array_equal(found, expected)
    assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {THREADS}
