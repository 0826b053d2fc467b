"""Max pooling that remembers which tap of each window won, and an activation whose work it does.

No layers of a spec: what :mod:`planner.lowering.rewrite` puts in the place of some that are.
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
"""Taps of a window that have a number of one byte each; 0 stands for none."""


@dataclass(frozen=True)
class ArgmaxPool(MaxPool):
    """A max pooling that keeps a byte for each window, the number of its winner, and neither its input nor its output.

    With `clip` it also confines the largest values to that interval. A window has no winner where that changed it, or
    left it at an end of the interval: there the gradient is 0.

    Examples
    --------
    >>> ArgmaxPool.of(MaxPool(size=2), clip=(0.0, 6.0)).saved(((8, 6, 28, 28),), (8, 6, 14, 14))
    {'argmax': (6, 392)}
    """

    clip: Interval | None = None

    kind: ClassVar[str] = "argmaxpool"
    summary: ClassVar[str] = "largest value of each window, which remembers where it was"
    keeps: ClassVar[frozenset[Keep]] = frozenset()

    @classmethod
    def of(cls, pool: MaxPool, clip: Interval | None = None) -> Self:
        """Return a max pooling, its sizes plain ints or not, that remembers its winners."""
        found = object.__new__(cls)
        settle(found, **{item.name: getattr(pool, item.name) for item in fields(pool)}, clip=clip)
        return found

    def settings(self) -> dict[str, Any]:
        """Return the settings of the max pooling: the rest is no setting."""
        found = super().settings()
        found.pop("clip", None)
        return found

    def saved(self, inputs: tuple[Shape, ...], output: Shape) -> Mapping[str, Shape]:
        """Return ``argmax``: for each channel, one byte a window; 0 for none."""
        batch, channels, *sizes = map(int, output)
        return {"argmax": (channels, mask_elements(prod(sizes) * batch))}

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the one-byte marks of a tile of the output while training."""
        return mask_elements(tile_elements(output)) if training else 0

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return a tile of the output and its one-byte marks."""
        tile = tile_elements(output)
        return tile + mask_elements(tile)


@dataclass(frozen=True)
class Deferred(Layer):
    """An activation that the max pooling behind it does: the same memory, under another name."""

    kind: ClassVar[str] = "deferred"
    category: ClassVar[Category] = "act"
    summary: ClassVar[str] = "done by the max pooling behind it"
    gain: ClassVar[float | None] = 1.0
    mixes_positions: ClassVar[bool] = False
    alias: ClassVar[bool] = True
    in_place: ClassVar[bool] = True
    by_channel: ClassVar[bool] = True

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]
