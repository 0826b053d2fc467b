"""What is said of pooling to a given size: its domain, receptive field, derivation and tiles."""

from __future__ import annotations

import pytest

import planner
from planner import Entry, Network, layer
from planner.explanations.tiling import tiling
from planner.notations.halo import halos


def network(*layers: Entry) -> Network:
    return Network(name="n", input={"x": ("N", 3, "H", "W")}, layers=layers)


def test_any_input_gives_the_same_output_and_a_dense_layer_behind_takes_it() -> None:
    pool = layer("adaptive_avgpool", name="p", size=7)
    plan = network(pool, layer("flatten"), layer("dense", name="d", units=10)).check()
    assert plan.parameter_count == 3 * 49 * 10 + 10
    assert plan.accepts(N=1, H=1, W=500)


@pytest.mark.parametrize(
    ("size", "extent", "jump"), [(14, 2, "2"), (7, 1, "1"), (15, 3, "15/7"), (17, 4, "17/7"), (3, 2, "3/7")]
)
def test_the_field_is_the_largest_share_and_its_step_the_exact_one(size: int, extent: int, jump: str) -> None:
    plan = network(layer("adaptive_maxpool", name="p", size=7)).check()
    assert plan.nodes[-1].receptive_field is None
    field = plan.bind(N=1, H=size, W=7).receptive_fields["p"]
    assert field is not None
    assert (field.size[0], str(field.jump[0]), field.start[0]) == (extent, jump, 0)


def test_only_shares_that_touch_padding_see_it() -> None:
    bound = network(layer("conv", name="c", filters=1, kernel=3, pad=1), layer("adaptive_avgpool", name="p", size=5))
    assert halos(bound.check().bind(N=1, H=12, W=12), "p", 0) == (1, 1)


def test_no_tile_stands_for_a_map_that_is_shared_out() -> None:
    plan = network(layer("adaptive_avgpool", name="p", size=5)).check()
    with pytest.raises(planner.SizeError, match="derives its windows from the size of the whole feature map"):
        tiling(plan.network, "p")
