"""Layers that reduce each channel's whole map to one number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import planner.symbols as sy
from planner.conditions import Requirement
from planner.layers.axes import needs_map
from planner.layers.base import AxisField, Category, Keep, Layer
from planner.layers.spatial import rank
from planner.layers.tiling.workspace import mask_elements
from planner.symbols import Shape


@dataclass(frozen=True)
class GlobalPool(Layer):
    """Base of the three global poolings: (N, C, H, W) -> (N, C, 1, 1), for any number of axes."""

    category: ClassVar[Category] = "pool"
    by_channel: ClassVar[bool] = True

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield needs_map(inputs[0])

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (*inputs[0][:2], *(1,) * rank(inputs[0]))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        return (AxisField(None),) * rank(inputs[0])

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return one element per row of the map: rows are summed first."""
        return int(sy.product(inputs[0][:-1]))


@dataclass(frozen=True)
class GlobalAvgPool(GlobalPool):
    """Mean of each channel's map.

    References
    ----------
    Lin, Chen, Yan, *Network in Network*, arXiv:1312.4400, section 3.2.

    Examples
    --------
    >>> GlobalAvgPool().output_shape(((8, 512, 7, 7),))
    (8, 512, 1, 1)
    """

    kind: ClassVar[str] = "gap"
    summary: ClassVar[str] = "mean of each channel's whole map"
    aliases: ClassVar[tuple[str, ...]] = (
        "globalavgpool",
        "globalaveragepool",
        "globalaveragepooling",
        "globalaveragepooling2d",
        "globalpool",
    )


@dataclass(frozen=True)
class GlobalMaxPool(GlobalPool):
    """Largest value of each channel's map.

    Examples
    --------
    >>> GlobalMaxPool().output_shape(((8, 512, 7, 7),))
    (8, 512, 1, 1)
    """

    kind: ClassVar[str] = "gmp"
    summary: ClassVar[str] = "largest value of each channel's whole map"
    aliases: ClassVar[tuple[str, ...]] = ("globalmaxpool", "globalmaxpooling", "globalmaxpooling2d")
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input", "output"})

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return 0: the maximum needs no workspace."""
        return 0

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the elements of two byte masks over all positions."""
        return 2 * mask_elements(sy.product(inputs[0]))


@dataclass(frozen=True)
class GlobalSumPool(GlobalPool):
    """Sum of each channel's map.

    Examples
    --------
    >>> GlobalSumPool().output_shape(((8, 512, 7, 7),))
    (8, 512, 1, 1)
    """

    kind: ClassVar[str] = "gsp"
    summary: ClassVar[str] = "sum of each channel's whole map"
    aliases: ClassVar[tuple[str, ...]] = ("globalsumpool", "globalsumpooling")
