"""Fully connected layers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import planner.symbols as sy
from planner.conditions import Equal, Requirement
from planner.layers.base import Category, Keep, Layer, Parameter, needs_rows
from planner.layers.settings import count, flag, setting, settle
from planner.symbols import Shape, Size
from planner.wording import many


@dataclass(frozen=True)
class Dense(Layer):
    """Fully connected layer, (N, features) -> (N, units). Parameters ``weight`` (units, features), ``bias`` (units,).

    References
    ----------
    torch.nn.Linear documentation.

    Examples
    --------
    >>> Dense(units=84).output_shape(((1, 120),))
    (1, 84)
    """

    units: Size = setting("number of outputs")
    bias: bool = setting("add one trainable number per unit", True)
    features: Size | None = setting("required number of input features", None, unset="any number")

    kind: ClassVar[str] = "dense"
    category: ClassVar[Category] = "dense"
    summary: ClassVar[str] = "fully connected layer"
    aliases: ClassVar[tuple[str, ...]] = ("linear", "fc", "fullyconnected", "innerproduct", "gemm")
    gain: ClassVar[float | None] = 1.0
    mixes_positions: ClassVar[bool] = False
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})

    def __post_init__(self) -> None:
        settle(self, units=count("units", self.units))
        flag("bias", self.bias)
        if self.features is not None:
            settle(self, features=count("features", self.features))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield needs_rows(inputs[0], "put `flatten` before this layer")
        if self.features is not None:
            width = inputs[0][1]
            yield Requirement(
                "S211",
                Equal(width, self.features),
                partial(_width, width, self.features),
                partial(_width, width),
                "features",
            )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (inputs[0][0], self.units)

    def params(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        features = self._width(inputs)
        weight = Parameter("weight", (self.units, features), fan_in=features)
        return (weight, Parameter("bias", (self.units,))) if self.bias else (weight,)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> Size:
        return output[0] * output[1] * self._width(inputs)

    def _width(self, inputs: tuple[Shape, ...]) -> Size:
        """Return how many numbers the layer reads: `features` if given, even if the input's size is a formula."""
        return inputs[0][1] if self.features is None else self.features


def _width(width: Size, features: Size | None = None) -> str:
    if features is None:
        return f"its input has {sy.text(width)}"
    return f"reads {sy.text(features)} {many(features, 'number')}, but its input has {sy.text(width)}"
