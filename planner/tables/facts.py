"""The numbers of a plan, layer by layer, and as JSON, without formatting.

:mod:`planner.tables.table` formats them. Totals are the sums of the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import count
from operator import add
from typing import Any

import planner.symbols as sy
from planner.findings import Finding, SizeError
from planner.layers.source import Input
from planner.layers.spatial import is_map, letters
from planner.lowering.node import ITEM_BYTES, DType
from planner.lowering.rewrite import deferred
from planner.plan.memory_formula import memory_formula
from planner.plan.plan import BoundPlan, Plan
from planner.plan.receptive import ReceptiveField
from planner.symbols import Shape, Size


@dataclass(frozen=True)
class Row:
    """The numbers of one layer: ints if they are known, formulas if they depend on free sizes.

    Attributes
    ----------
    name, kind : str
    settings : Mapping
        Settings that differ from their defaults.
    inputs : tuple of str
        Names of the nodes that the layer reads.
    output_shape : Shape
        (N, C, H, W) or (N, features).
    parameter_count, buffer_count, macs : Size
        Trainable parameters, other state, and multiply-accumulates over the whole batch.
    output_bytes : Size
        Bytes of the output; 0 if it is an alias of the input, or if the layer is fused into another one.
    receptive_field : ReceptiveField or None
    done_in : str or None
        The max pooling into which an activation is fused; it then computes the activation on its smaller output.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    inputs: tuple[str, ...]
    output_shape: Shape
    parameter_count: Size
    buffer_count: Size
    macs: Size
    output_bytes: Size
    receptive_field: ReceptiveField | None
    done_in: str | None


@dataclass(frozen=True)
class Report:
    """The numbers that `shapeplan show` prints for a network.

    Attributes
    ----------
    name : str
    inputs, outputs : Mapping of str to Shape
    rows : tuple of Row
    parameter_count, buffer_count, macs, output_bytes : Size
        Sums of the rows.
    inference_bytes, training_bytes : Size or None
        The planned bytes if every size is known, else a formula that is a lower bound of every plan; None if no
        accepted sizes were found.
    bound : BoundPlan or None
        The bound plan if every size is known.
    """

    name: str
    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]
    rows: tuple[Row, ...]
    parameter_count: Size
    buffer_count: Size
    macs: Size
    output_bytes: Size
    inference_bytes: Size | None
    training_bytes: Size | None
    bound: BoundPlan | None


class Legend:
    """Short names for long sizes, to keep a table of formulas readable.

    Examples
    --------
    >>> legend = Legend(taken=["N", "H"])
    >>> rows = sy.floor_div(sy.symbol("H") - 1, 2) + 1
    >>> legend.shorten((sy.symbol("N"), 64, rows, rows)), legend.text()
    ((N, 64, h1, h1), 'h1 = floor((H - 1)/2) + 1')
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._names: dict[Size, Size] = {}

    def shorten(self, shape: Shape) -> Shape:
        """Return a shape with a short name for every size that is neither a number nor a name."""
        short = "".join(letters(shape)).lower() if is_map(shape) else "nf"
        return tuple(self._short(size, letter) for size, letter in zip(shape, short, strict=False))

    @property
    def names(self) -> Mapping[Size, Size]:
        """The short name of each size."""
        return dict(self._names)

    def text(self) -> str:
        """Return the definitions of the short names."""
        return ", ".join(f"{sy.text(name)} = {sy.text(size)}" for size, name in self._names.items())

    def _short(self, size: Size, letter: str) -> Size:
        if sy.constant(size) is not None or sy.free(size) == {sy.text(size)}:
            return size
        if size not in self._names:
            name = next(f"{letter}{i}" for i in count(1) if f"{letter}{i}" not in self._taken)
            self._taken.add(name)
            self._names[size] = sy.symbol(name)
        return self._names[size]


def report(
    plan: Plan | BoundPlan,
    sizes: Mapping[str, int] | None = None,
    legend: Legend | None = None,
    *,
    dtype: DType = "float32",
) -> Report:
    """Return the numbers of a plan at the given sizes; other free sizes stay symbols.

    Parameters
    ----------
    plan : Plan or BoundPlan
        A bound plan has sizes and data type of its own, and its memory is not planned again.
    sizes : Mapping of str to int
    legend : Legend or None
        Short names to use in the rows; default: full formulas.
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
    >>> report(net.check()).macs, report(net.check(), {"N": 2}).macs
    (352800*N, 705600)
    """
    if isinstance(plan, BoundPlan):
        bound: BoundPlan | None = plan
        values, dtype, plan = dict(plan.sizes), plan.dtype, plan.plan
    else:
        values = dict(sizes or {})
        bound = admit(plan, values, dtype)
    known = {name: value for name, value in values.items() if name in plan.free}
    rows = tuple(_rows(plan, known, bound, legend, ITEM_BYTES[dtype]))
    memory: tuple[Size | None, Size | None]
    if bound is None:
        memory = memory_formula(plan, known, training=False), memory_formula(plan, known, training=True)
    else:
        memory = bound.memory.inference_bytes, bound.memory.training_bytes
    if bound is not None:
        shapes: Mapping[str, Shape] = {node.name: node.output_shape for node in bound.nodes}
    else:
        shapes = {node.name: _shape_at(node.output_shape, known) for node in plan.nodes}
    return Report(
        name=plan.name,
        inputs={node.name: shapes[node.name] for node in plan.nodes if isinstance(node.layer, Input)},
        outputs={public: shapes[node] for public, node in plan.outputs.items()},
        rows=rows,
        parameter_count=_sum(row.parameter_count for row in rows),
        buffer_count=_sum(row.buffer_count for row in rows),
        macs=_sum(row.macs for row in rows),
        output_bytes=_sum(row.output_bytes for row in rows),
        inference_bytes=memory[0],
        training_bytes=memory[1],
        bound=bound,
    )


def batch_name(plan: Plan) -> str | None:
    """Return the name of the batch size of all inputs; None if it is a number or if the inputs differ.

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


def admit(plan: Plan, sizes: Mapping[str, int], dtype: DType = "float32") -> BoundPlan | None:
    """Return the bound plan if every free size is given, else None after checking those given.

    Raises
    ------
    SizeError
        If a size is not accepted, whatever the missing ones are, or a name is unknown.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 3, "H", "W")}, layers=[layer("conv", name="c", filters=6, kernel=5)])
    >>> admit(net.check(), {"H": 32}) is None
    True
    >>> admit(net.check(), {"H": 3})
    Traceback (most recent call last):
    planner.findings.SizeError: error[S209]: the network cannot run at H = 3; H = 5 is the nearest it accepts
    """
    if all(name in sizes for name in plan.free):
        return plan.bind(dtype=dtype, **sizes)
    if plan.accepts(**sizes):
        return None
    at = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    near = [f"{name} = {size}" for name, value in sizes.items() for size in _nearest(plan, name, value)]
    fixed = [name for name in sizes if name not in plan.free]
    message = f"the network cannot run at {at}"
    if fixed:
        message += f"; the spec fixes {', '.join(fixed)}"
        fixes = [f"remove {', '.join(fixed)}, or replace the number by a name in the input of the spec"]
    else:
        fixes = [f"{size} is the nearest it accepts" for size in near]
    raise SizeError([Finding("S209", message, notes=(f"accepted: {plan.domain.text()}",), fixes=tuple(fixes))])


def as_json(found: Report) -> dict[str, Any]:
    """Return a report as JSON values: ints if sizes are known, formulas as text if they are free.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 3, 9, 9)}, layers=[layer("conv", name="c1", filters=6, kernel=5)])
    >>> as_json(report(net.check()))["layers"][1]["output"]
    ['N', 6, 5, 5]
    """
    return {
        "name": found.name,
        "inputs": {name: _shape(shape) for name, shape in found.inputs.items()},
        "outputs": {name: _shape(shape) for name, shape in found.outputs.items()},
        "parameters": _number(found.parameter_count),
        "buffers": _number(found.buffer_count),
        "macs": _number(found.macs),
        "memory": {
            "inference_bytes": None if found.inference_bytes is None else _number(found.inference_bytes),
            "training_bytes": None if found.training_bytes is None else _number(found.training_bytes),
        },
        "layers": [
            {
                "name": row.name,
                "kind": row.kind,
                "inputs": list(row.inputs),
                "shares": row.settings.get("use"),
                "output": _shape(row.output_shape),
                "parameters": _number(row.parameter_count),
                "macs": _number(row.macs),
                "receptive_field": _field(row.receptive_field),
                "done_in": row.done_in,
            }
            for row in found.rows
        ],
    }


def memory_as_json(bound: BoundPlan) -> dict[str, Any]:
    """Return the memory layout as JSON values, in bytes, with the first and last step of each block inclusive.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 3, 8, 8)}, layers=[layer("relu", name="r")])
    >>> found = memory_as_json(net.check().bind(N=1))["inference"]
    >>> found["bytes"], found["lower_bound"], found["proved"], found["live"]
    (768, 768, True, [768, 768, 768])
    """
    memory = bound.memory
    arenas = {"inference": memory.inference, "training": memory.training}
    return {
        name: {
            "bytes": arena.bytes,
            "lower_bound": arena.lower_bound,
            "proved": arena.proved,
            "steps": arena.steps,
            "live": list(arena.live()),
            "blocks": [
                {
                    "name": block.name,
                    "role": block.role,
                    "bytes": block.bytes,
                    "first": block.first,
                    "last": block.last,
                    "offset": block.offset,
                }
                for block in arena.blocks
            ],
        }
        for name, arena in arenas.items()
    }


def _rows(
    plan: Plan, known: Mapping[str, int], bound: BoundPlan | None, legend: Legend | None, item_bytes: int
) -> Iterable[Row]:
    def named(shape: Shape) -> Shape:
        at = _shape_at(shape, known)
        return at if legend is None else legend.shorten(at)

    done_in = deferred(plan.nodes if bound is None else bound.nodes, plan.outputs.values())
    for node in plan.nodes:
        layer = node.layer
        if bound is not None:
            exact = bound.by_name[node.name]
            output: Shape = exact.output_shape
            parameters: Size = sum(p.count for p in exact.parameters.values())
            buffers: Size = sum(p.count for p in exact.buffers.values())
            macs: Size = exact.macs
        else:
            # Computed by the layer, because the formulas of the plan are expanded and longer to read.
            inputs, output = tuple(map(named, node.input_shapes)), named(node.output_shape)
            parameters = 0 if node.owner else _at(_sum(p.count for p in layer.params(inputs)), known)
            buffers = 0 if node.owner else _at(_sum(p.count for p in layer.buffers(inputs)), known)
            macs = _at(layer.macs(inputs, output), known)
        yield Row(
            node.name,
            node.kind,
            {"use": node.owner} if node.owner else {} if isinstance(layer, Input) else layer.settings(),
            node.inputs,
            output,
            parameters,
            buffers,
            macs,
            0 if layer.alias or node.name in done_in else item_bytes * sy.product(output),
            _field_at(node.receptive_field, known) if bound is None else bound.receptive_fields[node.name],
            done_in.get(node.name),
        )


def _at(size: Size, known: Mapping[str, int]) -> Size:
    found = sy.substitute(size, known)
    constant = sy.constant(found)
    return found if constant is None else constant


def _shape_at(shape: Shape, known: Mapping[str, int]) -> Shape:
    return tuple(_at(size, known) for size in shape)


def _field_at(field: ReceptiveField | None, known: Mapping[str, int]) -> ReceptiveField | None:
    if field is None:
        return None
    size, jump, start = (tuple(_at(each, known) for each in fact) for fact in (field.size, field.jump, field.start))
    return ReceptiveField(size, jump, start)


def _nearest(plan: Plan, name: str, size: int) -> list[int]:
    if name not in plan.domain or size in plan.domain[name]:
        return []
    around = (plan.domain[name].previous(size), plan.domain[name].next(size))
    return [other for other in around if other is not None]


def _sum(sizes: Iterable[Size]) -> Size:
    """Return a sum without expanding its products, which keeps it shorter."""
    found = reduce(add, sizes, 0)
    constant = sy.constant(found)
    return found if constant is None else constant


def _number(size: Size) -> int | str:
    constant = sy.constant(size)
    return sy.text(size) if constant is None else constant


def _shape(shape: Shape) -> list[int | str]:
    return [_number(size) for size in shape]


def _field(field: ReceptiveField | None) -> dict[str, list[int | str]] | None:
    if field is None:
        return None
    return {"size": _shape(field.size), "jump": _shape(field.jump), "start": _shape(field.start)}
