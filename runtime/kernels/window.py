"""Where the taps of a window meet its input, as views: settled once, so that a pass only computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from planner.layers.window import Window
from runtime.kernels.base import Array

KEPT = 4096
"""Taps of which one kernel keeps the views, a few megabytes; where there are more, they are made in each pass."""

T = TypeVar("T", covariant=True)


class Views(Generic[T]):
    """What a pass iterates over: made once where there is little of it, else anew in each pass.

    Parameters
    ----------
    make : callable
        Gives the items.
    count : int
        How many views of taps they come to.

    Examples
    --------
    >>> few, many = Views(lambda: iter("ab"), 2), Views(lambda: iter("ab"), 10**6)
    >>> list(few), list(many), list(many)
    (['a', 'b'], ['a', 'b'], ['a', 'b'])
    """

    def __init__(self, make: Callable[[], Iterable[T]], count: int) -> None:
        self._make = make
        self._items = list(make()) if count <= KEPT else None

    def __iter__(self) -> Iterator[T]:
        return iter(self._make() if self._items is None else self._items)


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
    across = [(j, wide) for j in range(windows[1].kernel) if (wide := reach(windows[1], j, sizes[1], *columns))]
    for i in range(windows[0].kernel):
        high = reach(windows[0], i, sizes[0], *rows)
        if high is not None:
            for j, wide in across:
                yield i, j, high, wide


def channel_tiles(array: Array, step: int) -> list[Array]:
    """Return the array cut along its first axis: (tiles, step, ...), and what is left over, (1, rest, ...), as views.

    All tiles of one shape share the views of their taps: an index is all that a tile adds.

    Examples
    --------
    >>> import numpy as np
    >>> [part.shape for part in channel_tiles(np.zeros((7, 5, 5, 2)), 3)]
    [(2, 3, 5, 5, 2), (1, 1, 5, 5, 2)]
    """
    whole = len(array) // step * step
    parts = [array[:whole].reshape(-1, step, *array.shape[1:], copy=False)] if whole else []
    return [*parts, array[None, whole:]] if whole < len(array) else parts


def reaches(window: Window, size: int, positions: int) -> list[Reach | None]:
    """Return where each tap of a window meets the input over all output positions.

    Examples
    --------
    >>> [tap is not None and (tap.first, tap.last) for tap in reaches(Window(kernel=2, before=1, after=0), 3, 3)]
    [(1, 3), (0, 3)]
    """
    return [reach(window, tap, size, 0, positions) for tap in range(window.kernel)]
