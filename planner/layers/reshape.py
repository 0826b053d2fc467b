"""Layers that only look at the same numbers differently."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import planner.symbols as sy
from planner.conditions import AtLeast, Requirement
from planner.layers.base import AxisField, Category, Layer
from planner.symbols import Shape


@dataclass(frozen=True)
class Flatten(Layer):
    """(N, C, H, W) -> (N, C*H*W), channels outermost; no copy: the memory is the input's.

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
    summary: ClassVar[str] = "all of one image's numbers in a row"
    alias: ClassVar[bool] = True

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield Requirement(
            "S204", AtLeast(len(inputs[0]), 2), lambda: "takes a tensor with at least one axis after the batch"
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        return (shape[0], sy.product(shape[1:]))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, AxisField] | None:
        return (AxisField(None), AxisField(None)) if len(inputs[0]) == 4 else None
