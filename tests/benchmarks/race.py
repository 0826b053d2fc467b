"""Two sides taking turns, and what their times say: medians, spread and the ratio pair by pair.

Machines that others use too change their speed from second to second; what the two sides of a pair met is the same.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Work = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Race:
    """The times of two sides, in seconds, pair by pair.

    Examples
    --------
    >>> race = Race((0.25, 0.75, 0.5), (0.5, 0.5, 0.5))
    >>> race.ratio, race.spread, race.ours
    (1.0, (0.5, 1.5), 0.5)
    """

    our_times: tuple[float, ...]
    their_times: tuple[float, ...]

    @property
    def ours(self) -> float:
        """Median of our side."""
        return statistics.median(self.our_times)

    @property
    def theirs(self) -> float:
        """Median of the other side."""
        return statistics.median(self.their_times)

    @property
    def ratios(self) -> list[float]:
        """Ours to theirs, pair by pair; below 1 we are faster."""
        return sorted(a / b for a, b in zip(self.our_times, self.their_times, strict=True))

    @property
    def ratio(self) -> float:
        """Median of the ratios."""
        return statistics.median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """Quartiles of the ratios, or the ends of fewer than four."""
        if len(self.ratios) < 4:
            return self.ratios[0], self.ratios[-1]
        low, _, high = statistics.quantiles(self.ratios, n=4, method="inclusive")
        return low, high


CHILD = "SHAPEPLAN_BENCH_CHILD"
"""Set in the environment of a process that measures."""

CLOCKS: Mapping[str, Clock] = {"wall": time.perf_counter, "cpu": time.process_time}
"""Which time: what passes, or what this process has computed in all its threads. The second does not count what other
programs took, but counts threads that wait by looking round; on one core there are none."""

PAUSE = 0.03
"""Seconds between two turns: threads of a library look round for work for so long before they sleep, on the cores of
whoever comes next."""


def race(
    ours: Work, theirs: Work, *, seconds: float, least: int = 5, most: int = 200, warm: int = 2, pause: float = PAUSE,
    clock: Clock | None = None,
) -> Race:  # fmt: skip
    """Return the times of two sides that take turns for so many seconds.

    A turn is as many calls as last 2 ms at least, so that what the other side left in the caches weighs little.
    """
    clock = clock or time.perf_counter
    repeats = []
    for work in (ours, theirs):
        for _ in range(warm):
            work()
        repeats.append(max(1, round(0.002 / max(_timed(work, 1, clock), 1e-7))))
    our_times: list[float] = []
    their_times: list[float] = []
    end = time.perf_counter() + seconds
    while len(our_times) < least or (time.perf_counter() < end and len(our_times) < most):
        for work, count, times in ((ours, repeats[0], our_times), (theirs, repeats[1], their_times)):
            time.sleep(pause)
            times.append(_timed(work, count, clock))
    return Race(tuple(our_times), tuple(their_times))


def _timed(work: Work, repeats: int, clock: Clock) -> float:
    start = clock()
    for _ in range(repeats):
        work()
    return (clock() - start) / repeats
