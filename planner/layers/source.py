"""Where tensors enter the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from planner.findings import SettingError
from planner.layers.base import Category, Layer
from planner.layers.settings import count, setting, settle
from planner.symbols import Shape


@dataclass(frozen=True)
class Input(Layer):
    """A tensor given from outside: (N, features), (N, C, L), (N, C, H, W) or (N, C, D, H, W); any size may be a name.

    Raises
    ------
    SettingError
        The shape has not 2 to 5 sizes, or one of them is no size.

    Examples
    --------
    >>> Input(shape=("N", 1, 32, 32)).output_shape(())
    (N, 1, 32, 32)
    """

    shape: Any = setting("sizes in the order N, C, H, W (or N, features; N, C, L; N, C, D, H, W)", lengths=(2, 5))

    kind: ClassVar[str] = "input"
    category: ClassVar[Category] = "io"
    summary: ClassVar[str] = "a tensor given from outside"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = 1.0
    mixes_positions: ClassVar[bool] = False
    inputs_at_least: ClassVar[int] = 0
    inputs_at_most: ClassVar[int | None] = 0

    def __post_init__(self) -> None:
        if not isinstance(self.shape, (list, tuple)) or len(self.shape) not in range(2, 6):
            raise SettingError("shape", "an input is [N, C, H, W], [N, C, L], [N, C, D, H, W] or [N, features]")
        settle(self, shape=tuple(count("shape", item) for item in self.shape))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return tuple(self.shape)
