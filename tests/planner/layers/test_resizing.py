"""Layers that resize maps: their fields of view, findings and words, beside what the conformance suite proves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import planner
import planner.symbols as sy
from planner import Entry, Finding, Network, ShapeError, layer
from planner.explanations.layer import explain
from planner.layers import ConvTranspose, Reshape
from planner.plan.derivation import chain
from planner.plan.receptive import ReceptiveField
from planner.spec.schema import schema

HALF = sy.quotient(1, 2)


def field_of(layers: Sequence[Entry], size: int = 16) -> ReceptiveField:
    plan = Network(name="n", input={"x": (1, 1, size, size)}, layers=layers).check()
    field = plan.nodes[-1].receptive_field
    assert field is not None
    return field


def refusal(entry: Entry, shape: tuple[int | str, ...] = ("N", 4, 8, 8)) -> Finding:
    with pytest.raises(ShapeError) as caught:
        Network(name="n", input={"x": shape}, layers=[entry]).check()
    (finding,) = caught.value.findings
    return finding


def test_upsampling_divides_the_step_exactly() -> None:
    field = field_of([layer("conv", filters=1, kernel=3, stride=2), layer("upsample", scale=[4, 3])])
    assert field == ReceptiveField((3, 3), (HALF, sy.quotient(2, 3)), (0, 0))
    assert sy.text(field.jump[1]) == "2/3"


def test_steps_become_whole_again_as_ints() -> None:
    field = field_of([layer("upsample", scale=2), layer("conv", filters=1, kernel=3, stride=2, pad=1)])
    assert field == ReceptiveField((2, 2), (1, 1), (-HALF, -HALF))
    assert isinstance(field.jump[0], int)


def test_padding_and_cropping_move_the_start() -> None:
    assert field_of([layer("pad", pad=[1, 2, 3, 4])]).start == (-1, -3)
    assert field_of([layer("crop", size=[13, 10])]).start == (1, 3)


def test_behind_a_reshape_every_position_sees_everything() -> None:
    field = field_of([layer("reshape", shape=[4, -1, 8]), layer("conv", filters=1, kernel=3)])
    assert (field.size, field.jump) == ((16, 16), (0, 0))


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel": 2, "stride": 2},
        {"kernel": 3, "stride": 2, "pad": 1, "output_pad": 1},
        {"kernel": 4, "stride": 2, "pad": 1},
        {"kernel": 5, "stride": 3, "pad": 2},
        {"kernel": 3, "stride": 1, "pad": 1},
        {"kernel": 1, "stride": 2},
    ],
    ids=str,
)
def test_the_field_of_a_transposed_convolution_is_what_its_outputs_depend_on(settings: dict[str, Any]) -> None:
    kernel, stride, pad = settings["kernel"], settings["stride"], settings.get("pad", 0)
    # input i puts tap t of its kernel on output i*stride + t - pad; inputs also stand where padding would be
    seen = [
        [i for i in range(-9, 30) if any(i * stride + tap - pad == output for tap in range(kernel))]
        for output in range(20)
    ]
    field = field_of([layer("convtranspose", filters=1, **settings)], size=9)
    assert field.size[0] == max(rows[-1] - rows[0] + 1 for rows in seen if rows)
    assert field.jump[0] == sy.quotient(1, stride)
    assert field.start[0] == seen[0][0]


def test_fan_in_counts_the_inputs_that_meet_in_one_output() -> None:
    (weight, _) = ConvTranspose(filters=8, kernel=4, stride=2, groups=2).params(((1, 6, 5, 5),))
    assert (weight.shape, weight.fan_in) == ((6, 4, 4, 4), 3 * 2 * 2)


def test_a_crop_to_a_larger_tensor_names_both_sizes() -> None:
    finding = refusal(layer("crop", name="c", size=[4, 9]))
    assert (finding.code, finding.message) == ("S201", "`c`: a 4x9 crop does not fit its 8x8 input")
    assert finding.label == "width 8 is less than 9"
    assert "make the crop smaller:  c: {..., size: [4, 8]}" in finding.fixes


def test_padding_that_leaves_nothing_is_told_less_of_it() -> None:
    finding = refusal(layer("convtranspose", name="t", filters=1, kernel=3, pad=5), ("N", 4, 8, 8))
    assert (finding.code, finding.label) == ("S201", "output height would be (8 - 1)*1 - 10 + 3 = 0")
    assert "use less padding:  t: {..., pad: 4}" in finding.fixes


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (layer("crop", name="c"), "write  from: [x, like]"),
        (layer("crop", name="c", size=2, from_=("x", "x")), "name one, or leave `size` out"),
    ],
)
def test_a_crop_with_the_wrong_number_of_inputs_says_how_to_write_it(entry: Entry, words: str) -> None:
    finding = refusal(entry)
    assert finding.code == "N109"
    assert words in finding.message


def test_a_reshape_that_does_not_fit_is_told_both_counts_and_a_shape_that_does() -> None:
    finding = refusal(layer("reshape", name="r", shape=[8, 4, 9]))
    assert finding.code == "S210"
    words = "cannot be 8 x 4 x 9, which is 288 numbers: its input 4 x 8 x 8 has 256 numbers per image"
    assert finding.message == f"`r`: {words}"
    assert finding.fixes == ("r: {..., shape: [8, 4, -1]}", "r: {..., shape: [-1]}")


def test_output_padding_as_large_as_the_stride_is_refused_with_the_largest_possible() -> None:
    finding = refusal(layer("convtranspose", name="t", filters=1, kernel=2, stride=2, output_pad=2))
    assert (finding.code, finding.label) == ("S213", "at most 1")
    assert finding.fixes == ("t: {..., output_pad: 1}",)


@pytest.mark.parametrize(
    ("kind", "settings", "problem"),
    [
        ("pad", {"pad": "same"}, "`pad` as a separate layer cannot be same"),
        ("convtranspose", {"filters": 1, "kernel": 2, "pad": "same"}, "`pad` of a convtranspose cannot be same"),
        ("upsample", {"scale": 0}, "`scale` must be at least 1, got 0"),
        ("upsample", {"scale": 1.5}, "`scale` must be a whole number or a name, got 1.5"),
        (
            "reshape",
            {"shape": [1, 2, 3, 4, 5]},
            "`shape` takes [features], [C, L], [C, H, W] or [C, D, H, W], without the batch; got 5 values",
        ),
        ("reshape", {"shape": [-1, -1, 2]}, "only one entry of `shape` can be -1"),
        ("reshape", {"shape": [-2]}, "`shape` must be at least 1, got -2"),
        ("crop", {"size": [1, 2, 3, 4]}, "`size` takes one number, one for each axis ([height, width]), got 4 values"),
    ],
)
def test_impossible_settings_are_findings(kind: str, settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(planner.PlannerError) as caught:
        Network(name="n", input={"x": ("N", 4, 8, 8)}, layers=[layer(kind, name="t", **settings)]).check()
    assert [finding.message for finding in caught.value.findings] == [f"`t`: {problem}"]


def test_a_reshape_takes_names_and_computes_what_is_left() -> None:
    net = Network(name="n", input={"x": ("N", "D")}, layers=[layer("reshape", name="r", shape=["C", 4, -1])])
    plan = net.check()
    assert tuple(map(sy.text, plan.output_shapes["r"])) == ("N", "C", "4", "floor(D/(4*C))")
    assert plan.accepts(C=3, D=24)
    assert not plan.accepts(C=3, D=25)
    assert plan.bind(N=1, C=3, D=24).nodes[-1].output_shape == (1, 3, 4, 2)


def test_undoing_a_flatten_needs_no_assumption() -> None:
    layers = [layer("flatten"), layer("reshape", name="r", shape=[4, "H", "W"])]
    plan = Network(name="n", input={"x": ("N", 4, "H", "W")}, layers=layers).check()
    assert plan.domain.assumptions == ()
    assert plan.domain["H"].text("H") == "H >= 1"


def test_a_reshape_is_its_inputs_memory() -> None:
    layers = [layer("relu"), layer("reshape", shape=[16, 4, 4])]
    bound = Network(name="n", input={"x": (2, 4, 8, 8)}, layers=layers).check().bind()
    # one array of 512 numbers, in which the activation works and which the reshape only reads differently
    assert bound.memory.inference.bytes == 512 * 4


def test_chains_show_how_layers_resize() -> None:
    layers = [
        layer("convtranspose", name="t", filters=1, kernel=3, stride=2, pad=1, output_pad=1),
        layer("upsample", name="u", scale=[3, 2]),
        layer("pad", name="p", pad=[1, 2, 0, 0]),
        layer("crop", name="c", size=10),
        layer("gap"),
    ]
    net = Network(name="n", input={"x": ("N", 1, 8, 8)}, layers=layers)
    shapes = planner.diagnose(net).shapes
    assert chain(net, shapes, "gap1", 2) == "8 -t k3 x2 p1 +1-> 16 -u x3-> 48 -p p1+2-> 51 -c-> 10"


@pytest.mark.parametrize(
    ("entry", "steps"),
    [
        (
            layer("convtranspose", name="t", filters=2, kernel=3, stride=2, pad=1, output_pad=1),
            {
                "height and width": "(n - 1)*s - a - b + e + o = (8 - 1)*2 - 1 - 1 + 3 + 1 = 16",
                "field step": "j/s = 1/2",
                "field size": "r + (q - 1)*j = 1 + (2 - 1)*1 = 2",
            },
        ),
        (layer("upsample", name="t", scale=[2, 3]), {"height": "n*s = 8*2 = 16", "width": "n*s = 8*3 = 24"}),
        (
            layer("pad", name="t", pad=[0, 1, 2, 3]),
            {"height": "n + a + b = 8 + 0 + 1 = 9", "width": "n + a + b = 8 + 2 + 3 = 13"},
        ),
        (layer("crop", name="t", size=[5, 8]), {"cropped at the top": "floor((n - m)/2) = floor((8 - 5)/2) = 1"}),
        (
            layer("reshape", name="t", shape=[-1, 2, 4]),
            {"elements": "4*8*8 = 256", "-1": "elements/known = 256/8 = 32"},
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Entry) else "",
)
def test_derivations_lead_from_the_formula_to_the_number(entry: Entry, steps: dict[str, str]) -> None:
    net = Network(name="n", input={"x": ("N", 4, 8, 8)}, layers=[entry])
    found = {step.quantity: step.text for step in explain(planner.diagnose(net), "t").steps}
    assert found.items() >= steps.items()


def test_shapes_survive_writing_and_reading() -> None:
    from planner.spec import read
    from planner.spec.write import write

    layers = [layer("reshape", name="a", shape=[4, 4, 4]), layer("reshape", name="b", shape=[-1])]
    net = Network(name="n", input={"x": ("N", 64)}, layers=layers)
    again, findings = read(write(net), "n.yaml")
    assert not findings
    assert again is not None
    assert [node.layer for node in again.nodes[1:]] == [Reshape(shape=(4, 4, 4)), Reshape(shape=(-1,))]


def test_the_json_schema_takes_shapes_of_one_to_four_sizes() -> None:
    kinds = schema()["definitions"]["layer"]["anyOf"]
    (found,) = [item for item in kinds if "reshape" in item.get("properties", {})]
    array = found["properties"]["reshape"]["properties"]["shape"]["anyOf"][1]
    assert (array["minItems"], array["maxItems"]) == (1, 4)
