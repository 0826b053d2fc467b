"""Exact search for an arrangement of blocks within a capacity: a skyline that grows from the bottom of memory.

This module only works with sizes in bytes and steps. Memory below the skyline is settled; a *valley* is a run of
moments at one height between higher ones. In an arrangement in which no block can sink, there are two cases for the
lowest unsettled block of a moment in a valley. Either it rests on the bottom of the valley and lives within it, or
nothing rests there and the moment loses at least the bytes of the smallest block that its next block could rest on. The
search branches over these choices and backtracks when a moment has lost more than it had to spare.

Three ideas come from MiniMalloc (Moffitt, *MiniMalloc: A Lightweight Memory Allocator for Hardware-Accelerated Machine
Learning*, ASPLOS 2023): arrangements in which no block can sink, heights inferred moment by moment, and a separate
search for parts that no block connects. Moments with failures get more weight in later decisions (Boussemart
et al., *Boosting systematic search by weighting constraints*, ECAI 2004).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""First and last step, both included."""

Part: TypeAlias = tuple[int, int, int]
"""First moment, end (excluded), and the bit mask of the unsettled blocks in between."""

HIGHEST = 1 << 62
"""Height of the walls at both ends of a part, and of the floor of a moment with no blocks left."""


class LimitReached(Exception):
    """The search exceeded its limits without a result."""


@dataclass
class Budget:
    """Remaining work, in looks at a moment: unlike seconds, the same on every machine."""

    looks: int


@dataclass(frozen=True)
class Way:
    """The strategy of one search; every strategy ends with an arrangement or a proof that there is none.

    Attributes
    ----------
    order : sequence of int
        The blocks, in the order in which to try them.
    touching : bool
        Whether to try first the blocks that touch the walls of the valley, above all those that end level with them;
        otherwise only the given order counts.
    fewest : bool
        Whether to decide where there are the fewest choices; otherwise spare bytes and past failures count too.
    decisions : int
        Number of decisions after which the search is given up.
    failures : list of int
        How often searches that share the list failed at each moment; updated by the search.
    """

    order: Sequence[int]
    touching: bool
    fewest: bool
    decisions: int
    failures: list[int]


@dataclass(frozen=True, slots=True)
class _Choice:
    """The blocks that may rest on the bottom of a valley at one moment; no choices are a failure."""

    moment: int
    height: int
    blocks: int
    """As a bit mask."""
    raised: int | None
    """The moment's floor if no block rests there; None if that is above the capacity."""

    @property
    def ways(self) -> int:
        return self.blocks.bit_count() + (self.raised is not None)


class Moments:
    """The moments at which blocks meet, shared by all searches.

    Moments are the steps at which the set of live blocks is not a subset of a neighbour's.

    Parameters
    ----------
    sizes : sequence of int
        Bytes.
    spans : sequence of sequence of Span
        Lifetime of each block, in order of time; several spans share one offset.

    Attributes
    ----------
    count : int
    sizes : tuple of int
    spans : tuple of tuple of Span
        Half-open, in moments; spans that share all their moments with another span of the block may be missing.

    Examples
    --------
    >>> Moments([64, 64, 64], [[(0, 1)], [(1, 2)], [(5, 6)]]).spans
    (((0, 1),), ((0, 1),), ((1, 2),))
    """

    def __init__(self, sizes: Sequence[int], spans: Sequence[Sequence[Span]]) -> None:
        begins = {first for block in spans for first, _ in block}
        ends = {last for block in spans for _, last in block}
        steps: list[int] = []
        begun: int | None = None
        for step in sorted(begins | ends):
            begun = step if step in begins else begun
            if step in ends and begun is not None:
                steps.append(begun)
                begun = None
        self.count = len(steps)
        self.sizes = tuple(sizes)
        self.spans = tuple(
            tuple(
                (low, high)
                for first, last in block
                if (low := bisect_left(steps, first)) < (high := bisect_right(steps, last))
            )
            for block in spans
        )


class Skyline:
    """One search for an arrangement within a capacity.

    Parameters
    ----------
    moments : Moments
    capacity : int
        In bytes; the living blocks of no moment exceed it.
    way : Way
    budget : Budget
        Shared with other searches.

    Raises
    ------
    LimitReached

    Examples
    --------
    >>> moments = Moments([64, 128, 64], [[(0, 1)], [(1, 2)], [(2, 3)]])
    >>> way = Way((1, 0, 2), touching=True, fewest=True, decisions=100, failures=[0] * moments.count)
    >>> Skyline(moments, 192, way, Budget(1000)).offsets()
    [128, 0, 128]
    """

    def __init__(self, moments: Moments, capacity: int, way: Way, budget: Budget) -> None:
        self._capacity, self._way, self._budget, self._decisions = capacity, way, budget, 0
        self._grain = capacity // 512 + 1
        self._sizes = [moments.sizes[block] for block in way.order]
        self._spans = [moments.spans[block] for block in way.order]
        self._by_size = sorted((size, 1 << bit) for bit, size in enumerate(self._sizes))
        count = moments.count
        self._floor, self._left = [0] * count, [0] * count  # settled height; bytes of the unsettled living blocks
        self._alive, self._across = [0] * count, [0] * count  # blocks alive then; alive before, and then or later
        self._begins, self._ends = [0] * (count + 1), [0] * (count + 1)  # begin then or later; ended by then
        self._split = 0  # blocks with several spans
        self._equals = [0] * len(self._sizes)  # identical blocks earlier in the order
        self._offsets = [0] * len(self._sizes)
        self._failed: set[tuple[int, tuple[int, ...]]] = set()
        self._index()

    def _index(self) -> None:
        """Index the lifetimes of the blocks; raise LimitReached if that exceeds the remaining work."""
        self._budget.looks -= sum(high - low for spans in self._spans for low, high in spans)
        if self._budget.looks < 0:
            raise LimitReached
        same: dict[object, int] = {}
        for bit, (size, spans) in enumerate(zip(self._sizes, self._spans, strict=True)):
            mask = 1 << bit
            self._equals[bit] = same.get((size, spans), 0)
            same[size, spans] = self._equals[bit] | mask
            if len(spans) > 1:
                self._split |= mask
            for low, high in spans:
                for moment in range(low, high):
                    self._alive[moment] |= mask
                    self._left[moment] += size
            begin, end = spans[0][0], spans[-1][1]
            for moment in range(begin + 1, end):
                self._across[moment] |= mask
            self._begins[begin] |= mask
            self._ends[end] |= mask
        for moment in range(len(self._floor)):
            self._ends[moment + 1] |= self._ends[moment]
        for moment in reversed(range(len(self._floor))):
            self._begins[moment] |= self._begins[moment + 1]

    def offsets(self) -> list[int] | None:
        """Return an offset for each block; None if no arrangement fits the capacity.

        Raises
        ------
        LimitReached
        """
        everything = (1 << len(self._sizes)) - 1
        # generators on an explicit stack: a search goes deeper than Python's recursion limit
        stack, answer = [self._every((0, len(self._floor), everything))], None
        while stack:
            try:
                part = stack[-1].send(answer)
            except StopIteration as stopped:
                stack.pop()
                answer = stopped.value
            else:
                stack.append(self._one(part))
                answer = None
        if not answer:
            return None
        found = [0] * len(self._sizes)
        for bit, block in enumerate(self._way.order):
            found[block] = self._offsets[bit]
        return found

    def _every(self, part: Part) -> Generator[Part, bool | None, bool]:
        """Settle a range of moments; parts that no unsettled block connects are settled separately."""
        low, high, _ = part
        parts = sorted(self._parts(part), key=lambda one: one[2].bit_count())
        before = (self._floor[low:high], self._left[low:high]) if len(parts) > 1 else None
        for one in parts:
            if not (yield one):
                if before:
                    self._floor[low:high], self._left[low:high] = before
                return False
        return True

    def _parts(self, part: Part) -> Iterator[Part]:
        low, high, blocks = part
        while low < high:
            end = low + 1
            while end < high and self._across[end] & blocks:
                end += 1
            mine = blocks & self._begins[low] & self._ends[end]
            if mine:
                yield low, end, mine
            low = end

    def _one(self, part: Part) -> Generator[Part, bool | None, bool]:
        """Settle one part; on failure, restore the state."""
        low, high, blocks = part
        before = self._floor[low:high]
        choice = self._choice(part)
        if choice is None:
            return True
        bits = list(_bits(choice.blocks))
        if self._way.touching:
            bits.sort(key=lambda bit: self._apart(bit, part))
        free, state = choice.ways > 1, (blocks, tuple(self._floor[low:high]))
        if free:
            self._decisions += 1
            if self._decisions > self._way.decisions:
                raise LimitReached
        if not (free and state in self._failed):
            for bit in bits:
                if self._equals[bit] & blocks:
                    continue
                self._offsets[bit] = choice.height
                self._fill(bit, choice.height + self._sizes[bit], -self._sizes[bit])
                if (yield from self._every((low, high, blocks & ~(1 << bit)))):
                    return True
                self._fill(bit, choice.height, self._sizes[bit])
            if choice.raised is not None:
                self._floor[choice.moment] = choice.raised
                if (yield from self._every(part)):
                    return True
        if free:
            self._failed.add(state)
        self._floor[low:high] = before
        return False

    def _apart(self, bit: int, part: Part) -> int:
        """Return 0 for a block between two walls of its own height, up to 4 for a block between none."""
        height = self._floor[self._spans[bit][0][0]]
        top, apart = height + self._sizes[bit], 4
        begin, end = self._spans[bit][0][0], self._spans[bit][-1][1]
        for wall in (begin - 1, end):
            neighbour = self._floor[wall] if part[0] <= wall < part[1] else HIGHEST
            apart -= (neighbour > height) + (neighbour == top)
        return apart

    def _fill(self, bit: int, height: int, change: int) -> None:
        """Set the floor of a block's moments to a height, and change the remaining bytes there."""
        for low, high in self._spans[bit]:
            for moment in range(low, high):
                self._floor[moment] = height
                self._left[moment] += change

    def _choice(self, part: Part) -> _Choice | None:
        """Raise the floor where no block can rest on it, and return the best decision; None if none is left."""
        low, high, blocks = part
        lowest = bool(blocks & self._split)
        while True:
            self._budget.looks -= high - low
            if self._budget.looks < 0:
                raise LimitReached
            best, least, changed = None, 0.0, False
            for start, end, height, wall in self._valleys(part, lowest):
                inside = blocks & self._begins[start] & self._ends[end]
                if inside & self._split:
                    inside = self._resting(inside, height)
                for moment in range(start, end):
                    here = self._alive[moment] & blocks
                    if not here:
                        self._floor[moment], changed = HIGHEST, True
                        continue
                    most = self._capacity - self._left[moment]
                    raised = self._raised(here, inside, blocks, height, wall, most)
                    ready = here & inside
                    if not ready and raised is not None:
                        self._floor[moment], changed = raised, True
                        continue
                    ways = ready.bit_count() + (raised is not None)
                    if ways < 2:
                        self._way.failures[moment] += not ways
                        return _Choice(moment, height, ready, raised)
                    spare = most - height
                    score = ways + spare / self._capacity
                    if not (lowest or self._way.fewest):
                        score = ways * (spare + self._grain) / (1 + self._way.failures[moment])
                    if best is None or score < least:
                        best, least = _Choice(moment, height, ready, raised), score
            if not changed:
                return best

    def _valleys(self, part: Part, lowest: bool) -> Iterator[tuple[int, int, int, int]]:
        """Yield each valley: first moment, end (excluded), height, and the height of its lower wall.

        With `lowest`, yield only the valleys of the least height, with the next height of any moment as the wall.
        """
        low, high, _ = part
        heights = self._floor[low:high]
        floor = min(heights)
        above = min((height for height in heights if height > floor), default=HIGHEST) if lowest else 0
        start = 0
        while start < len(heights):
            height, end = heights[start], start + 1
            while end < len(heights) and heights[end] == height:
                end += 1
            left = heights[start - 1] if start else HIGHEST
            right = heights[end] if end < len(heights) else HIGHEST
            if height < HIGHEST and left > height < right and not (lowest and height > floor):
                yield low + start, low + end, height, above or min(left, right)
            start = end

    def _resting(self, blocks: int, height: int) -> int:
        """Return the blocks with the floor at one height in all their spans."""
        found = blocks
        for bit in _bits(blocks & self._split):
            if any(self._floor[moment] != height for low, high in self._spans[bit] for moment in range(low, high)):
                found &= ~(1 << bit)
        return found

    def _raised(self, here: int, inside: int, blocks: int, height: int, wall: int, most: int) -> int | None:
        """Return the lowest floor of a moment if no block rests on the current one; None if that is above `most`.

        Its next block rests on one that does not live then, or on a settled block outside the valley.
        """
        if height >= most:
            return None
        outside = wall
        if not here & ~inside:
            outside = wall + self._smallest(blocks & ~inside & ~here, most - wall)
        ready = here & inside
        if not ready:
            return outside if outside <= most else None
        split = blocks & self._split
        found = min(outside, height + self._smallest((blocks if split else inside) & ~here, most - height))
        return found if found <= most else None

    def _smallest(self, blocks: int, most: int) -> int:
        """Return the size of the smallest of the blocks; :data:`HIGHEST` if none has at most `most` bytes."""
        for size, mask in self._by_size:
            if size > most:
                break
            if mask & blocks:
                return size
        return HIGHEST


def _bits(mask: int) -> Iterator[int]:
    while mask:
        bit = mask & -mask
        yield bit.bit_length() - 1
        mask ^= bit
