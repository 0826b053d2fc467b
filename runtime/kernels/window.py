"""The parts of the input that each tap of a window sees, as views that are created once, before any pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from planner.layers.spatial import lifted
from planner.layers.window import Window
from runtime.kernels.base import Array, flat

KEPT = 4096
"""Maximum number of taps for which a kernel keeps the views, a few megabytes; more are recreated in each pass."""

T = TypeVar("T", covariant=True)

Number = TypeVar("Number", bound=np.generic)

Windows: TypeAlias = tuple[Window, Window, Window]
"""Windows along depth, height and width."""

Place: TypeAlias = tuple[int, int, int]
"""A tap inside its window."""

Span: TypeAlias = tuple[int, int]
"""A half-open range of positions."""


class Views(Generic[T]):
    """The items that a pass iterates over: created once if there are few, otherwise in each pass.

    Parameters
    ----------
    make : callable
        Returns the items.
    count : int
        Number of taps with views in all items.

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
        Input position that the first output position sees, and the distance to the next one.
    """

    first: int
    last: int
    start: int
    step: int

    @property
    def seen(self) -> slice:
        """The positions of the input, as a slice."""
        return slice(self.start, self.start + (self.last - self.first - 1) * self.step + 1, self.step)

    def within(self, first: int) -> slice:
        """Return the output positions as a slice, counted from `first`."""
        return slice(self.first - first, self.last - first)


def reach(window: Window, tap: int, size: int, first: int, last: int) -> Reach | None:
    """Return where a tap is inside an input of that size, for output positions first to last; None if nowhere.

    Examples
    --------
    >>> reach(Window(kernel=3, before=1, after=1), tap=0, size=5, first=0, last=5)
    Reach(first=1, last=5, start=0, step=1)
    """
    offset = tap * window.dilation - window.before
    low = max(first, -(offset // window.stride))
    high = min(last, (size - 1 - offset) // window.stride + 1)
    return Reach(low, high, low * window.stride + offset, window.stride) if low < high else None


Sight: TypeAlias = tuple[Reach, Reach, Reach]
"""The reach of a tap along depth, height and width."""


def volume(array: Array) -> Array:
    """Return a map (C, sizes, N) of one, two or three axes as a view (C, D, H, W, N).

    Examples
    --------
    >>> import numpy as np
    >>> volume(np.zeros((40, 101, 8))).shape
    (40, 1, 101, 1, 8)
    """
    return flat(array, array.shape[0], *lifted(array.shape[1:-1], 1), array.shape[-1])


def over_volume(windows: Sequence[Window]) -> Windows:
    """Return windows along one to three axes as windows of a volume, with size 1 along missing axes."""
    return lifted(windows, Window(kernel=1))


def taps(windows: Windows, sizes: Sequence[int], spans: Sequence[Span]) -> Iterator[tuple[Place, Sight]]:
    """Yield each tap that sees the input, as its place in the window and its reach along all axes, in reading order.

    Parameters
    ----------
    windows : tuple of Window
    sizes : sequence of int
        Sizes of the input.
    spans : sequence of (int, int)
        Ranges of output positions.
    """
    axes = zip(windows, sizes, spans, strict=True)
    found = [
        [(tap, seen) for tap in range(window.kernel) if (seen := reach(window, tap, size, *span))]
        for window, size, span in axes
    ]
    for deep, high, wide in product(*found):
        yield (deep[0], high[0], wide[0]), (deep[1], high[1], wide[1])


def channel_tiles(array: NDArray[Number], step: int) -> list[NDArray[Number]]:
    """Cut an array along its first axis into views (tiles, step, ...) and, for the remainder, (1, rest, ...).

    All tiles of one shape share the views of their taps; a tile adds only an index.

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
    """Return the reach of each tap of a window over all output positions.

    Examples
    --------
    >>> [tap is not None and (tap.first, tap.last) for tap in reaches(Window(kernel=2, before=1, after=0), 3, 3)]
    [(1, 3), (0, 3)]
    """
    return [reach(window, tap, size, 0, positions) for tap in range(window.kernel)]
