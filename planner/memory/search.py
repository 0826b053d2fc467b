"""A smaller arrangement than a greedy one, by searches that start over: a portfolio of ways, bounded by work.

Knows only sizes in bytes and steps; one search is :mod:`planner.memory.skyline`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import gcd
from random import Random

from planner.memory.skyline import Budget, LimitReached, Moments, Skyline, Span, Way

WEIGHT = 64
"""Parts in which an order weighs one fact of the blocks against another."""


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes
    ----------
    offsets : list of int or None
        Of an arrangement smaller than the one given; None where none was found.
    least : int
        Bytes; it is proved that no arrangement has fewer.
    """

    offsets: list[int] | None
    least: int


def search(
    sizes: Sequence[int],
    spans: Sequence[Sequence[Span]],
    *,
    total: int,
    least: int,
    looks: int,
    enough: int = 0,
) -> Found:
    """Return a smaller arrangement than one of `total` bytes, or how far it is proved that there is none.

    The lower bound is tried with half of the work there is, then capacities half-way between what is not known to be
    possible and what is. A search that does not end soon starts over with another order of blocks: those that end
    at all mostly end at once (Gomes et al., *Heavy-tailed phenomena in satisfiability and constraint satisfaction
    problems*, J. Autom. Reasoning 24, 2000), and limits follow Luby, Sinclair and Zuckerman (*Optimal speedup of
    Las Vegas algorithms*, 1993). Orders are drawn from a seeded generator: the same blocks give the same arrangement.

    Parameters
    ----------
    sizes : sequence of int
        Bytes.
    spans : sequence of sequence of Span
        When each block lives, in order of time; several spans share one offset.
    total, least : int
        Bytes of an arrangement, and of a lower bound.
    looks : int
        Work at most: one look reads the floor of one moment once, about half a microsecond.
    enough : int
        Bytes that need not be improved on.

    Examples
    --------
    >>> search([64, 64, 128], [[(0, 1)], [(2, 3)], [(1, 2)]], total=256, least=192, looks=1000)
    Found(offsets=[128, 128, 0], least=192)
    """
    moments = Moments(sizes, spans)
    ways = _ways(moments, spans)
    grain = gcd(*sizes)  # in an arrangement in which nothing can sink, every offset is a sum of sizes
    best: list[int] | None = None
    capacity = low = max(least, enough)
    while low < total and looks > 2 * moments.count:
        budget = Budget(looks // 2)
        looks -= budget.looks
        try:
            offsets = _within(moments, capacity, ways, budget)
        except LimitReached:
            low = capacity + grain
        else:
            looks += budget.looks
            if offsets is not None:
                best = offsets
                total = max(offset + size for offset, size in zip(offsets, sizes, strict=True))
            elif capacity == least:
                least = low = capacity + grain
            else:
                low = capacity + grain
        capacity = low + (total - low) // 2 // grain * grain if low > max(least, enough) else low
    return Found(best, least)


def _within(moments: Moments, capacity: int, ways: Iterator[Way], budget: Budget) -> list[int] | None:
    """Return offsets within a capacity, None where there are none.

    Raises
    ------
    LimitReached
        The budget is spent.
    """
    while True:
        try:
            return Skyline(moments, capacity, next(ways), budget).offsets()
        except LimitReached:
            if budget.looks < 0:
                raise


def _ways(moments: Moments, spans: Sequence[Sequence[Span]]) -> Iterator[Way]:
    """Yield ways to search without end: long and large blocks first, each time in another mixture."""
    sizes, blocks = moments.sizes, range(len(moments.sizes))
    lives = [sum(last - first + 1 for first, last in block) for block in spans]
    longest = _ranks(sorted(blocks, key=lambda block: -lives[block]))
    largest = _ranks(sorted(blocks, key=lambda block: -sizes[block]))
    failures = [[0] * moments.count for _ in range(4)]
    rng = Random(1)
    for run in count():
        touching = run % 4 < 3
        long, large, noise = (int(rng.random() * WEIGHT) for _ in range(3))
        if not touching:
            long //= 4
            noise //= 4
        rank = [
            (1 + long) * longest[block] + (1 + large) * largest[block] + int(rng.random() * noise * len(sizes) / 2)
            for block in blocks
        ]
        yield Way(
            order=sorted(blocks, key=rank.__getitem__),
            touching=touching,
            fewest=run % 4 == 1,
            decisions=(300 + len(sizes)) * _luby(run // 16 + 1),
            failures=failures[run % 4],
        )


def _ranks(order: Sequence[int]) -> list[int]:
    ranks = [0] * len(order)
    for rank, block in enumerate(order):
        ranks[block] = rank
    return ranks


def _luby(position: int) -> int:
    """Return a term of the sequence 1, 1, 2, 1, 1, 2, 4, 1, ..., counted from 1."""
    while position & (position + 1):
        position -= (1 << (position.bit_length() - 1)) - 1
    return (position + 1) // 2
