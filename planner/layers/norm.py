"""Normalisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import planner.symbols as sy
from planner.conditions import AtLeast, Requirement
from planner.layers.base import Category, Keep, Layer, Parameter
from planner.layers.settings import flag, number, setting, settle
from planner.layers.tiling.workspace import WIDE, norm_elements
from planner.symbols import Shape, Size

SMALLEST_EPS = 1e-30
"""Smallest eps. A constant channel has variance 0; 1/sqrt of a smaller eps, squared, is too large for float32."""


def running_statistics(channels: Size) -> tuple[Parameter, Parameter]:
    """Return ``running_mean`` and ``running_var``, initialised to those of the standard normal distribution.

    Examples
    --------
    >>> [(p.name, p.initial) for p in running_statistics(64)]
    [('running_mean', 0.0), ('running_var', 1.0)]
    """
    return Parameter("running_mean", (channels,)), Parameter("running_var", (channels,), initial=1.0)


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Batch normalisation over N, H and W for each channel, or over N for each feature.

    Training normalises with the batch's mean and biased variance and moves the running statistics (unbiased
    variance) by `momentum`; inference uses the running statistics. A batch of one number per channel has no variance
    and moves neither. Parameters ``weight`` and ``bias``, buffers
    ``running_mean`` and ``running_var``, each (C,).

    References
    ----------
    Ioffe, Szegedy, arXiv:1502.03167; torch.nn.BatchNorm2d documentation.

    Examples
    --------
    >>> [p.name for p in BatchNorm().params(((8, 64, 7, 7),))]
    ['weight', 'bias']
    """

    eps: float = setting("added to the variance", 1e-5)
    momentum: float = setting("how far the running statistics move with each batch", 0.1)
    affine: bool = setting("scale and shift each channel by trainable numbers", True)

    kind: ClassVar[str] = "batchnorm"
    category: ClassVar[Category] = "norm"
    summary: ClassVar[str] = "batch normalisation of each channel"
    aliases: ClassVar[tuple[str, ...]] = ("bn", "batchnorm2d", "batchnormalization", "batchnorm1d", "norm")
    mixes_positions: ClassVar[bool] = False
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})
    in_place: ClassVar[bool] = True
    by_channel: ClassVar[bool] = True

    def __post_init__(self) -> None:
        settle(self, eps=number("eps", self.eps, SMALLEST_EPS, 1.0))
        settle(self, momentum=number("momentum", self.momentum, 0.0, 1.0))
        flag("affine", self.affine)

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        shape = inputs[0]
        yield Requirement(
            "S204",
            AtLeast(len(shape), 2),
            lambda: f"takes a tensor with a channel axis, but its input is {sy.shape_text(shape)}",
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def params(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        channels = (inputs[0][1],)
        return (Parameter("weight", channels, initial=1.0), Parameter("bias", channels)) if self.affine else ()

    def buffers(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        return running_statistics(inputs[0][1])

    def saved(self, inputs: tuple[Shape, ...], output: Shape) -> Mapping[str, Shape]:
        """Return the batch's ``mean`` and ``inverse`` standard deviation of each channel."""
        return {"mean": (output[1],), "inverse": (output[1],)}

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return two numbers per channel."""
        return 2 * int(output[1])

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return two numbers per channel and a piece of some channels."""
        channels, count = int(output[1]), int(sy.product(output))
        return 2 * channels + norm_elements(channels, count // channels, WIDE)
