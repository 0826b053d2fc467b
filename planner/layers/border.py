"""Layers that add positions around a map or cut them off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import planner.symbols as sy
from planner.conditions import AtLeast, Equal, Requirement
from planner.findings import SettingError
from planner.layers.base import AxisField, Category, Layer, choice, needs_rank, number, pair, setting, settle
from planner.layers.window import read_padding
from planner.symbols import Shape, Size

MODES = ("constant", "reflect", "replicate")

LARGEST_VALUE = 3e38
"""A border of more is infinite in float32."""


@dataclass(frozen=True)
class Pad(Layer):
    """A border around a map: one number, the map mirrored at its edge, or its edge repeated.

    With `mode` reflect, row -i is row i: the edge itself is not repeated, so that each side must be smaller than
    the map. With replicate, row -i is row 0. Gradients of copies go back to what was copied.

    Raises
    ------
    SettingError
        The padding is not one, two or four sizes, or `value` is given where nothing has it.

    References
    ----------
    torch.nn.ConstantPad2d, ReflectionPad2d and ReplicationPad2d documentation; the sides here are in the order top,
    bottom, left, right.

    Examples
    --------
    >>> Pad(pad=(0, 1, 2, 2)).output_shape(((1, 3, 27, 28),))
    (1, 3, 28, 32)
    """

    pad: Any = setting("positions around the map: a number, [h, w] or [top, bottom, left, right]", least=0)
    mode: str = setting("constant, reflect or replicate: what the border holds", "constant")
    value: float = setting("what a constant border holds", 0.0)

    kind: ClassVar[str] = "pad"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "a border around a map: zeros, another number, the map mirrored or its edge repeated"

    def __post_init__(self) -> None:
        given = self.pad if isinstance(self.pad, (list, tuple)) else [self.pad]
        if any(isinstance(side, int) and side < 0 for side in given):
            raise SettingError("pad", f"`pad` adds positions, got {self.pad}", "to cut positions off, use `crop`")
        sides = read_padding("pad", self.pad)
        if isinstance(sides, str):
            raise SettingError("pad", "`pad` as a layer of its own cannot be same", "set it at the layer behind")
        mode = choice("mode", self.mode, MODES)
        settle(self, pad=sides, mode=mode, value=number("value", self.value, -LARGEST_VALUE, LARGEST_VALUE))
        if mode != "constant" and self.value != 0:
            raise SettingError("value", f"`value` is what a constant border holds, but `mode` is {mode}", "remove it")

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield needs_rank(inputs[0], 4, "put this layer before `flatten`")
        if self.mode == "reflect":
            for side, padding in enumerate(self.pad):
                size = inputs[0][2 + side // 2]
                say = partial(_mirrored_too_far, size, padding)
                least = AtLeast(sy.total([size, -padding, -1]), 0)
                yield Requirement("S206", least, say, partial(say, short=True), "pad")

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (batch, channels, high, wide), (top, bottom, left, right) = inputs[0], self.pad
        return (batch, channels, sy.total([high, top, bottom]), sy.total([wide, left, right]))

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return one line of the map while training with `mode` replicate: what goes back to an edge."""
        if self.mode != "replicate" or not training:
            return 0
        batch, channels, *sizes = inputs[0]
        return int(batch * channels) * max(map(int, sizes))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, AxisField] | None:
        return AxisField(1, before=self.pad[0]), AxisField(1, before=self.pad[2])


@dataclass(frozen=True)
class Crop(Layer):
    """The middle of a map: of the size of a second tensor, or of a size that is given.

    ``from: [x, like]`` cuts x to the height and width of `like`, whose numbers are not read;
    with `size` there is one input. Of n positions along an axis m are kept; ``floor((n - m)/2)`` go at the
    beginning, the rest at the end.

    Raises
    ------
    SettingError
        The size is not one or two sizes.

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

    size: Any = setting("height and width to keep; without it, those of the second input", None)

    kind: ClassVar[str] = "crop"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "the middle of a map, as large as a second one"
    inputs_at_most: ClassVar[int | None] = 2
    shape_only: ClassVar[frozenset[int]] = frozenset({1})

    def __post_init__(self) -> None:
        settle(self, size=None if self.size is None else pair("size", self.size))

    def map_size(self, inputs: tuple[Shape, ...]) -> tuple[Size, Size]:
        """Return the height and width that are kept."""
        if self.size is not None:
            return self.size[0], self.size[1]
        return inputs[1][2], inputs[1][3]

    def offsets(self, inputs: tuple[Shape, ...]) -> tuple[Size, Size]:
        """Return how many rows go at the top and how many columns at the left."""
        high, wide = (
            sy.floor_div(sy.difference(size, kept), 2)
            for size, kept in zip(inputs[0][2:], self.map_size(inputs), strict=True)
        )
        return high, wide

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        wanted = 2 if self.size is None else 1
        yield Requirement("N109", Equal(len(inputs), wanted), partial(_wrong_number, wanted), setting="from")
        for shape in inputs:
            yield needs_rank(shape, 4, "put this layer before `flatten`")
        kept = self.map_size(inputs)
        for name, size, part in zip(("height", "width"), inputs[0][2:], kept, strict=True):
            yield Requirement(
                "S201",
                AtLeast(sy.difference(size, part), 0),
                partial(_too_small, inputs[0], kept),
                partial(_short_of, name, size, part),
                "from" if self.size is None else "size",
            )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (*inputs[0][:2], *self.map_size(inputs))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, AxisField] | None:
        top, left = self.offsets(inputs)
        return AxisField(1, before=-top), AxisField(1, before=-left)


def _mirrored_too_far(size: Size, padding: Size, *, short: bool = False) -> str:
    if short:
        return f"at most {sy.text(sy.total([size, -1]))}"
    return (
        f"mirrors {sy.text(padding)} positions beyond the edge of a map of {sy.text(size)}; a mirror shows one less "
        "than the map has"
    )


def _wrong_number(wanted: int) -> str:
    if wanted == 1:
        return "crop with `size` reads one tensor, but `from` names two; name one, or leave `size` out"
    return "crop reads the map and one as large as wanted; write  from: [x, like]  or give  size: [h, w]"


def _too_small(shape: Shape, kept: tuple[Size, Size]) -> str:
    return (
        f"a {sy.text(kept[0])}x{sy.text(kept[1])} crop does not fit its {sy.text(shape[2])}x{sy.text(shape[3])} input"
    )


def _short_of(name: str, size: Size, part: Size) -> str:
    return f"{name} {sy.text(size)} is less than {sy.text(part)}"
