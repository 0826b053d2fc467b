"""Layers that work on every number by itself, and softmax over the channels.

Definitions as in the torch.nn documentation of the activation of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import planner.symbols as sy
from planner.layers.base import Category, Keep, Layer, choice, number, setting, settle
from planner.layers.scratch import BLOCK, mask_elements, softmax_columns, softmax_parts
from planner.symbols import Shape


@dataclass(frozen=True)
class Pointwise(Layer):
    """What activations share: the output has the shape of the input, of any number of axes.

    `scratch_blocks` says how many blocks of scratch memory the kernel works in at inference and in training.
    """

    category: ClassVar[Category] = "act"
    scratch_blocks: ClassVar[tuple[int, int]] = (0, 0)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return some blocks: the kernel works piece by piece."""
        return self.scratch_blocks[1 if training else 0] * min(BLOCK, int(sy.product(output)))


@dataclass(frozen=True)
class FromOutput(Pointwise):
    """An activation whose derivative follows from its own output; it may work in place."""

    keeps: ClassVar[frozenset[Keep]] = frozenset({"output"})
    in_place: ClassVar[bool] = True


@dataclass(frozen=True)
class FromInput(Pointwise):
    """An activation whose derivative needs the input; at inference it may work in place."""

    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})
    in_place: ClassVar[bool] = True


@dataclass(frozen=True)
class Relu(FromOutput):
    """``max(x, 0)``; its derivative at 0 is 0."""

    kind: ClassVar[str] = "relu"
    summary: ClassVar[str] = "max(x, 0)"
    scratch_blocks: ClassVar[tuple[int, int]] = (0, 1)


@dataclass(frozen=True)
class Relu6(FromOutput):
    """``min(max(x, 0), 6)`` (Krizhevsky 2010; arXiv:1704.04861)."""

    kind: ClassVar[str] = "relu6"
    summary: ClassVar[str] = "min(max(x, 0), 6)"
    scratch_blocks: ClassVar[tuple[int, int]] = (0, 2)


@dataclass(frozen=True)
class LeakyRelu(FromOutput):
    """``x`` above zero, ``slope * x`` below (Maas et al. 2013)."""

    slope: float = setting("factor for negative inputs, above 0", 0.01)

    kind: ClassVar[str] = "leaky_relu"
    summary: ClassVar[str] = "x above zero, slope * x below"
    scratch_blocks: ClassVar[tuple[int, int]] = (1, 1)

    def __post_init__(self) -> None:
        settle(self, slope=number("slope", self.slope, 1e-9, 1e9))


@dataclass(frozen=True)
class Elu(FromOutput):
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below (arXiv:1511.07289)."""

    alpha: float = setting("limit for very negative inputs is -alpha", 1.0)

    kind: ClassVar[str] = "elu"
    summary: ClassVar[str] = "x above zero, alpha * (exp(x) - 1) below"
    scratch_blocks: ClassVar[tuple[int, int]] = (1, 2)

    def __post_init__(self) -> None:
        settle(self, alpha=number("alpha", self.alpha, 1e-9, 1e9))


@dataclass(frozen=True)
class Tanh(FromOutput):
    """Hyperbolic tangent."""

    kind: ClassVar[str] = "tanh"
    summary: ClassVar[str] = "hyperbolic tangent"
    scratch_blocks: ClassVar[tuple[int, int]] = (0, 1)


@dataclass(frozen=True)
class Sigmoid(FromOutput):
    """``1 / (1 + exp(-x))``."""

    kind: ClassVar[str] = "sigmoid"
    summary: ClassVar[str] = "1 / (1 + exp(-x))"
    scratch_blocks: ClassVar[tuple[int, int]] = (0, 1)


@dataclass(frozen=True)
class Silu(FromInput):
    """``x * sigmoid(x)`` (arXiv:1702.03118)."""

    kind: ClassVar[str] = "silu"
    summary: ClassVar[str] = "x * sigmoid(x)"
    scratch_blocks: ClassVar[tuple[int, int]] = (1, 2)


@dataclass(frozen=True)
class Gelu(FromInput):
    """``x * Phi(x)``, Phi the normal distribution function, or its tanh approximation (arXiv:1606.08415)."""

    approximate: str = setting("none for the exact function, tanh for the paper's approximation", "none")

    kind: ClassVar[str] = "gelu"
    summary: ClassVar[str] = "x * Phi(x), Phi the normal distribution function"
    scratch_blocks: ClassVar[tuple[int, int]] = (3, 3)

    def __post_init__(self) -> None:
        choice("approximate", self.approximate, ("none", "tanh"))


@dataclass(frozen=True)
class Softplus(FromOutput):
    """``log(1 + exp(x))``."""

    kind: ClassVar[str] = "softplus"
    summary: ClassVar[str] = "log(1 + exp(x))"
    scratch_blocks: ClassVar[tuple[int, int]] = (1, 1)


@dataclass(frozen=True)
class OverChannels(FromOutput):
    """What softmax and its logarithm share: sums over the channels."""

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return a row of sums, its parts and, where products are formed, one column block."""
        channels = output[1]
        columns = softmax_columns(channels, sy.product(output) // channels)
        products = channels if training or self.kind == "log_softmax" else 0
        return columns * (1 + softmax_parts(channels) + products)


@dataclass(frozen=True)
class Softmax(OverChannels):
    """``exp(x) / sum(exp(x))`` over the channels (axis 1)."""

    kind: ClassVar[str] = "softmax"
    summary: ClassVar[str] = "exp(x) / sum(exp(x)) over the channels"


@dataclass(frozen=True)
class LogSoftmax(OverChannels):
    """``x - log(sum(exp(x)))`` over the channels (axis 1)."""

    kind: ClassVar[str] = "log_softmax"
    summary: ClassVar[str] = "x - log(sum(exp(x))) over the channels"


@dataclass(frozen=True)
class Dropout(Pointwise):
    """Zeroes each number with probability `rate` while training and scales the rest by 1/(1 - rate).

    Nothing happens at inference. (Srivastava et al. 2014; torch.nn.Dropout documentation.)
    """

    rate: float = setting("share of numbers set to zero while training, from 0 to below 1", 0.5)

    kind: ClassVar[str] = "dropout"
    summary: ClassVar[str] = "zeroes a share of its input while training"
    in_place: ClassVar[bool] = True

    def __post_init__(self) -> None:
        settle(self, rate=number("rate", self.rate, 0.0, 0.999999))

    def saved(self, inputs: tuple[Shape, ...], output: Shape) -> Mapping[str, Shape]:
        """Return ``kept``: one byte a number, true where it was not set to zero."""
        return {"kept": (mask_elements(sy.product(output)),)}

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return one block of random numbers while training."""
        return min(BLOCK, sy.product(output)) if training else 0
