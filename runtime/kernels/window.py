"""Where the taps of a window meet its input, as views: settled once, so that a pass only computes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.layers.window import Window


@dataclass(frozen=True, slots=True)
class Reach:
    """The positions along one axis at which one tap lies inside the input.

    Attributes
    ----------
    first, last : int
        Half-open range of output positions.
    start, step : int
        The input position that the first of them sees, and the distance to the next.
    """

    first: int
    last: int
    start: int
    step: int

    @property
    def seen(self) -> slice:
        """The slice of the input."""
        return slice(self.start, self.start + (self.last - self.first - 1) * self.step + 1, self.step)

    def within(self, first: int) -> slice:
        """Return the slice of output positions, counted from `first`."""
        return slice(self.first - first, self.last - first)


def reach(window: Window, tap: int, size: int, first: int, last: int) -> Reach | None:
    """Return where a tap meets an input of that size, for output positions first to last; None for nowhere.

    Examples
    --------
    >>> reach(Window(kernel=3, before=1, after=1), tap=0, size=5, first=0, last=5)
    Reach(first=1, last=5, start=0, step=1)
    """
    offset = tap * window.dilation - window.before
    low = max(first, -(offset // window.stride))
    high = min(last, (size - 1 - offset) // window.stride + 1)
    return Reach(low, high, low * window.stride + offset, window.stride) if low < high else None


def taps(
    windows: tuple[Window, Window], sizes: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]
) -> Iterator[tuple[int, int, Reach, Reach]]:
    """Yield row and column of each tap that meets the input, with its reach along both axes, in reading order."""
    for i in range(windows[0].kernel):
        high = reach(windows[0], i, sizes[0], *rows)
        for j in range(windows[1].kernel):
            wide = reach(windows[1], j, sizes[1], *columns)
            if high is not None and wide is not None:
                yield i, j, high, wide
