"""Spec files to networks: the whole way, and every mistake of the top of a spec."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planner
import planner.symbols as sy
from planner.diagnostics.render import render
from planner.findings import GraphError, SpecError
from planner.layers import BatchNorm
from planner.network.network import Network
from planner.rules import RULES
from planner.spec import load, read, schema
from planner.spec.source import read_tree
from planner.spec.tree import plain

HEAD = "spec: 1\nname: x\ninput: {image: [N, 3, 32, 32]}\n"

LENET = """spec: 1
name: lenet5
input: {image: [N, 1, 32, 32]}
layers:
  - conv:    {name: c1, filters: 6, kernel: 5, act: tanh}
  - avgpool: {name: s2, size: 2}
  - conv:    {name: c3, filters: 16, kernel: 5, act: tanh}
  - avgpool: {name: s4, size: 2}
  - conv:    {name: c5, filters: 120, kernel: 5, act: tanh}
  - flatten
  - dense:   {name: f6, units: 84, act: tanh}
  - dense:   {name: out, units: 10}
output: {out: [N, 10]}
train:
  loss: cross_entropy
  optimizer: {sgd: {lr: 0.05, momentum: 0.9}}
  epochs: 10
  batch: 64
"""

RESNET = """spec: 1
name: resnet18
input: {image: [N, 3, H, W]}
blocks:
  basic:
    params: {c: int, stride: 1}
    layers:
      - conv: {name: a, from: in, filters: $c, kernel: 3, stride: $stride, pad: 1, bias: false, norm: batch, act: relu}
      - conv: {name: b, filters: $c, kernel: 3, pad: 1, bias: false, norm: batch}
      - conv: {name: proj, from: in, filters: $c, kernel: 1, stride: $stride, bias: false, norm: batch,
               if: "stride != 1 or in.channels != c"}
      - add:  {from: [b, proj], act: relu}
layers:
  - conv:    {name: stem, filters: 64, kernel: 7, stride: 2, pad: 3, bias: false, norm: batch, act: relu}
  - maxpool: {size: 3, stride: 2, pad: 1}
  - block:   {use: basic, name: stage1, c: 64, repeat: 2}
  - block:   {use: basic, name: stage2, c: 128, stride: [2, 1], repeat: 2}
  - block:   {use: basic, name: stage3, c: 256, stride: [2, 1], repeat: 2}
  - block:   {use: basic, name: stage4, c: 512, stride: [2, 1], repeat: 2}
  - gap
  - flatten
  - dense:   {units: 1000}
"""


def good(text: str, file: str = "x.yaml") -> Network:
    network, findings = read(text, file)
    assert not findings and network is not None, findings
    return network


def places(text: str, file: str = "x.yaml") -> list[tuple[str, int, int]]:
    _, findings = read(text, file)
    return [(f.code, f.where.line, f.where.column) for f in findings if f.where]


def test_lenet_reads_as_drawn_in_the_lecture() -> None:
    network = good(LENET)
    assert [n.name for n in network.nodes if not n.role] == [
        "image",
        "c1",
        "s2",
        "c3",
        "s4",
        "c5",
        "flatten1",
        "f6",
        "out",
    ]
    assert network.train is not None
    assert network.train.optimizer.lr == 0.05 and network.train.epochs == 10
    assert sy.text(network.check().parameter_count) == "61706"


def test_resnet18_has_its_published_parameters() -> None:
    # He et al. 2015 as torchvision builds it: 11,689,512 trainable numbers.
    assert sy.text(good(RESNET).check().parameter_count) == "11689512"


def test_the_same_network_reads_from_json() -> None:
    text = (
        '{"spec": 1, "name": "x", "input": {"image": ["N", 3, 32, 32]},\n'
        '\t"layers": [{"conv": {"filters": 6, "kernel": 5, "act": "relu"}}, "gap"]}'
    )
    assert good(text, "x.json") == good(HEAD + "layers:\n  - conv: {filters: 6, kernel: 5, act: relu}\n  - gap\n")


def test_every_value_carries_its_place() -> None:
    node = good(LENET).by_name["c3"]
    line = LENET.split("\n")[6]
    for key, text in {"kernel": "kernel: 5", "": "conv", "act": "act: tanh", "name": "name: c3"}.items():
        mark = node.entry.mark(key) if node.entry else None
        assert mark is not None and mark.line == 7
        assert line[mark.column - 1 : mark.end_column - 1] == text


def test_an_output_may_have_a_name_of_its_own() -> None:
    text = (
        HEAD
        + "layers: [relu: {name: a}, tanh: {name: b}]\n"
        + "output: {y: {from: a, shape: [N, 3, 32, 32]}, z: {from: b}, b: }\n"
    )
    network = good(text)
    assert jsonschema.Draft7Validator(schema()).is_valid(plain_json(text))
    assert network.outputs == {"y": "a", "z": "b", "b": "b"}
    assert list(network.check().output_shapes) == ["y", "z", "b"]
    layers = [planner.layer("relu", name="a"), planner.layer("tanh", name="b")]
    asked: dict[str, Any] = {"y": {"from": "a", "shape": ("N", 3, 32, 32)}, "z": {"from": "b"}, "b": None}
    assert Network(name="x", input={"image": ("N", 3, 32, 32)}, layers=layers, output=asked) == network


def test_a_name_is_that_of_the_file_unless_told() -> None:
    assert good("spec: 1\ninput: {x: [N, 3]}\nlayers: [relu]\n", "nets/tiny.yaml").name == "tiny"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("- a\n", [("P106", 1, 1)]),
        ("spec: 2\ninput: {x: [N, 3]}\nlayers: [relu]\n", [("P107", 1, 7)]),
        ("input: {x: [N, 3]}\nlayers: [relu]\n", [("P107", 1, 1)]),
        ("spec: true\ninput: {x: [N, 3]}\nlayers: [relu]\n", [("P107", 1, 7)]),
        (HEAD, [("N108", 1, 1)]),
        ("spec: 1\nlayers: [relu]\n", [("N108", 1, 1), ("N108", 2, 10)]),
        (HEAD + "layers: [relu]\nlayer: 3\n", [("N101", 5, 1)]),
        (HEAD + "layers: []\n", [("P106", 4, 9)]),
        (HEAD + "layers: 3\n", [("P106", 4, 9)]),
        (HEAD + "layers: [relu]\ntrain: 5\n", [("P106", 5, 8)]),
        (HEAD + "layers: [relu]\ntrain: {optimizer: {sgd: {lr: -1}}}\n", [("N107", 5, 27)]),
        (HEAD + "layers: [relu]\noutput: {relu2: [N]}\n", [("N111", 5, 10)]),
        (HEAD + "layers: [relu]\noutput: {relu1: 5}\n", [("N111", 5, 17)]),
        (HEAD + "layers: [relu]\noutput: {y: {from: relu2}}\n", [("N111", 5, 10)]),
        (HEAD + "layers: [relu]\noutput: {y: {from: [relu1]}}\n", [("N111", 5, 10), ("N111", 5, 20)]),
        (HEAD + "layers: [relu]\noutput: {y: {from: relu1, shape: 5}}\n", [("N111", 5, 34)]),
        (HEAD + "layers: [relu]\noutput: {relu1: {form: relu1}}\n", [("N101", 5, 18)]),
        ("spec: 1\ninput: {x: [N, 1.5]}\nlayers: [relu]\n", [("N107", 2, 16)]),
        ("spec: 1\ninput: [N, 3]\nlayers: [relu]\n", [("P106", 2, 8)]),
        (
            HEAD + "layers:\n  - conv: {filters: {a: 1}, kernel: [[1]], pad: VALID}\n",
            [("P106", 5, 21), ("P106", 5, 38), ("N107", 5, 44)],
        ),
        (HEAD + "layers:\n  - conv:\n    filters: 6\n", [("P106", 6, 5)]),
        (HEAD + "layers:\n  - 5\n", [("P106", 5, 5)]),
        ("spec: 1\ninput: {x: [N, null]}\nlayers: [relu]\n", [("P106", 2, 16)]),
        (HEAD + "layers:\n  - relu: {if: true}\n", [("N110", 5, 12)]),
        (HEAD + "layers:\n  - relu: {act: }\n  - relu: {from: {a: b}}\n", [("P106", 6, 12)]),
        (HEAD + "layers:\n  - dropout: {rate: }\n", [("P106", 5, 15)]),
    ],
)
def test_each_mistake_is_found_at_its_place(text: str, wanted: list[tuple[str, int, int]]) -> None:
    assert places(text) == wanted


@pytest.mark.parametrize(
    ("layer", "fix"),
    [
        ("Conv2d: {filters: 6, kernel: 5}", "did you mean `conv`?"),
        ("linear: {units: 6}", "did you mean `dense`?"),
        ("BatchNorm2d", "did you mean `batchnorm`?"),
        ("batch_norm", "did you mean `batchnorm`?"),
        ("convolution: {filters: 6, kernel: 5}", "did you mean `conv`?"),
        ("LeakyReLU", "did you mean `leaky_relu`?"),
        ("input: {shape: [1]}", "declare inputs under `input:`"),
        ("conv: {filters: 6, kernel_size: 5}", "did you mean `kernel`?"),
        ("conv: {out_channels: 6, kernel: 5}", "did you mean `filters`?"),
        ("conv: {channels: 6, kernel: 5}", "did you mean `filters`?"),
        ("conv: {filters: 6, kernel: 5, padding: 1}", "did you mean `pad`?"),
        ("conv: {filters: 6, kernel: 5, activation: relu}", "did you mean `act`?"),
        ("conv: {filters: 6, kernel: 5, in_channels: 3}", "remove it: it follows from the layer before"),
        ("dense: {units: 6, in_features: 3}", "remove it: it follows from the layer before"),
        ("dense: {out_features: 6}", "did you mean `units`?"),
        ("maxpool: {size: 2, ceil_mode: true}", "write `rounding: ceil`"),
        ("maxpool: {kernel_size: 2}", "did you mean `size`?"),
        ("dropout: {p: 0.1}", "did you mean `rate`?"),
    ],
)
def test_words_of_other_tools_are_understood_and_reported_once(layer: str, fix: str) -> None:
    _, findings = read(HEAD + f"layers:\n  - {layer}\n  - relu\n", "x.yaml")
    assert [f.fixes for f in findings] == [(fix,)]


def test_all_findings_come_in_one_run_in_the_order_of_the_file() -> None:
    text = (
        f"{HEAD}layers:\n  - conv: {{filters: -1, kernel: 5}}\n  - Linear: {{units: 5}}\n"
        "  - relu: {from: nobody}\n  - relu: {a: 1, a: 2}\n"
    )
    found = places(text)
    assert [code for code, _, _ in found] == ["N107", "N102", "N103", "N101", "P102"]
    assert [line for _, line, _ in found] == sorted(line for _, line, _ in found)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.yaml", "there is no file"),
        ("net.txt", "does not end in"),
        (".", "is a directory"),
        ("a\x00.yaml", "control characters"),
        ("x" * 5000 + ".yaml", "cannot be read"),
    ],
)
def test_files_that_cannot_be_opened_are_told(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load(tmp_path / name if "\x00" not in name else name)
    assert caught.value.findings[0].code == "P105" and words in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="permissions work otherwise on Windows")
def test_a_directory_with_the_suffix_of_a_spec_is_no_spec(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").mkdir()
    with pytest.raises(SpecError, match="is a directory"):
        load(tmp_path / "d.yaml")


def test_load_reads_files_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lenet5.yaml"
    path.write_text(LENET, encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LENET.encode())))
    assert load(path) == load(str(path)) == load("-")


def test_load_raises_the_family_of_the_fault(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(HEAD + "layers: [conv]\n", encoding="utf-8")
    with pytest.raises(GraphError):
        load(path)
    path.write_text("a: [", encoding="utf-8")
    with pytest.raises(SpecError):
        load(path)
    path.write_bytes(b"\xff")
    with pytest.raises(SpecError, match="UTF-8"):
        load(path)
    path.write_text("a" * 2_000_000, encoding="utf-8")
    with pytest.raises(SpecError, match="longer than"):
        load(path)


def plain_json(text: str) -> object:
    """Return a spec as a schema sees it."""
    return plain(read_tree(text, "x.yaml"))


def test_the_schema_is_draft_07_and_accepts_what_the_reader_accepts() -> None:
    found = schema()
    jsonschema.Draft7Validator.check_schema(found)
    validator = jsonschema.Draft7Validator(found)
    texts = [LENET, RESNET, *(rule.fixed for rule in RULES.values() if "\ninput:" in rule.fixed)]
    texts += [path.read_text(encoding="utf-8") for path in sorted(Path("examples").glob("*.yaml"))]
    for text in texts:
        validator.validate(plain_json(text))


@pytest.mark.parametrize(
    "layer",
    ["conv: {filters: 6, kernel_size: 5}", "Conv2d: {}", "conv: {filters: 6}", "maxpool: {size: 2, rounding: up}"],
)
def test_the_schema_refuses_what_the_reader_refuses(layer: str) -> None:
    text = HEAD + f"layers:\n  - {layer}\n"
    assert places(text)
    assert not jsonschema.Draft7Validator(schema()).is_valid(plain_json(text))


def test_every_key_of_the_schema_is_described() -> None:
    def described(node: object) -> None:
        if not isinstance(node, dict):
            return
        for key, value in node.get("properties", {}).items():
            assert isinstance(value, dict) and value.get("description"), key
        for value in node.values():
            for item in value if isinstance(value, list) else [value]:
                described(item)
        for value in node.get("properties", {}).values():
            described(value)

    described(schema())


TOKENS = [
    "layers",
    "blocks",
    "{",
    "}",
    "[",
    "]",
    ": ",
    ", ",
    "\n",
    "  ",
    "- ",
    "$c",
    "in",
    "0",
    "-1",
    "1.5",
    "~",
    "'",
    "use",
    "if",
    "*a",
]


@settings(max_examples=200)
@given(
    st.sampled_from([LENET, RESNET]),
    st.lists(st.tuples(st.integers(0, 1200), st.integers(0, 12), st.sampled_from(TOKENS)), max_size=4),
)
def test_any_damaged_spec_gives_a_network_or_findings_with_places(
    text: str, damage: list[tuple[int, int, str]]
) -> None:
    for at, removed, put in damage:
        text = text[:at] + put + text[at + removed :]
    network, findings = read(text, "x.yaml")
    assert network is not None or findings
    assert render(findings, {"x.yaml": text}).count("error[") >= len(findings)


def test_a_misspelt_norm_with_settings_is_read_as_what_it_resembles() -> None:
    text = HEAD + 'layers: [conv: {filters: 1, kernel: 1, "n|orm": {batch: {eps: 0.01}}}]\n'
    network, (finding,) = read(text, "x.yaml")
    assert network is not None
    assert network.by_name["conv1.norm"].layer == BatchNorm(eps=0.01)
    assert (finding.code, finding.fixes) == ("N101", ("did you mean `norm`?",))
