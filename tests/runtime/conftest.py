"""What tests of single kernels and of the thread pool share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits

from runtime import blas_threads
from runtime.blas_threads import allowed, for_step
from tests.harness.kernel_bench import THREADS


@pytest.fixture
def known_libraries() -> None:
    """Let the next step look for BLAS libraries again: another test may have loaded one since the first step."""
    blas_threads._one_thread.cache_clear()


@pytest.fixture
def thread_pool(known_libraries: None) -> Iterator[None]:
    """Let steps use three threads."""
    with threadpool_limits(limits=THREADS, user_api="blas"):
        with for_step():
            pass
        if allowed() != THREADS:
            pytest.skip("this NumPy has no BLAS whose threads can be set")
        yield
    with for_step():
        pass
