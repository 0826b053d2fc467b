"""Search for an arrangement smaller than a greedy one, with restarts and a portfolio of strategies, bounded by work.

This module only works with sizes in bytes and steps; :mod:`planner.memory.skyline` is a single search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import gcd
from random import Random

from planner.memory.skyline import Budget, LimitReached, Moments, Skyline, Span, Way

WEIGHT = 64
"""Resolution of the weights with which an order mixes properties of the blocks."""


@dataclass(frozen=True)
class Found:
    """Result of a search.

    Attributes
    ----------
    offsets : list of int or None
        Of an arrangement smaller than the given one; None if none was found.
    least : int
        Bytes; provably, no arrangement has fewer.
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
    """Return an arrangement smaller than `total` bytes, and a proven lower bound.

    The lower bound is tried with half of the work, then capacities half-way between the largest one not known to be
    possible and the smallest known one. A search that does not end soon restarts with another order of blocks:
    searches that end at all mostly end quickly (Gomes et al., *Heavy-tailed phenomena in satisfiability and constraint
    satisfaction problems*, J. Autom. Reasoning 24, 2000), and the limits follow Luby, Sinclair and Zuckerman (*Optimal
    speedup of Las Vegas algorithms*, 1993). Orders are drawn from a seeded generator: the same blocks give the same
    arrangement.

    Parameters
    ----------
    sizes : sequence of int
        Bytes.
    spans : sequence of sequence of Span
        Lifetime of each block, in order of time; several spans share one offset.
    total, least : int
        Bytes of a known arrangement, and a lower bound.
    looks : int
        Largest amount of work: one look reads the floor of one moment once, about half a microsecond.
    enough : int
        Bytes that are small enough: the search stops there.

    Examples
    --------
    >>> search([64, 64, 128], [[(0, 1)], [(2, 3)], [(1, 2)]], total=256, least=192, looks=1000)
    Found(offsets=[128, 128, 0], least=192)
    """
    moments = Moments(sizes, spans)
    ways = _ways(moments, spans)
    grain = gcd(*sizes)  # if no block can sink, every offset is a sum of sizes
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
    """Return offsets within a capacity; None if there are none.

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
    """Yield search strategies endlessly: long and large blocks first, with varying weights."""
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
    """Return a term of the Luby sequence 1, 1, 2, 1, 1, 2, 4, 1, ..., counted from 1."""
    while position & (position + 1):
        position -= (1 << (position.bit_length() - 1)) - 1
    return (position + 1) // 2
