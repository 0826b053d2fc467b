"""Changes of a layer that may fix a finding, by kind.

Each function is a `functools.singledispatch` function with a default for all kinds and implementations for some.
:mod:`planner.fixes.proof` decides whether a change is a fix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch
from math import gcd
from typing import Any, TypeAlias

import planner.symbols as sy
from planner.layers import (
    ChannelShuffle,
    Conv,
    ConvTranspose,
    Crop,
    Dense,
    Layer,
    PixelShuffle,
    PixelUnshuffle,
    Reshape,
    Slice,
    Split,
    Squeeze,
    Unpool,
    axes,
)
from planner.layers.pool import Pool
from planner.layers.spatial import along, is_map
from planner.layers.window import WindowLayer
from planner.symbols import Shape, Size

MOST_TRIES = 40
"""Maximum number of candidates tried for one finding."""

Known: TypeAlias = tuple[Shape | None, ...]
"""The shapes of a layer's inputs; None for one that is not known."""


@dataclass(frozen=True)
class Change:
    """Values to try for one setting, in this order.

    Attributes
    ----------
    setting : str
    values : list
    words : str
        Description of the change if the setting is not self-explanatory.
    of_partner : bool
        The setting belongs to the layer that this one names.
    """

    setting: str
    values: list[Any]
    words: str = ""
    of_partner: bool = False


@singledispatch
def changes(_layer: Layer, _code: str, _inputs: Known) -> Iterator[Change]:
    """Yield the changes of a layer that may fix a finding with this code; by default, none.

    Examples
    --------
    >>> [change.setting for change in changes(Conv(filters=8, kernel=3, groups=2), "S203", ((1, 3, 9, 9),))]
    ['groups', 'filters']
    """
    yield from ()


@singledispatch
def most_padding(_layer: Layer) -> int | None:
    """Return the maximum padding of a layer: half its window, 0 if that is unknown, None without a window.

    Examples
    --------
    >>> most_padding(Conv(filters=8, kernel=5)), most_padding(Conv(filters=8, kernel="K")), most_padding(Dense(units=2))
    (2, 0, None)
    """
    return None


@most_padding.register
def _(layer: WindowLayer) -> int:
    return min(known(size, 0) for size in layer.window_size()) // 2


@singledispatch
def width_setting(_layer: Layer) -> str:
    """Return the setting that is the number of output channels or features; empty if there is none."""
    return ""


@width_setting.register
def _(_layer: Conv) -> str:
    return "filters"


@width_setting.register
def _(_layer: Dense) -> str:
    return "units"


@singledispatch
def reads_features(_layer: Layer) -> bool:
    """Return whether a layer reads features, so that a map must be flattened before it."""
    return False


@reads_features.register
def _(_layer: Dense) -> bool:
    return True


@singledispatch
def blames_the_map(_layer: Layer, code: str) -> bool:
    """Return whether another image size may fix a finding with this code."""
    return code in ("S201", "S208", "S211")


@blames_the_map.register
def _(_layer: PixelUnshuffle, code: str) -> bool:
    return code == "S203"


@changes.register
def _(layer: WindowLayer, code: str, inputs: Known) -> Iterator[Change]:
    if code in ("S201", "S208"):
        yield from _smaller(layer.geometry[0], layer.window_size(), inputs, "make the window smaller")
    elif code == "S301":
        yield Change("pad", [*range(1, (most_padding(layer) or 0) + 1)])


_window = changes.dispatch(WindowLayer)


@changes.register
def _(layer: Pool, code: str, inputs: Known) -> Iterator[Change]:
    if code == "S301":
        yield Change("rounding", ["ceil"])
    elif code == "S302":
        yield Change("rounding", ["floor", "ceil"])
    elif code == "S206":
        halves = [sy.constant(size) for size in layer.size]
        if None not in halves:
            yield Change("pad", [min(half for half in halves if half is not None) // 2])
    yield from _window(layer, code, inputs)


@changes.register
def _(layer: Conv, code: str, inputs: Known) -> Iterator[Change]:
    if code == "S203":
        yield from _other_groups(layer, inputs)
    elif code == "S303":
        shape = inputs[0] or (1, 1, 1, 1)
        yield Change("pad", [min(known(window.extent, 1) for window in layer.windows((1,) * len(shape))) // 2])
    yield from _window(layer, code, inputs)


@changes.register
def _(layer: ConvTranspose, code: str, inputs: Known) -> Iterator[Change]:
    if code in ("S201", "S208"):
        most = max(known(side, 0) for side in layer.pad)
        yield Change("pad", [*range(min(most, MOST_TRIES) - 1, -1, -1)], "use less padding")
    elif code == "S213":
        limits = [known(sy.maximum(w.stride, w.dilation), 1) - 1 for w in layer.windows(inputs[0] or (1, 1, 1, 1))]
        yield Change("output_pad", [min(limits)])


@changes.register
def _(layer: Crop, code: str, inputs: Known) -> Iterator[Change]:
    if code in ("S201", "S208") and layer.size is not None:
        yield from _smaller("size", layer.size, inputs, "make the crop smaller")


@changes.register
def _(layer: Unpool, code: str, inputs: Known) -> Iterator[Change]:
    if code == "S217":
        shape = inputs[1]
        steps = [] if shape is None else [known(w.extent, 1) for w in layer.pool.windows((1,) * len(shape))]
        yield Change("stride", [steps[0] if len(set(steps)) == 1 else steps], of_partner=True)


@changes.register
def _(layer: Dense, code: str, inputs: Known) -> Iterator[Change]:
    """Yield the width of the input as `features`, or the nearest widths if that is unknown."""
    if code == "S211":
        shape, wanted = inputs[0] if inputs else None, known(layer.features, 0)
        width = sy.constant(shape[1]) if shape is not None else None
        near = [each for step in range(1, MOST_TRIES // 2) for each in (wanted - step, wanted + step) if each > 0]
        yield Change("features", near if width is None else [width])


@changes.register
def _(layer: Reshape, code: str, _inputs: Known) -> Iterator[Change]:
    if code == "S210":
        sizes = list(layer.shape)
        for computed in range(len(sizes)):
            yield Change("shape", [[*sizes[:computed], -1, *sizes[computed + 1 :]]])
        yield Change("shape", [[-1]])


@changes.register
def _(_layer: Squeeze, code: str, inputs: Known) -> Iterator[Change]:
    shape = inputs[0] if inputs else None
    if code == "S216" and shape is not None:
        yield Change("axis", [at for at in range(1, len(shape)) if shape[at] == 1])


@changes.register
def _(layer: Slice, code: str, inputs: Known) -> Iterator[Change]:
    shape = inputs[0] if inputs else None
    if code == "S216" and shape is not None:
        size = sy.constant(shape[axes.position(layer.axis, len(shape))])
        yield Change("stop", [None] if size is None else [size])
        yield Change("start", [0])


@changes.register
def _(layer: Split, code: str, inputs: Known) -> Iterator[Change]:
    shape = inputs[0] if inputs else None
    if shape is None or code not in ("S203", "S216"):
        return
    size = shape[axes.position(layer.axis, len(shape))]
    if code == "S203":
        yield _even("parts", layer.parts, [size])
    elif isinstance(layer.parts, tuple) and sy.constant(size) is not None:
        others = [known(part, 0) for part in layer.parts[:-1]]
        yield Change("parts", [[*others, known(size, 0) - sum(others)]])


@changes.register
def _(layer: ChannelShuffle, code: str, inputs: Known) -> Iterator[Change]:
    if code == "S203" and inputs and inputs[0] is not None:
        yield _even("groups", layer.groups, [inputs[0][1]])


@changes.register
def _(layer: PixelShuffle, code: str, inputs: Known) -> Iterator[Change]:
    if code == "S203" and inputs and inputs[0] is not None:
        yield _even("scale", layer.scale, [inputs[0][1]])


@changes.register
def _(layer: PixelUnshuffle, code: str, inputs: Known) -> Iterator[Change]:
    if code == "S203" and inputs and inputs[0] is not None:
        yield _even("scale", layer.scale, list(inputs[0][2:]))


def known(size: Any, otherwise: int) -> int:
    """Return a size as a number, or `otherwise` if it is free."""
    found = sy.constant(size)
    return otherwise if found is None else found


def _smaller(setting: str, window: Any, inputs: Known, words: str) -> Iterator[Change]:
    """Yield the largest window that fits into the map."""
    shape = inputs[0] if inputs else None
    if shape is None or not is_map(shape):
        return
    sizes = [sy.constant(size) for size in shape[2:]]
    kernels = [sy.constant(size) for size in along(window, len(sizes))]
    if None in sizes or None in kernels:
        return
    smaller = [min(k, n) for k, n in zip(kernels, sizes, strict=True) if k is not None and n is not None]
    if min(smaller) >= 1 and smaller != kernels:
        yield Change(setting, [smaller[0] if len(set(smaller)) == 1 else smaller], words)


def _even(setting: str, now: Any, sizes: list[Size]) -> Change:
    """Return the change to numbers that divide all sizes, the nearest first."""
    at, all_sizes = known(now, 1), [known(size, 0) for size in sizes]
    near = [n for step in range(1, MOST_TRIES) for n in (at - step, at + step) if n > 1]
    return Change(setting, [n for n in near if not any(size % n for size in all_sizes)][:4])


def _other_groups(layer: Conv, inputs: Known) -> Iterator[Change]:
    shape = inputs[0] if inputs else None
    groups, filters = sy.constant(layer.groups), sy.constant(layer.filters)
    channels = None if shape is None else sy.constant(shape[1])
    if groups is None or filters is None or channels is None:
        return
    divisors = sorted(sy.divisors(gcd(channels, filters)), key=lambda d: abs(d - groups))
    yield Change("groups", divisors[:2])
    if groups <= 4 * filters:
        yield Change("filters", [max(groups, round(filters / groups) * groups)])
