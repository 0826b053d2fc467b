"""What tests of single kernels and of the thread pool share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits

from runtime.blas_threads import allowed, for_step
from tests.harness.kernel_bench import THREADS


@pytest.fixture
def thread_pool() -> Iterator[None]:
    """Let steps use three threads."""
    with threadpool_limits(limits=THREADS, user_api="blas"):
        with for_step():
            pass
        if allowed() != THREADS:
            pytest.skip("this NumPy has no BLAS whose threads can be set")
        yield
    with for_step():
        pass
