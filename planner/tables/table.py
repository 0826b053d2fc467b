"""Text tables of a report, with totals and the rules of counting.

Every function returns text and writes to no stream; :mod:`planner.tables.columns` does the layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from rich.text import Text

import planner.symbols as sy
from planner.lowering.node import DType
from planner.memory import Arena
from planner.plan.memory_formula import accepted_sizes
from planner.plan.plan import BoundPlan, Plan
from planner.plan.receptive import ReceptiveField
from planner.symbols import Size
from planner.tables.chart import chart
from planner.tables.columns import Column, fitted, printed
from planner.tables.facts import Legend, Report, Row, report
from planner.tables.facts import batch_name as batch_name
from planner.wording import number as number
from planner.wording import plural, shapes_line
from planner.wording import shape_line as shape_line

SortKey = Literal["params", "macs", "output", "memory"]
SORT_KEYS: tuple[SortKey, ...] = get_args(SortKey)

HOW_COUNTED = (
    "MACs: multiply-accumulates, bias not counted. Field: rows x columns of the input that one position sees / step "
    "between neighbours. Memory: bytes of the output in {dtype}, 1 KiB = 1024 B."
)
HIDDEN = ("receptive field", "memory", "settings", "kind", "MACs", "parameters")
"""What a table hides if the terminal is too narrow, in this order."""

NARROWEST = 24
"""Smallest width to which lines are wrapped."""


def show(
    plan: Plan | BoundPlan,
    sizes: Mapping[str, int] | None = None,
    *,
    sort: SortKey | None = None,
    width: int = 100,
    colour: bool = False,
    dtype: DType = "float32",
) -> str:
    """Return the table of the layers of a plan, with totals, memory and the rules of counting.

    If the batch is free, everything is counted for one image, and the table says so. If the table is too wide, it
    hides receptive field, memory, settings, kind, MACs and parameters, in this order, and says so too.

    Parameters
    ----------
    plan : Plan or BoundPlan
        A bound plan has sizes and data type of its own, and its memory is not planned again.
    sizes : Mapping of str to int
        Values for some of the free sizes.
    sort : {"params", "macs", "output", "memory"} or None
        Key to sort by, largest first; default: the order of execution.
    width : int
        Width of the terminal in columns.
    colour : bool
    dtype : {"float32", "float64"}
        Data type for the bytes; float64 needs every size.

    Raises
    ------
    SizeError
        If a size is not accepted or a name is unknown.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 3, 32, 32)}, layers=[layer("conv", name="c1", filters=6, kernel=5)])
    >>> print(show(net.check(), width=80).splitlines()[0])
    t: x N x 3 x 32 x 32 -> c1 N x 6 x 28 x 28
    """
    subject = plan
    values = dict(subject.sizes if isinstance(subject, BoundPlan) else sizes or {})
    if isinstance(plan, BoundPlan):
        dtype, plan = plan.dtype, plan.plan
    batch = batch_name(plan)
    alone = batch is not None and batch not in values
    legend = Legend(plan.free)
    if batch is not None and alone:
        counted = report(plan, {**values, batch: 1}, legend, dtype=dtype)
    else:
        counted = report(subject, values, legend, dtype=dtype)
    rows = list(counted.rows)
    if sort is not None:
        found = counted
        if counted.bound is None:
            found = report(plan, accepted_sizes(plan, {k: v for k, v in values.items() if k in plan.free}) or {})
        rank = {row.name: _sort_size(row, sort) for row in found.rows}
        rows.sort(key=lambda row: -sy.evaluate(rank[row.name], {}))
    width = max(width, NARROWEST)
    table, hidden = _layers(rows, counted, width)
    inputs, outputs = _at(plan.input_shapes, values), _at(plan.output_shapes, values)
    lines = _memory_lines(counted)
    if legend.text():
        lines.insert(0, f"where {legend.text()}")
    if alone:
        lines.append(f"counted for one image ({batch} = 1)")
    unknown = [name for name in plan.free if name not in values and not (alone and name == batch)]
    if unknown:
        lines.append(f"to get numbers, give sizes: --at {','.join(f'{name}=...' for name in unknown)}")
    if hidden:
        lines.append(f"hidden, terminal too narrow: {', '.join(hidden)}")
    head = Text(f"{plan.name}: {shapes_line(inputs)} -> {shapes_line(outputs)}", style="bold")
    how = Text(HOW_COUNTED.format(dtype=dtype), style="dim")
    return printed([head, table, *map(Text, lines), how], width, colour)


def memory_table(bound: BoundPlan, *, training: bool, width: int = 100, colour: bool = False) -> str:
    """Return the layout of the arena: a chart of the memory in use over time, and a table with one row per block.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 3, 32, 32)}, layers=[layer("relu", name="r")])
    >>> print(memory_table(net.check().bind(N=1), training=False, width=80).partition(":")[0])
    arena of inference
    """
    arena: Arena = bound.memory.training if training else bound.memory.inference
    blocks = sorted(arena.blocks, key=lambda block: (block.first, block.last, block.offset))
    table = [
        Column("steps", tuple(f"{block.first}-{block.last}" for block in blocks)),
        Column("what", tuple(block.role for block in blocks)),
        Column("of", tuple(block.name for block in blocks)),
        Column("bytes", tuple(number(block.bytes) for block in blocks), right=True),
        Column("offset", tuple(number(block.offset) for block in blocks), right=True),
    ]
    mode = "a training step" if training else "inference"
    head = Text(f"arena of {mode}: {size(arena.bytes)}, {against_bound(arena)}", style="bold")
    width = max(width, NARROWEST)
    over_time = _over_time(bound, arena, width)
    return printed([head], width, colour) + over_time + printed([fitted(table, width) or table], width, colour)


def against_bound(arena: Arena) -> str:
    """Return how the size of an arena compares with its lower bound.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 3, 8, 8)}, layers=[layer("relu")])
    >>> against_bound(net.check().bind(N=1).memory.inference)
    'provably minimal'
    """
    if arena.bytes == arena.lower_bound:
        return "provably minimal"
    proof = "proved minimal by search" if arena.proved else "not proved minimal"
    return f"lower bound {size(arena.lower_bound)}, {proof}"


def _over_time(bound: BoundPlan, arena: Arena, width: int) -> str:
    """Return the chart of the bytes in use in each step, with the peak and the layer computed there."""
    live = arena.live()
    if not live:
        return ""
    step = max(range(len(live)), key=live.__getitem__)
    forward = len(bound.nodes)
    if step < forward:
        what = f", {bound.nodes[step].name}"
    else:
        back = step - (arena.steps - len(arena.backward))
        what = f", {arena.backward[back]} in the backward pass" if 0 <= back < len(arena.backward) else ""
    bars = "".join(f"  {line}\n" for line in chart(live, width - 2))
    caption = f"in use in each of {plural(arena.steps, 'step')}; peak: {size(live[step])} in step {step}{what}"
    return "\n" + bars + printed([Text(caption)], width, False)


def _layers(rows: Sequence[Row], counted: Report, width: int) -> tuple[list[Column], tuple[str, ...]]:
    """Return the columns that fit into a width, and the names of what is hidden."""
    layers = plural(sum(row.kind != "input" for row in rows), "layer")
    names = Column("layer", tuple(row.name for row in rows), "total", style="bold")
    described = Column("kind", tuple(" ".join(_described(row)) for row in rows), layers)
    kinds = Column("kind", tuple(row.kind for row in rows), layers)
    numbers = [
        Column("output", tuple("x".join(shape_line(row.output_shape[1:])) for row in rows), right=True),
        Column(
            "parameters",
            tuple(number(row.parameter_count) for row in rows),
            number(counted.parameter_count),
            right=True,
        ),
        Column("MACs", tuple(number(row.macs) for row in rows), number(counted.macs), right=True),
    ]
    field = Column("field", tuple(field_text(row.receptive_field) for row in rows), right=True)
    memory = Column("memory", tuple(size(row.output_bytes) for row in rows), size(counted.output_bytes), right=True)
    tries = [
        [names, described, *numbers, field, memory],
        [names, described, *numbers, memory],
        [names, described, *numbers],
        [names, kinds, *numbers],
        [names, *numbers],
        [names, *numbers[:2]],
    ]
    for missing, columns in enumerate(tries):
        table = fitted(columns, width)
        if table is not None:
            return table, HIDDEN[:missing]
    return [names, numbers[0]], HIDDEN


def size(value: Size) -> str:
    """Return bytes in units of 1024, or a formula in bytes.

    Examples
    --------
    >>> size(640), size(246824), size(8 * sy.symbol("H"))
    ('640 B', '241.0 KiB', '8*H B')
    """
    known = sy.constant(value)
    if known is None:
        text = sy.text(value)
        return f"{text} B"
    if known < 1024:
        return f"{known} B"
    scaled = float(known)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        scaled /= 1024
        if scaled < 1023.95 or unit == "TiB":
            return f"{scaled:,.1f} {unit}"
    raise AssertionError("the last unit fits every size")


def field_text(field: ReceptiveField | None) -> str:
    """Return the size and jump of a receptive field; the jump only once if all axes have the same.

    Examples
    --------
    >>> field_text(ReceptiveField((14, 14), (2, 2), (0, 0))), field_text(ReceptiveField((3, 1), (2, 1), (0, 0)))
    ('14x14 / 2', '3x1 / 2x1')
    """
    if field is None:
        return ""
    jumps = list(dict.fromkeys(map(sy.text, field.jump)))
    return f"{'x'.join(shape_line(field.size))} / {'x'.join(jumps)}"


def settings_text(settings: Mapping[str, Any]) -> list[str]:
    """Return settings as ``name=value``.

    Examples
    --------
    >>> settings_text({"kernel": (3, 5), "bias": False})
    ['kernel=3x5', 'bias=false']
    >>> settings_text({"parts": [4, 4]})
    ['parts=[4, 4]']
    """
    return [f"{name}={_value(value)}" for name, value in settings.items()]


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, tuple):
        return ("/" if len(value) > 3 else "x").join(map(_value, value))
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value) if isinstance(value, str) else sy.text(value)


def _described(row: Row) -> list[str]:
    """Return the kind of a layer, its settings, and the layer into which it is fused, if any."""
    return [row.kind, *settings_text(row.settings), *([f"fused into {row.done_in}"] if row.done_in else [])]


def _sort_size(row: Row, key: SortKey) -> Size:
    if key == "params":
        return row.parameter_count
    if key == "macs":
        return row.macs
    return sy.product(row.output_shape) if key == "output" else row.output_bytes


def _memory_lines(counted: Report) -> list[str]:
    if counted.bound is not None:
        memory = counted.bound.memory
        state = memory.parameter_bytes + memory.buffer_bytes
        learning = memory.gradient_bytes + memory.optimizer_bytes
        return [
            f"inference {size(memory.inference_bytes)}: parameters {size(state)}, "
            f"values {size(memory.inference.bytes)}",
            f"training {size(memory.training_bytes)}: parameters {size(state)}, "
            f"their gradients and optimizer {size(learning)}, values {size(memory.training.bytes)}",
        ]
    if counted.inference_bytes is None or counted.training_bytes is None:
        return ["memory: no accepted sizes were found"]
    return [
        f"inference at least {size(counted.inference_bytes)}",
        f"training at least {size(counted.training_bytes)}",
    ]


def _at(shapes: Mapping[str, tuple[Size, ...]], values: Mapping[str, int]) -> dict[str, tuple[Size, ...]]:
    return {name: tuple(sy.substitute(size, values) for size in shape) for name, shape in shapes.items()}
