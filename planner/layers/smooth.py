"""Smooth elementwise activations.

Definitions follow the torch.nn documentation of the activation of the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from planner.layers.base import RELU_GAIN
from planner.layers.pointwise import FromInput, FromOutput
from planner.layers.settings import choice, setting


@dataclass(frozen=True)
class Tanh(FromOutput):
    """Hyperbolic tangent."""

    kind: ClassVar[str] = "tanh"
    summary: ClassVar[str] = "hyperbolic tangent"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = 5.0 / 3.0
    workspace_blocks: ClassVar[tuple[int, int]] = (0, 1)


@dataclass(frozen=True)
class Sigmoid(FromOutput):
    """``1 / (1 + exp(-x))``."""

    kind: ClassVar[str] = "sigmoid"
    summary: ClassVar[str] = "1 / (1 + exp(-x))"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = 1.0
    workspace_blocks: ClassVar[tuple[int, int]] = (0, 1)


@dataclass(frozen=True)
class Silu(FromInput):
    """``x * sigmoid(x)`` (arXiv:1702.03118)."""

    kind: ClassVar[str] = "silu"
    summary: ClassVar[str] = "x * sigmoid(x)"
    aliases: ClassVar[tuple[str, ...]] = ("swish",)
    gain: ClassVar[float | None] = RELU_GAIN
    workspace_blocks: ClassVar[tuple[int, int]] = (1, 2)


@dataclass(frozen=True)
class Mish(FromInput):
    """``x * tanh(softplus(x))`` (Misra, arXiv:1908.08681, equation 1)."""

    kind: ClassVar[str] = "mish"
    summary: ClassVar[str] = "x * tanh(softplus(x))"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = RELU_GAIN
    workspace_blocks: ClassVar[tuple[int, int]] = (2, 3)


@dataclass(frozen=True)
class Gelu(FromInput):
    """``x * Phi(x)``, Phi the normal distribution function, or its tanh approximation (arXiv:1606.08415)."""

    approximate: str = setting(
        "none for the exact function, tanh for the paper's approximation", "none", choices=("none", "tanh")
    )

    kind: ClassVar[str] = "gelu"
    summary: ClassVar[str] = "x * Phi(x), Phi the normal distribution function"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = RELU_GAIN
    workspace_blocks: ClassVar[tuple[int, int]] = (3, 3)

    def __post_init__(self) -> None:
        choice(self, "approximate")


@dataclass(frozen=True)
class Softplus(FromOutput):
    """``log(1 + exp(x))``."""

    kind: ClassVar[str] = "softplus"
    summary: ClassVar[str] = "log(1 + exp(x))"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = 1.0
    workspace_blocks: ClassVar[tuple[int, int]] = (1, 1)
