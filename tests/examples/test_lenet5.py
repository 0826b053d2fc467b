"""LeNet-5 agrees with the paper, layer by layer: LeCun, Bottou, Bengio, Haffner 1998, section II.B.

`examples/lenet5.yaml` is the network in its usual modern form, which differs from the paper in three
places: C3 is fully connected, poolings have no trainable numbers, and the last layer is a plain dense one.
Each difference is accounted for here, down to the last parameter.
"""

from __future__ import annotations

from functools import lru_cache

import pytest

import planner
import planner.symbols as sy
from planner import Network, Plan, layer
from tests.harness.places import EXAMPLES

SPEC = EXAMPLES / "lenet5.yaml"


@lru_cache(maxsize=1)
def lenet5() -> Plan:
    return planner.load(str(SPEC)).check()


def parameters(channels: int, *layers: planner.Entry) -> int:
    """Return the trainable parameters of layers on a map of so many channels."""
    plan = Network(name="part", input={"map": ("N", channels, 14, 14)}, layers=layers).check()
    return int(plan.parameter_count)


@pytest.mark.parametrize(
    ("name", "shape", "count", "macs"),
    [
        # name, feature maps, trainable parameters, multiply-accumulates = parameters without bias x positions
        ("c1", (6, 28, 28), 156, 6 * 25 * 28 * 28),
        ("s2", (6, 14, 14), 0, 0),
        ("c3", (16, 10, 10), 2_416, 16 * 6 * 25 * 10 * 10),
        ("s4", (16, 5, 5), 0, 0),
        ("c5", (120, 1, 1), 48_120, 120 * 16 * 25),
        ("f6", (84,), 10_164, 84 * 120),
        ("out", (10,), 850, 10 * 84),
    ],
)
def test_maps_and_parameters_of_each_layer(name: str, shape: tuple[int, ...], count: int, macs: int) -> None:
    node = lenet5().by_name[name]
    assert tuple(node.output_shape[1:]) == shape
    assert node.parameter_count == count
    assert sy.evaluate(node.macs, {"N": 1}) == macs


def test_totals_of_the_modern_form() -> None:
    plan = lenet5()
    assert plan.parameter_count == 61_706
    assert sy.evaluate(plan.macs, {"N": 1}) == 416_520
    assert plan.bind(N=3).macs == 3 * 416_520
    assert plan.output_shapes == {"out": (sy.symbol("N"), 10)}


def test_the_paper_counts_the_bias_as_a_connection() -> None:
    # "156 trainable parameters, and 122,304 connections": every parameter is used once at each position.
    node = lenet5().by_name["c1"]
    positions = 28 * 28
    assert node.parameter_count * positions == 122_304
    assert sy.evaluate(node.macs, {"N": 1}) + 6 * positions == 122_304


def test_the_papers_c3_is_connected_in_part_by_table_i() -> None:
    # Six maps read three maps of S2, nine read four, and one reads all six.
    part = sum(
        parameters(channels, layer("conv", filters=filters, kernel=5)) for channels, filters in ((3, 6), (4, 9), (6, 1))
    )
    assert part == 1_516
    assert parameters(6, layer("conv", filters=16, kernel=5)) == 2_416


@pytest.mark.parametrize(("maps", "count"), [(6, 12), (16, 32)])
def test_the_papers_pooling_has_a_coefficient_and_a_bias_for_each_map(maps: int, count: int) -> None:
    # Four numbers are added, multiplied by a coefficient, and a bias is added: a 1x1 filter for each map alone.
    pooled = (layer("sumpool", size=2), layer("conv", filters=maps, kernel=1, groups=maps))
    assert parameters(maps, *pooled) == count


def test_the_modern_form_and_the_paper_differ_by_exactly_the_three_differences() -> None:
    paper = {"c1": 156, "s2": 12, "c3": 1_516, "s4": 32, "c5": 48_120, "f6": 10_164}
    ours = {name: lenet5().by_name[name].parameter_count for name in paper}
    assert {name: ours[name] - count for name, count in paper.items() if ours[name] != count} == {
        "s2": -12,
        "c3": 2_416 - 1_516,
        "s4": -32,
    }
    assert lenet5().parameter_count - sum(paper.values()) == 900 - 12 - 32 + 850


def test_c5_sees_the_whole_image_so_that_it_is_a_full_connection() -> None:
    fields = {name: lenet5().by_name[name].receptive_field for name in ("c1", "s2", "c3", "s4", "c5")}
    sizes = {name: field.size for name, field in fields.items() if field is not None}
    assert sizes == {"c1": (5, 5), "s2": (6, 6), "c3": (14, 14), "s4": (16, 16), "c5": (32, 32)}


def test_a_smaller_image_does_not_reach_c5() -> None:
    with pytest.raises(planner.ShapeError) as refusal:
        planner.load(str(SPEC)).with_input(image=("N", 1, 28, 28)).check()
    (finding, *_) = refusal.value.findings
    assert (finding.code, finding.layer) == ("S201", "c5")
