"""Layers that drop values at random while training, and do nothing at inference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import planner.symbols as sy
from planner.conditions import Requirement
from planner.layers.axes import needs_map
from planner.layers.base import Category, Layer
from planner.layers.pointwise import Pointwise
from planner.layers.settings import choice, number, setting, settle
from planner.layers.tiling.workspace import block_elements, mask_elements
from planner.symbols import Shape

MOST = 0.999999
"""Largest share that may be dropped: with nothing left, there is nothing to scale up."""


@dataclass(frozen=True)
class Dropout(Pointwise):
    """Layer that zeroes each number with probability `rate` while training and scales the others by 1/(1 - rate).

    At inference it does nothing. (Srivastava et al. 2014; torch.nn.Dropout documentation.)
    """

    rate: float = setting("share of numbers set to zero while training, at least 0 and below 1", 0.5)

    kind: ClassVar[str] = "dropout"
    summary: ClassVar[str] = "zeroes a share of its input while training"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = None
    in_place: ClassVar[bool] = True
    random: ClassVar[bool] = True
    by_channel: ClassVar[bool] = False

    def __post_init__(self) -> None:
        settle(self, rate=number("rate", self.rate, 0.0, MOST))

    def saved(self, inputs: tuple[Shape, ...], output: Shape) -> Mapping[str, Shape]:
        """Return ``kept``: one byte per number, true if it was not set to zero."""
        return {"kept": (mask_elements(sy.product(output)),)}

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of one block of random numbers while training."""
        return block_elements(int(sy.product(output))) if training else 0


@dataclass(frozen=True)
class Dropout2d(Layer):
    """Layer that zeroes each channel of each image with probability `rate` while training and scales the others.

    The scale is 1/(1 - rate). Neighbours in a map are so similar that dropping single numbers has hardly any effect. On
    maps of one or three axes this is torch.nn.Dropout1d and Dropout3d.

    References
    ----------
    Tompson et al., arXiv:1411.4280, section 3.2; torch.nn.Dropout2d documentation.

    Examples
    --------
    >>> Dropout2d().saved(((8, 64, 28, 28),), (8, 64, 28, 28))
    {'kept': (64, 8)}
    """

    rate: float = setting("share of channels set to zero while training, at least 0 and below 1", 0.5)

    kind: ClassVar[str] = "dropout2d"
    category: ClassVar[Category] = "act"
    summary: ClassVar[str] = "zeroes a share of the channels while training"
    aliases: ClassVar[tuple[str, ...]] = ("spatialdropout", "spatialdropout2d", "channeldropout", "featuredropout")
    gain: ClassVar[float | None] = None
    mixes_positions: ClassVar[bool] = False
    in_place: ClassVar[bool] = True
    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        settle(self, rate=number("rate", self.rate, 0.0, MOST))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield needs_map(inputs[0], "drops whole channels", "use `dropout` after `flatten`")

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def saved(self, inputs: tuple[Shape, ...], output: Shape) -> Mapping[str, Shape]:
        """Return ``kept``: the factor of each channel of each image."""
        return {"kept": (output[1], output[0])}


@dataclass(frozen=True)
class StochasticDepth(Layer):
    """Layer that drops a whole branch with probability `rate` while training, and scales it by 1/(1 - rate) otherwise.

    With `mode` row each image is drawn separately; with batch one draw holds for all. It belongs at the end of a
    residual branch, before the `add`.

    References
    ----------
    Huang et al., arXiv:1603.09382, section 3; torchvision.ops.stochastic_depth documentation, which has the same modes.

    Examples
    --------
    >>> StochasticDepth(rate=0.2).saved(((8, 64, 28, 28),), (8, 64, 28, 28))
    {'kept': (8,)}
    """

    rate: float = setting("share of images, or of batches, for which the branch is dropped, at least 0 and below 1")
    mode: str = setting("row: one draw per image; batch: one draw for all images", "row", choices=("row", "batch"))

    kind: ClassVar[str] = "stochastic_depth"
    category: ClassVar[Category] = "act"
    summary: ClassVar[str] = "drops a branch at random while training"
    aliases: ClassVar[tuple[str, ...]] = ("stochasticdepth", "droppath", "dropconnect")
    gain: ClassVar[float | None] = None
    mixes_positions: ClassVar[bool] = False
    in_place: ClassVar[bool] = True
    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        settle(self, rate=number("rate", self.rate, 0.0, MOST), mode=choice(self, "mode"))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def saved(self, inputs: tuple[Shape, ...], output: Shape) -> Mapping[str, Shape]:
        """Return ``kept``: the factor of each image."""
        return {"kept": (output[0] if self.mode == "row" else 1,)}
