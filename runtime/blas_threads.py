"""The number of threads of a step. While it runs, the BLAS has one thread.

Threads of a BLAS wait for each other in every product, however small it is, and if another program uses one of
the cores they wait for it: measured on two cores, a training step took up to nine times as long. The threads of
:mod:`runtime.thread_pool` share whole shards of work instead, and a result does not depend on how many they are.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from types import TracebackType
from typing import Any

_creating = threading.Lock()


def for_step() -> OneThread:
    """Return a context in which the BLAS has one thread and :func:`allowed` returns how many threads a step may use.

    Contexts may be open in several threads at once. When the last one closes, the BLAS has as many threads as before
    the first one opened.

    Examples
    --------
    >>> with for_step():
    ...     allowed() >= 1
    True
    """
    with _creating:
        return _one_thread()


def for_helper() -> AbstractContextManager[object]:
    """Return a context for a helper thread: it limits libraries that count the threads of each thread separately.

    The step itself sets the limits of the whole process; a late helper must not hold them for longer.
    """
    with _creating:
        return _one_thread().helping()


def allowed() -> int:
    """Return how many threads a step may use: as many as the BLAS had when the last step began.

    So it is limited as NumPy is: by OPENBLAS_NUM_THREADS, OMP_NUM_THREADS or MKL_NUM_THREADS, or by
    :func:`threadpoolctl.threadpool_limits`. If the BLAS does not
    say, it is the number of cores that this process may use.
    """
    return _Allowed.threads


class _Allowed:
    threads = 1


class OneThread:
    """A limit of one thread for libraries, from when the first step enters until the last one leaves.

    Parameters
    ----------
    libraries : list of library controllers
        Controllers from threadpoolctl.
    """

    def __init__(self, libraries: list[Any]) -> None:
        process_wide = [library for library in libraries if _process_wide(library)]
        per_thread = [library for library in libraries if library not in process_wide]
        self._limits = [kind(group) for kind, group in ((_Limit, process_wide), (_LimitPerThread, per_thread)) if group]

    def __enter__(self) -> None:
        found = max((limit.enter() for limit in self._limits), default=0)
        _Allowed.threads = found or cores()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for limit in self._limits:
            limit.leave()

    def renew(self) -> None:
        """Begin with no step inside, in a forked process."""
        for limit in self._limits:
            limit.renew()

    @contextmanager
    def helping(self) -> Iterator[None]:
        """Limit only the libraries that keep a separate limit for each thread."""
        per_thread = [limit for limit in self._limits if isinstance(limit, _LimitPerThread)]
        for limit in per_thread:
            limit.enter()
        try:
            yield
        finally:
            for limit in per_thread:
                limit.leave()


class _Limit:
    """The steps inside libraries that have one number of threads for the process."""

    def __init__(self, libraries: list[Any]) -> None:
        self._libraries = libraries
        self._before: list[tuple[Any, int]] = []
        self.renew()

    def renew(self) -> None:
        """Forget all steps; what they have not given back, the next step does."""
        self._lock = threading.Lock()
        self._inside = 0

    def enter(self) -> int:
        """Limit the libraries, and return how many threads they had before."""
        with self._lock:
            if not self._inside:
                # Numbers kept here were never restored: Ctrl-C interrupted the lines below.
                self._before = self._before or [(library, library.num_threads) for library in self._libraries]
                for library, threads in self._before:
                    if threads != 1:
                        _set(library, 1)
            self._inside += 1
            return max(threads for _, threads in self._before)

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                for library, threads in self._before:
                    if threads != 1:
                        _set(library, threads)
                        _release(library)
                self._before = []


class _LimitPerThread(_Limit, threading.local):
    """The steps inside libraries in which each thread has its own number: one state per thread."""


def _process_wide(library: Any) -> bool:
    return library.internal_api != "mkl" and getattr(library, "threading_layer", "") != "openmp"


def _set(library: Any, threads: int) -> None:
    _release(library)
    library.set_num_threads(threads)


def _release(library: Any) -> None:
    """Let any thread set the limit.

    threadpoolctl 3.8 accepts only the thread that set it first and ignores the others, but the last step to leave may
    run in another thread than the first.
    """
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _renew_locks() -> None:
    """Forget the steps of other threads: a forked process has only the thread that forked it."""
    global _creating
    _creating = threading.Lock()
    if _one_thread.cache_info().currsize:
        _one_thread().renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


@cache
def _one_thread() -> OneThread:
    from threadpoolctl import ThreadpoolController  # scans for libraries once, after NumPy has loaded its own

    return OneThread(ThreadpoolController().select(user_api="blas").lib_controllers)
