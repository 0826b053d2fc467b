"""How many threads the BLAS may use: one for small steps, all for large ones.

A small product of matrices is over before a second thread has fetched what the first one just wrote, and on a
machine that is busy the two wait for each other. Measured on two cores, LeNet-5 in batches of 64 (27 million
multiply-accumulates forward) trains on 17,000 images/s with one thread and 15,000 with two; with two, one epoch
beside other programs fell to 1,200, with one thread and both cores kept busy by others it stayed at 11,000.
Products of 64 x 576 x 1024 and more are nearly twice as fast with two.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from types import TracebackType
from typing import Any

SMALL_STEP = 200_000_000
"""Multiply-accumulates of a forward pass below which one thread serves best."""

_making = threading.Lock()


def for_step(macs: int) -> AbstractContextManager[object]:
    """Return a context in which the BLAS uses as many threads as a forward pass of so much work deserves.

    Contexts may be open in several threads at once. For most BLAS libraries the number of threads is one for the whole
    process, so a large step beside a small one has one thread as well; when the last small step is over, the number
    is what it was before the first.

    Examples
    --------
    >>> with for_step(416_520 * 64):
    ...     pass
    """
    if macs >= SMALL_STEP:
        return nullcontext()
    with _making:
        return _one_thread()


class OneThread:
    """Limits libraries to one thread from when the first step enters until the last one leaves.

    Parameters
    ----------
    libraries : list of library controllers
        Those of threadpoolctl.
    """

    def __init__(self, libraries: list[Any]) -> None:
        wide = [library for library in libraries if _process_wide(library)]
        here = [library for library in libraries if library not in wide]
        self._limits = [kind(group) for kind, group in ((_Limit, wide), (_LimitHere, here)) if group]

    def __enter__(self) -> None:
        for limit in self._limits:
            limit.enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for limit in self._limits:
            limit.leave()


class _Limit:
    """The steps inside of libraries whose number of threads is one for the process."""

    def __init__(self, libraries: list[Any]) -> None:
        self._libraries = libraries
        self._lock = threading.Lock()
        self._inside = 0
        self._before: list[tuple[Any, int]] = []

    def enter(self) -> None:
        with self._lock:
            if not self._inside:
                # What is still noted was not given back: Ctrl-C came in the middle of the lines below.
                self._before = self._before or [(library, library.num_threads) for library in self._libraries]
                for library, threads in self._before:
                    if threads != 1:
                        _set(library, 1)
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                for library, threads in self._before:
                    if threads != 1:
                        _set(library, threads)
                        _release(library)
                self._before = []


class _LimitHere(_Limit, threading.local):
    """The steps inside of libraries where each thread has its own number: as many states as threads."""


def _process_wide(library: Any) -> bool:
    return library.internal_api != "mkl" and getattr(library, "threading_layer", "") != "openmp"


def _set(library: Any, threads: int) -> None:
    _release(library)
    library.set_num_threads(threads)


def _release(library: Any) -> None:
    """Let any thread set the limit: threadpoolctl 3.8 lets only the one that did so first, and ignores the others.

    The last step to leave need not run in the thread of the first.
    """
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)


@cache
def _one_thread() -> OneThread:
    from threadpoolctl import ThreadpoolController  # looks for the libraries once, after NumPy has loaded its own

    return OneThread(ThreadpoolController().select(user_api="blas").lib_controllers)
