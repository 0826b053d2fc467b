"""The axes of a tensor by number and by name: 0 is the batch, 1 the channels, and the axes of the map follow.

Numbers are those of PyTorch; a negative one counts from the end. No layer works along the batch: images never mix.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

import planner.symbols as sy
from planner.conditions import AtLeast, Equal, Requirement
from planner.findings import SettingError
from planner.symbols import Shape
from planner.wording import plural

WORDS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        2: ("batch", "features"),
        3: ("batch", "channels", "length"),
        4: ("batch", "channels", "height", "width"),
        5: ("batch", "channels", "depth", "height", "width"),
    }
)
"""Names of a tensor's axes, by the number of axes."""

FURTHEST = 8
"""Largest number of an axis of any tensor, counted from either end."""


def axis(name: str, value: object) -> int:
    """Return a setting that is the number of an axis.

    Raises
    ------
    SettingError
        The value is not a whole number, is the batch, or exceeds the axes of any tensor.

    Examples
    --------
    >>> axis("axis", -1)
    -1
    """
    found = sy.whole(sy.constant(value) if isinstance(value, sy.Size) else value)
    if found is None:
        raise SettingError(
            name, f"`{name}` must be a whole number, got {value!r}", "1 is the channels, -1 the last axis"
        )
    if found == 0:
        raise SettingError(name, f"`{name}` cannot be 0, the batch: images never mix", "1 is the channels, 2 the rows")
    if abs(found) > FURTHEST:
        raise SettingError(name, f"`{name}` is {found}, but no tensor has that many axes")
    return found


def position(number: int, rank: int) -> int:
    """Return the position, counted from 0, of an axis in a tensor of `rank` axes.

    Examples
    --------
    >>> position(1, 4), position(-1, 4)
    (1, 3)
    """
    return number if number > 0 else rank + number


def word(rank: int, place: int) -> str:
    """Return the name of an axis.

    Examples
    --------
    >>> word(4, 2), word(2, 1), word(7, 6)
    ('height', 'features', 'axis 6')
    """
    return WORDS[rank][place] if rank in WORDS else f"axis {place}"


def sized(shape: Shape, place: int) -> str:
    """Return the size of one axis in words.

    Examples
    --------
    >>> sized((8, 116, 28, 28), 1), sized((8, 116, 28, 28), 2), sized((8, 1), 1)
    ('116 channels', 'height 28', '1 feature')
    """
    name, size = word(len(shape), place), shape[place]
    return plural(size, name[:-1]) if name.endswith("s") else f"{name} {sy.text(size)}"


def same_axes(inputs: tuple[Shape, ...], place: int) -> Requirement:
    """Return the requirement (S202) that an input has as many axes as the first."""
    say = partial(difference, inputs, 0, place)
    return Requirement("S202", Equal(len(inputs[0]), len(inputs[place])), say, partial(say, short=True), "from")


def difference(
    inputs: tuple[Shape, ...], left: int, right: int, axis: int | None = None, *, short: bool = False
) -> str:
    """Describe how two inputs differ, along one axis or in their number of axes.

    Examples
    --------
    >>> difference(((8, 4, 5, 5), (8, 3, 5, 5)), 0, 1, 1, short=True)
    'channels 4 and 3'
    """
    one, other = inputs[left], inputs[right]
    if axis is None:
        what = f"{len(one)} and {len(other)} axes"
    else:
        what = f"{word(len(one), axis)} {sy.text(one[axis])} and {sy.text(other[axis])}"
    if short:
        return what
    return f"input {left + 1} is {sy.shape_text(one)} but input {right + 1} is {sy.shape_text(other)}: {what} differ"


def needs_axis(number: int, shape: Shape, setting: str = "axis") -> Requirement:
    """Return the requirement (S204) that a tensor has an axis with this number, and that it is not the batch."""
    say = partial(_missing, number, shape)
    room = len(shape) - number - 1 if number > 0 else len(shape) + number - 1
    return Requirement("S204", AtLeast(room, 0), say, partial(say, short=True), setting)


def needs_map(
    shape: Shape, does: str = "takes a map such as (N, C, H, W)", fix: str = "put this layer before `flatten`"
) -> Requirement:
    """Return the requirement (S204) that a tensor has map axes after its channels; `does` states their use."""
    return Requirement(
        "S204",
        AtLeast(len(shape), 3),
        lambda: f"{does}, but its input {sy.shape_text(shape)} has no map; {fix}",
        lambda: f"input has {len(shape)} axes",
    )


def _missing(number: int, shape: Shape, *, short: bool = False) -> str:
    last = len(shape) - 1
    if short:
        return f"axes are 1 to {last}"
    batch = ", which is the batch" if number == -len(shape) else ""
    return f"takes axis {number}{batch}, but its input {sy.shape_text(shape)} has axes 1 to {last} besides the batch"
