"""Layers that leave something out at random while training, and do nothing at inference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import planner.symbols as sy
from planner.layers.base import number, setting, settle
from planner.layers.pointwise import Pointwise
from planner.layers.scratch import block_elements, mask_elements
from planner.symbols import Shape


@dataclass(frozen=True)
class Dropout(Pointwise):
    """Zeroes each number with probability `rate` while training and scales the rest by 1/(1 - rate).

    Nothing happens at inference. (Srivastava et al. 2014; torch.nn.Dropout documentation.)
    """

    rate: float = setting("share of numbers set to zero while training, from 0 to below 1", 0.5)

    kind: ClassVar[str] = "dropout"
    summary: ClassVar[str] = "zeroes a share of its input while training"
    in_place: ClassVar[bool] = True
    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        settle(self, rate=number("rate", self.rate, 0.0, 0.999999))

    def saved(self, inputs: tuple[Shape, ...], output: Shape) -> Mapping[str, Shape]:
        """Return ``kept``: one byte a number, true where it was not set to zero."""
        return {"kept": (mask_elements(sy.product(output)),)}

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return one block of random numbers while training."""
        return block_elements(int(sy.product(output))) if training else 0
