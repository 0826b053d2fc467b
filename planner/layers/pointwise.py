"""Layers that work on every number by itself, and softmax over the channels.

Definitions as in the torch.nn documentation of the activation of the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from planner.layers.base import Category, Keep, Layer, choice, number, setting
from planner.symbols import Shape


@dataclass(frozen=True)
class Pointwise(Layer):
    """What activations share: the output has the shape of the input, of any number of axes."""

    category: ClassVar[Category] = "act"

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]


@dataclass(frozen=True)
class FromOutput(Pointwise):
    """An activation whose derivative follows from its own output; it may work in place."""

    keeps: ClassVar[frozenset[Keep]] = frozenset({"output"})
    in_place: ClassVar[bool] = True


@dataclass(frozen=True)
class FromInput(Pointwise):
    """An activation whose derivative needs the input."""

    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})


@dataclass(frozen=True)
class Relu(FromOutput):
    """``max(x, 0)``; its derivative at 0 is 0."""

    kind: ClassVar[str] = "relu"
    summary: ClassVar[str] = "max(x, 0)"


@dataclass(frozen=True)
class Relu6(FromOutput):
    """``min(max(x, 0), 6)`` (Krizhevsky 2010; arXiv:1704.04861)."""

    kind: ClassVar[str] = "relu6"
    summary: ClassVar[str] = "min(max(x, 0), 6)"


@dataclass(frozen=True)
class LeakyRelu(FromOutput):
    """``x`` above zero, ``slope * x`` below (Maas et al. 2013)."""

    slope: float = setting("factor for negative inputs, above 0", 0.01)

    kind: ClassVar[str] = "leaky_relu"
    summary: ClassVar[str] = "x above zero, slope * x below"

    def __post_init__(self) -> None:
        object.__setattr__(self, "slope", number("slope", self.slope, 1e-9, 1e9))


@dataclass(frozen=True)
class Elu(FromOutput):
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below (arXiv:1511.07289)."""

    alpha: float = setting("limit for very negative inputs is -alpha", 1.0)

    kind: ClassVar[str] = "elu"
    summary: ClassVar[str] = "x above zero, alpha * (exp(x) - 1) below"

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", number("alpha", self.alpha, 1e-9, 1e9))


@dataclass(frozen=True)
class Tanh(FromOutput):
    """Hyperbolic tangent."""

    kind: ClassVar[str] = "tanh"
    summary: ClassVar[str] = "hyperbolic tangent"


@dataclass(frozen=True)
class Sigmoid(FromOutput):
    """``1 / (1 + exp(-x))``."""

    kind: ClassVar[str] = "sigmoid"
    summary: ClassVar[str] = "1 / (1 + exp(-x))"


@dataclass(frozen=True)
class Silu(FromInput):
    """``x * sigmoid(x)`` (arXiv:1702.03118)."""

    kind: ClassVar[str] = "silu"
    summary: ClassVar[str] = "x * sigmoid(x)"


@dataclass(frozen=True)
class Gelu(FromInput):
    """``x * Phi(x)``, Phi the normal distribution function, or its tanh approximation (arXiv:1606.08415)."""

    approximate: str = setting("none for the exact function, tanh for the paper's approximation", "none")

    kind: ClassVar[str] = "gelu"
    summary: ClassVar[str] = "x * Phi(x), Phi the normal distribution function"

    def __post_init__(self) -> None:
        choice("approximate", self.approximate, ("none", "tanh"))


@dataclass(frozen=True)
class Softplus(FromOutput):
    """``log(1 + exp(x))``."""

    kind: ClassVar[str] = "softplus"
    summary: ClassVar[str] = "log(1 + exp(x))"


@dataclass(frozen=True)
class Softmax(FromOutput):
    """``exp(x) / sum(exp(x))`` over the channels (axis 1)."""

    kind: ClassVar[str] = "softmax"
    summary: ClassVar[str] = "exp(x) / sum(exp(x)) over the channels"


@dataclass(frozen=True)
class LogSoftmax(FromOutput):
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
        object.__setattr__(self, "rate", number("rate", self.rate, 0.0, 0.999999))
