"""Tables of a report for people: columns that add up, and how they were counted.

Knows :mod:`rich` and nothing of streams; every function returns text.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

import planner.symbols as sy
from planner.bound import BoundPlan
from planner.memory import Arena
from planner.memory.formula import accepted_sizes
from planner.plan import Plan
from planner.receptive import ReceptiveField
from planner.report import Legend, Report, Row, report
from planner.symbols import Size

SortKey = Literal["params", "macs", "output", "memory"]
SORT_KEYS: tuple[SortKey, ...] = get_args(SortKey)

HOW_COUNTED = (
    "MACs: multiply-accumulates, bias not counted. Field: rows x columns of the input that one position sees / step "
    "between neighbours. Memory: bytes of the output in float32, 1 KiB = 1024 B."
)
COMFORTABLE = 90
"""Columns from which there is room for the receptive field."""

NARROWEST = 60
"""Columns below which a table is not squeezed further."""


def show(
    plan: Plan,
    sizes: Mapping[str, int] | None = None,
    *,
    sort: SortKey | None = None,
    width: int = 100,
    colour: bool = False,
) -> str:
    """Return the table of a plan's layers with totals, memory and how they were counted.

    With the batch free, everything is counted for one image, and the table says so.

    Parameters
    ----------
    plan : Plan
    sizes : Mapping of str to int
        Values for some of its free sizes.
    sort : {"params", "macs", "output", "memory"} or None
        Largest first; the order of execution unless told.
    width : int
        Columns of the terminal.
    colour : bool

    Raises
    ------
    SizeError
        A size is not accepted, or a name is unknown.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 3, 32, 32)}, layers=[layer("conv", name="c1", filters=6, kernel=5)])
    >>> print(show(net.check(), width=80).splitlines()[0])
    t: x N x 3 x 32 x 32 -> c1 N x 6 x 28 x 28
    """
    values = dict(sizes or {})
    batch = batch_name(plan)
    alone = batch is not None and batch not in values
    legend = Legend(plan.free)
    counted = report(plan, {**values, batch: 1} if batch is not None and alone else values, legend)
    rows = list(counted.rows)
    if sort is not None:
        found = report(plan, accepted_sizes(plan, {k: v for k, v in values.items() if k in plan.free}) or {})
        rank = {row.name: _sort_size(row, sort) for row in found.rows}
        rows.sort(key=lambda row: -sy.evaluate(rank[row.name], {}))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_footer=True, header_style="bold", footer_style="bold")
    table.add_column("layer", "total", overflow="fold", style="bold")
    layers = sum(row.kind != "input" for row in rows)
    table.add_column("kind", f"{layers} layers", overflow="fold")
    columns = [("output", ""), ("parameters", number(counted.parameters)), ("MACs", number(counted.macs))]
    wide = width >= COMFORTABLE
    columns += [("field", "")] if wide else []
    columns += [("memory", size(counted.output_bytes))]
    for heading, footer in columns:
        table.add_column(heading, footer, justify="right", overflow="fold", no_wrap=counted.bound is not None)
    for row in rows:
        table.add_row(
            row.name,
            " ".join([row.kind, *settings_text(row.settings)]),
            "x".join(shape_line(row.output[1:])),
            number(row.parameters),
            number(row.macs),
            *([field_text(row.receptive_field)] if wide else []),
            size(row.output_bytes),
        )
    head = f"{plan.name}: {_named(plan.input_shapes, values)} -> {_named(plan.output_shapes, values)}"
    lines = _memory_lines(counted)
    if legend.text():
        lines.insert(0, f"where {legend.text()}")
    if alone:
        lines.append(f"counted for one image ({batch} = 1)")
    unknown = [name for name in plan.free if name not in values and not (alone and name == batch)]
    if unknown:
        lines.append(f"for numbers, give sizes: --at {','.join(f'{name}=...' for name in unknown)}")
    parts: list[Table | Text] = [Text(head, style="bold"), table, *map(Text, lines), Text(HOW_COUNTED, style="dim")]
    return _printed(parts, width, colour)


def memory_table(bound: BoundPlan, *, training: bool, width: int = 100, colour: bool = False) -> str:
    """Return what lies where in the arena, and when: one row a stretch of memory.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 3, 32, 32)}, layers=[layer("relu", name="r")])
    >>> print(memory_table(net.check().bind(N=1), training=False, width=80).splitlines()[0])
    arena of inference: 24.0 KiB, at least 24.0 KiB for any arrangement
    """
    arena: Arena = bound.memory.training if training else bound.memory.inference
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in ("steps", "what", "of"):
        table.add_column(heading, overflow="fold")
    for heading in ("bytes", "offset"):
        table.add_column(heading, justify="right")
    for block in sorted(arena.blocks, key=lambda block: (block.first, block.last, block.offset)):
        table.add_row(f"{block.first}-{block.last}", block.role, block.name, number(block.bytes), number(block.offset))
    mode = "a training step" if training else "inference"
    least = size(arena.lower_bound)
    head = f"arena of {mode}: {size(arena.bytes)}, at least {least} for any arrangement"
    return _printed([Text(head, style="bold"), table], width, colour)


def batch_name(plan: Plan) -> str | None:
    """Return the name all inputs give their batch, None where it is a number or they differ.

    Examples
    --------
    >>> from planner import Network, layer
    >>> batch_name(Network(name="t", input={"x": ("B", 3, 8, 8)}, layers=[layer("relu")]).check())
    'B'
    """
    batches = {shape[0] for shape in plan.input_shapes.values()}
    first = batches.pop() if len(batches) == 1 else None
    name = None if first is None or sy.constant(first) is not None else sy.text(first)
    elsewhere = any(name in sy.free(size) for shape in plan.input_shapes.values() for size in shape[1:])
    return name if name in plan.free and not elsewhere else None


def number(value: Size) -> str:
    """Return a count with thousands apart, a formula as it is.

    Examples
    --------
    >>> number(61706), number(sy.symbol("K") * 25)
    ('61,706', '25*K')
    """
    known = sy.constant(value)
    return sy.text(value) if known is None else f"{known:,}"


def size(value: Size) -> str:
    """Return bytes in units of 1024; a formula in bytes.

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
    raise AssertionError("the last unit takes every size")


def field_text(field: ReceptiveField | None) -> str:
    """Return size and jump of a receptive field, once where both axes agree.

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
    """
    return [f"{name}={_value(value)}" for name, value in settings.items()]


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return ("/" if len(value) == 4 else "x").join(map(_value, value))
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value) if isinstance(value, str) else sy.text(value)


def shape_line(shape: Sequence[Size]) -> list[str]:
    """Return sizes as texts that can be joined by a sign: sums stand in brackets.

    Examples
    --------
    >>> shape_line((6, sy.symbol("H") - 4))
    ['6', '(H - 4)']
    """
    texts = [sy.text(size) for size in shape]
    return [f"({text})" if " " in text and len(texts) > 1 else text for text in texts]


def _sort_size(row: Row, key: SortKey) -> Size:
    if key == "params":
        return row.parameters
    if key == "macs":
        return row.macs
    return sy.product(row.output) if key == "output" else row.output_bytes


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


def _named(shapes: Mapping[str, tuple[Size, ...]], values: Mapping[str, int]) -> str:
    at = {name: tuple(sy.substitute(size, values) for size in shape) for name, shape in shapes.items()}
    return ", ".join(f"{name} {' x '.join(shape_line(shape))}" for name, shape in at.items())


def _printed(parts: Sequence[Table | Text], width: int, colour: bool) -> str:
    """Return what rich makes of the parts, without trailing blanks."""
    file = io.StringIO()
    console = Console(
        file=file,
        width=max(width, NARROWEST),
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
        _environ={},
    )
    for part in parts:
        console.print(part)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())
