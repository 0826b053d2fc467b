"""Blocks: parameters, repetition, conditions, names, and what is refused."""

from __future__ import annotations

import pytest

from planner.findings import Finding
from planner.layers import BatchNorm, Conv, LeakyRelu, Tanh
from planner.network.network import Network
from planner.spec import blocks, read
from tests.harness.steps import steps

HEAD = "spec: 1\nname: x\ninput: {image: [N, 3, 32, 32]}\n"
BLOCK = """blocks:
  b:
    params: {c: int, s: 1, act: relu}
    layers:
      - conv: {name: a, filters: $c, kernel: 3, stride: $s, pad: 1, act: $act}
      - conv: {name: p, from: in, filters: $c, kernel: 1, stride: $s, if: "s != 1 or in.channels != c"}
      - add: {from: [a, p]}
layers:
"""


def good(text: str) -> Network:
    network, findings = read(text, "x.yaml")
    assert not findings and network is not None, findings
    return network


def bad(text: str) -> tuple[Finding, ...]:
    _, findings = read(text, "x.yaml")
    assert findings and all(f.fixes for f in findings), findings
    return findings


def places(text: str) -> list[tuple[str, int, int]]:
    return [(f.code, f.where.line, f.where.column) for f in bad(text) if f.where]


def test_layers_of_a_block_are_named_after_its_use() -> None:
    network = good(HEAD + BLOCK + "  - block: {use: b, name: s1, c: 8}\n")
    assert [n.name for n in network.nodes] == ["image", "s1.a", "s1.a.act", "s1.p", "s1.add1"]
    assert network.by_name["s1.add1"].inputs == ("s1.a.act", "s1.p")


def test_repetitions_are_numbered_and_read_each_other() -> None:
    network = good(HEAD + BLOCK + "  - block: {use: b, name: s, c: 8, repeat: 2}\n  - relu: {name: r, from: s.1}\n"
                   "  - add: {from: [r, s]}\n")  # fmt: skip
    assert network.by_name["s.2.a"].inputs == ("s.1.add1",)
    assert network.by_name["r"].inputs == ("s.1.add1",)
    assert network.by_name["add1"].inputs == ("r", "s.2.add1")


def test_a_layer_switched_off_hands_its_input_on_under_its_name() -> None:
    network = good(HEAD + BLOCK + "  - block: {use: b, name: s, c: 8, repeat: 2}\n")
    assert "s.1.p" in network.by_name and "s.2.p" not in network.by_name
    assert network.by_name["s.2.add1"].inputs == ("s.2.a.act", "s.1.add1")


def test_a_list_gives_one_value_for_each_repetition() -> None:
    network = good(HEAD + BLOCK + "  - block: {use: b, name: s, c: [4, 8], s: [2, 1], act: tanh, repeat: 2}\n")
    layers = [network.by_name[f"s.{i}.a"].layer for i in (1, 2)]
    assert layers == [Conv(filters=4, kernel=3, stride=2, pad=1), Conv(filters=8, kernel=3, pad=1)]
    assert network.by_name["s.1.a.act"].layer == Tanh()


def test_unnamed_uses_are_numbered_by_block() -> None:
    network = good(HEAD + BLOCK + "  - block: {use: b, c: 3}\n  - block: {use: b, c: 3}\n")
    assert [n.name for n in network.nodes if n.name.endswith(".a")] == ["b1.a", "b2.a"]


def test_blocks_stand_in_blocks_and_pass_parameters_on() -> None:
    text = HEAD + (
        "blocks:\n  inner:\n    params: {c: int}\n    layers: [conv: {name: k, filters: $c, kernel: 1}]\n"
        "  outer:\n    params: {c: int, n: 2}\n    layers:\n"
        '      - block: {use: inner, name: i, c: "$c * 2", repeat: $n}\n      - relu: {from: i}\n'
        "layers: [block: {use: outer, name: o, c: 4}]\noutput: [o]\n"
    )
    network = good(text)
    assert [n.name for n in network.nodes] == ["image", "o.i.1.k", "o.i.2.k", "o.relu1"]
    assert network.by_name["o.i.2.k"].layer == Conv(filters=8, kernel=1)
    assert list(network.outputs.values()) == ["o.relu1"]


def test_parameters_may_be_names_of_sizes() -> None:
    text = HEAD.replace("3, 32", "K, 32") + BLOCK + "  - block: {use: b, name: s, c: K}\n"
    network = good(text)
    assert "s.p" not in network.by_name and network.by_name["s.a"].layer is not None
    assert network.by_name["s.a"].layer.free == {"K"}


def test_json_declares_the_types_of_parameters_in_quotes() -> None:
    text = """{"spec": 1, "name": "j", "input": {"image": ["N", 3, 8, 8]},
      "blocks": {"b": {"params": {"c": "int"}, "layers": [{"conv": {"filters": "$c", "kernel": 3}}]}},
      "layers": [{"block": {"use": "b", "name": "s", "c": 4}}]}"""
    network, findings = read(text, "x.json")
    assert network is not None and not findings
    assert network.by_name["s.conv1"].layer == Conv(filters=4, kernel=3)
    _, findings = read(text.replace(', "c": 4', ""), "x.json")
    assert [finding.code for finding in findings] == ["N108"]


@pytest.mark.parametrize(
    ("use", "code", "column"),
    [
        ("{use: bb, c: 8}", "N110", 13),
        ("{use: b}", "N108", 13),
        ("{c: 8}", "N108", 5),
        ("{use: b, c: 1.5}", "N107", 21),
        ("{use: b, c: true}", "N107", 21),
        ("{use: b, c: [1, 2], repeat: 3}", "N110", 21),
        ("{use: b, c: [1, 2]}", "N110", 21),
        ("{use: b, c: 8, repeat: 0}", "N110", 27),
        ("{use: b, c: 8, repeat: 1001}", "N110", 27),
        ("{use: b, c: 8, kk: 3}", "N101", 27),
        ("{use: b, c: 8, from: []}", "N109", 27),
        ("{use: b, c: 8, from: [image, image]}", "N109", 27),
        ("{use: b, c: $z}", "N112", 24),
    ],
)
def test_a_wrong_use_is_reported_once_at_its_place(use: str, code: str, column: int) -> None:
    assert places(HEAD + BLOCK + f"  - block: {use}\n  - relu\n") == [(code, 12, column)]


def test_one_fault_in_a_block_is_reported_once_however_often_it_is_used() -> None:
    text = HEAD + BLOCK.replace("filters: $c, kernel: 3", "filters: 0 * $c, kernel: 3")
    (finding,) = bad_anyway(text + "  - block: {use: b, name: s, c: 8, repeat: 50}\n")
    assert finding.code == "N107" and [r.where.line for r in finding.related] == [12]


def bad_anyway(text: str) -> tuple[Finding, ...]:
    """Return findings of which some come without a fix from the builder."""
    _, findings = read(text, "x.yaml")
    return findings


def test_faults_of_unused_blocks_are_found() -> None:
    text = HEAD + BLOCK.replace("kernel: 3", "kernal: 3") + "  - relu\n"
    assert places(text) == [("N101", 8, 38)]


def test_a_forgotten_dollar_is_noticed() -> None:
    text = HEAD + BLOCK.replace("filters: $c, kernel: 1", "filters: c, kernel: 1") + "  - block: {use: b, c: 8}\n"
    (finding,) = bad(text)
    assert finding.code == "N112" and finding.fixes == ("write  $c",)


def test_expression_faults_point_into_the_text() -> None:
    text = HEAD + BLOCK.replace("s != 1 or", "s != q or") + "  - block: {use: b, c: 8}\n"
    (finding,) = bad(text)
    assert finding.where is not None
    line = text.split("\n")[finding.where.line - 1]
    assert line[finding.where.column - 1 : finding.where.end_column - 1] == "s != q"


def test_a_ring_of_blocks_is_reported_once() -> None:
    text = (
        HEAD
        + "blocks:\n  a: {layers: [block: {use: b}]}\n  b: {layers: [block: {use: a}]}\nlayers: [block: {use: a}]\n"
    )
    assert [code for code, _, _ in places(text)] == ["N110"]


def test_blocks_see_nothing_outside() -> None:
    text = HEAD + BLOCK.replace("[a, p]", "[a, image]") + "  - block: {use: b, c: 8}\n"
    assert places(text) == [("N103", 10, 25)]


def test_a_block_cannot_be_read_before_it_stands() -> None:
    text = HEAD + BLOCK + "  - relu: {from: s}\n  - block: {use: b, name: s, c: 8, from: image}\n"
    assert places(text) == [("N103", 12, 18)]


def test_the_channels_behind_many_joined_layers_are_known() -> None:
    head = HEAD + """blocks:
  grow:
    layers:
      - relu: {name: before, from: in}
      - conv: {name: new, filters: 4, kernel: 3, pad: 1}
      - concat: {from: [in, new]}
  halve:
    layers:
      - conv: {name: half, filters: in.channels // 2, kernel: 1}
layers:
"""
    network = good(head + "  - block: {use: grow, name: g, repeat: 9}\n  - block: {use: halve, name: h}\n")
    half = network.by_name["h.half"].layer
    assert isinstance(half, Conv) and half.filters == (3 + 9 * 4) // 2


def test_settings_of_norm_and_act_may_be_parameters() -> None:
    text = """blocks:
  b:
    params: {e: float, a: 0.1}
    layers:
      - conv: {name: c, filters: 4, kernel: 3, norm: {batch: {eps: $e}}, act: {leaky_relu: {slope: $a}}}
layers:
  - block: {use: b, name: u, e: 0.01}
"""
    network = good(HEAD + text)
    assert network.by_name["u.c.norm"].layer == BatchNorm(eps=0.01)
    assert network.by_name["u.c.act"].layer == LeakyRelu(slope=0.1)


@pytest.mark.parametrize(
    ("behind", "code", "column"),
    [
        ("norm: {batch: {epz: 0.1}}", "N101", 50),
        ("norm: {batch: {}, layer: {}}", "P106", 35),
        ("act: [relu]", "P106", 35),
        ("act: {relu: 3}", "P106", 47),
    ],
)
def test_what_is_wrong_behind_a_layer_is_told_at_its_place(behind: str, code: str, column: int) -> None:
    assert places(HEAD + f"layers:\n  - conv: {{filters: 4, kernel: 3, {behind}}}\n") == [(code, 5, column)]


def test_channels_that_hang_on_themselves_are_a_finding() -> None:
    block = "blocks:\n  b:\n    layers:\n      - conv: {filters: in.channels, kernel: 1}\nlayers:\n"
    layers = "  - relu: {name: a, from: c}\n  - relu: {name: c, from: a}\n  - block: {use: b}\n"
    assert {finding.code for finding in bad(HEAD + block + layers)} >= {"N112"}


def test_a_condition_on_an_unknown_size_says_how_to_decide_it() -> None:
    (finding,) = bad(HEAD.replace("3, 32", "C, 32") + BLOCK + "  - block: {use: b, c: 8}\n")
    assert finding.code == "N112" and "`C != 8`" in finding.message


def test_what_hangs_on_a_faulty_layer_is_not_reported_again() -> None:
    text = HEAD + BLOCK + "  - conv: {filters: 8, kernel: 3, sride: 2}\n  - block: {use: b, c: 8}\n"
    assert places(text) == [("N101", 12, 35)]


@pytest.mark.parametrize("last", ["relu", "relu: {if: 1 == 2}"])
def test_exploding_repetition_is_stopped(last: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MOST_LAYERS", 1_000)
    chain = "".join(f"  b{i}: {{layers: [block: {{use: b{i + 1}, repeat: 1000}}]}}\n" for i in range(40))
    text = HEAD + f"blocks:\n{chain}  b40: {{layers: [{last}]}}\nlayers: [block: {{use: b0}}]\noutput: [b0]\n"
    found: list[str] = []
    steps(lambda: found.extend(code for code, _, _ in places(text)), limit=2_000_000)
    assert found == ["P103"]


@pytest.mark.parametrize("name", ["use", "in", "if", "a-b"])
def test_parameters_cannot_take_names_with_a_meaning(name: str) -> None:
    text = HEAD + f"blocks: {{b: {{params: {{{name}: 1}}, layers: [relu]}}}}\nlayers: [block: {{use: b}}]\n"
    assert [code for code, _, _ in places(text)] == ["N110"]
