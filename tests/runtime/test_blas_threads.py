"""Threads: small steps take one BLAS thread each, however many run at once, and give back what they took."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

import planner
from planner import layer
from runtime.blas_threads import OneThread, allowed, for_step
from runtime.model import Model
from tests.harness.steps import steps

pytestmark = pytest.mark.usefixtures("known_libraries")

MOST = 3


def blas() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def in_threads(work: Callable[[int], None]) -> None:
    """Do the work in four threads that begin together."""
    barrier = threading.Barrier(4)

    def begin(number: int) -> None:
        barrier.wait()
        work(number)

    workers = [threading.Thread(target=begin, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


class Library:
    """A library as threadpoolctl shows it; like OpenMP's, it may keep a number for each thread."""

    def __init__(self, internal_api: str = "openblas", layer: str = "pthreads") -> None:
        self.internal_api, self.threading_layer = internal_api, layer
        self.broken_off = 0
        self._kept: Any = threading.local() if "openmp" in layer or internal_api == "mkl" else SimpleNamespace()

    @property
    def num_threads(self) -> int:
        return getattr(self._kept, "number", MOST)

    def set_num_threads(self, number: int) -> None:
        self._kept.number = number
        if self.broken_off:
            self.broken_off -= 1
            raise KeyboardInterrupt


@pytest.fixture
def several_threads() -> Iterator[None]:
    with threadpool_limits(limits=MOST, user_api="blas"):
        if blas() != {MOST}:
            pytest.skip("this NumPy has no BLAS whose threads can be set")
        yield


@pytest.mark.usefixtures("several_threads")
def test_in_a_step_the_blas_has_one_thread_and_the_step_may_use_as_many_as_it_had() -> None:
    with for_step():
        assert blas() == {1}
        assert allowed() == MOST
        with for_step():
            assert allowed() == MOST
    assert blas() == {MOST}
    with threadpool_limits(limits=1, user_api="blas"), for_step():
        assert allowed() == 1


@pytest.mark.parametrize("first_out", [0, 1])
@pytest.mark.usefixtures("several_threads")
def test_the_last_step_out_gives_the_threads_back_whatever_the_order(first_out: int) -> None:
    steps = [for_step(), for_step()]
    for step in steps:
        step.__enter__()
    steps[first_out].__exit__(None, None, None)
    assert blas() == {1}
    steps[1 - first_out].__exit__(None, None, None)
    assert blas() == {MOST}


@pytest.mark.usefixtures("several_threads")
def test_a_step_that_fails_gives_the_threads_back() -> None:
    with pytest.raises(ZeroDivisionError), for_step(), for_step():
        raise ZeroDivisionError
    assert blas() == {MOST}


@pytest.mark.usefixtures("several_threads")
def test_a_limit_set_between_steps_is_the_one_given_back() -> None:
    with for_step():
        pass
    with threadpool_limits(limits=2, user_api="blas"):
        with for_step():
            assert blas() == {1}
        assert blas() == {2}


@pytest.mark.usefixtures("several_threads")
def test_steps_that_overlap_in_many_threads_never_run_wide_and_leave_the_threads_as_they_were() -> None:
    seen: list[set[int]] = []

    def work(_: int) -> None:
        for number in range(100):
            with for_step(), for_step() if number % 3 else nullcontext():
                seen.append(blas())

    in_threads(work)
    assert len(seen) == 400
    assert all(found == {1} for found in seen)
    assert blas() == {MOST}


@pytest.mark.usefixtures("several_threads")
def test_models_in_threads_leave_the_blas_as_they_found_it() -> None:
    layers = [layer("conv", filters=4, kernel=3), layer("flatten"), layer("dense", units=5)]
    bound = planner.Network(name="t", input={"x": ("N", 1, 8, 8)}, layers=layers).check().bind(N=4)
    models, images = [Model(bound, seed=seed) for seed in range(4)], np.ones((4, 1, 8, 8), np.float32)
    alone, found = [model(images) for model in models], dict[int, np.ndarray]()

    def work(number: int) -> None:
        for _ in range(100):
            found[number] = models[number](images)

    in_threads(work)
    assert blas() == {MOST}
    for number, expected in enumerate(alone):
        np.testing.assert_array_equal(found[number], expected)


@pytest.mark.parametrize(
    ("internal_api", "layer"), [("openblas", "pthreads"), ("openblas", "openmp"), ("mkl", "intel")]
)
def test_limits_hold_in_every_thread_and_end_in_it_where_each_thread_has_its_own(internal_api: str, layer: str) -> None:
    library = Library(internal_api, layer)
    step, inside, outside, after = OneThread([library]), list[int](), threading.Barrier(4), list[int]()

    def work(number: int) -> None:
        for _ in range(50):
            with step:
                inside.append(library.num_threads)
        outside.wait()
        after.append(library.num_threads)

    in_threads(work)
    assert set(inside) == {1}
    assert after == [MOST] * 4


@pytest.mark.parametrize(("internal_api", "layer", "inside"), [("openblas", "pthreads", MOST), ("mkl", "intel", 1)])
def test_a_helper_limits_what_each_thread_has_its_own_number_of(internal_api: str, layer: str, inside: int) -> None:
    library = Library(internal_api, layer)
    step = OneThread([library])
    with step.helping():  # as one that comes late, when no step is open
        assert library.num_threads == inside
    assert library.num_threads == MOST


def test_a_step_broken_off_while_it_sets_the_limit_does_not_make_it_the_original() -> None:
    library = Library()
    step = OneThread([library])
    library.broken_off = 1
    with pytest.raises(KeyboardInterrupt), step:
        pass
    with step:
        assert library.num_threads == 1
    assert library.num_threads == MOST


def test_the_limit_costs_hardly_more_than_a_library_s_own() -> None:
    controller = ThreadpoolController()

    def ours() -> None:
        with for_step():
            pass

    def theirs() -> None:
        with controller.limit(limits=1, user_api="blas"):
            pass

    ours()
    theirs()
    assert steps(ours) < 1.5 * steps(theirs)
