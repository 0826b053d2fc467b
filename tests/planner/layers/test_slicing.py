"""What is said of parts of tensors: sizes, fields, tiles, and settings that make no sense."""

from __future__ import annotations

from typing import Any

import pytest

import planner
from planner import Entry, Network, layer
from planner.diagrams import draw
from planner.explanations.tiling import tiling
from planner.notations.halo import halos
from planner.spec import read, write


def network(*layers: Entry, channels: int | str = 8) -> Network:
    return Network(name="n", input={"x": ("N", channels, "H", "W")}, layers=layers)


def halves(**more: Any) -> list[Entry]:
    return [layer("split", name=name, from_="x", parts=2, part=part, **more) for part, name in enumerate("ab")]


def test_two_halves_put_together_are_the_whole_whatever_its_size() -> None:
    plan = network(*halves(axis=2), layer("concat", from_=["a", "b"]), channels="C").check()
    assert plan.domain["H"].text("H") == "H = 2k, H >= 2"
    assert [str(size) for size in plan.output_shapes["concat1"]] == ["N", "2*C", "floor(H/2)", "W"]


def test_the_field_of_a_slice_begins_where_the_slice_does() -> None:
    field = network(layer("slice", name="s", start=3, step=2, axis=-2)).check().nodes[-1].receptive_field
    assert field is not None
    assert (field.size, field.jump, field.start) == ((1, 1), (2, 1), (3, 0))
    channels = network(layer("slice", name="s", start=3)).check().nodes[-1].receptive_field
    assert channels is not None
    assert channels.start == (0, 0)


def test_a_slice_that_cuts_the_padding_off_leaves_no_halo() -> None:
    conv = layer("conv", name="c", filters=1, kernel=5, pad=2)
    plan = network(conv, layer("slice", name="s", start=2, stop=-1, axis=2)).check().bind(N=1, H=9, W=9)
    assert halos(plan, "c", 0) == (2, 2)
    assert (halos(plan, "s", 0), halos(plan, "s", 1)) == ((0, 1), (2, 2))
    thirds = layer("slice", name="s", step=3, axis=2)
    assert halos(network(conv, thirds).check().bind(N=1, H=9, W=9), "s", 0) == (1, 0)


def test_what_is_squeezed_is_memory_already_there_and_can_be_drawn() -> None:
    plan = network(
        layer("gap"), layer("squeeze", axis=-1), layer("squeeze", axis=2), layer("unsqueeze", name="u", axis=1)
    ).check()
    assert [str(size) for size in plan.output_shapes["u"]] == ["N", "1", "8"]
    bound = plan.bind(N=2, H=4, W=4)
    assert bound.memory.inference.bytes == network(layer("gap")).check().bind(N=2, H=4, W=4).memory.inference.bytes
    assert "squeeze" in str(draw(plan, format="svg"))


def test_a_volume_takes_no_axis_more_and_no_convolution_ever_meets_one() -> None:
    layers = [layer("unsqueeze", name="u", axis=1), layer("conv", filters=1, kernel=1)]
    with pytest.raises(planner.ShapeError, match="already has the most axes a tensor can have") as caught:
        Network(name="n", input={"x": ("N", 8, "D", "H", "W")}, layers=layers).check()
    assert [finding.code for finding in caught.value.findings] == ["S204"]


def test_no_tile_stands_for_a_map_of_which_a_part_is_kept() -> None:
    plan = network(layer("slice", name="s", stop=5, axis=2)).check()
    with pytest.raises(planner.SizeError, match="derives its windows from the size of the whole feature map"):
        tiling(plan.network, "s")


def test_pixels_shuffled_there_and_back_see_themselves_in_tiles_too() -> None:
    layers = layer("pixel_unshuffle", name="less", scale=2), layer("pixel_shuffle", name="more", scale=2)
    plan = network(*layers).check()
    assert plan.domain["W"].text("W") == "W = 2k, W >= 2"
    assert plan.bind(N=1, H=8, W=6).output_shapes["more"] == (1, 8, 8, 6)


@pytest.mark.parametrize(
    ("kind", "settings", "problem"),
    [
        ("slice", {"axis": 0}, "`axis` cannot be 0, the batch: images never mix"),
        ("slice", {"axis": 1.5}, "`axis` must be a whole number, got 1.5"),
        ("slice", {"axis": 99}, "`axis` is 99, but no tensor has that many axes"),
        ("slice", {"step": 0}, "`step` must be at least 1, got 0"),
        ("slice", {"start": 0.5}, "`start` must be a whole number or a name, got 0.5"),
        ("slice", {"stop": True}, "`stop` must be a whole number or a name, got True"),
        ("slice", {"start": 4, "stop": 9}, "positions 4:9 of an input of 8 channels"),
        ("slice", {"start": 8}, "positions 8: of an input of 8 channels"),
        ("slice", {"axis": -4}, "takes axis -4, which is the batch, but its input"),
        ("split", {"parts": 2, "part": 2}, "`part` is one of 2 parts, 0 to 1; got 2"),
        ("split", {"parts": 2, "part": -1}, "`part` is one of 2 parts, 0 to 1; got -1"),
        ("split", {"parts": [], "part": 0}, "`parts` is an empty list"),
        ("split", {"parts": "P", "part": 0}, "the number of `parts` must be a whole number, not a name"),
        ("split", {"parts": 3, "part": 0}, "8 channels cannot be split into 3 equal parts"),
        ("split", {"parts": [3, 4], "part": 0}, "its parts are 3 + 4 = 7, but its input has 8 channels"),
        ("permute", {"order": [2, 2, 1]}, "`order` must name each of 3 axes once, got [2, 2, 1]"),
        ("permute", {"order": [2, 1]}, "orders 2 axes, but its input N x 8 x H x W has 3 besides the batch"),
        ("squeeze", {"axis": 1}, "removes an axis of size 1, but its input has 8 channels"),
        ("unsqueeze", {"axis": 6}, "cannot insert axis 6: its input is N x 8 x H x W"),
        ("permute", {"order": [1, 2]}, "orders 2 axes"),
        ("unsqueeze", {"axis": -5}, "cannot insert axis -5, before the batch: its input is N x 8 x H x W"),
        ("rescale", {"scale": [1.0, 2.0]}, "`scale` has 2 numbers, but its input has 8 channels"),
        ("rescale", {"shift": []}, "`shift` is an empty list"),
        ("rescale", {"shift": "S"}, "`shift` must be a number from"),
        ("channel_shuffle", {"groups": 3}, "3 groups cannot share 8 channels evenly"),
        ("pixel_shuffle", {"scale": 3}, "its input has 8 channels, which is not a multiple of 9"),
    ],
)
def test_what_cannot_be_cut_is_one_finding_with_its_reason(kind: str, settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(planner.PlannerError) as caught:
        network(layer(kind, name="it", **settings)).check()
    assert len(caught.value.findings) == 1
    assert problem in caught.value.findings[0].message


@pytest.mark.parametrize(
    ("kind", "settings", "fix"),
    [
        ("slice", {"start": 4, "stop": 9}, "it: {..., stop: 8}"),
        ("slice", {"start": 9}, "it: {..., start: 0}"),
        ("split", {"parts": 3, "part": 0}, "it: {..., parts: 2}"),
        ("split", {"parts": [3, 4], "part": 0}, "it: {..., parts: [3, 5]}"),
        ("channel_shuffle", {"groups": 3}, "it: {..., groups: 2}"),
        ("pixel_shuffle", {"scale": 3}, "it: {..., scale: 2}"),
    ],
)
def test_the_way_out_is_the_nearest_cut_that_fits(kind: str, settings: dict[str, Any], fix: str) -> None:
    with pytest.raises(planner.ShapeError) as caught:
        network(layer(kind, name="it", **settings)).check()
    assert fix in caught.value.findings[0].fixes


def test_lists_are_written_as_they_were_read_also_where_their_parts_are_alike() -> None:
    net = network(layer("rescale", scale=[2, 2], shift=[0.5, 0.5]), layer("permute", order=[2, 3, 1]), channels=2)
    assert read(write(net), "x.yaml") == (net, ())
    for parts in ([4, 4], [2, 2, 2, 2], [8], 4):
        net = network(layer("split", name="s", parts=parts, part=0))
        assert read(write(net), "x.yaml") == (net, ())
