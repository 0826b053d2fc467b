"""Max pooling that saves the argmax of each window, and an activation fused into it.

These layers do not occur in a spec: :mod:`planner.lowering.rewrite` replaces layers of a spec by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import prod
from typing import Any, ClassVar, Self

from planner.layers.base import Category, Interval, Keep, Layer
from planner.layers.pool import MaxPool, tile_elements
from planner.layers.settings import settle
from planner.layers.tiling.workspace import mask_elements
from planner.symbols import Shape

MOST_TAPS = 255
"""Largest number of taps that one byte can index; 0 means none."""


@dataclass(frozen=True)
class ArgmaxPool(MaxPool):
    """A max pooling that keeps one byte per window, its argmax, instead of its input and output.

    With `clip` it also clips the largest values to that interval. A window has no argmax if its value is clipped or at
    an end of the interval; its gradient is then 0.

    Examples
    --------
    >>> ArgmaxPool.of(MaxPool(size=2), clip=(0.0, 6.0)).saved(((8, 6, 28, 28),), (8, 6, 14, 14))
    {'argmax': (6, 392)}
    """

    clip: Interval | None = None

    kind: ClassVar[str] = "argmaxpool"
    summary: ClassVar[str] = "largest value of each window, which keeps its argmax"
    keeps: ClassVar[frozenset[Keep]] = frozenset()

    @classmethod
    def of(cls, pool: MaxPool, clip: Interval | None = None) -> Self:
        """Return the max pooling, with sizes bound or not, as one that keeps its argmax."""
        found = object.__new__(cls)
        settle(found, **{item.name: getattr(pool, item.name) for item in fields(pool)}, clip=clip)
        return found

    def settings(self) -> dict[str, Any]:
        """Return the settings of the max pooling; `clip` is not a setting."""
        found = super().settings()
        found.pop("clip", None)
        return found

    def saved(self, inputs: tuple[Shape, ...], output: Shape) -> Mapping[str, Shape]:
        """Return ``argmax``: for each channel, one byte per window; 0 for none."""
        batch, channels, *sizes = map(int, output)
        return {"argmax": (channels, mask_elements(prod(sizes) * batch))}

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of the byte mask of a tile of the output while training."""
        return mask_elements(tile_elements(output)) if training else 0

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the elements of a tile of the output and its byte mask."""
        tile = tile_elements(output)
        return tile + mask_elements(tile)


@dataclass(frozen=True)
class Deferred(Layer):
    """An activation fused into the max pooling after it: an alias of its input."""

    kind: ClassVar[str] = "deferred"
    category: ClassVar[Category] = "act"
    summary: ClassVar[str] = "fused into the max pooling after it"
    alias: ClassVar[bool] = True
    in_place: ClassVar[bool] = True
    by_channel: ClassVar[bool] = True

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]
