"""Layers with one number per channel: PReLU, layer scale, shift, rescaling."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import planner.symbols as sy
from planner.conditions import Equal, Requirement
from planner.findings import SettingError
from planner.layers.axes import sized
from planner.layers.base import RELU_GAIN, Category, Keep, Layer, Parameter, leaky_gain
from planner.layers.settings import flag, number, setting, settle
from planner.layers.tiling.workspace import norm_elements
from planner.symbols import Shape
from planner.wording import plural

LARGEST = 1e9
"""Largest magnitude of an initial value; anything larger is a mistake."""


@dataclass(frozen=True)
class Channelwise(Layer):
    """Base of layers with a ``weight`` of one number per channel, (C,), initialised to `initial`.

    `pieces` is the number of workspace pieces (a few channels each) of the kernel, forward and backward.
    """

    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})
    in_place: ClassVar[bool] = True
    pieces: ClassVar[tuple[int, int]] = (0, 0)
    mixes_positions: ClassVar[bool] = False

    initial: float

    def __post_init__(self) -> None:
        settle(self, initial=number("initial", self.initial, -LARGEST, LARGEST))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def params(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        return (Parameter("weight", (inputs[0][1],), initial=self.initial),)

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of the pieces."""
        return self.pieces[0] * self._piece(output)

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the elements of the pieces and of one sum per channel."""
        return self.pieces[1] * self._piece(output) + int(output[1])

    def _piece(self, output: Shape) -> int:
        channels, count = int(output[1]), int(sy.product(output))
        return norm_elements(channels, count // channels)


@dataclass(frozen=True)
class PRelu(Channelwise):
    """``x`` above zero, ``weight * x`` below; the weight is learned, one number or one per channel.

    Parameter ``weight``, (1,) or, with `per_channel`, (C,).

    References
    ----------
    He et al., arXiv:1502.01852, section 2.1; torch.nn.PReLU documentation, which starts at 0.25.

    Examples
    --------
    >>> [p.shape for p in PRelu(per_channel=True).params(((8, 64, 7, 7),))]
    [(64,)]
    """

    per_channel: bool = setting("learn one slope per channel instead of one for all", False)
    initial: float = setting("initial slope for negative inputs", 0.25)

    kind: ClassVar[str] = "prelu"
    category: ClassVar[Category] = "act"
    summary: ClassVar[str] = "x above zero, a learned slope times x below"
    aliases: ClassVar[tuple[str, ...]] = ("parametricrelu",)
    gain: ClassVar[float | None] = RELU_GAIN
    pieces: ClassVar[tuple[int, int]] = (1, 2)

    def __post_init__(self) -> None:
        super().__post_init__()
        flag("per_channel", self.per_channel)

    def weight_gain(self) -> float:
        """Return the gain for the initial slope."""
        return leaky_gain(self.initial)

    def params(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        return super().params(inputs) if self.per_channel else (Parameter("weight", (1,), initial=self.initial),)


@dataclass(frozen=True)
class LayerScale(Channelwise):
    """Each channel times a learned number, which starts so small that a residual branch starts close to zero.

    Parameter ``weight``, (C,).

    References
    ----------
    Touvron et al., arXiv:2103.17239, section 2; `layer_scale` of torchvision's ConvNeXt, which starts at 1e-6.

    Examples
    --------
    >>> [p.initial for p in LayerScale().params(((8, 96, 56, 56),))]
    [1e-06]
    """

    initial: float = setting("initial factor of each channel", 1e-6)

    kind: ClassVar[str] = "layer_scale"
    category: ClassVar[Category] = "norm"
    summary: ClassVar[str] = "each channel times a learned number"
    aliases: ClassVar[tuple[str, ...]] = ("layerscale", "gamma")
    pieces: ClassVar[tuple[int, int]] = (0, 1)
    by_channel: ClassVar[bool] = True


@dataclass(frozen=True)
class Shift(Channelwise):
    """Each channel plus a learned number: the bias of a convolution as a separate layer.

    Parameter ``weight``, (C,).

    References
    ----------
    Zhang, Dauphin, Ma, *Fixup Initialization*, arXiv:1901.09321, section 3, uses such biases without a convolution.

    Examples
    --------
    >>> [p.shape for p in Shift().params(((8, 16, 7, 7),))]
    [(16,)]
    """

    initial: float = setting("initial value added to each channel", 0.0)

    kind: ClassVar[str] = "shift"
    category: ClassVar[Category] = "norm"
    summary: ClassVar[str] = "each channel plus a learned number"
    aliases: ClassVar[tuple[str, ...]] = ()
    keeps: ClassVar[frozenset[Keep]] = frozenset()
    by_channel: ClassVar[bool] = True


@dataclass(frozen=True)
class Rescale(Layer):
    """``scale * x + shift`` with fixed numbers: one for all channels, or a list with one for each.

    References
    ----------
    `transform_input` of torchvision's GoogLeNet and Inception v3, which changes the mean and deviation of images.

    Examples
    --------
    >>> Rescale(scale=(0.458, 0.448, 0.45)).output_shape(((8, 3, 299, 299),))
    (8, 3, 299, 299)
    """

    scale: Any = setting("factor: a number, or one for each channel", 1.0, lengths=(1, None), numbers=True)
    shift: Any = setting("added after scaling: a number, or one for each channel", 0.0, lengths=(1, None), numbers=True)

    kind: ClassVar[str] = "rescale"
    category: ClassVar[Category] = "norm"
    summary: ClassVar[str] = "each channel times a fixed number plus a fixed number"
    aliases: ClassVar[tuple[str, ...]] = ("rescaling",)
    mixes_positions: ClassVar[bool] = False
    in_place: ClassVar[bool] = True

    def __post_init__(self) -> None:
        settle(self, scale=_numbers("scale", self.scale), shift=_numbers("shift", self.shift))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        (shape,) = inputs
        for name, given in (("scale", self.scale), ("shift", self.shift)):
            if isinstance(given, tuple):
                say = partial(_not_one_each, name, len(given), sized(shape, 1))
                yield Requirement("S218", Equal(shape[1], len(given)), say, partial(str, sized(shape, 1)), name)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]


def _numbers(name: str, given: object) -> float | tuple[float, ...]:
    if isinstance(given, (list, tuple)):
        if not given:
            raise SettingError(name, f"`{name}` is an empty list", "give a number, or one for each channel")
        return tuple(number(name, each, -LARGEST, LARGEST) for each in given)
    return number(name, given, -LARGEST, LARGEST)


def _not_one_each(name: str, count: int, has: str) -> str:
    return f"`{name}` has {plural(count, 'number')}, but its input has {has}"
