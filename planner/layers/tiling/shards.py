"""Shards: parts of one pass that may run in parallel, each with its own workspace.

Their number depends on the sizes of the pass, not on the machine, so that plans and sums are the same on every machine.
Plain ints, as in :mod:`planner.layers.tiling.workspace`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

SHARDS = 4
"""Largest number of shards of one pass."""

SHARD_ELEMENTS = 2**20
"""Smallest number of elements worth a shard in passes over whole maps: fewer are done before a thread has started."""

SHARD_WORK = 2**24
"""Smallest number of multiply-accumulates worth a shard: a third of a millisecond; waking a thread takes a tenth."""

SUMMED_ELEMENTS = 2**18
"""Elements worth a shard in passes of many operations, with sums, powers or exponentials: about 1 ms of a thread."""

SUMMED_COLUMNS = 2048
"""Smallest number of columns worth a shard if shards split columns: short parts of rows take longer."""

LINE = 16
"""Alignment of shards' workspace in elements, so that no two shards write to one cache line."""

T = TypeVar("T")


def shares(total: int, count: int) -> list[tuple[int, int]]:
    """Return half-open ranges that split `total` positions evenly: `count` of them, or `total` if that is fewer.

    Examples
    --------
    >>> shares(10, 4), shares(2, 4)
    ([(0, 2), (2, 5), (5, 7), (7, 10)], [(0, 1), (1, 2)])
    """
    count = max(1, min(count, total))
    return [(total * index // count, total * (index + 1) // count) for index in range(count)]


def shared(items: Sequence[T], count: int) -> list[Sequence[T]]:
    """Return the items in `count` runs, split as by :func:`shares`.

    Examples
    --------
    >>> shared("abcde", 2)
    ['ab', 'cde']
    """
    return [items[first:last] for first, last in shares(len(items), count)]


def shards_for(amount: int, worth: int) -> int:
    """Return the number of shards for an amount of work, if an amount of `worth` is worth one shard.

    Examples
    --------
    >>> shards_for(10, 100), shards_for(250, 100), shards_for(10**6, 100)
    (1, 2, 4)
    """
    return max(1, min(SHARDS, amount // worth))


def column_shares(rows: int, columns: int) -> list[tuple[int, int]]:
    """Return the range of columns of each shard in a pass of many operations on all rows.

    Examples
    --------
    >>> column_shares(128, 4096), column_shares(10**6, 8)
    ([(0, 2048), (2048, 4096)], [(0, 8)])
    """
    return shares(columns, min(shards_for(rows * columns, SUMMED_ELEMENTS), columns // SUMMED_COLUMNS))


def in_lines(elements: int) -> int:
    """Return a number of elements rounded up to whole cache lines.

    Examples
    --------
    >>> in_lines(17)
    32
    """
    return -(-elements // LINE) * LINE
