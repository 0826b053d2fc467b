"""The base of elementwise layers, and the activations that are not smooth.

Definitions follow the torch.nn documentation of the activation of the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import planner.symbols as sy
from planner.layers.base import RELU_GAIN, Category, Interval, Keep, Layer, leaky_gain
from planner.layers.settings import number, setting, settle
from planner.layers.tiling.workspace import block_elements
from planner.symbols import Shape


@dataclass(frozen=True)
class Pointwise(Layer):
    """Base of elementwise layers: the output has the shape of the input, with any number of axes.

    `workspace_blocks` is the number of blocks of workspace of the kernel, forward and backward.
    """

    category: ClassVar[Category] = "act"
    mixes_positions: ClassVar[bool] = False
    workspace_blocks: ClassVar[tuple[int, int]] = (0, 0)
    by_channel: ClassVar[bool] = True

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of the blocks: the kernel works block by block."""
        return self.workspace_blocks[0] * block_elements(int(sy.product(output)))

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the elements of the blocks."""
        return self.workspace_blocks[1] * block_elements(int(sy.product(output)))


@dataclass(frozen=True)
class FromOutput(Pointwise):
    """An activation with a derivative that is computed from its output; it may work in place."""

    keeps: ClassVar[frozenset[Keep]] = frozenset({"output"})
    in_place: ClassVar[bool] = True


@dataclass(frozen=True)
class FromInput(Pointwise):
    """An activation with a derivative that needs the input; it may work in place at inference."""

    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})
    in_place: ClassVar[bool] = True


@dataclass(frozen=True)
class Relu(FromOutput):
    """``max(x, 0)``; its derivative at 0 is 0."""

    kind: ClassVar[str] = "relu"
    summary: ClassVar[str] = "max(x, 0)"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = RELU_GAIN
    clips: ClassVar[Interval | None] = (0.0, inf)
    workspace_blocks: ClassVar[tuple[int, int]] = (0, 1)


@dataclass(frozen=True)
class Relu6(FromOutput):
    """``min(max(x, 0), 6)`` (Krizhevsky 2010; arXiv:1704.04861)."""

    kind: ClassVar[str] = "relu6"
    summary: ClassVar[str] = "min(max(x, 0), 6)"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = RELU_GAIN
    clips: ClassVar[Interval | None] = (0.0, 6.0)
    workspace_blocks: ClassVar[tuple[int, int]] = (0, 2)


@dataclass(frozen=True)
class LeakyRelu(FromOutput):
    """``x`` above zero, ``slope * x`` below (Maas et al. 2013)."""

    slope: float = setting("factor of negative inputs, above 0", 0.01)

    kind: ClassVar[str] = "leaky_relu"
    summary: ClassVar[str] = "x above zero, slope * x below"
    aliases: ClassVar[tuple[str, ...]] = ("lrelu",)
    gain: ClassVar[float | None] = RELU_GAIN
    workspace_blocks: ClassVar[tuple[int, int]] = (1, 1)

    def __post_init__(self) -> None:
        settle(self, slope=number("slope", self.slope, 1e-9, 1e9))

    def weight_gain(self) -> float:
        """Return the gain for the slope."""
        return leaky_gain(self.slope)


@dataclass(frozen=True)
class Elu(FromOutput):
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below (arXiv:1511.07289)."""

    alpha: float = setting("the output approaches -alpha for very negative inputs", 1.0)

    kind: ClassVar[str] = "elu"
    summary: ClassVar[str] = "x above zero, alpha * (exp(x) - 1) below"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = RELU_GAIN
    workspace_blocks: ClassVar[tuple[int, int]] = (1, 2)

    def __post_init__(self) -> None:
        settle(self, alpha=number("alpha", self.alpha, 1e-9, 1e9))


@dataclass(frozen=True)
class Selu(FromOutput):
    """``scale * x`` above zero, ``scale * alpha * (exp(x) - 1)`` below, which keeps mean 0 and variance 1.

    The two constants are those of the paper (arXiv:1706.02515, equation 14) and of torch.nn.SELU.
    """

    kind: ClassVar[str] = "selu"
    summary: ClassVar[str] = "scaled elu that keeps mean 0 and variance 1"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = 1.0
    workspace_blocks: ClassVar[tuple[int, int]] = (1, 2)


@dataclass(frozen=True)
class HardSigmoid(FromOutput):
    """``min(max(x + 3, 0), 6) / 6``; the gradient is 0 at both ends (torch.nn.Hardsigmoid documentation)."""

    kind: ClassVar[str] = "hard_sigmoid"
    summary: ClassVar[str] = "min(max(x + 3, 0), 6) / 6"
    aliases: ClassVar[tuple[str, ...]] = ("hsigmoid",)
    gain: ClassVar[float | None] = 1.0
    workspace_blocks: ClassVar[tuple[int, int]] = (0, 2)


@dataclass(frozen=True)
class HardSwish(FromInput):
    """``x * hard_sigmoid(x)`` (Howard et al., arXiv:1905.02244, section 5.2; torch.nn.Hardswish documentation)."""

    kind: ClassVar[str] = "hard_swish"
    summary: ClassVar[str] = "x * min(max(x + 3, 0), 6) / 6"
    aliases: ClassVar[tuple[str, ...]] = ("hswish",)
    gain: ClassVar[float | None] = RELU_GAIN
    workspace_blocks: ClassVar[tuple[int, int]] = (1, 3)
