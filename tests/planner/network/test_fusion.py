"""Which layers a network for inference is without, and that nothing else about it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import planner
from planner import Entry, Network, layer
from planner.network.fusion import fuse, plan_fusion
from planner.spec import read, write

MAP = ("N", 4, 8, 8)


def network(*layers: Entry, output: Any = None, train: Any = None, image: Sequence[int | str] = MAP) -> Network:
    return Network(name="t", input={"x": image}, layers=layers, output=output, train=train)


def conv(name: str, **more: Any) -> Entry:
    usual: dict[str, Any] = {"filters": 4, "kernel": 3, "pad": 1, "bias": False}
    return layer("conv", name=name, **usual | more)


def kinds(network: Network) -> dict[str, str]:
    return {node.name: node.layer.kind for node in network.nodes if node.layer is not None and node.name != "x"}


def test_the_norm_behind_a_layer_goes_and_the_layer_gets_a_bias() -> None:
    net = network(conv("c1", norm="batch", act="relu"), conv("c2", norm="batch", bias=True), layer("gap"))
    fused = fuse(net)
    assert kinds(fused) == {"c1": "conv", "c1.act": "relu", "c2": "conv", "gap1": "gap"}
    assert all(fused.by_name[name].layer.bias for name in ("c1", "c2"))  # type: ignore[union-attr]
    assert fused.by_name["c2"].inputs == ("c1.act",)
    assert net.by_name["c1.norm"].layer is not None, "the network itself is as it was"


def test_what_is_saved_is_planned() -> None:
    net = network(
        conv("c1", norm="batch", act="relu"), conv("c2", norm={"batch": {"affine": False}}), image=("N", 4, "H", "W")
    )
    before, after = net.check(), fuse(net).check()
    assert after.parameter_count == before.parameter_count - 2 * 4 + 2 * 4, (
        "factors and shifts of one norm, a bias for each layer"
    )
    assert (before.bind(N=2, H=9, W=9).buffer_count, after.bind(N=2, H=9, W=9).buffer_count) == (16, 0)
    assert after.macs == before.macs
    assert after.domain == before.domain


@pytest.mark.parametrize(
    ("image", "made"),
    [
        (("N", 4, 9), layer("conv", name="c", filters=6, kernel=3, norm="batch")),
        (("N", 4, 6, 6, 6), layer("conv", name="c", filters=6, kernel=3, norm="batch")),
        (MAP, layer("conv", name="c", filters=8, kernel=3, groups=4, norm="batch")),
        (MAP, layer("convtranspose", name="c", filters=6, kernel=2, stride=2, groups=2, norm="batch")),
        (("N", 5), layer("dense", name="c", units=3, norm="batch")),
    ],
    ids=["one axis", "three axes", "depthwise", "transposed", "dense"],
)
def test_every_layer_with_weights_by_channel_takes_a_norm_in(image: tuple[int | str, ...], made: Entry) -> None:
    assert plan_fusion(network(made, image=image)).origins["c"] == ("c", "c.norm")


@pytest.mark.parametrize(
    "net",
    [
        network(conv("a"), conv("b", act="relu"), layer("gap")),
        network(layer("batchnorm", act="relu"), conv("a")),
        network(conv("a", norm="layer"), conv("b", norm="group", filters=32)),
        network(conv("a", act="relu"), layer("batchnorm")),
        network(layer("maxpool", size=2), layer("batchnorm")),
    ],
    ids=["no norm", "in front", "other norms", "behind an activation", "behind a pooling"],
)
def test_without_anything_to_fuse_it_is_the_same_network(net: Network) -> None:
    assert fuse(net) is net
    assert plan_fusion(net).origins == {node.name: (node.name,) for node in net.nodes}


@pytest.mark.parametrize(
    "net",
    [
        network(conv("a"), layer("batchnorm", name="n"), layer("add", from_=["a", "n"])),
        network(conv("a"), layer("batchnorm", name="n"), output=["a", "n"]),
        network(conv("a", norm="batch"), layer("conv", name="b", use="a")),
        network(conv("a"), layer("batchnorm", name="n"), conv("b"), layer("batchnorm", name="m", use="n")),
        network(conv("a", norm="batch", act="relu"), layer("add", from_=["a", "a.norm"])),
        network(conv("a", norm="batch", act="relu"), output=["a", "a.norm"]),
        network(conv("a", expect=("N", "K", 8, 8)), layer("batchnorm", name="n", expect=("N", 4, 8, 8))),
    ],
    ids=["two readers", "an output", "shared", "shared norm", "read by its name", "named", "asserted"],
)
def test_what_somebody_else_needs_stays(net: Network) -> None:
    assert fuse(net) is net


def test_outputs_keep_their_names() -> None:
    net = network(
        conv("a"), layer("batchnorm", name="n"), conv("b", norm="batch"), layer("dropout", name="d"),
        conv("c"), layer("batchnorm", name="m", act="tanh"),
        output={"n": MAP, "b.norm": None, "d": None, "m": None, "m.act": None},
    )  # fmt: skip
    fused = fuse(net)
    assert kinds(fused) == {"a": "conv", "b": "conv", "c": "conv", "m": "tanh"}
    assert dict(fused.outputs) == {"n": "a", "b.norm": "b", "d": "b", "m": "m", "m.act": "m"}
    assert [each.node for each in fused.expectations] == ["a"]
    assert read(write(fused), "fused.yaml") == (fused, ())


def test_an_activation_behind_a_norm_of_its_own_gets_its_name() -> None:
    net = network(conv("a"), layer("batchnorm", name="n", act="prelu"), layer("gap", from_="n"), output=["n", "gap1"])
    fusion = plan_fusion(net)
    assert kinds(fusion.network) == {"a": "conv", "n": "prelu", "gap1": "gap"}
    assert fusion.origins["n"] == ("n.act",)
    assert dict(fusion.network.outputs) == {"n": "n", "gap1": "gap1"}


def test_several_norms_behind_each_other_are_one() -> None:
    net = network(
        conv("a", norm="batch"), layer("batchnorm", name="n"), layer("dropout"), layer("batchnorm"), layer("relu")
    )
    assert plan_fusion(net).origins["a"] == ("a", "a.norm", "n", "batchnorm1")
    assert kinds(fuse(net)) == {"a": "conv", "relu1": "relu"}


def test_what_is_random_in_training_goes() -> None:
    net = network(
        conv("a", act="relu"), layer("dropout2d"), conv("b"), layer("stochastic_depth", rate=0.1),
        layer("add", from_=["a", "stochastic_depth1"]), layer("flatten"), layer("dropout", name="d"),
        layer("dropout"), layer("dense", name="out", units=3),
    )  # fmt: skip
    fused = fuse(net)
    assert kinds(fused) == {
        "a": "conv", "a.act": "relu", "b": "conv", "add1": "add", "flatten1": "flatten", "out": "dense"
    }  # fmt: skip
    assert fused.by_name["add1"].inputs == ("a.act", "b")
    assert fused.by_name["out"].inputs == ("flatten1",)


def test_dropout_stays_where_something_stands_behind_it_or_nothing_would_be_left() -> None:
    behind = network(conv("a"), layer("dropout", name="d", norm="batch"))
    assert fuse(behind) is behind
    alone = network(layer("dropout", name="d"))
    assert fuse(alone) is alone


def test_positions_of_maxima_follow_what_their_pooling_reads() -> None:
    net = network(
        conv("a", norm="batch"), layer("dropout2d"), layer("maxpool", name="p", size=2), conv("b", norm="batch"),
        layer("unpool", pool="p"), conv("c"),
    )  # fmt: skip
    fused = fuse(net)
    assert fused.by_name["p.indices"].inputs == fused.by_name["p"].inputs == ("a",)
    assert fused.by_name["unpool1"].inputs == ("b", "p.indices", "a")


def test_a_fused_network_is_written_and_read_like_any_other() -> None:
    net = planner.load("zoo:resnet18")
    fused = fuse(net)
    text = write(fused)
    assert "norm" not in text
    again, findings = read(text, "fused.yaml")
    assert (again, findings) == (fused, ())
    assert fused.train == net.train
    assert fuse(fused) is fused
