"""Threads that share the work of one step.

NumPy releases Python's lock while it computes. A kernel cuts its work into shards
(:mod:`planner.layers.tiling.shards`), each with workspace of its own, and the threads of this pool take them in turn.
No shard waits for another or adds to what another adds to. Sums over shards are added up afterwards, in their order,
so the number of threads changes no bit of a result.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from types import TracebackType
from typing import TypeAlias

from runtime.blas_threads import allowed, for_helper

Task: TypeAlias = Callable[[], object]


def run_parallel(tasks: Sequence[Task]) -> None:
    """Run tasks that do not depend on each other, on as many threads as may be used, and wait for all of them.

    They run one after the other if only one thread may be used, or if another step uses the other threads.

    Parameters
    ----------
    tasks : sequence of callable
        Each works in memory of its own.

    Raises
    ------
    BaseException
        Whatever the first task that failed raised; tasks that had not begun by then are left out.

    Examples
    --------
    >>> found = [0, 0, 0]
    >>> run_parallel([lambda place=place: found.__setitem__(place, place**2) for place in range(3)])
    >>> found
    [0, 1, 4]
    """
    if len(tasks) < 2 or not _POOL.run(tasks):
        one_by_one(tasks)


def one_by_one(tasks: Sequence[Task]) -> None:
    """Run tasks in their order, in the thread that calls."""
    for task in tasks:
        task()


class Job:
    """Tasks handed out one by one to the threads that ask.

    Parameters
    ----------
    tasks : sequence of callable

    Attributes
    ----------
    context : contextvars.Context
        NumPy's settings of errors and buffers in the thread that made the job; every helper uses a copy.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.context: Context = copy_context()
        self._waiting = deque(tasks)
        self._error: BaseException | None = None
        self._counting = threading.Lock()
        self._helping = 0
        self._awaited = False
        self._over = threading.Lock()
        self._over.acquire()

    def work(self) -> None:
        """Run tasks until none is waiting; the first one that fails is the last one begun."""
        while True:
            try:
                task = self._waiting.popleft()
            except IndexError:
                return
            with self:
                task()

    def __enter__(self) -> None:
        """Begin a task."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Keep what a task raised; :meth:`finish` raises it in the thread that made the job."""
        if error is not None:
            self._error = self._error or error
            self._waiting.clear()
        return True

    def help(self) -> None:
        """Work as one of those that `finish` waits for."""
        with self._counting:
            self._helping += 1
        self.work()
        with self._counting:
            self._helping -= 1
            if self._awaited and not self._helping:
                self._awaited = False
                self._over.release()

    def finish(self) -> None:
        """Wait until no thread helps any more, and raise what a task raised.

        Ctrl-C waits as well: helpers still write, and leaving would hand out memory that is in use.
        """
        self._waiting.clear()
        with self._counting:
            waiting = self._awaited = self._helping > 0
        while waiting:
            try:
                self._over.acquire()
                waiting = False
            except KeyboardInterrupt as error:
                self._error = self._error or error
        if self._error is not None:
            raise self._error


class ThreadPool:
    """Threads that sleep until there is a job; the thread that brings it works too."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin without threads; they are started when there is a job."""
        self._free = threading.Lock()
        self._idle: deque[threading.Lock] = deque()
        self._helpers = 0
        self._job: Job | None = None

    def run(self, tasks: Sequence[Task]) -> bool:
        """Run the tasks on several threads and return True.

        Return False if only one thread may be used, or if another step uses them.
        """
        helpers = min(allowed(), len(tasks)) - 1
        if helpers < 1 or not self._free.acquire(blocking=False):
            return False
        try:
            job = self._job = Job(tasks)
            try:
                self._wake(helpers)
                job.work()
            finally:
                job.finish()
        finally:
            self._job = None
            self._free.release()
        return True

    def _wake(self, count: int) -> None:
        while self._helpers < count:
            self._start_thread()
        for _ in range(count):
            try:
                self._idle.pop().release()
            except IndexError:  # a helper that is late for the job before comes to this one
                return

    def _start_thread(self) -> None:
        gate = threading.Lock()
        gate.acquire()
        self._idle.append(gate)
        self._helpers += 1
        threading.Thread(target=self._help, args=(gate,), name="shapeplan", daemon=True).start()

    def _help(self, gate: threading.Lock) -> None:
        while True:
            gate.acquire()
            job = self._job
            if job is not None:
                with for_helper():
                    job.context.copy().run(job.help)
            del job
            self._idle.append(gate)


_POOL = ThreadPool()
if hasattr(os, "register_at_fork"):
    # Threads do not survive a fork: the child starts new ones.
    os.register_at_fork(after_in_child=_POOL.begin)
