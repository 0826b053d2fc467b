"""Placement of memory requests in an arena: (bytes, first, last) -> offset.

This module is independent of layers. No arrangement is guaranteed to be minimal (the problem is
NP-hard); every arrangement has a lower bound next to its size, and states whether it is provably minimal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from types import MappingProxyType

from planner.memory.occupancy import Floor, Meetings, best_gap
from planner.memory.requests import Key, Role, Timeline
from planner.memory.search import search

ALIGNMENT = 64
"""Bytes; offsets and sizes are multiples of a cache line, which is also the widest vector register."""

MOST_LOOKS = 3_000_000
"""Number of looks at placed blocks after which any order but the first is given up: about a second."""

SEARCH_LOOKS = 100_000
"""Work that a plan spends on a search if no order meets the lower bound: below a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Block:
    """A range of the arena's bytes during a range of steps.

    Attributes
    ----------
    name : str
        The node that fills it; if several nodes fill it in turn, the first of them.
    role : Role
    bytes : int
        A multiple of 64, at least the size of its arrays.
    first, last : int
        First and last step, both included.
    offset : int
        Bytes from the beginning of the arena, a multiple of 64.
    """

    name: str
    role: Role
    bytes: int
    first: int
    last: int
    offset: int


@dataclass(frozen=True)
class Arena:
    """One piece of memory for a whole inference pass or training step.

    Attributes
    ----------
    bytes : int
        Size; a multiple of 64.
    lower_bound : int
        Bytes that no arrangement can go below: the largest sum of blocks alive in one step.
    proved : bool
        Whether this arrangement is provably minimal: it meets the lower bound, or a search was exhaustive.
    blocks : tuple of Block
        In order of their first step; a request of several spans appears once for each.
    places : mapping of Key to Block
        The block of each key; several keys may share a block.
    steps : int
    backward : tuple of str
        The nodes with a backward pass, in that order; empty for inference.
    starts : mapping of Key to int
        Offset within the block in bytes, at the planned batch, of arrays that do not begin at its beginning: an input
        inside its concat's output, and its gradient. It is proportional to the batch: smaller for a smaller batch.
    """

    bytes: int
    lower_bound: int
    blocks: tuple[Block, ...]
    places: Mapping[Key, Block]
    steps: int
    backward: tuple[str, ...]
    starts: Mapping[Key, int] = field(default_factory=lambda: MappingProxyType({}))
    proved: bool = False

    def live(self) -> tuple[int, ...]:
        """Return the number of bytes in use in each step.

        Examples
        --------
        >>> from planner.memory import Request
        >>> request = Request("x", "value", 100, ((0, 1),), (("value", "x", 0),))
        >>> arrange(Timeline((request,), 3, ())).live()
        (128, 128, 0)
        """
        return _live(((block.bytes, (block.first, block.last)) for block in self.blocks), self.steps)


def arrange(timeline: Timeline, *, looks: int = SEARCH_LOOKS, enough: int = 0) -> Arena:
    """Return an arena in which no two requests alive in one step overlap.

    The algorithm is greedy: it places the requests one after the other. Each goes into the smallest sufficient gap
    between the placed requests with overlapping lifetimes, or after the last of them. The first order is longest-lived
    first. If that misses the lower bound, three other orders are tried: largest first, by the time between first and
    last step, and in order of time; the smallest of the four arrangements is returned. The first order takes linear
    time in the number of requests if long lifetimes are nested, as in training; the others are given up after
    :data:`MOST_LOOKS`.

    Source: Pisarchyk, Lee, *Efficient Memory Management for Deep Neural Net Inference*, arXiv:2001.03288,
    algorithm 3 (greedy by size).

    Examples
    --------
    >>> from planner.memory import Request
    >>> requests = [Request(n, "value", b, ((f, l),), (("value", n, 0),)) for n, b, f, l in
    ...             [("a", 640, 0, 1), ("b", 64, 1, 2), ("c", 640, 2, 3)]]
    >>> arena = arrange(Timeline(tuple(requests), 4, ()))
    >>> arena.bytes, arena.lower_bound, [block.offset for block in arena.blocks]
    (704, 704, [0, 640, 0])
    """
    requests = timeline.requests
    sizes = [-(-request.bytes // ALIGNMENT) * ALIGNMENT for request in requests]
    spans = ((size, span) for size, request in zip(sizes, requests, strict=True) for span in request.spans)
    bound = max(_live(spans, timeline.steps), default=0)

    begun = [request.spans[0][0] for request in requests]
    lives = [sum(last - first + 1 for first, last in request.spans) for request in requests]
    orders: tuple[Callable[[int], tuple[int, ...]], ...] = (
        lambda i: (-lives[i], -sizes[i], begun[i]),
        lambda i: (-sizes[i], begun[i]),
        lambda i: (begun[i] - requests[i].spans[-1][1], -sizes[i]),
        lambda i: (begun[i], -sizes[i]),
    )
    best: tuple[int, list[int]] | None = None
    for order in orders:
        most = None if best is None else MOST_LOOKS
        placed = _place(sorted(range(len(requests)), key=order), sizes, timeline, most)
        if placed is None:
            continue
        end = _end(placed, sizes)
        if best is None or end < best[0]:
            best = end, placed
        if end == bound:
            break
    assert best is not None
    total, offsets = best
    least = bound
    if total > max(bound, enough) and looks:
        spans_of = [request.spans for request in requests]
        found = search(sizes, spans_of, total=total, least=bound, looks=looks, enough=enough)
        least = found.least
        if found.offsets is not None:
            offsets = found.offsets
            total = _end(offsets, sizes)
    return replace(_arena(timeline, sizes, offsets, total, bound), proved=total <= least)


def _place(order: Sequence[int], sizes: Sequence[int], timeline: Timeline, looks: int | None) -> list[int] | None:
    """Return an offset for each request, or None if that takes more than `looks` looks at placed requests."""
    offsets = [0] * len(sizes)
    floor, above, looked = Floor(timeline.steps), Meetings(timeline.steps), 0
    for item in order:
        size, spans = sizes[item], timeline.requests[item].spans
        ground = max(map(floor.height, spans))
        # a block met in several spans is listed several times, which changes no gap
        taken = sorted(stretch for span in spans for stretch in above.met(span))
        offset = offsets[item] = best_gap(size, ground, taken)
        if offset > ground or len(spans) > 1 or not floor.raised(spans[0], size):
            for span in spans:
                above.add(span, (offset, offset + size))
        looked += len(taken)
        if looks is not None and looked + floor.looked > looks:
            return None
    return offsets


def _end(offsets: Sequence[int], sizes: Sequence[int]) -> int:
    return max((offset + size for offset, size in zip(offsets, sizes, strict=True)), default=0)


def _arena(timeline: Timeline, sizes: list[int], offsets: list[int], total: int, bound: int) -> Arena:
    blocks: list[Block] = []
    places: dict[Key, Block] = {}
    starts: dict[Key, int] = {}
    for request, size, offset in zip(timeline.requests, sizes, offsets, strict=True):
        mine = [Block(request.name, request.role, size, first, last, offset) for first, last in request.spans]
        blocks += mine
        places.update(dict.fromkeys(request.keys, mine[0]))
        starts.update(request.starts)
    blocks.sort(key=lambda block: (block.first, block.offset))
    shared = MappingProxyType(places), timeline.steps, timeline.backward, MappingProxyType(starts)
    return Arena(total, bound, tuple(blocks), *shared)


def _live(spans: Iterable[tuple[int, tuple[int, int]]], steps: int) -> tuple[int, ...]:
    change = [0] * (steps + 1)
    for size, (first, last) in spans:
        change[first] += size
        change[last + 1] -= size
    return tuple(accumulate(change[:steps]))
