"""Shards: parts of one pass that may run side by side, each in workspace of its own.

How many there are follows from the sizes of the pass, not from the machine: what is planned is the same everywhere, and
so is every sum. Plain ints, like :mod:`planner.layers.tiling.workspace`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

SHARDS = 4
"""Most shards of one pass."""

SHARD_ELEMENTS = 2**20
"""Elements of passes over whole maps that are worth a shard: fewer are done before another thread has begun."""

SHARD_WORK = 2**24
"""Multiply-accumulates of products that are worth a shard: a third of a millisecond, where waking takes a tenth."""

SUMMED_ELEMENTS = 2**18
"""The same for passes of many operations, with sums, powers or exponentials: about a millisecond of one thread."""

SUMMED_COLUMNS = 2048
"""Columns that are worth a shard where each works on all rows of some: short parts of rows take longer."""

LINE = 16
"""Workspace of shards begins at multiples of so many elements, so that no two of them write to one cache line."""

T = TypeVar("T")


def shares(total: int, count: int) -> list[tuple[int, int]]:
    """Return the half-open ranges that share `total` positions evenly; fewer than `count` where there are fewer.

    Examples
    --------
    >>> shares(10, 4), shares(2, 4)
    ([(0, 2), (2, 5), (5, 7), (7, 10)], [(0, 1), (1, 2)])
    """
    count = max(1, min(count, total))
    return [(total * index // count, total * (index + 1) // count) for index in range(count)]


def shared(items: Sequence[T], count: int) -> list[Sequence[T]]:
    """Return the items in `count` runs as :func:`shares` cuts them.

    Examples
    --------
    >>> shared("abcde", 2)
    ['ab', 'cde']
    """
    return [items[first:last] for first, last in shares(len(items), count)]


def shards_for(amount: int, worth: int) -> int:
    """Return how many shards an amount of work deserves, where so much is worth one.

    Examples
    --------
    >>> shards_for(10, 100), shards_for(250, 100), shards_for(10**6, 100)
    (1, 2, 4)
    """
    return max(1, min(SHARDS, amount // worth))


def column_shares(rows: int, columns: int) -> list[tuple[int, int]]:
    """Return the ranges of columns that shards have to themselves in a pass of many operations on all rows.

    Examples
    --------
    >>> column_shares(128, 4096), column_shares(10**6, 8)
    ([(0, 2048), (2048, 4096)], [(0, 8)])
    """
    return shares(columns, min(shards_for(rows * columns, SUMMED_ELEMENTS), columns // SUMMED_COLUMNS))


def in_lines(elements: int) -> int:
    """Return the elements rounded up to whole cache lines.

    Examples
    --------
    >>> in_lines(17)
    32
    """
    return -(-elements // LINE) * LINE
