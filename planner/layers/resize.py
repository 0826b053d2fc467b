"""Resizing of a map by interpolation, to a factor, a size, or the size of a second map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import gcd, prod
from typing import Any, ClassVar, TypeAlias

import planner.symbols as sy
from planner.conditions import Equal, Requirement
from planner.findings import SettingError
from planner.layers.axes import needs_map
from planner.layers.base import AxisField, Category, Layer, choice, flag, setting, settle
from planner.layers.spatial import along, between, fits, per_axis, rank, same_axes
from planner.symbols import Shape, Size

Sources: TypeAlias = tuple[tuple[int, Fraction], ...]
"""The positions one output position is a sum of, each with its share."""


@dataclass(frozen=True)
class Resize(Layer):
    """A map of another size, its positions taken (`nearest`) or interpolated (`bilinear`) from the input's.

    ``from: [x, like]`` gives the height and width of `like`, whose numbers are not read. Along an axis of n made o
    long, output p lies at ``(p + 1/2)*n/o - 1/2`` of the input, or with `align_corners` at ``p*(n - 1)/(o - 1)``, never
    beyond its ends; `nearest` takes position ``floor(p*n/o)``. A map that gets smaller is not smoothed.

    Raises
    ------
    SettingError
        Both `size` and `scale` are given, or `align_corners` with `nearest`.

    References
    ----------
    torch.nn.functional.interpolate documentation. PyTorch finds the nearest position in float32; here it is exact.

    Examples
    --------
    >>> Resize(scale=2).output_shape(((1, 21, 16, 16),))
    (1, 21, 32, 32)
    >>> Resize(mode="bilinear").output_shape(((1, 21, 16, 16), (1, 3, 500, 375)))
    (1, 21, 500, 375)
    """

    size: Any = setting("size of the output: one number or one for each axis ([height, width])", None)
    scale: Any = setting("times the output is larger: one number or one for each axis", None)
    mode: str = setting("nearest or bilinear", "nearest")
    align_corners: bool = setting("bilinear: the middles of the corner positions stay where they are", False)

    kind: ClassVar[str] = "resize"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "a map of another size, nearest or bilinear"
    inputs_at_most: ClassVar[int | None] = 2
    shape_only: ClassVar[frozenset[int]] = frozenset({1})
    by_channel: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.size is not None and self.scale is not None:
            raise SettingError("scale", "`size` and `scale` both say how large the output is", "give one of them")
        settle(
            self,
            size=None if self.size is None else per_axis("size", self.size),
            scale=None if self.scale is None else per_axis("scale", self.scale),
            mode=choice("mode", self.mode, ("nearest", "bilinear")),
            align_corners=flag("align_corners", self.align_corners),
        )
        if self.align_corners and self.mode == "nearest":
            raise SettingError("align_corners", "`align_corners` is for bilinear", "write  mode: bilinear")

    def map_size(self, inputs: tuple[Shape, ...]) -> tuple[Size, ...]:
        """Return the output's size along each axis."""
        axes = rank(inputs[0])
        if self.size is not None:
            return along(self.size, axes)
        if self.scale is not None:
            return tuple(size * scale for size, scale in zip(inputs[0][2:], along(self.scale, axes), strict=True))
        return inputs[1][2:]

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        told = self.size is not None or self.scale is not None
        wanted = 1 if told else 2
        yield Requirement("N109", Equal(len(inputs), wanted), partial(_wrong_number, told), setting="from")
        for shape in inputs:
            yield needs_map(shape)
        yield from same_axes(inputs)
        yield from fits("size", self.size, inputs[0])
        yield from fits("scale", self.scale, inputs[0])

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (*inputs[0][:2], *self.map_size(inputs))

    def sources(self, size: int, count: int) -> tuple[Sources, ...]:
        """Return what each of `count` output positions takes from an axis of `size`.

        Examples
        --------
        >>> [[(i, str(part)) for i, part in each] for each in Resize(scale=2, mode="bilinear").sources(2, 3)]
        [[(0, '1')], [(0, '1/2'), (1, '1/2')], [(1, '1')]]
        """
        if self.mode == "nearest":
            return tuple(((position * size // count, Fraction(1)),) for position in range(count))
        found = []
        for position in range(count):
            if self.align_corners:
                place = Fraction(position * (size - 1), max(count - 1, 1))
            else:
                place = Fraction((2 * position + 1) * size, 2 * count) - Fraction(1, 2)
            place = min(max(place, Fraction(0)), Fraction(size - 1))
            first, rest = divmod(place, 1)
            both = ((int(first), 1 - rest), (int(first) + 1, rest))
            found.append(tuple(each for each in both if each[1]))
        return tuple(found)

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the maps between input and output and, where positions are mixed, the largest of their faces."""
        maps = [*between(inputs[0], output), output]
        faces = [prod(shape) // shape[axis] for axis, shape in zip(reversed(range(2, len(output))), maps, strict=True)]
        return sum(map(prod, maps[:-1])) + (0 if self.mode == "nearest" else max(faces))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        extent = 1 if self.mode == "nearest" else 2
        return tuple(_field(n, o, extent) for n, o in zip(inputs[0][2:], self.map_size(inputs), strict=True))


def _field(size: Size, count: Size, extent: int) -> AxisField:
    n, o = sy.constant(size), sy.constant(count)
    if n is None or o is None:
        return AxisField(extent, size, repeat=count, relative=True)
    common = gcd(n, o)
    return AxisField(extent, n // common, repeat=o // common, relative=True)


def _wrong_number(told: bool) -> str:
    if told:
        return "resize with `size` or `scale` reads one tensor, but `from` names two; name one, or leave it out"
    return "resize needs to know how large; write  size: [h, w],  scale: 2  or  from: [x, like]"
