"""Queries for the placed blocks in a range of steps, without a scan of all blocks.

This module only works with steps, offsets and sizes in bytes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence

Span = tuple[int, int]
"""First and last step, both included."""

Stretch = tuple[int, int]
"""Offset and end of a placed block, in bytes."""


class Floor:
    """The height up to which memory is full without a gap, for each step.

    A block on a level part of the floor becomes part of the floor: any number of values with nested lifetimes, as in a
    training step, reduces to one number per step.

    Parameters
    ----------
    steps : int

    Examples
    --------
    >>> floor = Floor(10)
    >>> floor.raised((2, 7), 64), floor.raised((3, 4), 32), floor.height((0, 9))
    (True, True, 96)
    >>> floor.raised((0, 9), 8), floor.looked
    (False, 12)
    """

    def __init__(self, steps: int) -> None:
        self._starts = [0, steps]
        self._heights = [0, 0]
        self.looked = 0
        """Number of heights read so far, which measures the work."""

    def height(self, span: Span) -> int:
        """Return the maximum height in the span."""
        low, high = self._pieces(span)
        return max(self._heights[low:high])

    def raised(self, span: Span, size: int) -> bool:
        """Raise the floor by `size` if the span is level, and return whether it is."""
        low, high = self._pieces(span)
        height = self._heights[low]
        if any(other != height for other in self._heights[low + 1 : high]):
            return False
        first, stop = span[0], span[1] + 1
        starts, heights = [first], [height + size]
        if self._starts[low] < first:
            starts.insert(0, self._starts[low])
            heights.insert(0, height)
        if stop < self._starts[high]:
            starts.append(stop)
            heights.append(height)
        self._starts[low:high], self._heights[low:high] = starts, heights
        return True

    def _pieces(self, span: Span) -> Span:
        """Return the half-open range of pieces the span touches."""
        low, high = bisect_right(self._starts, span[0]) - 1, bisect_left(self._starts, span[1] + 1)
        self.looked += high - low
        return low, high


class Meetings:
    """Placed blocks by the steps they live in.

    Examples
    --------
    >>> meetings = Meetings(10)
    >>> meetings.add((2, 7), (0, 64))
    >>> meetings.add((8, 9), (64, 128))
    >>> list(meetings.met((3, 4))), list(meetings.met((7, 8))), list(meetings.met((0, 1)))
    ([(0, 64)], [(0, 64), (64, 128)], [])
    """

    def __init__(self, steps: int) -> None:
        self._size = 1 << max(steps - 1, 0).bit_length()
        self._nodes: dict[int, list[Stretch]] = {}  # binary tree over the steps; node i has children 2i and 2i+1
        self._begun: list[tuple[int, Stretch]] = []

    def add(self, span: Span, stretch: Stretch) -> None:
        """Add a block that lives in the span."""
        insort(self._begun, (span[0], stretch))
        low, high = span[0] + self._size, span[1] + self._size + 1
        while low < high:
            if low & 1:
                self._nodes.setdefault(low, []).append(stretch)
                low += 1
            if high & 1:
                high -= 1
                self._nodes.setdefault(high, []).append(stretch)
            low, high = low // 2, high // 2

    def met(self, span: Span) -> Iterator[Stretch]:
        """Yield the blocks alive in any step of the span: those alive at its first step, and those that begin later."""
        node = span[0] + self._size
        while node:
            yield from self._nodes.get(node, ())
            node //= 2
        low = bisect_left(self._begun, (span[0] + 1,))
        high = bisect_left(self._begun, (span[1] + 1,), low)
        for _, stretch in self._begun[low:high]:
            yield stretch


def best_gap(size: int, floor: int, taken: Sequence[Stretch]) -> int:
    """Return the offset for `size` bytes above the floor: the smallest sufficient gap, or the end.

    Parameters
    ----------
    size, floor : int
        Bytes.
    taken : sequence of Stretch
        In order of their offsets; they may overlap.

    Examples
    --------
    >>> best_gap(64, 0, [(0, 64), (256, 320), (384, 448)]), best_gap(512, 0, [(0, 64)])
    (320, 64)
    """
    end, found, smallest = floor, -1, None
    for start, stop in taken:
        if start - end >= size and (smallest is None or start - end < smallest):
            found, smallest = end, start - end
        if stop > end:
            end = stop
    return end if found < 0 else found
