"""Normalisation of each image separately: layer, group, instance and local response normalisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import planner.symbols as sy
from planner.conditions import Divides, Requirement
from planner.layers.axes import needs_map
from planner.layers.base import Category, Keep, Layer, Parameter
from planner.layers.conv import uneven
from planner.layers.norm import SMALLEST_EPS, running_statistics
from planner.layers.settings import choice, count, flag, number, setting, settle
from planner.layers.tiling.shards import column_shares, in_lines
from planner.layers.tiling.workspace import GroupPieces, shard_blocks, softmax_columns
from planner.symbols import Shape, Size


@dataclass(frozen=True)
class GroupedNorm(Layer):
    """Base of layer, group and instance normalisation: ``weight*(x - mean)/sqrt(var + eps) + bias``.

    Mean and biased variance are computed over each group of numbers of one image, both in training and at inference.
    """

    category: ClassVar[Category] = "norm"
    mixes_positions: ClassVar[bool] = False
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})
    in_place: ClassVar[bool] = True

    eps: float
    affine: bool

    def __post_init__(self) -> None:
        settle(self, eps=number("eps", self.eps, SMALLEST_EPS, 1.0))
        flag("affine", self.affine)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def scaled(self, shape: Shape) -> Shape:
        """Return the shape of ``weight`` and ``bias``."""
        return (shape[1],)

    def params(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        shape = self.scaled(inputs[0])
        return (Parameter("weight", shape, initial=1.0), Parameter("bias", shape)) if self.affine else ()

    def pieces(self, shape: Shape) -> GroupPieces:
        """Return the groups of a tensor of that shape and how they are cut into pieces (bound shapes only)."""
        raise NotImplementedError

    def saved(self, inputs: tuple[Shape, ...], output: Shape) -> Mapping[str, Shape]:
        """Return the ``mean`` and ``inverse`` standard deviation of each group."""
        plan, batch = self.pieces(output), int(output[0])
        shape = (plan.groups, plan.vectors // batch, batch)
        return {"mean": shape, "inverse": shape}

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return, for each shard, two numbers per group, two more if they are not saved, and a piece of the tensor."""
        each = 2 if training else 4
        return sum(in_lines(each * p.groups * p.vectors + p.elements) for *_, p in self.pieces(output).shards)

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return, for each shard, three numbers per group, two pieces of the tensor and one sum per weight.

        Shards that share the vectors of a group also each hold gradients of all its weights.
        """
        whole = self.pieces(output)
        shards = [plan for *_, plan in whole.shards]
        sums = (3 if len(shards) > 1 and shards[0].groups == whole.groups else 1) if self.affine else 0
        return sum(in_lines(3 * p.groups * p.vectors + 2 * p.elements + sums * p.groups * p.channels) for p in shards)


@dataclass(frozen=True)
class LayerNorm(GroupedNorm):
    """Layer normalisation: over the channels at each position, or over all numbers of an image.

    ``over: channels`` has one ``weight`` and ``bias`` per channel, (C,), like ConvNeXt's LayerNorm2d. ``over: all`` has
    one per number, (C, H, W), like torch.nn.LayerNorm with that `normalized_shape`, which fixes the size of the image.
    On (N, features) both are the same.

    References
    ----------
    Ba, Kiros, Hinton, arXiv:1607.06450; torch.nn.LayerNorm documentation; Liu et al., arXiv:2201.03545.

    Examples
    --------
    >>> [p.shape for p in LayerNorm(over="all").params(((8, 64, 7, 7),))]
    [(64, 7, 7), (64, 7, 7)]
    """

    over: str = setting(
        "channels: over the channels, separately at each position; all: over all numbers of an image",
        "channels",
        choices=("channels", "all"),
    )
    eps: float = setting("added to the variance", 1e-5)
    affine: bool = setting("scale and shift by trainable numbers", True)

    kind: ClassVar[str] = "layernorm"
    summary: ClassVar[str] = "layer normalisation over the channels of each position, or over each image"
    aliases: ClassVar[tuple[str, ...]] = ("layernorm2d", "layernormalization")

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, over=choice(self, "over"))

    def scaled(self, shape: Shape) -> Shape:
        return shape[1:] if self.over == "all" else (shape[1],)

    def pieces(self, shape: Shape) -> GroupPieces:
        batch, channels, *map_size = shape
        positions = int(sy.product(map_size))
        if self.over == "all":
            return GroupPieces(1, int(channels) * positions, 1, int(batch))
        return GroupPieces(1, int(channels), 1, positions * int(batch))


@dataclass(frozen=True)
class GroupNorm(GroupedNorm):
    """Group normalisation: over each of several groups of channels of an image.

    Parameters ``weight`` and ``bias``, each (C,).

    References
    ----------
    Wu, He, arXiv:1803.08494, which also gives the 32 groups; torch.nn.GroupNorm documentation.

    Examples
    --------
    >>> [p.shape for p in GroupNorm(groups=4).params(((8, 64, 7, 7),))]
    [(64,), (64,)]
    """

    groups: Size = setting("number of groups of channels", 32)
    eps: float = setting("added to the variance", 1e-5)
    affine: bool = setting("scale and shift each channel by trainable numbers", True)

    kind: ClassVar[str] = "groupnorm"
    summary: ClassVar[str] = "normalisation of each group of channels of each image"
    aliases: ClassVar[tuple[str, ...]] = ("groupnorm2d", "groupnormalization", "gn")

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, groups=count("groups", self.groups))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        say = partial(uneven, self.groups, inputs[0][1], "channels")
        yield Requirement("S203", Divides(self.groups, inputs[0][1]), say, partial(say, short=True), "groups")

    def pieces(self, shape: Shape) -> GroupPieces:
        batch, channels, *map_size = shape
        groups = int(self.groups)
        return GroupPieces(groups, int(channels) // groups, int(sy.product(map_size)), int(batch))


@dataclass(frozen=True)
class InstanceNorm(GroupedNorm):
    """Instance normalisation: over the map of each channel of each image.

    Parameters ``weight`` and ``bias``, each (C,), exist with `affine`. With `running`, inference uses running
    statistics: buffers ``running_mean`` and ``running_var``, each (C,), which each training batch moves by `momentum`
    towards the mean over its images (unbiased variance). A map of one number has no variance and moves neither.

    References
    ----------
    Ulyanov, Vedaldi, Lempitsky, arXiv:1607.08022; torch.nn.InstanceNorm2d documentation (`affine` false by default).

    Examples
    --------
    >>> InstanceNorm().params(((8, 64, 7, 7),))
    ()
    """

    eps: float = setting("added to the variance", 1e-5)
    affine: bool = setting("scale and shift each channel by trainable numbers", False)
    running: bool = setting("keep running statistics and use them at inference", False)
    momentum: float = setting("how far the running statistics move with each batch", 0.1)

    kind: ClassVar[str] = "instancenorm"
    summary: ClassVar[str] = "normalisation of each channel of each image"
    aliases: ClassVar[tuple[str, ...]] = ("instancenorm2d", "instancenormalization")

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, running=flag("running", self.running), momentum=number("momentum", self.momentum, 0.0, 1.0))

    def buffers(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        return running_statistics(inputs[0][1]) if self.running else ()

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield needs_map(inputs[0])

    def pieces(self, shape: Shape) -> GroupPieces:
        batch, channels, *map_size = shape
        return GroupPieces(int(channels), 1, int(sy.product(map_size)), int(batch))


@dataclass(frozen=True)
class LocalResponseNorm(Layer):
    """Local response normalisation: ``x/(k + alpha*m)^beta``, m the mean of x^2 over neighbouring channels.

    Of `size` channels, ``floor(size/2)`` come before the channel itself; channels that do not exist count as zeros.

    References
    ----------
    Krizhevsky, Sutskever, Hinton 2012, section 3.3 (it uses a sum, so that its alpha is `size` times smaller);
    torch.nn.LocalResponseNorm documentation.

    Examples
    --------
    >>> LocalResponseNorm(size=5).output_shape(((8, 64, 27, 27),))
    (8, 64, 27, 27)
    """

    size: Size = setting("number of neighbouring channels in the mean")
    alpha: float = setting("factor of their mean square", 1e-4)
    beta: float = setting("exponent", 0.75)
    k: float = setting("added to the mean square", 1.0)

    kind: ClassVar[str] = "lrn"
    category: ClassVar[Category] = "norm"
    summary: ClassVar[str] = "local response normalisation across neighbouring channels"
    aliases: ClassVar[tuple[str, ...]] = ("localresponsenorm", "localresponsenormalization", "responsenorm")
    mixes_positions: ClassVar[bool] = False
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})
    in_place: ClassVar[bool] = True

    def __post_init__(self) -> None:
        settle(
            self,
            size=count("size", self.size),
            alpha=number("alpha", self.alpha, 0.0, 1e6),
            beta=number("beta", self.beta, 0.0, 100.0),
            k=number("k", self.k, SMALLEST_EPS, 1e6),
        )

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        yield needs_map(inputs[0])

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return, for each shard, two pieces: some positions with all channels."""
        return self._pieces(output, 2)

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return, for each shard, three pieces: some positions with all channels."""
        return self._pieces(output, 3)

    def _pieces(self, output: Shape, count: int) -> int:
        channels, places = int(output[1]), int(sy.product((output[0], *output[2:])))
        spans = column_shares(channels, places)
        steps = (softmax_columns(channels, last - first, shard_blocks(len(spans))) for first, last in spans)
        return sum(in_lines(count * channels * step) for step in steps)
