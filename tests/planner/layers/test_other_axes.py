"""Sequences and volumes, through every tool that reads a map's sizes: findings, fields, derivations, budgets."""

from __future__ import annotations

from typing import Any

import pytest

import planner.symbols as sy
from planner import Network, Plan, diagnose, layer
from planner.explanations.layer import explain
from planner.fixes.proof import with_fixes
from planner.network.entry import Entry
from planner.notations.halo import halos
from planner.plan.derivation import chain
from planner.plan.receptive import itself
from planner.solver import Budget, Want, largest, sizes_giving


def sequence(*more: Entry) -> Network:
    """Return a network that hears: a window of 9 at every second moment, then whatever comes."""
    first = layer("conv", name="c", filters=8, kernel=9, stride=2)
    return Network(name="s", input={"sound": ("N", 4, "T")}, layers=[first, *more])


def volume(**settings: Any) -> Network:
    """Return one convolution over a volume."""
    return Network(
        name="v", input={"film": ("N", 3, "D", "H", "W")}, layers=[layer("conv", name="c", filters=8, **settings)]
    )


def text(plan: Plan, name: str) -> list[str]:
    """Return the output of a node in words."""
    return [sy.text(size) for size in plan.by_name[name].output_shape]


def test_a_sequence_has_one_size_and_one_rule() -> None:
    plan = sequence(layer("maxpool", name="p", size=2), layer("gap"), layer("flatten")).check()
    assert text(plan, "c") == ["N", "8", "floor((T - 1)/2) - 3"]
    assert plan.parameter_count == 8 * 4 * 9 + 8
    assert plan.domain["T"].text("T") == "T >= 11"
    field = plan.by_name["p"].receptive_field
    assert field is not None
    assert (field.size, field.jump, field.start) == ((11,), (4,), (0,))


def test_a_volume_has_three() -> None:
    plan = volume(kernel=[1, 3, 3], stride=[1, 2, 2], pad=[0, 1, 1]).check()
    assert text(plan, "c") == ["N", "8", "D", "floor((H - 1)/2) + 1", "floor((W - 1)/2) + 1"]
    assert sy.evaluate(plan.macs, {"N": 1, "D": 4, "H": 9, "W": 9}) == 8 * 4 * 5 * 5 * 3 * 9
    assert plan.domain["D"].minimum == 1


@pytest.mark.parametrize(
    ("settings", "label", "fix"),
    [
        ({"kernel": [3, 3]}, "2 sizes for length", "a: {..., kernel: 3}"),
        ({"kernel": 3, "pad": [1, 1, 1]}, "3 sizes for length", "a: {..., pad: 1}"),
        ({"kernel": [3, 3], "stride": [2, 2]}, "2 sizes for length", "a: {..., kernel: 3, stride: 2}"),
    ],
)
def test_sizes_for_other_axes_are_told_with_what_fits(settings: dict[str, Any], label: str, fix: str) -> None:
    found = with_fixes(diagnose(sequence(layer("conv", name="a", filters=1, **settings))))
    (finding,) = found.findings
    assert (finding.code, finding.label, finding.fixes) == ("S220", label, (fix,))


def test_two_numbers_are_before_and_after_along_the_one_axis_of_a_sequence() -> None:
    plan = sequence(layer("conv", name="a", filters=1, kernel=3, pad=[2, 0])).check()
    assert text(plan, "a") == [*text(plan, "c")[:1], "1", *text(plan, "c")[2:]]
    field = plan.by_name["a"].receptive_field
    assert field is not None
    assert field.start == (-4,)


def test_derivations_name_the_axes_there_are() -> None:
    net = sequence()
    steps = {step.quantity: step.text for step in explain(diagnose(net), "c").steps}
    assert steps["length"] == "floor((n - k)/s) + 1 = floor((T - 9)/2) + 1 = floor((T - 1)/2) - 3"
    assert steps["parameters"] == "filters*channels*k + filters = 8*4*9 + 8 = 296"
    deep = Network(name="v", input={"x": (1, 3, 8, 8, 8)}, layers=[layer("conv", name="c", filters=8, kernel=3)])
    assert "depth, height and width" in {step.quantity for step in explain(diagnose(deep), "c").steps}
    assert chain(net, diagnose(net).shapes, "c", 2) == "T"


def test_budgets_and_wants_solve_for_a_length_and_for_three_sizes() -> None:
    plan = sequence(layer("gap"), layer("flatten")).check()
    found = largest(plan, Budget.read("1M", "MACs"), {"N": 1})
    assert found.names == ("T",)
    assert sy.evaluate(plan.macs, {"N": 1, "T": found.value}) <= 10**6 < sy.evaluate(
        plan.macs, {"N": 1, "T": found.next_value or 0}
    )
    deep = largest(volume(kernel=3).check(), Budget.read("1M", "MACs"), {"N": 1})
    assert deep.names == ("D", "H", "W")
    answer = sizes_giving(plan, [Want.read("c.L=7")])
    assert answer.plan.domain["T"].text("T") == "T in {21, 22}"


def test_fixed_sizes_are_freed_by_the_letters_of_their_axes() -> None:
    net = Network(name="n", input={"x": ("N", 1, 7)}, layers=[layer("conv", name="c", filters=1, kernel=9)])
    (finding,) = with_fixes(diagnose(net)).findings
    assert finding.fixes[0] == "feed a length of 9:  x: [N, 1, 9]"


def test_a_reshape_to_other_axes_sees_all_or_does_not_say() -> None:
    net = Network(
        name="n",
        input={"x": (1, 2, 6)},
        layers=[layer("reshape", name="r", shape=[1, 3, 4]), layer("conv", name="c", filters=1, kernel=2)],
    )
    field = net.check().by_name["c"].receptive_field
    assert field is not None
    assert field.size == (6,)


def test_maps_put_one_behind_the_other_have_no_single_field_and_the_padding_of_each() -> None:
    layers = [
        layer("conv", name="c", filters=1, kernel=3, pad=[1, 0, 1, 1]),
        layer("concat", name="rows", from_=["c", "x"], axis=2),
        layer("concat", name="channels", from_=["x", "x"]),
    ]
    net = Network(name="n", input={"x": (1, 1, 9, 9)}, layers=layers, output=["rows", "channels"])
    plan = net.check()
    assert plan.by_name["rows"].receptive_field is None
    assert plan.by_name["channels"].receptive_field == itself(2)
    assert halos(plan.bind(), "rows", 0) == (1, 0)
    assert halos(plan.bind(), "rows", 1) == (1, 1)
