"""A pool of threads that share the work of one step.

NumPy releases the GIL while it computes. A kernel splits its work into shards (:mod:`planner.layers.tiling.shards`),
each with a separate workspace, and the threads of this pool take one shard after another. Shards do not wait for each
other and never add to the same array. Sums over shards are added up afterwards, in the order of the shards, so the
number of threads does not change a single bit of a result.
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
    """Run independent tasks on as many threads as are allowed, and wait for all of them.

    If only one thread is allowed, or another step uses the pool, the tasks run one after the other.

    Parameters
    ----------
    tasks : sequence of callable
        Each task writes to separate memory.

    Raises
    ------
    BaseException
        The exception of the first task that failed; tasks that had not started by then are skipped.

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
    """Run tasks in order, in the calling thread."""
    for task in tasks:
        task()


class Job:
    """A queue of tasks that several threads work on.

    Parameters
    ----------
    tasks : sequence of callable

    Attributes
    ----------
    context : contextvars.Context
        NumPy's settings for errors and buffers where the job was created; every helper works in a copy.
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
        """Run tasks until the queue is empty; after a failure no more tasks are started."""
        while True:
            try:
                task = self._waiting.popleft()
            except IndexError:
                return
            with self:
                task()

    def __enter__(self) -> None:
        """Start a task."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Store the exception of a task; :meth:`finish` raises it in the thread that created the job."""
        if error is not None:
            self._error = self._error or error
            self._waiting.clear()
        return True

    def help(self) -> None:
        """Work as a helper that :meth:`finish` waits for."""
        with self._counting:
            self._helping += 1
        self.work()
        with self._counting:
            self._helping -= 1
            if self._awaited and not self._helping:
                self._awaited = False
                self._over.release()

    def finish(self) -> None:
        """Wait until no helper is working, and raise the exception of a failed task.

        Ctrl-C waits too: helpers are still writing, and returning early would release memory that is in use.
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
    """Helper threads that sleep until there is a job; the thread that submits the job works too."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset the pool to no helpers; they are started when there is a job."""
        self._free = threading.Lock()
        self._idle: deque[threading.Lock] = deque()
        self._helpers = 0
        self._job: Job | None = None

    def run(self, tasks: Sequence[Task]) -> bool:
        """Run tasks on several threads and return True; return False if only one is allowed or the pool is in use."""
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
            except IndexError:  # a helper that was late for the previous job joins this one
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
    # Threads do not survive a fork: the child process starts new ones.
    os.register_at_fork(after_in_child=_POOL.reset)
