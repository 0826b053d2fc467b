"""Layers without weights that make a map larger by repeating its positions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from planner.conditions import Requirement
from planner.layers.base import AxisField, Category, Layer, needs_rank, pair, setting, settle
from planner.symbols import Shape


@dataclass(frozen=True)
class Upsample(Layer):
    """Nearest neighbour upsampling by a whole factor: output row i is input row ``floor(i/scale)``.

    Raises
    ------
    SettingError
        The scale is not one or two sizes.

    References
    ----------
    torch.nn.Upsample documentation, mode ``nearest``.

    Examples
    --------
    >>> Upsample(scale=2).output_shape(((1, 256, 28, 28),))
    (1, 256, 56, 56)
    """

    scale: Any = setting("times each position is repeated: one number or [height, width]")

    kind: ClassVar[str] = "upsample"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "every position repeated along height and width"

    def __post_init__(self) -> None:
        settle(self, scale=pair("scale", self.scale))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield needs_rank(inputs[0], 4, "put this layer before `flatten`")

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        batch, channels, high, wide = inputs[0]
        return (batch, channels, high * self.scale[0], wide * self.scale[1])

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, AxisField] | None:
        return AxisField(1, repeat=self.scale[0]), AxisField(1, repeat=self.scale[1])
