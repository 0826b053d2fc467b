"""The axes of a map: the one, two or three axes after batch and channels.

A map is (N, C, L), (N, C, H, W) or (N, C, D, H, W). Layers are written once for all three: a setting that counts
positions is one number for all axes, or one number for each, and the shape of the input determines how many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final, TypeAlias, TypeVar

import planner.symbols as sy
from planner.conditions import Equal, Requirement
from planner.findings import SettingError
from planner.layers.axes import WORDS
from planner.layers.settings import count
from planner.symbols import Shape, Size

T = TypeVar("T")

LETTERS: Final = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
"""Letters of the axes' sizes."""

MOST: Final = max(LETTERS)
"""Largest number of axes of a map after batch and channels."""

PerAxis: TypeAlias = tuple[Size, ...]
"""One size for all axes, or one for each."""

Padding: TypeAlias = str | tuple[Size, ...]
"""``same``, or positions around the map: one number, one for each axis, or before and after for each axis."""

BOTH_FORMS: Final = "one number, one for each axis ([height, width])"


def rank(shape: Shape) -> int:
    """Return the number of a tensor's map axes; 0 for (N, features).

    Examples
    --------
    >>> rank((1, 3, 224, 224)), rank((8, 40, 101)), rank((8, 10))
    (2, 1, 0)
    """
    return len(shape) - 2


def is_map(shape: Shape) -> bool:
    """Return whether a tensor has map axes.

    Examples
    --------
    >>> is_map((8, 40, 101)), is_map((8, 10))
    (True, False)
    """
    return rank(shape) in LETTERS


def names(shape: Shape) -> tuple[str, ...]:
    """Return the names of the axes of a map; empty for a tensor without a map.

    Examples
    --------
    >>> names((1, 3, 16, 112, 112))
    ('depth', 'height', 'width')
    """
    return WORDS[len(shape)][2:] if is_map(shape) else ()


def letters(shape: Shape) -> tuple[str, ...]:
    """Return a letter for each axis of a tensor, batch and channels included.

    Examples
    --------
    >>> letters((8, 40, 101)), letters((8, 10))
    (('N', 'C', 'L'), ('N', 'C'))
    """
    return ("N", "C", *LETTERS.get(rank(shape), ()))[: len(shape)]


def positions(shape: Shape) -> tuple[str, ...]:
    """Return the name of one position along each axis of a map.

    Examples
    --------
    >>> positions((1, 3, 224, 224)), positions((8, 40, 101))
    (('row', 'column'), ('position',))
    """
    return {1: ("position",), 2: ("row", "column"), 3: ("slab", "row", "column")}.get(rank(shape), ())


def together(words: Sequence[str]) -> str:
    """Join words with commas and "and".

    Examples
    --------
    >>> together(("height", "width")), together(("depth", "height", "width")), together(("length",))
    ('height and width', 'depth, height and width', 'length')
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def per_axis(name: str, value: object, *, minimum: int = 1) -> PerAxis:
    """Return a setting given as one number or as one for each axis.

    Raises
    ------
    SettingError
        As in :func:`planner.layers.settings.count`, or there are more values than a map can have axes.

    Examples
    --------
    >>> per_axis("kernel", 3), per_axis("kernel", [5, 3])
    ((3,), (5, 3))
    """
    given = value if isinstance(value, (list, tuple)) else [value]
    if not 1 <= len(given) <= MOST:
        raise SettingError(name, f"`{name}` takes {BOTH_FORMS}, got {len(given)} values")
    return tuple(count(name, item, minimum=minimum) for item in given)


def along(value: Sequence[T], axes: int) -> tuple[T, ...]:
    """Return one value for each of `axes` axes, or fewer if `value` does not fit, which :func:`fits` reports.

    Examples
    --------
    >>> along((3,), 2), along((5, 3), 2)
    ((3, 3), (5, 3))
    """
    given = tuple(value)
    return (*given, *given[-1:] * (axes - len(given)))[:axes]


def read_padding(name: str, value: object) -> Padding:
    """Return a padding given as a number, one for each axis, before and after for each axis, or ``same``.

    Raises
    ------
    SettingError
        The value is something else.
    """
    if value == "same":
        return "same"
    given = value if isinstance(value, (list, tuple)) else [value]
    if len(given) not in (1, 2, 3, 4, 2 * MOST):
        raise SettingError(
            name,
            f"`{name}` takes one number, [height, width], [top, bottom, left, right] or same; got {len(given)} values",
        )
    return tuple(count(name, side, minimum=0) for side in given)


def sides(pad: Sequence[Size], axes: int) -> tuple[tuple[Size, Size], ...]:
    """Return the padding before and after along each of `axes` axes.

    Examples
    --------
    >>> sides((1,), 2), sides((0, 1, 2, 2), 2), sides((0, 1), 1), sides((2, 1), 2)
    (((1, 1), (1, 1)), ((0, 1), (2, 2)), ((0, 1),), ((2, 2), (1, 1)))
    """
    if len(pad) == 2 * axes:
        return tuple(zip(pad[::2], pad[1::2], strict=True))
    return tuple((size, size) for size in along(pad, axes))


def by(sizes: Iterable[Size]) -> str:
    """Return sizes joined by "x".

    Examples
    --------
    >>> by((28, 28)), by((101,))
    ('28x28', '101')
    """
    return "x".join(map(sy.text, sizes))


def lifted(values: Sequence[T], fill: T) -> tuple[T, T, T]:
    """Return values for one, two or three axes extended to three, so that one kernel handles all.

    Examples
    --------
    >>> lifted((101,), 1), lifted((7, 5), 1)
    ((1, 101, 1), (1, 7, 5))
    """
    if len(values) == 1:
        return fill, values[0], fill
    if len(values) == 2:
        return fill, values[0], values[1]
    return values[0], values[1], values[2]


def between(shape: Shape, output: Shape) -> tuple[tuple[int, ...], ...]:
    """Return the intermediate maps from a shape to another: the last axis changes first (bound shapes only).

    Examples
    --------
    >>> between((1, 21, 16, 16), (1, 21, 32, 64))
    ((1, 21, 16, 64),)
    """
    given, wanted = tuple(map(int, shape)), tuple(map(int, output))
    return tuple((*given[:axis], *wanted[axis:]) for axis in range(len(given) - 1, 2, -1))


def fits(name: str, value: object, shape: Shape, *, both_sides: bool = False) -> Iterable[Requirement]:
    """Yield the requirement (S220) that a setting has one size, or one for each axis of the input.

    With `both_sides`, two sizes for each axis, before and after, are allowed too.
    """
    if not isinstance(value, tuple) or len(value) == 1 or (both_sides and len(value) == 2 * rank(shape)):
        return
    say = partial(_other_axes, name, value, shape, both_sides)
    yield Requirement("S220", Equal(len(value), rank(shape)), say, partial(say, short=True), name)


def _other_axes(name: str, value: tuple[Size, ...], shape: Shape, both_sides: bool, *, short: bool = False) -> str:
    if short:
        return f"{len(value)} sizes for {together(names(shape))}"
    given = f"[{', '.join(str(size) if isinstance(size, float) else sy.text(size) for size in value)}]"
    words = ", ".join(names(shape))
    wanted = f"one number or [{words}]"
    if both_sides:
        ends = ", ".join(["before, after"] if rank(shape) == 1 else [f"two for the {word}" for word in names(shape)])
        wanted = f"one number, [{words}] or [{ends}]"
    return f"`{name}` {given} has {len(value)} sizes, but the input {sy.shape_text(shape)} needs {wanted}"
