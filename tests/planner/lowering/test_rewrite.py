"""Whose work is done elsewhere, and what reports say of it."""

from __future__ import annotations

from typing import Any

import pytest

from planner import Network, layer
from planner.lowering.rewrite import deferred
from planner.memory import plan_arena
from planner.plan.plan import BoundPlan
from planner.tables.facts import as_json, report
from tests.harness.memory_judge import Simulation, assert_no_overlap


def network(*layers: Any, output: Any = None) -> Network:
    named = {} if output is None else {"output": output}
    return Network(name="t", input={"x": ("N", 3, 16, 16)}, layers=list(layers), **named)


def kinds(bound: BoundPlan) -> dict[str, str]:
    """Return what is done at each node whose own layer does not."""
    pairs = zip(bound.nodes, bound.lowered, strict=True)
    return {node.name: done.layer.kind for node, done in pairs if node.layer != done.layer}


CONV: dict[str, Any] = {"filters": 4, "kernel": 3, "pad": 1}
MOVED = {"c.act": "deferred", "p": "argmaxpool"}


@pytest.mark.parametrize(
    ("layers", "output", "expected"),
    [
        ([layer("conv", name="c", act="relu", **CONV), layer("maxpool", name="p", size=2)], None, MOVED),
        ([layer("conv", name="c", act="relu6", **CONV), layer("maxpool", name="p", size=3, stride=1)], None, MOVED),
        ([layer("conv", name="c", act="tanh", **CONV), layer("maxpool", name="p", size=2)], None, {}),
        # slopes of several numbers may round to one, and make a tie of what was none
        ([layer("conv", name="c", act="leaky_relu", **CONV), layer("maxpool", name="p", size=2)], None, {}),
        ([layer("conv", name="c", act="relu", **CONV), layer("avgpool", name="p", size=2)], None, {}),
        ([layer("conv", name="c", act="relu", **CONV), layer("maxpool", name="p", size=16)], None, {}),
        ([layer("conv", name="c", act="relu", **CONV), layer("maxpool", name="p", size=2)], ["p", "c"], {}),
        ([layer("conv", name="c", act="relu", **CONV), layer("maxpool", name="p", size=2)], ["p"], MOVED),
        # somebody else reads the activation
        (
            [
                layer("conv", name="c", act="relu", **CONV),
                layer("maxpool", name="p", size=3, stride=1, pad=1),
                layer("add", from_=["p", "c"]),
            ],
            None,
            {},
        ),
        # somebody else reads what the activation reads
        (
            [
                layer("conv", name="c", **CONV),
                layer("relu", name="r", from_="c"),
                layer("maxpool", name="p", from_="r", size=3, stride=1, pad=1),
                layer("add", from_=["p", "c"]),
            ],
            None,
            {"r": "deferred", "p": "argmaxpool"},
        ),
        # the positions of the maxima are an output of their own, and zeros tie
        (
            [
                layer("conv", name="c", act="relu", **CONV),
                layer("maxpool", name="p", size=2),
                layer("unpool", pool="p"),
            ],
            None,
            {},
        ),
        # nobody keeps the map
        ([layer("conv", name="c", **CONV), layer("maxpool", name="p", size=2)], None, {"p": "argmaxpool"}),
        (
            [layer("conv", name="c", **CONV), layer("maxpool", name="p", size=2), layer("relu")],
            None,
            {"p": "argmaxpool"},
        ),
        (
            [
                layer("conv", name="a", act="relu", **CONV),
                layer("conv", name="b", from_="x", act="relu", **CONV),
                layer("concat", from_=["a", "b"]),
                layer("maxpool", name="p", size=2),
            ],
            None,
            {},
        ),
        (
            [
                layer("conv", name="c", **CONV),
                layer("conv", name="d", **CONV),
                layer("maxpool", name="p", from_="c", size=3, stride=1, pad=1),
                layer("add", from_=["p", "d"]),
            ],
            None,
            {},
        ),
        ([layer("maxpool", name="p", size=2), layer("conv", **CONV)], None, {}),
    ],
)
def test_work_is_moved_only_where_it_is_the_same_function_and_spares_memory(
    layers: list[Any], output: Any, expected: dict[str, str]
) -> None:
    bound = network(*layers, output=output).check().bind(N=2)
    assert kinds(bound) == expected
    for training in (False, True):
        arena = plan_arena(bound, training=training)
        assert_no_overlap(arena)
        # the simulation's cells are 16 numbers: maps of 16 rows and columns are whole cells
        run = Simulation(bound.lowered, list(bound.outputs.values()), arena)
        run.step() if training else run.forward(training=False)


def test_nodes_stay_what_they_are_where_their_work_is_moved() -> None:
    layers = [layer("conv", name="c", norm="batch", act="relu", **CONV), layer("maxpool", name="p", size=2)]
    bound = network(*layers).check().bind(N=2)
    for node, done in zip(bound.nodes, bound.lowered, strict=True):
        assert (node.name, node.kind, node.inputs, node.input_shapes, node.output_shape, node.parameters) == (
            done.name, done.kind, done.inputs, done.input_shapes, done.output_shape, done.parameters,
        )  # fmt: skip
    assert bound.by_name["p"].layer.settings() == bound.lowered[-1].layer.settings()


@pytest.mark.parametrize("sizes", [{}, {"N": 8}])
def test_reports_say_which_pooling_does_an_activation_and_count_no_bytes_for_it(sizes: dict[str, int]) -> None:
    layers = [layer("conv", name="c", act="relu", **CONV), layer("maxpool", name="p", size=2), layer("relu", name="r")]
    plan = network(*layers).check()
    assert deferred(plan.nodes, plan.outputs.values()) == {"c.act": "p"}
    found = report(plan, sizes)
    rows = {row.name: row for row in found.rows}
    assert rows["c.act"].done_in == "p" and rows["c.act"].output_bytes == 0
    assert rows["c.act"].output_shape[1:] == (4, 16, 16)
    assert rows["r"].done_in is None and rows["r"].output_bytes == rows["p"].output_bytes != 0
    assert {each["name"]: each["done_in"] for each in as_json(found)["layers"]} == {
        "x": None, "c": None, "c.act": "p", "p": None, "r": None,
    }  # fmt: skip
    assert "relu fused into p" in str(plan.bind(N=8)) and "relu fused into p" in str(plan)
