"""`use`: a layer that is there once more, with its weights; what it may be, what it costs and how it reads."""

from __future__ import annotations

from typing import Any

import pytest

from planner import GraphError, Network, ShapeError, diagnose, layer
from planner.explanations.layer import explain
from planner.fixes import with_fixes
from planner.layers import Conv
from planner.lowering.segments import segments
from planner.memory import plan_arena
from planner.spec import read
from planner.spec.write import write
from planner.tables import as_json, report
from tests.harness.memory_judge import assert_no_overlap

SPEC = """spec: 1
name: siamese
input: {left: [N, 3, H, W], right: [N, 3, H, W]}
layers:
  - conv: {name: a, from: left, filters: 8, kernel: 3, norm: batch, act: relu}
  - conv: {name: b, from: right, use: a}
  - add: {name: both, from: [a, b]}
  - conv: {name: c, use: a, from: left}
  - concat: {from: [both, c]}
"""


def siamese() -> Network:
    """Return the network of the spec."""
    network, findings = read(SPEC, "siamese.yaml")
    assert network is not None and not findings
    return network


def test_parameters_and_statistics_are_counted_once_and_products_each_time() -> None:
    plan = siamese().check()
    alone = read(SPEC.split("  - conv: {name: b")[0], "alone.yaml")[0]
    assert alone is not None
    one = alone.altered(nodes=tuple(node for node in alone.nodes if node.name != "right")).check()
    assert plan.parameter_count == one.parameter_count == 8 * 3 * 9 + 8 + 16
    assert plan.buffer_count == one.buffer_count == 16
    bound, single = plan.bind(N=2, H=8, W=8), one.bind(N=2, H=8, W=8)
    assert bound.macs == 3 * single.macs and bound.parameter_count == single.parameter_count
    assert bound.memory.parameter_bytes == single.memory.parameter_bytes
    assert bound.memory.optimizer_bytes == single.memory.optimizer_bytes
    assert [node.owner for node in bound.nodes if node.owner] == ["a", "a.norm", "a.act"] * 2


def test_the_builder_in_python_makes_the_same_network() -> None:
    layers = [
        layer("conv", name="a", from_="left", filters=8, kernel=3, norm="batch", act="relu"),
        layer("conv", name="b", from_="right", use="a"),
        layer("add", name="both", from_=["a", "b"]),
        layer("conv", name="c", use="a", from_="left"),
        layer("concat", from_=["both", "c"]),
    ]
    shape = ("N", 3, "H", "W")
    assert Network(name="siamese", input={"left": shape, "right": shape}, layers=layers) == siamese()


def test_a_written_network_reads_back_as_itself() -> None:
    assert "- conv: {name: b, from: right, use: a}" in write(siamese())
    assert read(write(siamese()), "again.yaml")[0] == siamese()


def test_a_layer_used_through_another_one_belongs_to_the_first() -> None:
    network = read(SPEC.replace("name: c, use: a", "name: c, use: b"), "a.yaml")[0]
    assert network is not None and network.by_name["c.norm"].owner == "a.norm"


@pytest.mark.parametrize(
    ("settings", "code", "problem"),
    [
        ({"use": "z"}, "N103", "`b`: `use` names `z`, which is not a layer before it"),
        ({"use": "b"}, "N103", "`b`: `use` names `b`, which is not a layer before it"),
        ({"use": "late"}, "N103", "`b`: `use` names `late`, which is not a layer before it"),
        ({"use": "x"}, "N107", "`b`: `use` names `x`, which is of kind input, not conv"),
        ({"use": "d"}, "N107", "`b`: `use` names `d`, which is of kind dense, not conv"),
        ({"use": "a", "filters": 8}, "N101", "`b`: `filters` comes from `a` (`use`) and cannot be set again"),
        ({"use": "a", "act": "relu"}, "N101", "`b`: `act` comes from `a` (`use`) and cannot be set again"),
        ({"use": "a", "from_": "nothing"}, "N103", "`b` reads `nothing`, which is not a layer"),
    ],
)
def test_what_cannot_be_used_is_a_finding_with_a_way_out(settings: dict[str, Any], code: str, problem: str) -> None:
    layers = [
        layer("conv", name="a", filters=8, kernel=3, pad=1),
        layer("flatten"),
        layer("dense", name="d", units=3),
        layer("conv", name="b", **{"from_": "x", **settings}),
        layer("conv", name="late", from_="x", filters=8, kernel=3, pad=1),
    ]
    with pytest.raises(GraphError) as refusal:
        Network(name="t", input={"x": ("N", 1, 8, 8)}, layers=layers, output=["d", "b", "late"])
    (finding,) = refusal.value.findings
    assert (finding.code, finding.message) == (code, problem)
    assert finding.fixes


def test_a_layer_without_weights_has_none_to_share() -> None:
    layers = [layer("relu", name="r"), layer("relu", use="r")]
    with pytest.raises(GraphError, match="`use` names `r`, a relu, which has no weights to share"):
        Network(name="t", input={"x": ("N", 1, 8, 8)}, layers=layers)


def test_an_input_is_no_layer_to_use() -> None:
    with pytest.raises(GraphError, match="declare inputs under `input:`"):
        Network(name="t", input={"x": ("N", 1, 8, 8)}, layers=[layer("input", use="x")])


def test_a_faulty_layer_is_told_once_however_often_it_is_used() -> None:
    _, findings = read(SPEC.replace("kernel: 3", "kernel: 0"), "a.yaml")
    assert [finding.layer for finding in findings] == ["a"]


def test_input_channels_that_do_not_fit_are_a_finding_at_the_use() -> None:
    network = read(SPEC.replace("right: [N, 3,", "right: [N, 4,"), "a.yaml")[0]
    assert network is not None
    with pytest.raises(ShapeError) as refusal:
        network.check()
    (finding,) = refusal.value.findings
    assert finding.fixes == ("give `b` separate settings and weights instead of those of `a`",)
    assert finding.code == "S219" and finding.where is not None and finding.where.line == 6
    assert finding.message == (
        "`b`: it uses the weights of `a`, where `weight` is 8 x 3 x 3 x 3, but its input needs 8 x 4 x 3 x 3"
    )


@pytest.mark.parametrize(("left", "right"), [(("N", 4, 8), ("N", 4, 8, 8)), (("N", 4, 6, 8, 8), ("N", 4, 8))])
def test_weights_for_other_axes_are_a_finding(left: tuple[int | str, ...], right: tuple[int | str, ...]) -> None:
    layers = [
        layer("conv", name="a", from_="x", filters=4, kernel=3),
        layer("conv", name="b", use="a", from_="y"),
    ]
    net = Network(name="ranks", input={"x": left, "y": right}, layers=layers, output=["a", "b"])
    (finding,) = diagnose(net).findings
    assert finding.code == "S219" and finding.layer == "b"


def test_sizes_that_a_shared_dense_layer_accepts_are_solved_exactly() -> None:
    layers = [
        layer("flatten", from_="x"),
        layer("dense", name="d", units=3),
        layer("flatten", from_="y"),
        layer("dense", name="e", use="d"),
        layer("add", from_=["d", "e"]),
    ]
    inputs: dict[str, tuple[int | str, ...]] = {"x": ("N", 1, "H", 6), "y": ("N", 2, 9, "W")}
    plan = Network(name="t", input=inputs, layers=layers).check()
    accepted = [(h, w) for h in range(1, 20) for w in range(1, 20) if plan.accepts(H=h, W=w)]
    assert accepted == [(h, w) for h in range(1, 20) for w in range(1, 20) if 6 * h == 18 * w]


def test_a_change_to_the_layer_is_one_to_all_its_uses() -> None:
    changed = siamese().with_nodes({"b": Conv(filters=4, kernel=1)})
    assert {changed.by_name[name].layer for name in ("a", "b", "c")} == {Conv(filters=4, kernel=1)}
    symbolic = read(SPEC.replace("kernel: 3", "kernel: K"), "a.yaml")[0]
    assert symbolic is not None
    assert symbolic.check().bind(N=1, H=8, W=8, K=5).by_name["c"].layer == Conv(filters=8, kernel=5)


def test_ways_out_of_a_finding_change_the_layer_wherever_it_is_used() -> None:
    text = SPEC.replace("[N, 3, H, W]", "[N, 3, 2, 2]", 2)
    network = read(text, "a.yaml")[0]
    assert network is not None
    found = with_fixes(diagnose(network))
    assert found.errors and any("pad" in fix and "a:" in fix for error in found.errors for fix in error.fixes)


def test_the_part_of_a_gradient_that_a_second_use_adds_has_memory_for_one_run() -> None:
    bound = siamese().check().bind(N=2, H=8, W=8)
    arena = plan_arena(bound, training=True)
    assert_no_overlap(arena)
    parts = {key[1]: block for key, block in arena.places.items() if key[0] == "weights"}
    # c and b come first in the backward pass; a is the last of them
    assert set(parts) == {"a", "b", "a.norm", "b.norm"}
    steps = 2 * len(bound.nodes)
    for segment in segments(bound.nodes):
        for block in (parts[node.name] for node in segment.nodes if node.name in parts):
            assert (block.first, block.last) == (steps - segment.last, steps - segment.first)
    assert parts["a"].bytes == -(-(8 * 3 * 9 + 8) * 4 // 64) * 64
    assert not [key for key in plan_arena(bound, training=False).places if key[0] == "weights"]


def test_tables_and_derivations_say_whose_weights_a_layer_uses() -> None:
    plan = siamese().check()
    rows = {row.name: row for row in report(plan).rows}
    assert rows["b"].settings == {"use": "a"} and rows["b"].parameter_count == 0
    assert sum(row["parameters"] for row in as_json(report(plan))["layers"]) == plan.parameter_count
    steps = {step.quantity: step.text for step in explain(diagnose(siamese()), "b.norm").steps}
    assert steps["parameters"] == "shared with `a.norm` and counted there"
    assert steps["buffers"] == "shared with `a.norm`, updated once more in each step"


def test_a_block_uses_a_layer_of_its_own_in_each_repetition() -> None:
    text = """spec: 1
input: {x: [N, 4, 8, 8]}
blocks:
  twice: {layers: [conv: {name: a, filters: 4, kernel: 3, pad: 1}, conv: {name: b, use: a}]}
layers:
  - block: {use: twice, name: s, repeat: 2}
"""
    network, findings = read(text, "a.yaml")
    assert network is not None and not findings
    assert {node.name: node.owner for node in network.nodes if node.owner} == {"s.1.b": "s.1.a", "s.2.b": "s.2.a"}


TOWERS = """spec: 1
name: towers
input: {left: [N, 3, H, W], right: [N, 3, H, W]}
blocks:
  unit: {params: {c: int}, layers: [conv: {filters: $c, kernel: 3, norm: batch, act: relu}, maxpool: {size: 2}]}
  tower:
    params: {c: int}
    layers:
      - block: {use: unit, name: u, c: $c, repeat: 2}
      - gap: {norm: batch}
      - block: {use: squeeze_excite, squeeze: 4}
      - conv: {name: p, filters: 5, kernel: 1, if: c != 5}
      - flatten
      - dense: {name: code, units: 16}
layers:
  - block: {use: tower, name: a, from: left, c: 8}
  - block: {use: tower, name: b, from: right, weights: a}
  - block: {use: tower, name: d, from: left, weights: b}
  - concat: {name: both, from: [a, b, d]}
"""


def test_a_use_of_a_block_shares_the_weights_of_all_its_layers() -> None:
    network, findings = read(TOWERS, "towers.yaml")
    assert network is not None and not findings
    by_name = network.by_name
    first = [name for name in by_name if name.startswith("a.")]
    for tower in ("b", "d"):
        assert [name for name in by_name if name.startswith(f"{tower}.")] == [f"{tower}{name[1:]}" for name in first]
        for name in first:
            again = by_name[f"{tower}{name[1:]}"]
            assert again.layer == by_name[name].layer
            assert again.owner in ("", name)
    plan = network.check()
    owners = {node.owner for node in plan.nodes if node.name.startswith("b.")}
    assert owners >= {"a.u.2.conv1.norm", "a.gap1.norm", "a.p"}
    assert all(not node.parameters for node in plan.nodes if node.name.startswith(("b.", "d.")))
    assert plan.bind(N=2, H=16, W=16).macs == 3 * sum(
        node.macs for node in plan.bind(N=2, H=16, W=16).nodes if node.name.startswith("a.")
    )
    assert read(write(network), "again.yaml")[0] == network


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ("weights: z", "N103", "`weights` names `z`, which is not an earlier use of a block"),
        ("weights: b", "N103", "`weights` names `b`, which is not an earlier use of a block"),
        ("weights: left", "N103", "`weights` names `left`, which is not an earlier use of a block"),
        ("weights: a, c: 9", "N101", "block `tower`: `c` comes from `a` (`weights`) and cannot be set again"),
        ("weights: a, repeat: 2", "N101", "block `tower`: `repeat` comes from `a` (`weights`) and cannot be set again"),
        ("weights: [a]", "P106", "`weights` must be the name of one use of a block"),
    ],
)
def test_a_block_whose_weights_cannot_be_shared_is_a_finding(given: str, code: str, message: str) -> None:
    _, findings = read(TOWERS.replace("right, weights: a", f"right, {given}"), "towers.yaml")
    found = [finding for finding in findings if finding.where is not None and finding.where.line == 17]
    assert [(finding.code, finding.message) for finding in found] == [(code, message)]
    assert found[0].fixes


def test_a_use_of_another_block_has_no_weights_to_share() -> None:
    text = TOWERS.replace("use: tower, name: b, from: right, weights: a", "use: unit, name: b, from: right, weights: a")
    _, findings = read(text, "towers.yaml")
    assert findings[0].message == "`weights` names `a`, which is a use of `tower`"


def test_machines_are_told_whose_weights_a_layer_shares() -> None:
    layers = {row["name"]: row["shares"] for row in as_json(report(siamese().check()))["layers"]}
    assert layers["b.norm"] == "a.norm" and layers["a"] is None
