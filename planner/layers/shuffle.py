"""Layers that move numbers to another position of the same image: shuffles and permutations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import planner.symbols as sy
from planner.conditions import Divides, Equal, Requirement
from planner.findings import SettingError
from planner.layers.axes import axis, needs_map, position, sized
from planner.layers.base import AxisField, Category, Layer
from planner.layers.conv import uneven
from planner.layers.settings import count, setting, settle
from planner.layers.spatial import rank
from planner.symbols import Shape, Size
from planner.wording import plural

MOVES = "moves numbers between the channels and the map"


@dataclass(frozen=True)
class ChannelShuffle(Layer):
    """Interleaved channels of several groups: the first of each group, then the second of each, and so on.

    Channel ``k*groups + g`` of the output is channel ``g*(C/groups) + k`` of the input.

    References
    ----------
    Zhang et al., *ShuffleNet*, arXiv:1707.01083, section 3.1; torch.nn.ChannelShuffle documentation.

    Examples
    --------
    >>> ChannelShuffle(groups=2).output_shape(((8, 116, 28, 28),))
    (8, 116, 28, 28)
    """

    groups: Size = setting("number of groups to interleave")

    kind: ClassVar[str] = "channel_shuffle"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "interleaves the channels of several groups"
    aliases: ClassVar[tuple[str, ...]] = ("channelshuffle", "shuffle")
    mixes_positions: ClassVar[bool] = False

    def __post_init__(self) -> None:
        settle(self, groups=count("groups", self.groups))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        say = partial(uneven, self.groups, inputs[0][1], "channels")
        yield Requirement("S203", Divides(self.groups, inputs[0][1]), say, partial(say, short=True), "groups")

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]


@dataclass(frozen=True)
class PixelShuffle(Layer):
    """Rearrangement of channels to positions: r*r channels of one position become an r by r square of one channel.

    Position (h*r + i, w*r + j) of channel c of the output is position (h, w) of channel ``c*r^2 + i*r + j`` of the
    input. A map with another number of axes is treated alike, with r to the power of that number.

    References
    ----------
    Shi et al., arXiv:1609.05158, section 2.2; torch.nn.PixelShuffle documentation.

    Examples
    --------
    >>> PixelShuffle(scale=2).output_shape(((8, 64, 14, 14),))
    (8, 16, 28, 28)
    """

    scale: Size = setting("factor by which the map grows along each axis")

    kind: ClassVar[str] = "pixel_shuffle"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "a larger map of fewer channels: the channels of a position become a square"
    aliases: ClassVar[tuple[str, ...]] = ("pixelshuffle", "depthtospace", "depth2space", "subpixel")

    def __post_init__(self) -> None:
        settle(self, scale=count("scale", self.scale))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        (shape,) = inputs
        yield needs_map(shape, MOVES)
        yield _divides(sy.product([self.scale] * rank(shape)), shape, 1)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        batch, channels, *sizes = inputs[0]
        made = sy.floor_div(channels, sy.product([self.scale] * len(sizes)))
        return (batch, made, *(size * self.scale for size in sizes))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        return (AxisField(1, repeat=self.scale),) * rank(inputs[0])


@dataclass(frozen=True)
class PixelUnshuffle(Layer):
    """Rearrangement of positions to channels, the inverse of :class:`PixelShuffle`: r by r squares become r*r channels.

    Channel ``c*r^2 + i*r + j`` at (h, w) of the output is channel c at (h*r + i, w*r + j) of the input. The size of
    the input's map must be a multiple of r along each axis.

    References
    ----------
    torch.nn.PixelUnshuffle documentation; also known as space to depth.

    Examples
    --------
    >>> PixelUnshuffle(scale=2).output_shape(((8, 3, 224, 224),))
    (8, 12, 112, 112)
    """

    scale: Size = setting("factor by which the map shrinks along each axis")

    kind: ClassVar[str] = "pixel_unshuffle"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "a smaller map of more channels: each square becomes the channels of a position"
    aliases: ClassVar[tuple[str, ...]] = ("pixelunshuffle", "spacetodepth", "space2depth")

    def __post_init__(self) -> None:
        settle(self, scale=count("scale", self.scale))

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        (shape,) = inputs
        yield needs_map(shape, MOVES)
        for place in range(2, len(shape)):
            yield _divides(self.scale, shape, place)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        batch, channels, *sizes = inputs[0]
        made = channels * sy.product([self.scale] * len(sizes))
        return (batch, made, *(sy.floor_div(size, self.scale) for size in sizes))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        return (AxisField(self.scale, stride=self.scale),) * rank(inputs[0])


@dataclass(frozen=True)
class Permute(Layer):
    """The axes in another order, the batch first as before: axis i + 1 of the output is axis ``order[i]`` of the input.

    Raises
    ------
    SettingError
        The order does not name each axis, counted from 1, exactly once.

    References
    ----------
    torch.permute documentation; its order includes the batch, which is omitted here.

    Examples
    --------
    >>> Permute(order=(2, 3, 1)).output_shape(((8, 64, 28, 30),))
    (8, 28, 30, 64)
    """

    order: Any = setting("input axis of each output axis; 1: channels, 2 and up: axes of the map", lengths=(1, None))

    kind: ClassVar[str] = "permute"
    category: ClassVar[Category] = "reshape"
    summary: ClassVar[str] = "the axes in another order"
    aliases: ClassVar[tuple[str, ...]] = ("transpose",)

    def __post_init__(self) -> None:
        given = self.order if isinstance(self.order, (list, tuple)) else (self.order,)
        order = tuple(position(axis("order", number), len(given) + 1) for number in given)
        if sorted(order) != list(range(1, len(order) + 1)):
            problem = f"`order` must name each of {len(order)} axes once, got {list(given)}"
            raise SettingError("order", problem, "write  order: [2, 3, 1]  to put the channels last")
        settle(self, order=order)

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        (shape,) = inputs
        axes = len(self.order)
        yield Requirement(
            "S204",
            Equal(len(shape), axes + 1),
            lambda: (
                f"orders {plural(axes, 'axis', 'axes')}, but its input {sy.shape_text(shape)} has {len(shape) - 1} "
                "besides the batch"
            ),
            lambda: f"{len(shape) - 1} axes",
            "order",
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        return (shape[0], *(shape[place] for place in self.order))

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        """Return whole axes if axes of the map change places."""
        if self.order == tuple(range(1, len(self.order) + 1)):
            return None
        return (AxisField(None, stride=0),) * (len(self.order) - 1) or None


def _divides(scale: Size, shape: Shape, place: int) -> Requirement:
    return Requirement(
        "S203",
        Divides(scale, shape[place]),
        lambda: f"its input has {sized(shape, place)}, which is not a multiple of {sy.text(scale)}",
        lambda: sized(shape, place),
        "scale",
    )
