"""Resizing of a map by interpolation: by a factor, to a size, or to the size of a second map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import gcd, prod
from typing import Any, ClassVar, TypeAlias

import planner.symbols as sy
from planner.conditions import AtLeast, Equal, Requirement
from planner.findings import SettingError
from planner.layers.axes import needs_map, same_axes, sized
from planner.layers.base import AxisField, Category, Layer
from planner.layers.settings import choice, flag, number, setting, settle
from planner.layers.spatial import along, between, fits, per_axis, rank
from planner.symbols import Shape, Size

Sources: TypeAlias = tuple[tuple[int, Fraction], ...]
"""The input positions that an output position is a weighted sum of, with their weights."""


HALF = Fraction(1, 2)

SMALLEST, LARGEST = 1e-4, 1e4
"""Smallest and largest scale; others are a mistake."""


@dataclass(frozen=True)
class Resize(Layer):
    """A map resized to another size by nearest neighbours (`nearest`) or interpolation (`bilinear`).

    ``from: [x, like]`` resizes x to the height and width of `like`, of which only the shape is read. When an axis of n
    positions is resized to o, output p is at ``(p + 1/2)*n/o - 1/2`` of the input, or with `align_corners` at
    ``p*(n - 1)/(o - 1)``, clipped to the input; `nearest` takes position ``floor(p*n/o)``. There is no antialiasing
    when a map gets smaller.

    A `scale` may be a fraction: the output has ``floor(n*scale)`` positions, and n/o above is ``1/scale``. The scale is
    the exact decimal number: 1.1 is 11/10.

    Raises
    ------
    SettingError
        Both `size` and `scale` are given, or `align_corners` with `nearest`.

    References
    ----------
    torch.nn.functional.interpolate documentation, without `recompute_scale_factor`. PyTorch computes sizes and the
    nearest position in floating point; here they are exact.

    Examples
    --------
    >>> Resize(scale=2).output_shape(((1, 21, 16, 16),))
    (1, 21, 32, 32)
    >>> Resize(mode="bilinear").output_shape(((1, 21, 16, 16), (1, 3, 500, 375)))
    (1, 21, 500, 375)
    """

    size: Any = setting(
        "size of the output: one number or one for each axis ([height, width])",
        None,
        unset="from `scale`, or the size of the second input",
    )
    scale: Any = setting(
        "factor from the input's size to the output's, such as 1.5: one number or one for each axis",
        None,
        unset="from the size",
        fractions=True,
    )
    mode: str = setting("nearest or bilinear", "nearest", choices=("nearest", "bilinear"))
    align_corners: bool = setting("bilinear: align the centres of the corner positions of input and output", False)

    kind: ClassVar[str] = "resize"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "a map resized to another size, nearest or bilinear"
    aliases: ClassVar[tuple[str, ...]] = (
        "interpolate",
        "resize2d",
        "upsamplingbilinear2d",
        "resizebilinear",
        "bilinear",
    )
    inputs_at_most: ClassVar[int | None] = 2
    shape_only: ClassVar[frozenset[int]] = frozenset({1})
    by_channel: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.size is not None and self.scale is not None:
            raise SettingError("scale", "`size` and `scale` both set the size of the output", "give only one of them")
        settle(
            self,
            size=None if self.size is None else per_axis("size", self.size),
            scale=None if self.scale is None else _scales(self.scale),
            mode=choice(self, "mode"),
            align_corners=flag("align_corners", self.align_corners),
        )
        if self.align_corners and self.mode == "nearest":
            raise SettingError("align_corners", "`align_corners` needs bilinear", "write  mode: bilinear")

    def map_size(self, inputs: tuple[Shape, ...]) -> tuple[Size, ...]:
        """Return the output's size along each axis."""
        axes = rank(inputs[0])
        if self.size is not None:
            return along(self.size, axes)
        if self.scale is not None:
            return tuple(map(_times, inputs[0][2:], along(self.scale, axes)))
        return inputs[1][2:]

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        sized_here = self.size is not None or self.scale is not None
        wanted = 1 if sized_here else 2
        yield Requirement("N109", Equal(len(inputs), wanted), partial(_wrong_number, sized_here), setting="from")
        for shape in inputs:
            yield needs_map(shape)
        for place in range(1, len(inputs)):
            yield same_axes(inputs, place)
        yield from fits("size", self.size, inputs[0])
        yield from fits("scale", self.scale, inputs[0])
        if self.scale is not None:
            for place, made in enumerate(self.map_size(inputs), start=2):
                say = partial(_nothing_left, self.scale, sized(inputs[0], place))
                yield Requirement("S201", AtLeast(made, 1), say, partial(str, sized(inputs[0], place)), "scale")

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (*inputs[0][:2], *self.map_size(inputs))

    def fractions(self, axes: int) -> tuple[Fraction | None, ...]:
        """Return the scale along each axis if it is given as a fraction, else None.

        Examples
        --------
        >>> list(map(str, Resize(scale=(2, 1.1)).fractions(2)))
        ['None', '11/10']
        """
        scales = along(self.scale or (None,), axes)
        return tuple(_fraction(scale) if isinstance(scale, float) else None for scale in scales)

    def step(self, axis: int, size: int, count: int) -> Fraction:
        """Return the distance of output positions along an axis of the map, counted from 0 (bound sizes only).

        Examples
        --------
        >>> str(Resize(scale=(1, 1.5)).step(1, 3, 4)), str(Resize(size=4).step(1, 3, 4))
        ('2/3', '3/4')
        """
        scale = self.fractions(axis + 1)[axis]
        return Fraction(size, count) if scale is None else 1 / scale

    def sources(self, size: int, count: int, step: Fraction | None = None) -> tuple[Sources, ...]:
        """Return the sources of each of `count` output positions on an axis of `size`; `step` defaults to size / count.

        Examples
        --------
        >>> [[(i, str(part)) for i, part in each] for each in Resize(scale=2, mode="bilinear").sources(2, 3)]
        [[(0, '1')], [(0, '1/2'), (1, '1/2')], [(1, '1')]]
        """
        step = Fraction(size, count) if step is None else step
        if self.mode == "nearest":
            return tuple(((int(position * step), Fraction(1)),) for position in range(count))
        found = []
        for position in range(count):
            if self.align_corners:
                place = Fraction(position * (size - 1), max(count - 1, 1))
            else:
                place = (position + HALF) * step - HALF
            place = min(max(place, Fraction(0)), Fraction(size - 1))
            first, rest = divmod(place, 1)
            both = ((int(first), 1 - rest), (int(first) + 1, rest))
            found.append(tuple(each for each in both if each[1]))
        return tuple(found)

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of the intermediate maps and, if positions are interpolated, of their largest face."""
        maps = [*between(inputs[0], output), output]
        faces = [prod(shape) // shape[axis] for axis, shape in zip(reversed(range(2, len(output))), maps, strict=True)]
        return sum(map(prod, maps[:-1])) + (0 if self.mode == "nearest" else max(faces))

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the same number of elements: the passes are mirrored."""
        return self.workspace(inputs, output, training=True)

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        extent = 1 if self.mode == "nearest" else 2
        sizes = zip(inputs[0][2:], self.map_size(inputs), self.fractions(rank(inputs[0])), strict=True)
        return tuple(_field(n, o, extent, scale) for n, o, scale in sizes)


def _scales(given: object) -> tuple[Size | float, ...]:
    """Return a scale as sizes, or as floats if it is not whole."""
    values = given if isinstance(given, (list, tuple)) else [given]
    if not any(isinstance(value, float) for value in values):
        return per_axis("scale", given)
    found = [number("scale", v, SMALLEST, LARGEST) if isinstance(v, float) else per_axis("scale", v)[0] for v in values]
    per_axis("scale", [1] * len(found))  # checks the number of values
    return tuple(sy.size(int(v)) if isinstance(v, float) and v.is_integer() else v for v in found)


def _fraction(scale: float) -> Fraction:
    """Return a scale as the fraction that it is written as.

    Examples
    --------
    >>> str(_fraction(1.1))
    '11/10'
    """
    return Fraction(repr(scale))


def _times(size: Size, scale: Size | float) -> Size:
    if not isinstance(scale, float):
        return size * scale
    exact = _fraction(scale)
    return sy.floor_div(size * exact.numerator, exact.denominator)


def _nothing_left(scale: tuple[Size | float, ...], has: str) -> str:
    return f"leaves nothing of its input: {has} times {' x '.join(map(str, scale))} is less than 1"


def _field(size: Size, count: Size, extent: int, scale: Fraction | None) -> AxisField:
    if scale is not None:
        return AxisField(extent, scale.denominator, repeat=scale.numerator, relative=True)
    n, o = sy.constant(size), sy.constant(count)
    if n is None or o is None:
        return AxisField(extent, size, repeat=count, relative=True)
    common = gcd(n, o)
    return AxisField(extent, n // common, repeat=o // common, relative=True)


def _wrong_number(sized_here: bool) -> str:
    if sized_here:
        return "resize with `size` or `scale` reads one tensor, but `from` names two; name one, or leave it out"
    return "resize needs the size of its output; write  size: [h, w],  scale: 2  or  from: [x, like]"
