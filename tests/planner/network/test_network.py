"""Names, wiring and settings: what a network is made of, and every mistake as one finding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from planner import Entry, GraphError, Network, layer
from planner.layers import AvgPool, BatchNorm, Elu, LeakyRelu
from planner.network.builder import Builder


def network(*layers: Entry, **given: Any) -> Network:
    """Return a network of these layers on one 16x16 colour image."""
    return Network(**{"name": "n", "input": {"x": ("N", 3, 16, 16)}, "layers": layers} | given)


def codes(*layers: Entry, **given: Any) -> list[str]:
    """Return the codes of what is wrong with these layers."""
    with pytest.raises(GraphError) as caught:
        network(*layers, **given)
    return [finding.code for finding in caught.value.findings]


conv = layer("conv", name="a", filters=4, kernel=3)


def test_norm_and_act_are_layers_behind_and_the_name_means_the_last() -> None:
    net = network(layer("conv", name="a", filters=4, kernel=3, norm="batch", act="relu"), layer("gap", from_="a"))
    assert [(n.name, n.inputs, n.role) for n in net.nodes] == [
        ("x", (), ""),
        ("a", ("x",), ""),
        ("a.norm", ("a",), "norm"),
        ("a.act", ("a.norm",), "act"),
        ("gap1", ("a.act",), ""),
    ]


def test_norm_and_act_may_have_settings() -> None:
    norm, act = {"batch": {"eps": 0.001}}, {"leaky_relu": {"slope": 0.2}}
    net = network(layer("conv", name="a", filters=4, kernel=3, norm=norm, act=act))
    assert net.by_name["a.norm"].layer == BatchNorm(eps=0.001)
    assert net.by_name["a.act"].layer == LeakyRelu(slope=0.2)
    plain = network(layer("conv", name="a", filters=4, kernel=3, norm={"batch": None}, act={"relu": {}}))
    assert plain == network(layer("conv", name="a", filters=4, kernel=3, norm="batch", act="relu"))


def test_unnamed_layers_are_numbered_by_kind_and_avoid_taken_names() -> None:
    net = network(layer("relu", name="relu1"), layer("relu"), layer("relu"))
    assert [n.name for n in net.nodes] == ["x", "relu1", "relu2", "relu3"]


def test_nodes_are_in_execution_order_whatever_order_they_were_written_in() -> None:
    net = network(layer("relu", name="late", from_="early"), layer("tanh", name="early", from_="x"), output="late")
    assert [n.name for n in net.nodes] == ["x", "early", "late"]


def test_order_of_inputs_and_repeated_inputs_are_kept() -> None:
    net = network(layer("relu", name="a"), layer("add", from_=["a", "x", "a"]))
    assert net.nodes[-1].inputs == ("a", "x", "a")


@pytest.mark.parametrize(
    ("layers", "code", "words"),
    [
        ([layer("conv", filters=4, kernel=3, norm={"batch": {"epz": 1}})], "N101", "did you mean `eps`?"),
        ([layer("conv", filters=4, kernel=3, norm={"batch": {"eps": -1}})], "N107", "`conv1.norm`: `eps` must be"),
        ([layer("conv", filters=4, kernel=3, act={"rellu": {}})], "N107", "did you mean `relu`?"),
        ([layer("conv", filters=4, kernel=3, act={"relu": {}, "tanh": {}})], "N107", "one word with its settings"),
        ([layer("conv", filters=4, kernal=3)], "N101", "did you mean `kernel`?"),
        ([layer("convv", filters=4, kernel=3)], "N102", "did you mean `conv`?"),
        ([layer("input", shape=(1, 2))], "N102", "declare inputs under `input:`"),
        ([conv, layer("relu", from_="aa")], "N103", "did you mean `a`?"),
        ([conv, conv], "N104", "two layers named `a`"),
        ([layer("relu", name="p", from_="q"), layer("relu", name="q", from_="p")], "N105", "p -> q -> p"),
        ([layer("relu", name="p", from_="p")], "N105", "p -> p"),
        ([conv, layer("relu", from_="x")], "N106", "no output depends on layer `a`"),
        ([layer("conv", filters=0, kernel=3)], "N107", "`filters` must be at least 1, got 0"),
        ([layer("conv", filters=-4, kernel=3)], "N107", "at least 1, got -4"),
        ([layer("conv", filters=2**50, kernel=3)], "N107", "larger than any tensor"),
        ([layer("conv", filters=4, kernel=3.5)], "N107", "whole number or a name"),
        ([layer("conv", filters=True, kernel=3)], "N107", "whole number or a name"),
        ([layer("conv", filters=4, kernel=[1, 2, 3, 4])], "N107", "[height, width]"),
        ([layer("conv", filters=4, kernel=3, pad="some")], None, ""),
        ([layer("conv", filters=4, kernel=3, pad="so me")], "N107", "not a name"),
        ([layer("conv", filters=4, kernel=3, rounding="up")], "N107", "floor, exact"),
        ([layer("conv", filters=4, kernel=3, bias="yes")], "N107", "true or false"),
        ([layer("conv", filters=4, kernel=3, act="rellu")], "N107", "did you mean `relu`?"),
        ([layer("conv", filters=4, kernel=3, norm="btach")], "N107", "did you mean `batch`?"),
        ([layer("dropout", rate=1.5)], "N107", "from 0 to 0.999999"),
        ([layer("conv", filters=4)], "N108", "needs `kernel`"),
        ([layer("add")], "N109", "2 or more tensors"),
        ([conv, layer("relu", from_=["a", "x"])], "N109", "join them first"),
        ([layer("relu", name="x\ny")], "N107", "printable"),
        ([layer("relu", name="n" * 101)], "N107", "up to 100"),
    ],
)
def test_each_mistake_is_one_finding_that_names_it_and_a_way_out(
    layers: list[Entry], code: str | None, words: str
) -> None:
    if code is None:
        network(*layers)
        return
    with pytest.raises(GraphError) as caught:
        network(*layers)
    assert [finding.code for finding in caught.value.findings] == [code]
    (finding,) = caught.value.findings
    assert words in " ".join([finding.message, *finding.fixes])


def test_all_mistakes_are_reported_in_one_run() -> None:
    found = codes(layer("conv", filters=4), layer("reluu", name="r"), layer("gap", from_="nowhere"))
    assert found == ["N108", "N102", "N103"]


def test_outputs_must_be_layers_and_the_train_section_is_read() -> None:
    assert codes(conv, output="b") == ["N111"]
    assert codes(conv, output={"a": {"from": "b"}}) == ["N111"]
    assert codes(conv, output={"a": {"from": ["a"]}}) == codes(conv, output={"y": {"form": "a"}}) == ["N107"]
    assert codes(conv, train={"losss": "mse"}) == ["N101"]
    assert codes(conv, train={"optimizer": {"sgd": {"lr": -1}}}) == ["N107"]


def test_a_network_needs_an_input_and_says_which_when_there_are_two() -> None:
    assert codes(layer("relu"), input={})[0] == "N108"
    assert codes(layer("relu"), input={"a": ("N", 3, 8, 8), "b": ("N", 3, 8, 8)})[0] == "N108"
    assert codes(conv, input={"x": ("N", 3, 16, 16, 16, 16)}) == ["N107"]
    assert codes(conv, input={"x": ("N", 3, 16, 0)}) == ["N107"]


def test_an_input_nobody_reads_is_a_dead_end() -> None:
    given = {"a": ("N", 3, 8, 8), "b": ("N", 3, 8, 8)}
    assert codes(layer("relu", from_="a"), input=given) == ["N106"]


def test_the_builder_tells_shapes_while_the_network_grows() -> None:
    builder = Builder("n", {"x": ("N", 3, 16, 16)})
    builder.add(layer("conv", name="a", filters=8, kernel=3, norm="batch", act="relu"))
    assert builder.shape("a") == (*(builder.shape("x") or ())[:1], 8, 14, 14)
    builder.add(layer("conv", name="b", filters=8, kernel=30))
    assert builder.shape("b") is None
    builder.add(layer("relu", name="c", from_="to_come"))
    assert builder.shape("c") is None and builder.findings == []


def test_networks_are_equal_by_what_they_compute_not_where_they_were_written() -> None:
    assert network(conv) == network(conv)
    assert network(conv) != network(layer("conv", name="a", filters=5, kernel=3))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"train": 5}, "`train` must be a mapping such as {epochs: 10}, got 5"),
        ({"train": [1]}, "`train` must be a mapping such as {epochs: 10}, got [1]"),
        ({"output": [3]}, "`output` must be a name, a list of names, or a mapping of names to shapes; got [3]"),
        ({"output": [["relu1"]]}, "`output` must be a name, a list of names, or a mapping of names to shapes"),
        ({"output": {3: None}}, "`output` must be a name, a list of names, or a mapping of names to shapes"),
        ({"output": {"relu1": 3}}, "the shape of output `relu1` must be a list of sizes, such as ('N', 10); got 3"),
        ({"output": {"relu1": "N"}}, "the shape of output `relu1` must be a list of sizes, such as ('N', 10); got 'N'"),
    ],
)
def test_arguments_of_another_type_are_findings(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(GraphError) as refusal:
        Network(name="t", input={"x": ("N", 3)}, layers=[layer("relu")], **arguments)
    assert words in refusal.value.findings[0].message


def test_no_outputs_at_all_mean_the_last_layer() -> None:
    given: tuple[Any, ...] = ([], {}, (), None)
    for nothing in given:
        network = Network(name="t", input={"x": ("N", 3)}, layers=[layer("relu", name="r")], output=nothing)
        assert dict(network.outputs) == {"r": "r"}


def test_settings_may_be_numbers_and_arrays_of_numpy() -> None:
    given: tuple[Any, ...] = (np.array([2, 3]), np.int64(2), np.array(1.0))
    layers = [
        layer("avgpool", name="a", size=given[0], pad=given[0] - 2),
        layer("conv", name="c", filters=given[1], kernel=1),
        layer("elu", name="e", alpha=given[2]),
        layer("reshape", name="r", shape=np.array([2, -1, 3])),
    ]
    made = Network(name="t", input={"x": ("N", 4, 8, 8)}, layers=layers)
    assert made.by_name["a"].layer == AvgPool(size=(2, 3), pad=(0, 1))
    assert made.by_name["e"].layer == Elu(alpha=1.0)
    with pytest.raises(GraphError, match="N107"):
        Network(name="t", input={"x": ("N", 4, 8, 8)}, layers=[layer("maxpool", size=np.zeros((2, 2)))])
