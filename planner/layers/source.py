"""Inputs of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from planner.findings import SettingError
from planner.layers.base import Category, Layer
from planner.layers.settings import count, setting, settle
from planner.symbols import Shape


@dataclass(frozen=True)
class Input(Layer):
    """An input of the network: (N, features), (N, C, L), (N, C, H, W) or (N, C, D, H, W); any size may be a name.

    Raises
    ------
    SettingError
        The shape does not have 2 to 5 sizes, or one of them is not a size.

    Examples
    --------
    >>> Input(shape=("N", 1, 32, 32)).output_shape(())
    (N, 1, 32, 32)
    """

    shape: Any = setting("sizes in the order N, C, H, W (or N, features; N, C, L; N, C, D, H, W)", lengths=(2, 5))

    kind: ClassVar[str] = "input"
    category: ClassVar[Category] = "io"
    summary: ClassVar[str] = "an input of the network"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = 1.0
    mixes_positions: ClassVar[bool] = False
    inputs_at_least: ClassVar[int] = 0
    inputs_at_most: ClassVar[int | None] = 0

    def __post_init__(self) -> None:
        if not isinstance(self.shape, (list, tuple)) or len(self.shape) not in range(2, 6):
            problem = "the shape of an input is [N, C, H, W], [N, C, L], [N, C, D, H, W] or [N, features]"
            raise SettingError("shape", problem)
        settle(self, shape=tuple(count("shape", item) for item in self.shape))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return tuple(self.shape)
