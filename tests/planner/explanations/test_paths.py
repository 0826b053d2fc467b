"""Paths: what each way to a layer sees, judged by moving single pixels; and whether branches look at the same ones."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import planner
from planner import Entry, Network, diagnose, layer
from planner.explanations.paths import ALIGNED, alignment, all_paths, branches, paths
from runtime import Model
from tests.harness.places import EXAMPLES


def network(*layers: Entry) -> Network:
    return Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=layers)


def sentence(net: Network, name: str) -> str:
    found = diagnose(net)
    within = found.plan.lossless if found.plan else None
    return alignment(branches(all_paths(net, found.shapes, within), net, name))


def conv(name: str, kernel: int, **more: Any) -> Entry:
    return layer("conv", name=name, filters=1, kernel=kernel, bias=False, **more)


CHAINS = {
    "padded": [conv("a", 3, pad=1), conv("b", 5, pad=2)],
    "unpadded and strided": [conv("a", 3, stride=2), conv("b", 4)],
    "pooled": [layer("avgpool", name="a", size=2), conv("b", 3, pad=1)],
    "same": [conv("a", 4, pad="same"), layer("avgpool", name="b", size=3, stride=2)],
    "enlarged": [layer("avgpool", name="a", size=2), layer("upsample", name="b", scale=2)],
    "transposed": [
        conv("a", 3, stride=2, pad=1),
        layer("convtranspose", name="b", filters=1, kernel=4, stride=2, pad=1, bias=False),
    ],
    "zeros and crops": [layer("pad", name="a", pad=[3, 0, 1, 0]), layer("crop", name="b", size=[9, 9])],
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_centre_is_the_mean_of_the_pixels_that_move_an_output(name: str) -> None:
    """With weights of one, an output's response to each pixel is how often it sees it; its mean is the centre."""
    net = network(*CHAINS[name])
    found = diagnose(net.with_input(x=(1, 1, 24, 24)))
    assert found.plan is not None
    (path,) = paths(found.network, found.shapes, "b")
    model = Model(found.plan.bind(dtype="float64"))
    for array in model.parameters.values():
        array[:] = 1.0
    jump = Fraction(str(path.field.jump[0]))
    # the pattern of what neighbours see repeats after one, two or four of them
    first, phases = 4, 4
    rows = np.zeros((24, phases))
    for pixel in range(24):
        image = np.zeros((1, 1, 24, 24))
        image[0, 0, pixel, :] = 1.0
        column = model(image)[0, 0, :, 4]
        rows[pixel] = column[first : first + phases]
    means = (np.arange(24)[:, None] * rows).sum(0) / rows.sum(0)
    # where a map was enlarged, neighbours look at the same pixel: what counts is their mean
    mean = means.mean() - float(jump) * (first + (phases - 1) / 2)
    assert mean == pytest.approx(float(Fraction(str(path.centre[0]))), abs=1e-9)


def test_ways_that_see_the_same_are_counted_together() -> None:
    plan = planner.load(EXAMPLES / "resnet18.yaml").check()
    found = diagnose(plan.network)
    ways = paths(plan.network, found.shapes, "stage4.2.add1")
    assert sum(way.count for way in ways) == 2**8
    assert {way.centre for way in ways} == {(0, 0)}
    assert ways[-1].field == plan.by_name["stage4.2.add1"].receptive_field
    assert ways[-1].field.size == (435, 435)


def test_the_residual_branches_of_resnet_are_aligned() -> None:
    net = planner.load(EXAMPLES / "resnet18.yaml")
    ways = all_paths(net, diagnose(net).shapes)
    merges = [node.name for node in net.nodes if len(node.inputs) > 1]
    assert {alignment(branches(ways, net, name)) for name in merges} == {ALIGNED}


def test_the_unpadded_u_net_is_aligned_exactly_where_it_loses_nothing() -> None:
    net = planner.load(EXAMPLES / "unet.yaml")
    assert sentence(net, "concat4") == ALIGNED
    found = diagnose(net)
    assert alignment(branches(all_paths(net, found.shapes), net, "concat1")) != ALIGNED


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (conv("l", 3, stride=2, pad=1), layer("maxpool", name="r", size=2, from_="x"), "0.5 pixels further down"),
        (
            conv("l", 3, pad=1),
            conv("r", 3, pad=[0, 2, 1, 1], from_="x"),
            "`r` is centred 1 pixel further down than `l`",
        ),
        (conv("l", 3, pad=1), conv("r", 3, pad=[2, 0, 1, 1], from_="x"), "`r` is centred 1 pixel further up than `l`"),
        (conv("l", 3, pad=1), conv("r", 1, from_="x"), ALIGNED),
    ],
)
def test_branches_that_look_beside_each_other_are_told_apart_in_pixels(
    left: Entry, right: Entry, expected: str
) -> None:
    net = network(left, right, layer("concat", name="j", from_=["l", "r"])).with_input(x=("N", 1, 16, 16))
    assert expected in sentence(net, "j")


def test_a_merge_behind_a_merge_that_is_not_aligned_says_so() -> None:
    net = network(
        conv("l", 3, pad=1),
        conv("r", 3, pad=[0, 2, 1, 1], from_="x"),
        layer("add", name="j", from_=["l", "r"]),
        conv("m", 3, pad=1),
        layer("add", name="k", from_=["m", "l"]),
    )
    assert "`m` has 2 different centres" in sentence(net, "k")


def test_upsampling_what_was_pooled_leads_back_to_the_same_pixels() -> None:
    net = network(
        layer("maxpool", name="p", size=2),
        layer("upsample", name="u", scale=2),
        layer("crop", name="c", from_=["x", "u"]),
        layer("add", name="j", from_=["c", "u"]),
    )
    assert sentence(net, "j") == ALIGNED
