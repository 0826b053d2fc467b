"""Correct positions of a tile: those at which a part of an image gives the same values as the whole image.

A tile has zeros where the whole image has neighbours, so a padded network computes different values near the
borders of the tile. A :class:`Span` holds the positions of a feature map that are not affected. It is propagated
through every layer in whole numbers, for one axis at a time, at known sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import singledispatch
from typing import TypeAlias

from planner.layers import ConvTranspose, Unpool, Upsample
from planner.layers.base import AxisField, Layer
from planner.layers.spatial import along

Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Span:
    """Correct positions of a tile's feature map along one axis.

    Attributes
    ----------
    offset : int
        Index of the tile's position 0 in the feature map of the whole image.
    first, last : int or None
        Half-open range of correct positions, relative to the tile. None means that the range extends to the border of
        the image, so that a layer's padding there is correct too.
    """

    offset: int
    first: int | None
    last: int | None

    def within(self, tile: int, image: int) -> Span:
        """Return the span clipped to a tile of `tile` positions, in an image of `image` positions."""
        begins, ends = self.offset == 0, self.offset + tile == image
        first, last = self.first, self.last
        if first is None or first <= 0:
            first = None if begins else 0
        if last is None or last >= tile:
            last = None if ends else tile
        return Span(self.offset, first, last)

    def kept(self, tile: int) -> tuple[int, int]:
        """Return the correct positions as a half-open range; it is empty if the second number is not larger."""
        return self.first or 0, tile if self.last is None else self.last


class OutOfStepError(Exception):
    """Positions of a tile that fall between those of the whole image, or branches that are not aligned."""


@dataclass(frozen=True)
class Sight:
    """Field of view of a layer along one axis, in the tile and in the whole image."""

    tile: AxisField
    image: AxisField


@singledispatch
def carried(_layer: Layer, sight: Sight, _axis: int, span: Span) -> Span:
    """Return the correct positions after a window, a crop or padding, given those of the input.

    Layers that enlarge a feature map have implementations registered by class. Window q covers input positions
    ``q*s - b`` to ``q*s - b + e - 1``; q is correct if all of them are. Padding is correct if it is that of the image.

    Raises
    ------
    OutOfStepError
        If the tile begins between two steps of the window.

    Examples
    --------
    >>> from planner.layers import Conv
    >>> field = AxisField(3, 1, 1)
    >>> carried(Conv(filters=1, kernel=3, pad=1), Sight(field, field), 0, Span(16, 0, 32))
    Span(offset=16, first=1, last=31)
    """
    extent, stride, before = (int(n or 0) for n in (sight.tile.extent, sight.tile.stride, sight.tile.before))
    offset, remainder = divmod(span.offset + int(sight.image.before) - before, stride)
    if remainder:
        raise OutOfStepError
    return Span(
        offset,
        None if span.first is None else -((-span.first - before) // stride),
        None if span.last is None else (span.last + before - extent) // stride + 1,
    )


@carried.register
def _(layer: Upsample, _sight: Sight, axis: int, span: Span) -> Span:
    scale = int(along(layer.scale, 2)[axis])
    first, last = (None if end is None else end * scale for end in (span.first, span.last))
    return Span(span.offset * scale, first, last)


@carried.register
def _(layer: ConvTranspose, _sight: Sight, axis: int, span: Span) -> Span:
    window = layer.windows((1, 1, 1, 1))[axis]
    extent, stride, before = int(window.extent), int(window.stride), int(window.before)
    # position p is a sum over the inputs q with p + b - e < q*s <= p + b
    first = None if span.first is None else (span.first - 1) * stride + extent - before
    last = None if span.last is None else span.last * stride - before
    return Span(span.offset * stride, first, last)


@carried.register
def _(layer: Unpool, _sight: Sight, axis: int, span: Span) -> Span:
    if isinstance(layer.pool.pad, str):  # "same" pads a tile differently from the whole image
        raise OutOfStepError
    window = layer.pool.windows((1, 1, 1, 1))[axis]
    # a window's share of the feature map ends where the next window begins
    stride, before = int(window.stride), int(window.before)
    first, last = (None if end is None else end * stride - before for end in (span.first, span.last))
    return Span(span.offset * stride, first, last)


def joined(spans: Sequence[Span]) -> Span:
    """Return the positions at which all of several feature maps are correct.

    Raises
    ------
    OutOfStepError
        If their offsets in the whole image differ.

    Examples
    --------
    >>> joined([Span(4, 1, 9), Span(4, 2, None)])
    Span(offset=4, first=2, last=9)
    """
    if len({span.offset for span in spans}) > 1:
        raise OutOfStepError
    firsts = [span.first for span in spans if span.first is not None]
    lasts = [span.last for span in spans if span.last is not None]
    return Span(spans[0].offset, max(firsts, default=None), min(lasts, default=None))


def step(field: AxisField | None, jump: Fraction) -> Fraction:
    """Return the distance between neighbouring positions of a layer's output, given that of its input.

    Examples
    --------
    >>> step(AxisField(2, 2), Fraction(4)), step(AxisField(1, repeat=2), Fraction(1))
    (Fraction(8, 1), Fraction(1, 2))
    """
    return jump if field is None else jump * Fraction(int(field.stride), int(field.repeat))
