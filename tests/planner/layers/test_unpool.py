"""Max unpooling: which layer it names, what it needs of it, and how long the positions of the maxima live."""

from __future__ import annotations

from typing import Any

import pytest

from planner import Entry, GraphError, Network, diagnose, layer
from planner.fixes import with_fixes
from planner.layers import MaxIndices, MaxPool, Unpool
from planner.memory import plan_arena
from planner.spec import read
from planner.spec.write import write
from tests.harness.memory_judge import Simulation, assert_no_overlap

SPEC = """spec: 1
name: autoencoder
input: {image: [N, 16, H, W]}
layers:
  - conv: {name: c, filters: 16, kernel: 3, pad: 1}
  - maxpool: {name: p, size: 2, act: relu}
  - conv: {name: d, filters: 16, kernel: 3, pad: 1}
  - unpool: {name: u, pool: p}
  - conv: {name: out, filters: 2, kernel: 1}
"""


def autoencoder(**pool: Any) -> Network:
    """Return a pooling and its unpooling with a convolution on each side of both."""
    layers = [
        layer("conv", name="c", filters=16, kernel=3, pad=1),
        layer("maxpool", name="p", **{"size": 2, **pool}),
        layer("conv", name="d", filters=16, kernel=3, pad=1),
        layer("unpool", name="u", pool="p"),
        layer("conv", name="out", filters=2, kernel=1),
    ]
    return Network(name="autoencoder", input={"image": ("N", 16, "H", "W")}, layers=layers)


def test_the_output_is_as_large_as_the_pooled_map_whatever_the_rounding_dropped() -> None:
    plan = autoencoder().check()
    assert str(plan.by_name["u"].output_shape) == "(N, 16, H, W)"
    assert plan.bind(N=1, H=7, W=10).by_name["u"].output_shape == (1, 16, 7, 10)
    assert plan.domain.text() == "N >= 1, H >= 2, W >= 2"


def test_the_positions_are_a_node_right_behind_the_pooling_made_once() -> None:
    network = read(SPEC.replace("name: out", "from: [u], name: out"), "a.yaml")[0]
    assert network is not None
    assert [node.name for node in network.nodes] == ["image", "c", "p", "p.indices", "p.act", "d", "u", "out"]
    assert network.by_name["u"].inputs == ("d", "p.indices", "c")
    assert network.by_name["p.indices"].layer == MaxIndices(size=2)
    twice = [*autoencoder_entries(), layer("unpool", name="v", pool="p", from_="d"), layer("add", from_=("u", "v"))]
    nodes = Network(name="t", input={"image": ("N", 16, 8, 8)}, layers=twice).nodes
    assert [node.name for node in nodes].count("p.indices") == 1


def autoencoder_entries() -> list[Entry]:
    """Return the layers of the autoencoder without the last."""
    return [node.entry for node in autoencoder().nodes if node.entry and not node.role][1:-1]


@pytest.mark.parametrize("text", [SPEC, SPEC.replace("pool: p}", "from: d, pool: p, act: relu}")])
def test_a_written_network_reads_back_as_itself(text: str) -> None:
    network, findings = read(text, "a.yaml")
    assert network is not None and not findings
    assert "unpool: {name: u, pool: p" in write(network)
    assert read(write(network), "b.yaml")[0] == network


@pytest.mark.parametrize(
    ("setting", "code", "problem"),
    [
        ({"pool": "q"}, "N103", "`u`: `pool` names `q`, which is not a layer before it"),
        ({"pool": "u"}, "N103", "`u`: `pool` names `u`, which is not a layer before it"),
        ({"pool": "c"}, "N107", "`u`: `pool` names `c`, which is of kind conv, not maxpool"),
        ({"pool": 3}, "N103", "`u`: `pool` names 3, which is not a layer before it"),
        ({"pool": MaxPool(size=2)}, "N103", None),
        ({}, "N108", "`u`: unpool needs `pool`"),
        ({"pool": "p", "from_": ("p", "c")}, "N109", "`u`: unpool reads one tensor, but `from` names 2"),
    ],
)
def test_what_a_pooling_cannot_be_is_a_finding_with_a_way_out(
    setting: dict[str, Any], code: str, problem: str | None
) -> None:
    layers = [
        layer("conv", name="c", filters=4, kernel=1),
        layer("maxpool", name="p", size=2),
        layer("unpool", name="u", **setting),
    ]
    with pytest.raises(GraphError) as refusal:
        Network(name="t", input={"x": ("N", 1, 8, 8)}, layers=layers)
    (finding,) = refusal.value.findings
    assert finding.code == code and finding.fixes
    assert problem is None or finding.message == problem


def test_a_faulty_pooling_is_told_once() -> None:
    for broken in ("size: 0", "size: 2, from: nothing"):
        _, findings = read(SPEC.replace("size: 2", broken), "a.yaml")
        assert len(findings) == 1 and findings[0].layer == "p", findings


def test_a_layer_called_as_the_positions_would_be_is_a_finding() -> None:
    text = SPEC.replace("name: d", "name: p.indices")
    assert [finding.code for finding in read(text, "a.yaml")[1]] == ["N104"]


def test_a_block_unpools_a_pooling_of_its_own_or_one_it_is_given() -> None:
    text = """spec: 1
input: {image: [N, 4, 16, 16]}
blocks:
  own:   {layers: [maxpool: {name: p, size: 2}, conv: {filters: 4, kernel: 1}, unpool: {pool: p}]}
  given: {params: {pool: str}, layers: [conv: {filters: 4, kernel: 1}, unpool: {pool: $pool}]}
layers:
  - block: {use: own, name: a}
  - maxpool: {name: outer, size: 2}
  - block: {use: given, name: b, pool: outer}
"""
    network, findings = read(text, "a.yaml")
    assert network is not None and not findings
    assert [node.name for node in network.nodes if node.role] == ["a.p.indices", "outer.indices"]
    assert [str(shape) for shape in network.check().output_shapes.values()] == ["(N, 4, 16, 16)"]
    _, findings = read(text.replace("pool: p}", "pool: outer}"), "a.yaml")
    assert [finding.code for finding in findings] == ["N103"]


def test_sizes_that_do_not_come_back_are_refused_and_the_others_are_the_domain() -> None:
    layers = [
        layer("maxpool", name="p", size=2),
        layer("maxpool", name="q", size=2),
        layer("upsample", name="twice", scale=2),
        layer("unpool", name="u", pool="p"),
    ]
    network = Network(name="t", input={"x": ("N", 1, "H", "W")}, layers=layers)
    plan = network.check()
    accepted = [n for n in range(1, 60) if n // 2 // 2 and n // 2 // 2 * 2 == n // 2]
    assert [n for n in range(1, 60) if plan.accepts(H=n)] == accepted
    found = with_fixes(diagnose(network.with_input(x=("N", 1, 18, 16))))
    (error,) = found.errors
    assert error.code == "S202" and error.layer == "u"
    assert error.message.startswith("`u`: its input is N x 1 x 8 x 8 but its max pooling gave N x 1 x 9 x 8: height 8")


def test_where_the_pooling_is_changed_its_unpooling_follows() -> None:
    changed = autoencoder().with_nodes({"p": MaxPool(size=3)})
    assert changed.by_name["p.indices"].layer == MaxIndices(size=3)
    assert changed.by_name["u"].layer == Unpool(MaxPool(size=3))
    symbolic = autoencoder(size="K").check()
    assert symbolic.bind(N=1, H=9, W=9, K=3).by_name["u"].layer == Unpool(MaxPool(size=3))


def test_positions_live_from_the_pooling_to_the_unpooling_and_maps_do_not() -> None:
    bound = autoencoder().check().bind(N=4, H=8, W=8)
    nodes = [node.name for node in bound.nodes]
    inference, training = plan_arena(bound, training=False), plan_arena(bound, training=True)
    block = inference.places["value", "p.indices", 0]
    assert (block.first, block.last) == (nodes.index("p.indices"), nodes.index("u"))
    assert block.bytes == 4 * 16 * 4 * 4 * 4
    assert inference.places["value", "c", 0].last == nodes.index("p.indices")
    # its backward pass reads the positions again, and not the values
    block = training.places["value", "p.indices", 0]
    assert block.last == 2 * len(nodes) - nodes.index("u")
    assert "p.indices" not in training.backward and ("gradient", "p.indices", 0) not in training.places
    assert training.places["value", "d", 0].last < block.last


@pytest.mark.parametrize("training", [False, True])
def test_no_value_is_overwritten_while_it_is_needed(training: bool) -> None:
    bound = autoencoder().check().bind(N=4, H=8, W=8)
    arena = plan_arena(bound, training=training)
    assert_no_overlap(arena)
    simulation = Simulation(bound.lowered, list(bound.outputs.values()), arena)
    simulation.step() if training else simulation.forward(training=False)


@pytest.mark.parametrize(
    ("pool", "size", "fixes"),
    [
        ({"size": 3, "stride": 2}, 9, ("p: {..., stride: 3}",)),
        ({"size": (2, 3), "stride": 1}, 9, ("p: {..., stride: [2, 3]}",)),
    ],
)
def test_windows_that_overlap_are_offered_a_stride_that_does_not(
    pool: dict[str, Any], size: int, fixes: tuple[str, ...]
) -> None:
    found = with_fixes(diagnose(autoencoder(**pool).with_input(image=("N", 16, size, size))))
    assert [(error.code, error.fixes) for error in found.errors] == [("S217", fixes)]


def test_maps_that_do_not_come_back_are_offered_sizes_that_do_and_nothing_to_change_in_the_positions() -> None:
    layers = [
        layer("maxpool", name="p", size=2),
        layer("maxpool", name="q", size=2),
        layer("upsample", name="twice", scale=2),
        layer("unpool", name="u", pool="p"),
    ]
    network = Network(name="t", input={"x": ("N", 1, 18, 18)}, layers=layers)
    (error,) = with_fixes(diagnose(network)).errors
    assert any(fix.startswith("feed 20x20 images") for fix in error.fixes)
    assert not any("p.indices" in fix for fix in error.fixes)
