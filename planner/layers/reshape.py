"""Layers that change the shape of a tensor without copying it."""

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
from planner.layers.spatial import MOST, is_map, rank
from planner.symbols import Shape, Size
from planner.wording import many

COMPUTED = -1
"""Placeholder in the shape of a :class:`Reshape` for the size that follows from the others."""


@dataclass(frozen=True)
class Flatten(Layer):
    """(N, C, H, W) -> (N, C*H*W), channels outermost; no copy: the output shares the input's memory.

    References
    ----------
    torch.nn.Flatten documentation.

    Examples
    --------
    >>> Flatten().output_shape(((1, 120, 1, 1),))
    (1, 120)
    """

    kind: ClassVar[str] = "flatten"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "all numbers of an image in one row"
    aliases: ClassVar[tuple[str, ...]] = ("reshape", "view")
    alias: ClassVar[bool] = True

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield Requirement(
            "S204", AtLeast(len(inputs[0]), 2), lambda: "takes a tensor with at least one axis after the batch"
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        return (shape[0], sy.product(shape[1:]))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        return (AxisField(None),) * rank(inputs[0]) or None


@dataclass(frozen=True)
class Reshape(Layer):
    """The same numbers of each image in another shape, in the order channels, rows, columns; no copy.

    `shape` excludes the batch: [features], [C, L], [C, H, W] or [C, D, H, W]. One entry may be
    -1 and is computed from the others.

    Raises
    ------
    SettingError
        The shape has more than four entries, several of them are -1, or one of them is not a size.

    References
    ----------
    torch.nn.Unflatten and torch.reshape documentation.

    Examples
    --------
    >>> Reshape(shape=(128, 7, -1)).output_shape(((1, 6272),))
    (1, 128, 7, 7)
    """

    shape: Any = setting(
        "[C, H, W] or [features] of each image; one entry may be -1 (computed from the others)", lengths=(1, 4)
    )

    kind: ClassVar[str] = "reshape"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "the same numbers in another shape"
    aliases: ClassVar[tuple[str, ...]] = ()
    alias: ClassVar[bool] = True

    def __post_init__(self) -> None:
        given = self.shape if isinstance(self.shape, (list, tuple)) else (self.shape,)
        if len(given) not in range(1, 5):
            forms = "[features], [C, L], [C, H, W] or [C, D, H, W], without the batch"
            problem = f"`shape` takes {forms}; got {len(given)} values"
            raise SettingError("shape", problem)
        computed = [item for item in given if _is_computed(item)]
        if len(computed) > 1:
            raise SettingError("shape", "only one entry of `shape` can be -1", "give the others as numbers")
        settle(self, shape=tuple(sy.size(COMPUTED) if _is_computed(i) else count("shape", i) for i in given))

    @property
    def known(self) -> Size:
        """Product of the given entries."""
        return sy.product(item for item in self.shape if not _is_computed(item))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        numbers = sy.product(inputs[0][1:])
        computed = any(map(_is_computed, self.shape))
        yield Requirement(
            "S210",
            Divides(self.known, numbers) if computed else Equal(numbers, self.known),
            partial(_mismatch, inputs[0], numbers, self.shape, self.known, computed),
            partial(_counts, numbers, self.known, computed),
            "shape",
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        left = sy.floor_div(sy.product(inputs[0][1:]), self.known)
        return (inputs[0][0], *(left if _is_computed(item) else item for item in self.shape))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        """Return whole axes: rows and columns may move anywhere."""
        return (AxisField(None if is_map(inputs[0]) else 1, stride=0),) * max(rank(inputs[0]), 1)


@dataclass(frozen=True)
class Squeeze(Layer):
    """Removal of an axis of size 1; no copy.

    An axis of another size is an error. PyTorch keeps such an axis, so that the next layer gets one axis more.

    References
    ----------
    torch.squeeze documentation.

    Examples
    --------
    >>> Squeeze(axis=2).output_shape(((8, 64, 1, 30),))
    (8, 64, 30)
    """

    axis: int = setting("axis to remove; 1: channels, 2 and up: axes of the map, negative: counted from the end")

    kind: ClassVar[str] = "squeeze"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "removes an axis of size 1"
    aliases: ClassVar[tuple[str, ...]] = ()
    alias: ClassVar[bool] = True

    def __post_init__(self) -> None:
        settle(self, axis=axis("axis", self.axis))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        (shape,) = inputs
        yield needs_axis(self.axis, shape)
        place = position(self.axis, len(shape))
        yield Requirement(
            "S204",
            AtLeast(len(shape), 3),
            lambda: f"removes an axis, but its input {sy.shape_text(shape)} has no other besides the batch",
        )
        yield Requirement(
            "S216",
            Equal(shape[place], 1),
            lambda: f"removes an axis of size 1, but its input has {sized(shape, place)}",
            lambda: sized(shape, place),
            "axis",
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        place = position(self.axis, len(shape))
        return (*shape[:place], *shape[place + 1 :])

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        return (AxisField(None),) * rank(inputs[0]) or None


@dataclass(frozen=True)
class Unsqueeze(Layer):
    """Insertion of an axis of size 1, which becomes number `axis` of the output; no copy.

    References
    ----------
    torch.unsqueeze documentation.

    Examples
    --------
    >>> Unsqueeze(axis=-1).output_shape(((8, 64, 30),))
    (8, 64, 30, 1)
    """

    axis: int = setting(
        "number of the new axis in the output; 1: channels, 2 and up: axes of the map, negative: counted from the end"
    )

    kind: ClassVar[str] = "unsqueeze"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "inserts an axis of size 1"
    aliases: ClassVar[tuple[str, ...]] = ("expanddims",)
    mixes_positions: ClassVar[bool] = False
    alias: ClassVar[bool] = True

    def __post_init__(self) -> None:
        settle(self, axis=axis("axis", self.axis))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        (shape,) = inputs
        say = partial(_misplaced, self.axis, shape)
        room = len(shape) - self.axis if self.axis > 0 else len(shape) + self.axis
        yield Requirement("S204", AtLeast(room, 0), say, partial(say, short=True), "axis")
        yield Requirement(
            "S204",
            AtLeast(2 + MOST - len(shape), 1),
            lambda: (
                f"inserts an axis, but its input {sy.shape_text(shape)} already has the most axes a tensor can have: "
                f"batch, channels and {MOST} axes of a map"
            ),
            lambda: f"input has {len(shape)} axes",
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        place = position(self.axis, len(shape) + 1)
        return (*shape[:place], 1, *shape[place:])


def _is_computed(item: object) -> bool:
    return not isinstance(item, (bool, str, float)) and item == COMPUTED


def _mismatch(shape: Shape, numbers: Size, wanted: Shape, known: Size, computed: bool) -> str:
    given = sy.shape_text(shape[1:])
    made = " x ".join(sy.text(item) for item in wanted)
    has = f"its input {given} has {sy.text(numbers)} {many(numbers, 'number')} per image"
    if computed:
        return f"cannot be {made}: {has}, which is not a multiple of {sy.text(known)}"
    return f"cannot be {made}, which is {sy.text(known)} {many(known, 'number')}: {has}"


def _counts(numbers: Size, known: Size, computed: bool) -> str:
    if computed:
        return f"{sy.text(numbers)} / {sy.text(known)}"
    return f"{sy.text(numbers)} to {sy.text(known)} {many(known, 'number')}"


def _misplaced(number: int, shape: Shape, *, short: bool = False) -> str:
    if short:
        return f"axes of the output are 1 to {len(shape)}"
    batch = ", before the batch" if number == -len(shape) - 1 else ""
    return f"cannot insert axis {number}{batch}: its input is {sy.shape_text(shape)}"
