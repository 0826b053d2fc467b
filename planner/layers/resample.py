"""Layers without weights that enlarge a map by repeating its positions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from planner.conditions import Requirement
from planner.layers.axes import needs_map
from planner.layers.base import AxisField, Category, Layer
from planner.layers.settings import setting, settle
from planner.layers.spatial import along, fits, per_axis, rank
from planner.symbols import Shape, Size


@dataclass(frozen=True)
class Upsample(Layer):
    """Nearest neighbour upsampling by a whole factor: output row i is input row ``floor(i/scale)``.

    Raises
    ------
    SettingError
        The scale is not one size or one for each axis.

    References
    ----------
    torch.nn.Upsample documentation, mode ``nearest``.

    Examples
    --------
    >>> Upsample(scale=2).output_shape(((1, 256, 28, 28),))
    (1, 256, 56, 56)
    """

    scale: Any = setting("how often each position is repeated: one number or one for each axis")

    kind: ClassVar[str] = "upsample"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "every position repeated along each axis"
    aliases: ClassVar[tuple[str, ...]] = ()
    by_channel: ClassVar[bool] = True

    def __post_init__(self) -> None:
        settle(self, scale=per_axis("scale", self.scale))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield needs_map(inputs[0])
        yield from fits("scale", self.scale, inputs[0])

    def scales(self, shape: Shape) -> tuple[Size, ...]:
        """Return how often positions are repeated along each axis."""
        return along(self.scale, rank(shape))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        return (*shape[:2], *(size * scale for size, scale in zip(shape[2:], self.scales(shape), strict=True)))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        return tuple(AxisField(1, repeat=scale) for scale in self.scales(inputs[0]))
