"""Parts of a tensor along one axis.

A layer has one output, so that cutting a tensor in two takes two layers that read the same tensor. Each part has its
own name, and an unused part is not computed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import planner.symbols as sy
from planner.conditions import AtLeast, Divides, Equal, Requirement
from planner.findings import SettingError
from planner.layers.axes import axis, needs_axis, position, sized
from planner.layers.base import AxisField, Category, Layer
from planner.layers.settings import count, setting, settle
from planner.layers.spatial import rank
from planner.symbols import Shape, Size
from planner.wording import many


@dataclass(frozen=True)
class Cut(Layer):
    """Base of slices and splits, which keep positions ``start, start + step, ...`` before ``stop`` of one axis."""

    category: ClassVar[Category] = "reshape"

    axis: int

    def kept(self, size: Size) -> tuple[Size, Size, Size]:
        """Return start, stop and step along an axis of that size, counted from its beginning."""
        raise NotImplementedError

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        place = position(self.axis, len(shape))
        start, stop, step = self.kept(shape[place])
        made = sy.ceil_div(sy.difference(stop, start), step)
        return (*shape[:place], sy.total([made]), *shape[place + 1 :])

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        """Return the start and step of the kept part, which is relative to the whole axis."""
        (shape,) = inputs
        place = position(self.axis, len(shape)) - 2
        if place < 0:
            return None
        start, _, step = self.kept(shape[2 + place])
        cut, whole = AxisField(1, stride=step, before=-start, relative=True), AxisField(1)
        return tuple(cut if axis == place else whole for axis in range(rank(shape)))


@dataclass(frozen=True, kw_only=True)
class Slice(Cut):
    """Positions `start`, `start + step`, ... before `stop` of one axis; negative ones are counted from its end.

    The default of `stop` is the end. Unlike in Python, a slice that exceeds its axis is an error, not a shorter slice.

    Raises
    ------
    SettingError
        `axis` is the batch, `step` is below 1, or a number is not whole.

    References
    ----------
    Indexing of torch.Tensor; ``torch.narrow`` is the same with step 1.

    Examples
    --------
    >>> Slice(start=1, stop=-1, axis=2).output_shape(((8, 64, 28, 28),))
    (8, 64, 26, 28)
    >>> Slice(step=2).output_shape(((8, 5, 28, 28),))
    (8, 3, 28, 28)
    """

    start: Size = setting("first position to keep; negative: counted from the end", 0, least=0)
    stop: Size | None = setting(
        "end of the positions to keep, exclusive; negative: counted from the end; default: the end of the axis",
        None,
        unset="to the end",
    )
    step: Size = setting("distance between the positions to keep", 1)
    axis: int = setting("1: channels, 2 and up: axes of the map, negative: counted from the end", 1)

    kind: ClassVar[str] = "slice"
    summary: ClassVar[str] = "some positions along one axis"
    aliases: ClassVar[tuple[str, ...]] = ("narrow", "slicing", "index")

    def __post_init__(self) -> None:
        settle(
            self,
            start=count("start", self.start, minimum=-sy.LARGEST),
            stop=None if self.stop is None else count("stop", self.stop, minimum=-sy.LARGEST),
            step=count("step", self.step),
            axis=axis("axis", self.axis),
        )

    def kept(self, size: Size) -> tuple[Size, Size, Size]:
        stop = size if self.stop is None else _from_start(self.stop, size)
        return _from_start(self.start, size), stop, self.step

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        (shape,) = inputs
        yield needs_axis(self.axis, shape)
        place = position(self.axis, len(shape))
        size, has = shape[place], sized(shape, place)
        start, stop, _ = self.kept(size)
        say = partial(_beyond, self.start, self.stop, has)
        far = "start" if self.stop is None else "stop"
        inside = [(start, "start"), (sy.difference(stop, sy.total([start, 1])), far), (sy.difference(size, stop), far)]
        for room, key in inside:
            yield Requirement("S216", AtLeast(room, 0), say, partial(str, has), key)


@dataclass(frozen=True, kw_only=True)
class Split(Cut):
    """One part of a tensor that is split along an axis into equal parts, or into parts of given sizes that fill it.

    Parts are counted from 0, as in Python. The other parts are separate layers that read the same tensor.

    Raises
    ------
    SettingError
        `part` is not below the number of parts, or a part is not a size.

    References
    ----------
    torch.chunk if the number of parts divides the axis, and torch.split with a list of sizes. Ma et al., *ShuffleNet
    V2*, arXiv:1807.11164, figure 3, splits channels in two halves.

    Examples
    --------
    >>> Split(parts=2, part=1).output_shape(((8, 116, 28, 28),))
    (8, 58, 28, 28)
    >>> Split(parts=(24, 72, 20), part=1).kept(116)
    (24, 96, 1)
    """

    parts: Any = setting("number of equal parts, or the size of each", lengths=(1, None))
    part: int = setting("number of this part, counted from 0")
    axis: int = setting("1: channels, 2 and up: axes of the map, negative: counted from the end", 1)

    kind: ClassVar[str] = "split"
    summary: ClassVar[str] = "one of the parts of a tensor along one axis"
    aliases: ClassVar[tuple[str, ...]] = ("chunk", "unstack")

    def __post_init__(self) -> None:
        listed = isinstance(self.parts, (list, tuple))
        parts = tuple(count("parts", size) for size in self.parts) if listed else count("parts", self.parts)
        number = len(parts) if isinstance(parts, tuple) else sy.constant(parts)
        if isinstance(parts, tuple) and not parts:
            raise SettingError("parts", "`parts` is an empty list", "write  parts: 2  or  parts: [24, 72]")
        if number is None:
            problem = "the number of `parts` must be a whole number, not a name"
            raise SettingError("parts", problem, "or give the size of each part")
        which = sy.whole(sy.constant(self.part) if isinstance(self.part, sy.Size) else self.part)
        if which is None or not 0 <= which < number:
            problem = f"`part` is one of {number} {many(number, 'part')}, 0 to {number - 1}; got {self.part!r}"
            raise SettingError("part", problem, "the first part is 0")
        settle(self, parts=parts, part=which, axis=axis("axis", self.axis))

    def kept(self, size: Size) -> tuple[Size, Size, Size]:
        if isinstance(self.parts, tuple):
            start = sy.total(self.parts[: self.part])
            return start, sy.total([start, self.parts[self.part]]), 1
        each = sy.floor_div(size, self.parts)
        return sy.total([self.part * each]), sy.total([(self.part + 1) * each]), 1

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        (shape,) = inputs
        yield needs_axis(self.axis, shape)
        place = position(self.axis, len(shape))
        size, has = shape[place], sized(shape, place)
        if isinstance(self.parts, tuple):
            say = partial(_not_filled, self.parts, has)
            yield Requirement("S216", Equal(size, sy.total(self.parts)), say, partial(str, has), "parts")
        else:
            say = partial(_unequal, self.parts, has)
            yield Requirement("S203", Divides(self.parts, size), say, partial(str, has), "parts")


def _from_start(place: Size, size: Size) -> Size:
    """Return a position counted from the beginning of an axis."""
    known = sy.constant(place)
    return sy.total([size, place]) if known is not None and known < 0 else place


def _beyond(start: Size, stop: Size | None, has: str) -> str:
    end = "" if stop is None else sy.text(stop)
    return f"selects nothing, or more than there is: positions {sy.text(start)}:{end} of an input of {has}"


def _not_filled(parts: tuple[Size, ...], has: str) -> str:
    whole = sy.text(sy.total(parts))
    given = " + ".join(map(sy.text, parts))
    return f"its parts are {given} = {whole}, but its input has {has}" if len(parts) > 1 else f"{given} of {has}"


def _unequal(parts: Size, has: str) -> str:
    return f"{has} cannot be split into {sy.text(parts)} equal parts"
