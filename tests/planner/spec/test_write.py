"""Networks to spec text and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner import Entry, Network, layer
from planner.spec import read, write
from tests.planner.spec.test_reader import LENET, RESNET, good


@pytest.mark.parametrize("text", [LENET, RESNET])
def test_a_written_network_reads_back_as_itself(text: str) -> None:
    network = good(text)
    assert good(write(network)) == network


def test_lenet_is_written_as_people_write_it() -> None:
    assert write(good(LENET)) == (
        "spec: 1\n"
        "name: lenet5\n"
        "input: {image: [N, 1, 32, 32]}\n"
        "layers:\n"
        "  - conv: {name: c1, filters: 6, kernel: 5, act: tanh}\n"
        "  - avgpool: {name: s2, size: 2}\n"
        "  - conv: {name: c3, filters: 16, kernel: 5, act: tanh}\n"
        "  - avgpool: {name: s4, size: 2}\n"
        "  - conv: {name: c5, filters: 120, kernel: 5, act: tanh}\n"
        "  - flatten: {name: flatten1}\n"
        "  - dense: {name: f6, units: 84, act: tanh}\n"
        "  - dense: {name: out, units: 10}\n"
        "output: {out: [N, 10]}\n"
        "train:\n"
        "  loss: cross_entropy\n"
        "  optimizer: {sgd: {lr: 0.05}}\n"
        "  epochs: 10\n"
        "  batch: 64\n"
    )


def test_an_output_that_is_called_as_a_block_reads_back() -> None:
    text = (
        "spec: 1\nname: x\ninput: {x: [N, 3, H, W]}\n"
        "blocks: {b: {layers: [conv: {name: a, filters: 3, kernel: 1}, batchnorm: {name: n, act: relu}]}}\n"
        "layers: [block: {use: b, name: one}, block: {use: b, name: two}]\noutput: {one: [N, 3, H, W], two: }\n"
    )
    network = good(text)
    assert good(write(network)) == network
    assert "output: {one: {from: one.n, shape: [N, 3, H, W]}, two: {from: two.n}}" in write(network)


def test_formulas_in_settings_read_back() -> None:
    text = (
        "spec: 1\nname: x\ninput: {x: [N, C, H, W]}\nlayers:\n"
        '  - conv: {filters: "4*K", kernel: [F, "F // 2 + 1"], stride: S, pad: "(F - 1)//2",\n'
        '           expect: [N, "4*K", A, "H//2"]}\n'
    )
    network = good(text)
    assert good(write(network)) == network
    assert "filters: 4*K" in write(network)


NAMES = st.text(alphabet="abN1.-_ :#'\"é{}[],&*!|>%@`$~", min_size=1, max_size=6).filter(
    lambda s: s.isprintable() and s not in ("x", "y") and not s.endswith((".act", ".norm"))
)
sizes = st.integers(1, 4) | st.sampled_from(["K", "F"])
KINDS: list[tuple[str, dict[str, st.SearchStrategy[Any]]]] = [
    ("relu", {}),
    ("elu", {"alpha": st.floats(1e-3, 10)}),
    ("dropout", {"rate": st.floats(0, 0.9)}),
    ("batchnorm", {"affine": st.booleans(), "eps": st.floats(1e-9, 1)}),
    ("gelu", {"approximate": st.sampled_from(["none", "tanh"])}),
    ("dense", {"units": sizes, "bias": st.booleans()}),
    (
        "conv",
        {
            "filters": sizes,
            "kernel": sizes | st.tuples(sizes, sizes).map(list),
            "stride": sizes | st.tuples(sizes, sizes).map(list),
            "pad": st.integers(0, 3) | st.just("same") | st.lists(st.integers(0, 3), min_size=4, max_size=4),
            "rounding": st.sampled_from(["floor", "exact"]),
        },
    ),
    ("maxpool", {"size": sizes, "stride": sizes, "rounding": st.sampled_from(["floor", "ceil"])}),
    ("add", {}),
]


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Draw a network whose wiring is right; whether its sizes are does not matter here."""
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    inputs = {"x": ("N", 3, "H", 8)} | ({"y": ("N", 3, 8, 8)} if draw(st.booleans()) else {})
    known = list(inputs)
    entries: list[Entry] = []
    for name in names:
        kind, choices = draw(st.sampled_from(KINDS))
        given_settings = {key: draw(values) for key, values in choices.items()}
        sources = (
            draw(st.lists(st.sampled_from(known), min_size=2, max_size=3))
            if kind == "add"
            else draw(st.sampled_from(known))
        )
        act = draw(st.sampled_from([None, "relu", "tanh"]))
        norm = draw(st.sampled_from([None, "batch"]))
        expect = draw(st.sampled_from([None, ("N", 3)]))
        entries.append(layer(kind, name=name, from_=sources, act=act, norm=norm, expect=expect, **given_settings))
        known.append(name)
    read_names = {s for e in entries for s in ((e.from_,) if isinstance(e.from_, str) else e.from_ or ())}
    outputs = {n: draw(st.sampled_from([None, ("N", "K")])) for n in known if n not in read_names}
    train = draw(st.sampled_from([None, {"epochs": 3, "optimizer": {"adam": {"lr": 1e-4}}}]))
    return Network(name=draw(NAMES), input=inputs, layers=entries, output=outputs, train=train)


@settings(max_examples=150)
@given(networks())
def test_any_network_reads_back_as_itself(network: Network) -> None:
    found, findings = read(write(network), "x.yaml")
    assert not findings
    assert found == network
