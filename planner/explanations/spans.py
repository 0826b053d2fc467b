"""Which positions of a tile are right: what a part of an image gives where the whole image gives the same.

A tile sees zeros where the whole image has neighbours, so near its borders a padded network computes something
else. A :class:`Span` says which positions of a map are untouched by that; it is carried through every layer in
whole numbers, for one axis at a time, at known sizes.
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
    """The right positions of a tile's map along one axis.

    Attributes
    ----------
    offset : int
        Where the tile's position 0 lies in the map of the whole image.
    first, last : int or None
        From `first` up to, not including, `last`, in the tile's own positions. None: up to the image's own border, so
        that even what a layer pads there is right.
    """

    offset: int
    first: int | None
    last: int | None

    def within(self, tile: int, image: int) -> Span:
        """Return the span cut to a tile's map of that many positions, in an image's map of that many."""
        begins, ends = self.offset == 0, self.offset + tile == image
        first, last = self.first, self.last
        if first is None or first <= 0:
            first = None if begins else 0
        if last is None or last >= tile:
            last = None if ends else tile
        return Span(self.offset, first, last)

    def kept(self, tile: int) -> tuple[int, int]:
        """Return the right positions as numbers; the second may be at or below the first, which is none."""
        return self.first or 0, tile if self.last is None else self.last


class OutOfStepError(Exception):
    """A tile's positions lie between those of the whole image, or its branches beside each other."""


@dataclass(frozen=True)
class Sight:
    """How one axis of a layer sees its input, in the tile and in the whole image."""

    tile: AxisField
    image: AxisField


@singledispatch
def carried(_layer: Layer, sight: Sight, _axis: int, span: Span) -> Span:
    """Return the right positions behind a window, a crop or padding, given those of its input.

    Registered by class for layers that make a map larger. Window q covers input positions ``q*s - b`` to ``q*s - b
    + e - 1``; q is right where all of them are. Padding is right where it is the image's own.

    Raises
    ------
    OutOfStepError
        The tile begins between two steps of the window.

    Examples
    --------
    >>> from planner.layers import Conv
    >>> field = AxisField(3, 1, 1)
    >>> carried(Conv(filters=1, kernel=3, pad=1), Sight(field, field), 0, Span(16, 0, 32))
    Span(offset=16, first=1, last=31)
    """
    extent, stride, before = (int(n or 0) for n in (sight.tile.extent, sight.tile.stride, sight.tile.before))
    offset, beside = divmod(span.offset + int(sight.image.before) - before, stride)
    if beside:
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
    if isinstance(layer.pool.pad, str):  # which lies elsewhere in a tile than in the whole image
        raise OutOfStepError
    window = layer.pool.windows((1, 1, 1, 1))[axis]
    # a window's share of the map goes up to where the next one begins
    stride, before = int(window.stride), int(window.before)
    first, last = (None if end is None else end * stride - before for end in (span.first, span.last))
    return Span(span.offset * stride, first, last)


def joined(spans: Sequence[Span]) -> Span:
    """Return the positions at which several maps are all right.

    Raises
    ------
    OutOfStepError
        They do not lie at the same place of the whole image.

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
    """Return how far neighbouring positions of a layer's output lie apart, given that of its input.

    Examples
    --------
    >>> step(AxisField(2, 2), Fraction(4)), step(AxisField(1, repeat=2), Fraction(1))
    (Fraction(8, 1), Fraction(1, 2))
    """
    return jump if field is None else jump * Fraction(int(field.stride), int(field.repeat))
