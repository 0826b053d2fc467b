"""What is said of resizing: sizes, fields, halos, tiles, and settings that make no sense."""

from __future__ import annotations

from typing import Any

import pytest

import planner
from planner import Entry, Network, layer
from planner.explanations.tiling import tiling
from planner.notations.halo import halos
from planner.spec import read, write


def network(*layers: Entry) -> Network:
    return Network(name="n", input={"x": ("N", 3, "H", "W")}, layers=layers)


def test_scores_resized_to_the_image_fit_it_whatever_its_size() -> None:
    plan = network(
        layer("conv", name="c", filters=3, kernel=3, stride=2),
        layer("resize", name="r", from_=("c", "x"), mode="bilinear"),
        layer("add", name="a", from_=("r", "x")),
    ).check()
    assert plan.accepts(N=1, H=3, W=101)
    assert not plan.accepts(N=1, H=2, W=101)
    assert plan.bind(N=1, H=12, W=7).output_shapes["a"] == (1, 3, 12, 7)


def test_the_step_of_a_field_is_exact() -> None:
    plan = network(layer("resize", name="r", size=15, mode="bilinear")).check()
    field = plan.bind(N=1, H=10, W=5).receptive_fields["r"]
    assert field is not None
    assert [(int(n), str(j)) for n, j in zip(field.size, field.jump, strict=True)] == [(2, "2/3"), (2, "1/3")]
    free = network(layer("resize", name="r", scale=4)).check().nodes[-1].receptive_field
    assert free is not None
    assert [str(j) for j in free.jump] == ["1/4", "1/4"]


def test_a_fraction_is_a_scale_too_and_its_sizes_are_exact() -> None:
    plan = network(layer("resize", name="r", scale=[1.1, 0.3])).check()
    assert [str(size) for size in plan.output_shapes["r"][2:]] == ["floor(11*H/10)", "floor(3*W/10)"]
    assert plan.domain["W"].text("W") == "W >= 4"
    assert plan.bind(N=1, H=100, W=10).output_shapes["r"] == (1, 3, 110, 3)
    field = plan.nodes[-1].receptive_field
    assert field is not None
    assert [str(j) for j in field.jump] == ["10/11", "10/3"]
    net = network(layer("resize", name="r", scale=[1.5, 2.0]))
    assert read(write(net), "x.yaml") == (net, ())


def test_halos_follow_what_is_mixed() -> None:
    layers = layer("conv", name="c", filters=1, kernel=3, pad=1), layer("resize", name="r", scale=2, mode="bilinear")
    assert halos(network(*layers).check().bind(N=1, H=8, W=8), "r", 0) == (3, 3)


def test_no_tile_stands_for_a_map_that_is_resized() -> None:
    plan = network(layer("resize", name="r", size=5)).check()
    with pytest.raises(planner.SizeError, match="derives its windows from the size of the whole feature map"):
        tiling(plan.network, "r")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "resize needs the size of its output"),
        ({"size": 4, "scale": 2}, "`size` and `scale` both set the size of the output"),
        ({"scale": 2, "align_corners": True}, "`align_corners` needs bilinear"),
        ({"scale": 0.0}, "`scale` must be a number from 0.0001 to 10000, got 0.0"),
        ({"scale": [1.5, "a b"]}, "`scale`: 'a b' is not a name for a size"),
        ({"scale": [1.5, 2, 2, 2]}, "got 4 values"),
        ({"size": 4, "mode": "cubic"}, "`mode` must be one of nearest, bilinear; got 'cubic'"),
    ],
)
def test_settings_that_make_no_sense_are_findings(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(planner.PlannerError) as refusal:
        network(layer("resize", name="r", **settings)).check()
    assert problem in refusal.value.findings[0].message
