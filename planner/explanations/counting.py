"""Costs of a network as other tools count them, layer by layer, with the reasons for differences.

There are five conventions in addition to our own multiply-accumulates. Each rule was derived from measurements,
one layer at a time, with PyTorch 2.13.0: torchinfo 1.8.0, thop 0.1.1.post2209072238, fvcore 0.1.5.post20221221 and
PyTorch's own ``torch.utils.flop_counter``. The measurements are tabulated in ``docs/counting.md`` and frozen in
``tests/planner/explanations/test_counting.py``. Counts apply to evaluation mode, and to a model with the structure
of the spec: one module per layer, ``torch.nn.AdaptiveAvgPool2d(1)`` for ``gap``.

PyTorch is not required, and sizes may be symbolic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Literal, TypeAlias, get_args

import planner.symbols as sy
from planner.layers import (
    AdaptiveAvgPool,
    AvgPool,
    BatchNorm,
    Conv,
    ConvTranspose,
    GlobalAvgPool,
    GroupNorm,
    LayerScale,
    PRelu,
    Resize,
    Shift,
    Softmax,
    Upsample,
)
from planner.layers.base import Layer
from planner.layers.groupnorm import GroupedNorm
from planner.plan.plan import Plan
from planner.symbols import Shape, Size

Tool: TypeAlias = Literal["mac", "flop", "torchinfo", "thop", "fvcore", "torch"]
"""A convention: our MACs, two FLOPs per MAC, or that of a tool."""

TOOLS: tuple[Tool, ...] = get_args(Tool)


@dataclass(frozen=True)
class Convention:
    """A tool's way of counting.

    Attributes
    ----------
    title : str
        Column heading.
    call : str
        The expression that the count reproduces; "" for our own conventions.
    version : str
        Version of the tool that was measured.
    each : int
        Count for one multiply-accumulate of a convolution or dense layer.
    sentence : str
        Summary of the rule.
    """

    title: str
    call: str
    version: str
    each: int
    sentence: str


CONVENTIONS: Mapping[Tool, Convention] = {
    "mac": Convention(
        "MACs", "", "", 1, "one per product summed in a convolution or dense layer; the bias is not counted"
    ),
    "flop": Convention(
        "FLOPs", "", "", 2, "a multiplication and an addition per multiply-accumulate, and nothing else"
    ),
    "torchinfo": Convention(
        "torchinfo",
        "torchinfo.summary(model, input_data=x).total_mult_adds",
        "1.8.0",
        1,
        "parameters times output positions for modules named Conv, parameters times batch size for all others",
    ),
    "thop": Convention(
        "thop",
        "thop.profile(model, (x,))[0]",
        "0.1.1.post2209072238",
        1,
        "MACs without bias, and operations of normalisation, average pooling, softmax and upsampling",
    ),
    "fvcore": Convention(
        "fvcore",
        "fvcore.nn.FlopCountAnalysis(model, x).total()",
        "0.1.5.post20221221",
        1,
        "MACs, called flops, and operations of normalisation, adaptive average pooling and upsampling",
    ),
    "torch": Convention(
        "torch",
        "torch.utils.flop_counter.FlopCounterMode().get_total_flops()",
        "2.13.0",
        2,
        "two per multiply-accumulate, and nothing else",
    ),
}
"""Conventions by name."""


@dataclass(frozen=True)
class Row:
    """Counts of one layer in several conventions.

    Attributes
    ----------
    name, kind : str
    output : Shape
    macs : Size
    counts : Mapping of str to Size
        Counts by tool.
    """

    name: str
    kind: str
    output: Shape
    macs: Size
    counts: Mapping[Tool, Size]


@dataclass(frozen=True)
class Difference:
    """Difference between a tool's count and the multiply-accumulates, for one kind of layer.

    Attributes
    ----------
    kind : str
    why : str
    more : Size
        Difference in the tool's unit; negative if the tool counts less.
    """

    kind: str
    why: str
    more: Size


@dataclass(frozen=True)
class Tally:
    """Counts of a network by several tools.

    Attributes
    ----------
    rows : tuple of Row
    totals : Mapping of str to Size
    differences : Mapping of str to tuple of Difference
        Differences by tool; empty if the tool counts only multiply-accumulates.
    """

    rows: tuple[Row, ...]
    totals: Mapping[Tool, Size]
    differences: Mapping[Tool, tuple[Difference, ...]]


def tally(
    plan: Plan, tools: Sequence[Tool] = TOOLS, at: Mapping[str, int] | None = None, only: Sequence[str] | None = None
) -> Tally:
    """Return the cost of a network as each tool counts it, per layer and in total.

    Parameters
    ----------
    plan : Plan
    tools : sequence of str
        Names from ``TOOLS``.
    at : Mapping of str to int
        Values for free sizes; missing ones stay symbolic.
    only : sequence of str or None
        Names of the layers to count; default: all layers.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"x": (1, 8, 10, 10)}, layers=[layer("batchnorm", name="b")])
    >>> {tool: int(total) for tool, total in tally(net.check()).totals.items()}
    {'mac': 0, 'flop': 0, 'torchinfo': 16, 'thop': 3200, 'fvcore': 1600, 'torch': 0}
    """
    values = dict(at or {})
    rows, reasons = [], []
    for node in plan.nodes:
        if only is not None and node.name not in only:
            continue
        layer = node.layer.bind(values) if node.layer.free <= set(values) else node.layer
        inputs, output = tuple(_at(shape, values) for shape in node.input_shapes), _at(node.output_shape, values)
        macs = sy.total([layer.macs(inputs, output)])
        found = costs(layer, inputs, output) if inputs else {}
        counts = {
            tool: sy.total([found[tool].count if tool in found else CONVENTIONS[tool].each * macs]) for tool in tools
        }
        rows.append(Row(node.name, node.kind, output, macs, counts))
        for tool in tools:
            more = sy.difference(counts[tool], CONVENTIONS[tool].each * macs)
            if more != 0:
                reasons.append((tool, Difference(node.kind, found[tool].why, more)))
    totals = {tool: sy.total(row.counts[tool] for row in rows) for tool in tools}
    return Tally(tuple(rows), totals, {tool: tuple(_joined(reasons, tool)) for tool in tools})


def sentence(found: Tally, tool: Tool) -> str:
    """Return a sentence with a tool's total and its difference from the MACs of the network.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"x": (1, 8, 4, 4)}, layers=[layer("conv", name="c", filters=2, kernel=1)])
    >>> sentence(tally(net.check()), "torchinfo")
    'torchinfo: 288, which is the 256 MACs and 32 more: conv +32 (the bias is counted at every output position)'
    """
    convention, total = CONVENTIONS[tool], found.totals[tool]
    macs = sy.total(row.macs for row in found.rows)
    if tool == "mac":
        return f"MACs: {_number(macs)}, {convention.sentence}"
    counted = _number(macs)
    base = f"the {counted} MACs" if convention.each == 1 else f"{convention.each} for each of {counted} MACs"
    differences = found.differences[tool]
    if not differences:
        return f"{convention.title}: {_number(total)}, {base} and nothing else"
    more = sy.total(difference.more for difference in differences)
    parts = [f"{each.kind} {_signed(each.more)} ({each.why})" for each in differences]
    return f"{convention.title}: {_number(total)}, which is {base} and {_number(more)} more: {', '.join(parts)}"


@dataclass(frozen=True)
class Cost:
    """A tool's count for one layer, and the reason why it differs from the multiply-accumulates."""

    count: Size
    why: str


@singledispatch
def costs(layer: Layer, inputs: tuple[Shape, ...], output: Shape) -> Mapping[Tool, Cost]:
    """Return the counts of a layer by tool, for tools that may deviate from its multiply-accumulates.

    Implementations are registered by class. This default applies to all other kinds: torchinfo multiplies the
    parameters by the batch size, whatever the module does.

    Examples
    --------
    >>> from planner.layers import Dense
    >>> costs(Dense(units=4), ((3, 10),), (3, 4))["torchinfo"].count
    132
    """
    owned = sy.total(array.count for array in layer.params(inputs))
    return {"torchinfo": Cost(output[0] * owned, "every parameter once per image, including the bias")}


@costs.register
def _(layer: Conv, inputs: tuple[Shape, ...], output: Shape) -> Mapping[Tool, Cost]:
    return {"torchinfo": _at_every_position(layer, inputs, output)}


@costs.register
def _(layer: ConvTranspose, inputs: tuple[Shape, ...], output: Shape) -> Mapping[Tool, Cost]:
    taps = sy.product(window.kernel for window in layer.windows(inputs[0]))
    sums = sy.product(output) * sy.floor_div(inputs[0][1], layer.groups) * taps
    why = "the whole kernel at every output position, although it is applied once per input position"
    torchinfo = _at_every_position(layer, inputs, output)
    return {"torchinfo": Cost(torchinfo.count, f"{why}; the bias too" if layer.bias else why), "thop": Cost(sums, why)}


@costs.register
def _(layer: BatchNorm, inputs: tuple[Shape, ...], output: Shape) -> Mapping[Tool, Cost]:
    numbers, owned = sy.product(output), sy.total(array.count for array in layer.params(inputs))
    each, affine = (2, "with scale and shift") if layer.affine else (1, "without scale and shift")
    return {
        "torchinfo": Cost(output[0] * owned, "every parameter once per image, whatever the image size"),
        "thop": Cost(2 * each * numbers, f"{2 * each} operations per element {affine}"),
        "fvcore": Cost(each * numbers, f"{each} operation{'s' if each > 1 else ''} per element {affine}"),
    }


@costs.register
def _(layer: GroupedNorm, inputs: tuple[Shape, ...], output: Shape) -> Mapping[Tool, Cost]:
    numbers, affine = sy.product(output), "with scale and shift" if layer.affine else "without scale and shift"
    hooked, traced = (4, 5) if layer.affine else (2, 4)
    found = {
        **costs.dispatch(Layer)(layer, inputs, output),
        "fvcore": Cost(traced * numbers, f"{traced} operations per element {affine}"),
    }
    if not isinstance(layer, GroupNorm):
        found["thop"] = Cost(hooked * numbers, f"{hooked} operations per element {affine}")
    return found


@costs.register
def _(_: AvgPool, _inputs: tuple[Shape, ...], output: Shape) -> Mapping[Tool, Cost]:
    return {"thop": Cost(sy.product(output), "one operation per mean, whatever the window size")}


@costs.register(AdaptiveAvgPool)
@costs.register(GlobalAvgPool)
def _(_: Layer, inputs: tuple[Shape, ...], output: Shape) -> Mapping[Tool, Cost]:
    numbers = sy.product(inputs[0])
    return {
        "thop": Cost(numbers + sy.product(output), "one operation per input element and one per mean"),
        "fvcore": Cost(numbers, "one operation per input element"),
    }


@costs.register
def _(_: Softmax, _inputs: tuple[Shape, ...], output: Shape) -> Mapping[Tool, Cost]:
    vectors = sy.product((output[0], *output[2:]))
    return {"thop": Cost(vectors * (3 * output[1] - 1), "an exponential, an addition and a division per element")}


@costs.register
def _(layer: PRelu, inputs: tuple[Shape, ...], output: Shape) -> Mapping[Tool, Cost]:
    return {
        **costs.dispatch(Layer)(layer, inputs, output),
        "thop": Cost(sy.product(output), "one operation per output element"),
    }


@costs.register(LayerScale)
@costs.register(Shift)
def _(_: Layer, _inputs: tuple[Shape, ...], _output: Shape) -> Mapping[Tool, Cost]:
    return {"torchinfo": Cost(0, "only parameters named weight or bias are counted")}


@costs.register
def _(_: Upsample, _inputs: tuple[Shape, ...], output: Shape) -> Mapping[Tool, Cost]:
    each = Cost(sy.product(output), "one operation per output element")
    return {"thop": each, "fvcore": each}


@costs.register
def _(layer: Resize, _inputs: tuple[Shape, ...], output: Shape) -> Mapping[Tool, Cost]:
    hooked, traced = (11, 4) if layer.mode == "bilinear" else (1, 1)
    numbers = sy.product(output)
    return {
        "thop": Cost(hooked * numbers, f"{hooked} operation{'s' if hooked > 1 else ''} per output element"),
        "fvcore": Cost(traced * numbers, f"{traced} operation{'s' if traced > 1 else ''} per output element"),
    }


def _at_every_position(layer: Layer, inputs: tuple[Shape, ...], output: Shape) -> Cost:
    owned = sy.total(array.count for array in layer.params(inputs))
    return Cost(owned * sy.product((output[0], *output[2:])), "the bias is counted at every output position")


def _joined(reasons: Sequence[tuple[Tool, Difference]], tool: Tool) -> Iterator[Difference]:
    """Yield the differences of a tool, one per kind of layer and reason."""
    found: dict[tuple[str, str], list[Size]] = {}
    for name, each in reasons:
        if name == tool:
            found.setdefault((each.kind, each.why), []).append(each.more)
    for (kind, why), amounts in found.items():
        yield Difference(kind, why, sy.total(amounts))


def _at(shape: Shape, values: Mapping[str, int]) -> Shape:
    return tuple(sy.total([sy.substitute(size, values)]) for size in shape)


def _number(size: Size) -> str:
    known = sy.constant(size)
    return sy.text(size) if known is None else f"{known:,}"


def _signed(size: Size) -> str:
    known = sy.constant(size)
    return f"+ {sy.text(size)}" if known is None else f"{known:+,}"
