"""Layers that add a border to a map or crop it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import planner.symbols as sy
from planner.conditions import AtLeast, Equal, Requirement
from planner.findings import SettingError
from planner.layers.axes import needs_map, same_axes
from planner.layers.base import AxisField, Category, Layer
from planner.layers.settings import choice, number, setting, settle
from planner.layers.spatial import along, by, fits, names, per_axis, rank, read_padding, sides
from planner.symbols import Shape, Size

LARGEST_VALUE = 3e38
"""Largest value of a border; a larger one is infinite in float32."""


@dataclass(frozen=True)
class Pad(Layer):
    """Padding of a map with a constant, with the map mirrored at its edge, or with its edge repeated.

    With `mode` reflect, row -i is row i: the edge itself is not repeated, so that each side must be smaller than
    the map. With replicate, row -i is row 0. The gradient of a copy is added to the gradient of its original.

    Raises
    ------
    SettingError
        The padding is not one size, one for each axis or two for each axis, or `value` is given but `mode` is not
        constant.

    References
    ----------
    torch.nn.ConstantPad2d, ReflectionPad2d and ReplicationPad2d documentation, and their versions for one and three
    axes; here the order of the sides is top, bottom, left, right.

    Examples
    --------
    >>> Pad(pad=(0, 1, 2, 2)).output_shape(((1, 3, 27, 28),))
    (1, 3, 28, 32)
    """

    pad: Any = setting("positions around the map: a number, [h, w] or [top, bottom, left, right]", least=0)
    mode: str = setting(
        "content of the border: constant, reflect or replicate",
        "constant",
        choices=("constant", "reflect", "replicate"),
    )
    value: float = setting("value of a constant border", 0.0)

    kind: ClassVar[str] = "pad"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "padding of a map with zeros, another number, the mirrored map or its repeated edge"
    aliases: ClassVar[tuple[str, ...]] = ()
    by_channel: ClassVar[bool] = True

    def __post_init__(self) -> None:
        given = self.pad if isinstance(self.pad, (list, tuple)) else [self.pad]
        if any(isinstance(side, int) and side < 0 for side in given):
            raise SettingError("pad", f"`pad` adds positions, got {self.pad}", "to cut positions off, use `crop`")
        sides = read_padding("pad", self.pad)
        if isinstance(sides, str):
            raise SettingError("pad", "`pad` as a separate layer cannot be same", "set it on the next layer")
        mode = choice(self, "mode")
        settle(self, pad=sides, mode=mode, value=number("value", self.value, -LARGEST_VALUE, LARGEST_VALUE))
        if mode != "constant" and self.value != 0:
            raise SettingError("value", f"`value` is the value of a constant border, but `mode` is {mode}", "remove it")

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield needs_map(inputs[0])
        yield from fits("pad", self.pad, inputs[0], both_sides=True)
        if self.mode == "reflect":
            for size, both in zip(inputs[0][2:], self.sides(inputs[0]), strict=True):
                for padding in both:
                    say = partial(_mirrored_too_far, size, padding)
                    least = AtLeast(sy.total([size, -padding, -1]), 0)
                    yield Requirement("S206", least, say, partial(say, short=True), "pad")

    def sides(self, shape: Shape) -> tuple[tuple[Size, Size], ...]:
        """Return how many positions are added before and after along each axis."""
        return sides(self.pad, rank(shape))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        return (*shape[:2], *(sy.total([n, *both]) for n, both in zip(shape[2:], self.sides(shape), strict=True)))

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the elements of the map's largest face with `mode` replicate: the gradient added to an edge."""
        if self.mode != "replicate":
            return 0
        return int(sy.product(inputs[0])) // min(map(int, inputs[0][2:]))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        return tuple(AxisField(1, before=before) for before, _ in self.sides(inputs[0]))


@dataclass(frozen=True)
class Crop(Layer):
    """The middle of a map, with the size of a second tensor or a given size.

    ``from: [x, like]`` crops x to the height and width of `like`, of which only the shape is read;
    with `size` there is one input. To keep m of n positions along an axis, ``floor((n - m)/2)`` are cut off at the
    beginning and the others at the end.

    Raises
    ------
    SettingError
        The size is not one size or one for each axis.

    References
    ----------
    Ronneberger, Fischer, Brox, *U-Net*, arXiv:1505.04597, section 2.

    Examples
    --------
    >>> Crop().output_shape(((1, 512, 64, 64), (1, 512, 56, 56)))
    (1, 512, 56, 56)
    >>> Crop(size=4).offsets(((1, 1, 7, 8),))
    (1, 2)
    """

    size: Any = setting(
        "size to keep: one number or one for each axis; default: the size of the second input",
        None,
        unset="the size of the second input",
    )

    kind: ClassVar[str] = "crop"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "the middle of a map, of a given size or as large as a second map"
    aliases: ClassVar[tuple[str, ...]] = ()
    inputs_at_most: ClassVar[int | None] = 2
    shape_only: ClassVar[frozenset[int]] = frozenset({1})
    by_channel: ClassVar[bool] = True

    def __post_init__(self) -> None:
        settle(self, size=None if self.size is None else per_axis("size", self.size))

    def map_size(self, inputs: tuple[Shape, ...]) -> tuple[Size, ...]:
        """Return the size to keep along each axis."""
        return inputs[1][2:] if self.size is None else along(self.size, rank(inputs[0]))

    def offsets(self, inputs: tuple[Shape, ...]) -> tuple[Size, ...]:
        """Return how many positions are cut off at the beginning of each axis: rows at the top, columns at the left."""
        return tuple(
            sy.floor_div(sy.difference(size, kept), 2)
            for size, kept in zip(inputs[0][2:], self.map_size(inputs), strict=True)
        )

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        wanted = 2 if self.size is None else 1
        yield Requirement("N109", Equal(len(inputs), wanted), partial(_wrong_number, wanted), setting="from")
        for shape in inputs:
            yield needs_map(shape)
        for place in range(1, len(inputs)):
            yield same_axes(inputs, place)
        yield from fits("size", self.size, inputs[0])
        kept = self.map_size(inputs)
        for name, size, part in zip(names(inputs[0]), inputs[0][2:], kept, strict=True):
            yield Requirement(
                "S201",
                AtLeast(sy.difference(size, part), 0),
                partial(_too_small, inputs[0], kept),
                partial(_short_of, name, size, part),
                "from" if self.size is None else "size",
            )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (*inputs[0][:2], *self.map_size(inputs))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        return tuple(AxisField(1, before=-first) for first in self.offsets(inputs))


def _mirrored_too_far(size: Size, padding: Size, *, short: bool = False) -> str:
    if short:
        return f"at most {sy.text(sy.total([size, -1]))}"
    return (
        f"mirrors {sy.text(padding)} positions beyond the edge of a map of {sy.text(size)}; at most one less than "
        "the size of the map can be mirrored"
    )


def _wrong_number(wanted: int) -> str:
    if wanted == 1:
        return "crop with `size` reads one tensor, but `from` names two; name one, or leave `size` out"
    return "crop reads the map and a second one of the wanted size; write  from: [x, like]  or give  size: [h, w]"


def _too_small(shape: Shape, kept: tuple[Size, ...]) -> str:
    return f"a {by(kept)} crop does not fit its {by(shape[2:])} input"


def _short_of(name: str, size: Size, part: Size) -> str:
    return f"{name} {sy.text(size)} is less than {sy.text(part)}"
