"""A model used by several threads, by a forked process, as a copy and as a pickle gives what it gives alone."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import planner
import runtime
from planner import Network, PlannerError, layer
from planner.findings import SettingError
from runtime.images import DataError
from runtime.training.loop import TrainingError
from runtime.weights import WeightsError
from tests.harness.places import ROOT

THREADS = 8


def network() -> Network:
    layers = [
        layer("conv", name="c1", filters=8, kernel=3, pad=1, norm="batch", act="relu"),
        layer("maxpool", size=2),
        layer("dropout", rate=0.25),
        layer("flatten"),
        layer("dense", name="out", units=4),
    ]
    return Network(name="small", input={"x": ("N", 2, 8, 8)}, layers=layers)


def model(batch: int = 8) -> runtime.Model:
    return runtime.Model(network().check().bind(N=batch), seed=3)


def images(count: int, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(seed).standard_normal((count, 2, 8, 8), dtype=np.float32)


def at_once(task: Callable[[int], object]) -> list[object]:
    """Return what a task gives in each of several threads that begin together."""
    barrier = threading.Barrier(THREADS)

    def begin(number: int) -> object:
        barrier.wait()
        return task(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


def test_threads_that_call_one_model_each_get_their_own_result() -> None:
    shared = model()
    given = [images(8, seed) for seed in range(THREADS)]
    expected = [shared(each) for each in given]

    def ask(number: int) -> bool:
        return all(np.array_equal(shared(given[number]), expected[number]) for _ in range(50))

    assert all(at_once(ask))


def test_threads_that_ask_for_gradients_each_get_their_own() -> None:
    layers = [layer("conv", name="c", filters=3, kernel=3), layer("gap"), layer("flatten")]
    net = Network(name="g", input={"x": ("N", 2, 8, 8)}, layers=layers)
    shared = runtime.Model(net.check().bind(N=8), seed=3)
    given = [images(8, seed) for seed in range(THREADS)]
    expected = [shared.gradients(each, np.ones((8, 3)))[1]["x"] for each in given]

    def ask(number: int) -> bool:
        found = (shared.gradients(given[number], np.ones((8, 3)))[1]["x"] for _ in range(20))
        return all(np.array_equal(each, expected[number]) for each in found)

    assert all(at_once(ask))


def test_predicting_during_a_fit_changes_no_bit_of_it() -> None:
    alone, watched = model(), model()
    x, labels = images(64), np.arange(64) % 4
    alone.fit(x, labels, epochs=3, progress=False)
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            assert np.isfinite(watched.predict(x[:8])).all()

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        watched.fit(x, labels, epochs=3, progress=False)
        done.set()
        watching.result()
    np.testing.assert_array_equal(alone.flat_parameters, watched.flat_parameters)
    np.testing.assert_array_equal(alone.flat_buffers, watched.flat_buffers)


@pytest.mark.parametrize("made", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])  # noqa: S301
def test_a_copy_goes_on_bit_for_bit_and_apart(made: Callable[[runtime.Model], runtime.Model]) -> None:
    first = model()
    x, labels = images(32), np.arange(32) % 4
    first.fit(x, labels, epochs=1, progress=False)
    second = made(first)
    np.testing.assert_array_equal(first(x), second(x))
    first.fit(x, labels, epochs=1, progress=False)
    assert not np.array_equal(first.flat_parameters, second.flat_parameters)
    second.fit(x, labels, epochs=1, progress=False)
    np.testing.assert_array_equal(first.flat_parameters, second.flat_parameters)
    np.testing.assert_array_equal(first.flat_buffers, second.flat_buffers)


@pytest.mark.parametrize(
    "family",
    [planner.SpecError, planner.GraphError, planner.ShapeError, planner.SizeError, DataError, TrainingError,
     WeightsError],
)  # fmt: skip
def test_every_error_outlives_a_pickle(family: type[PlannerError]) -> None:
    where = planner.Location("net.yaml", 3, 1, 5)
    error = family([planner.Finding("S201", "one", where=where, fixes=("try",)), planner.Finding("S202", "two")])
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is family and again.findings == error.findings and str(again) == str(error)


def test_a_refused_setting_outlives_a_pickle() -> None:
    again = pickle.loads(pickle.dumps(SettingError("kernel", "too small", "kernel: 3", "N108")))  # noqa: S301
    assert (again.setting, again.problem, again.fix, again.code) == ("kernel", "too small", "kernel: 3", "N108")


FORKING = """
import os, threading, warnings
import numpy as np
from tests.runtime.test_concurrency import images, model

warnings.simplefilter("ignore")  # Python warns of any fork beside threads
shared, x = model(), images(8)
expected, stop = shared(x), threading.Event()

def work():
    while not stop.is_set():
        shared(x)

workers = [threading.Thread(target=work) for _ in range(2)]
for worker in workers:
    worker.start()
children = []
for _ in range(20):
    child = os.fork()
    if not child:
        same = np.array_equal(shared(x), expected)
        os._exit(0 if same else 1)
    children.append(child)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
stop.set()
for worker in workers:
    worker.join()
print(codes.count(0))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_forked_while_other_threads_step_goes_on() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FORKING],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert ran.stdout.split() == ["20"], ran.stderr
