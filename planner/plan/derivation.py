"""Derivation of a size: the chain of layers from the input, for notes and for ``shapeplan explain``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch

import planner.symbols as sy
from planner.layers import ConvTranspose, Layer, Pad, Resize, Upsample
from planner.layers.adaptive import AdaptivePool
from planner.layers.conv import Conv
from planner.layers.pool import Pool
from planner.layers.spatial import along, is_map, rank, sides
from planner.layers.window import WindowLayer
from planner.network.network import Network
from planner.symbols import Shape, Size

LONGEST = 12
"""Maximum number of steps shown in a chain; the middle of a longer one is left out."""


def path_to(network: Network, name: str) -> list[str]:
    """Return the node names from an input to a node, along the first input of each."""
    path = [name]
    while network.by_name[path[-1]].inputs:
        path.append(network.by_name[path[-1]].inputs[0])
    return path[::-1]


def chain(network: Network, shapes: Mapping[str, Shape | None], name: str, axis: int) -> str:
    """Return how the size along one axis changes from the input to what node `name` reads.

    In a map with rows and columns, axis 2 is H and axis 3 is W. Layers that do not change the size are not shown.

    Examples
    --------
    >>> from planner import Network, diagnose, layer
    >>> net = Network(name="n", input={"x": ("N", 1, 28, 28)}, layers=[
    ...     layer("conv", name="c1", filters=6, kernel=5), layer("maxpool", name="s2", size=2), layer("gap")])
    >>> chain(net, diagnose(net).shapes, "gap1", 2)
    '28 -c1 k5-> 24 -s2 /2-> 12'
    """
    steps: list[tuple[str, str]] = []
    before = None
    for node_name in path_to(network, name)[:-1]:
        shape = shapes.get(node_name)
        if shape is None or not is_map(shape) or axis >= len(shape):
            continue
        size = sy.text(shape[axis])
        node = network.by_name[node_name]
        if before is None:
            steps.append(("", size))
        elif size != before and node.layer is not None:
            steps.append((f" -{node_name}{_arguments(node.layer, axis - 2, rank(shape))}-> ", size))
        before = size
    if len(steps) > LONGEST:
        steps = [*steps[: LONGEST // 2], (" -> ... ", ""), *steps[-LONGEST // 2 :]]
    return "".join(arrow + size for arrow, size in steps)


@singledispatch
def _arguments(_layer: Layer, _axis: int, _axes: int) -> str:
    """Return the settings that change the size along one of `axes` spatial axes, in the shorthand of a chain."""
    return ""


@_arguments.register(WindowLayer)
def _(layer: WindowLayer, axis: int, axes: int) -> str:
    stride, pad, dilation, _ = layer.window_settings()
    kernel, step = sy.text(along(layer.window_size(), axes)[axis]), sy.text(along(stride, axes)[axis])
    gap = along(dilation, axes)[axis]
    parts = [] if isinstance(layer, Pool) and kernel == step else [f"k{kernel}"]
    parts += [f"/{step}"] if step != "1" else []
    parts += [f"p{pad}"] if isinstance(pad, str) else _sides(pad, axis, axes)
    parts += [f"d{sy.text(gap)}"] if isinstance(layer, Conv) and sy.constant(gap) != 1 else []
    return " " + " ".join(parts)


@_arguments.register(ConvTranspose)
def _(layer: ConvTranspose, axis: int, axes: int) -> str:
    like = (1,) * (2 + axes)
    window, more = layer.windows(like)[axis], layer.added(like)[axis]
    parts = [f"k{sy.text(window.kernel)}"]
    parts += [f"x{sy.text(window.stride)}"] if sy.constant(window.stride) != 1 else []
    parts += _sides(layer.pad, axis, axes)
    parts += [f"d{sy.text(window.dilation)}"] if sy.constant(window.dilation) != 1 else []
    parts += [f"+{sy.text(more)}"] if sy.constant(more) != 0 else []
    return " " + " ".join(parts)


@_arguments.register(Upsample)
def _(layer: Upsample, axis: int, axes: int) -> str:
    return f" x{sy.text(along(layer.scale, axes)[axis])}"


@_arguments.register(Resize)
def _(layer: Resize, axis: int, axes: int) -> str:
    if layer.scale is not None:
        return f" x{sy.text(along(layer.scale, axes)[axis])}"
    return "" if layer.size is None else f" to {sy.text(along(layer.size, axes)[axis])}"


@_arguments.register(AdaptivePool)
def _(layer: AdaptivePool, axis: int, axes: int) -> str:
    return f" to {sy.text(along(layer.size, axes)[axis])}"


@_arguments.register(Pad)
def _(layer: Pad, axis: int, axes: int) -> str:
    return "".join(f" {part}" for part in _sides(layer.pad, axis, axes))


def _sides(pad: tuple[Size, ...], axis: int, axes: int) -> list[str]:
    """Return the padding along one axis in the shorthand of a chain; empty if there is none."""
    around = [sy.text(side) for side in sides(pad, axes)[axis]]
    if all(side == "0" for side in around):
        return []
    return ["p" + "+".join(around if around[0] != around[1] else around[:1])]
