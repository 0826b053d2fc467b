"""Derivations: every equal sign holds, the lecture's numbers come out, and no layer kind is left without one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import pytest
import sympy

import planner
from planner import Network, diagnose, layer
from planner import symbols as sy
from planner.explanations.formulas import derive, window_steps
from planner.explanations.layer import explain, worth_explaining
from planner.explanations.steps import MEANINGS, Derivation, as_json, as_latex, as_markdown, as_text, glossary
from planner.layers import KINDS, Add, Conv, MaxPool
from planner.layers.base import Category, Layer
from planner.symbols import Shape
from tests.harness import build
from tests.harness.cases import CASES
from tests.harness.places import EXAMPLES

WORDS = {"output", "receptive field / step", "alignment"}
"""Quantities that are stated, not computed."""


def texts(derivation: Derivation) -> dict[str, str]:
    return {step.quantity: step.text for step in derivation.steps}


def one_layer(kind: str, shape: tuple[int | str, ...], **settings: Any) -> Derivation:
    net = Network(name="n", input={"x": shape}, layers=[layer(kind, name="it", **settings)])
    return explain(diagnose(net), "it")


@pytest.mark.parametrize(
    ("stride", "expected"),
    [
        (1, "(n - k)/s + 1 = (7 - 3)/1 + 1 = 5"),
        (2, "(n - k)/s + 1 = (7 - 3)/2 + 1 = 3"),
        (3, "floor((n - k)/s) + 1 = floor((7 - 3)/3) + 1 = 2"),
    ],
)
def test_the_lecture_s_seven_by_seven_input(stride: int, expected: str) -> None:
    found = one_layer("conv", ("N", 1, 7, 7), filters=1, kernel=3, stride=stride)
    assert texts(found)["height and width"] == expected


def test_the_lecture_s_six_filters() -> None:
    found = texts(one_layer("conv", ("N", 3, 32, 32), filters=6, kernel=5))
    assert found["height and width"] == "(n - k)/s + 1 = (32 - 5)/1 + 1 = 28"
    assert found["parameters"] == "filters*channels*kh*kw + filters = 6*3*5*5 + 6 = 456"
    assert found["MACs"] == "N*filters*H'*W'*channels*kh*kw = N*6*28*28*3*5*5 = 352800*N"


def test_names_in_the_place_of_numbers_give_the_textbook_formula() -> None:
    found = one_layer("conv", ("B", 3, "N", "N"), filters="K", kernel="F", stride="S")
    assert texts(found)["height and width"] == "floor((n - k)/s) + 1 = floor((N - F)/S) + 1"
    exact = one_layer("conv", ("B", 3, "N", "N"), filters=1, kernel="F", stride="S", rounding="exact")
    assert texts(exact)["height and width"] == "(n - k)/s + 1 = (N - F)/S + 1"


def test_names_are_replaced_by_the_numbers_given() -> None:
    net = Network(name="n", input={"x": ("B", 3, "N", "N")}, layers=[layer("conv", name="c", filters=6, kernel="F")])
    found = explain(diagnose(net), "c", {"N": 32, "F": 5, "B": 1})
    assert texts(found)["height and width"] == "(n - k)/s + 1 = (32 - 5)/1 + 1 = 28"
    assert texts(found)["field size"] == "r + (e - 1)*j = 1 + (5 - 1)*1 = 5"
    assert found.chains == {"height and width": "32 -c k5-> 28", "field size": "1 -c k5-> 5"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"pad": 1}, "(n + 2*p - k)/s + 1 = (9 + 2*1 - 3)/1 + 1 = 9"),
        ({"pad": [1, 0, 1, 0]}, "(n + a + b - k)/s + 1 = (9 + 1 + 0 - 3)/1 + 1 = 8"),
        ({"dilation": 2}, "(n - e)/s + 1 = (9 - 5)/1 + 1 = 5"),
        ({"pad": "same", "stride": 2}, "ceil(n/s) = ceil(9/2) = 5"),
        ({"stride": 4}, "floor((n - k)/s) + 1 = floor((9 - 3)/4) + 1 = 2"),
    ],
)
def test_padding_dilation_and_rounding_stand_in_the_formula_where_they_matter(
    settings: dict[str, object], expected: str
) -> None:
    found = one_layer("conv", ("N", 1, 9, 9), filters=1, kernel=3, **settings)
    assert texts(found)["height and width"] == expected


def test_a_window_that_would_begin_in_the_padding_is_taken_off_in_words() -> None:
    steps = window_steps(MaxPool(size=2, stride=2, pad=1, rounding="ceil"), (1, 1, 3, 3))
    assert [step.text for step in steps] == ["ceil((n + 2*p - k)/s) + 1 = ceil((3 + 2*1 - 2)/2) + 1 = 3", "2"]
    assert "begin in the padding" in steps[1].quantity


def test_height_and_width_stand_apart_where_they_differ() -> None:
    steps = window_steps(Conv(filters=1, kernel=(3, 5)), (1, 1, 9, 9))
    assert [(step.quantity, step.terms[-1]) for step in steps] == [("height", "7"), ("width", "5")]


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "inception", "two_inputs", "unet"])
def test_every_equal_sign_holds(name: str) -> None:
    plan = planner.load(EXAMPLES / f"{name}.yaml").check()
    sizes = {name: plan.domain[name].next(96 if name in "HW" else 2) or 0 for name in plan.free}
    found = diagnose(plan.network)
    words = {"floor": sympy.floor, "ceil": sympy.ceiling}
    count = 0
    for node in plan.nodes:
        for step in explain(found, node.name, sizes).steps:
            if step.quantity in WORDS or step.quantity.startswith("through "):
                continue
            numbers = [term for term in step.terms if not re.findall(r"[A-Za-z_']+", re.sub("floor|ceil", "", term))]
            values = {sympy.sympify(term, locals=words) for term in numbers}
            assert len(numbers) >= 1, step
            assert len(values) == 1, (node.name, step)
            count += 1
    assert count > 10


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"input"}))
def test_every_kind_of_layer_has_a_derivation(kind: str) -> None:
    case = next(case for case in CASES if case.kind == kind)
    case = case.bound(case.sizes)
    net = Network(name="n", input=build.inputs_of(case), layers=build.layers_alone(case))
    found = explain(diagnose(net), build.TESTED)
    planned = net.check().by_name[build.TESTED]
    assert texts(found)["output"] == sy.shape_text(planned.output_shape)
    assert found.summary == KINDS[kind].summary
    if planned.parameters:
        assert texts(found)["parameters"].endswith(f" = {planned.parameter_count}")


def test_a_kind_nobody_registered_gets_the_general_derivation() -> None:
    @dataclass(frozen=True)
    class Scale(Layer):
        kind: ClassVar[str] = "scale"
        category: ClassVar[Category] = "norm"
        summary: ClassVar[str] = "a factor for each channel"

        def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
            return inputs[0]

        def params(self, inputs: tuple[Shape, ...]) -> tuple[planner.layers.Parameter, ...]:
            return (planner.layers.Parameter("weight", (inputs[0][1],)), planner.layers.Parameter("bias", (2, 3)))

    steps = list(derive(Scale(), ((1, 8, 4, 4),), (1, 8, 4, 4)))
    assert [step.text for step in steps] == ["1 x 8 x 4 x 4", "weight 8 + bias 2*3 = 14"]


def test_a_faulty_layer_is_derived_up_to_its_fault_and_nothing_behind_it() -> None:
    net = Network(
        name="n",
        input={"x": ("N", 1, 8, 8)},
        layers=[
            layer("maxpool", name="p", size=2),
            layer("conv", name="c", filters=1, kernel=5),
            layer("relu", name="r"),
        ],
    )
    found = diagnose(net)
    faulty = explain(found, "c")
    assert texts(faulty) == {"height and width": "(n - k)/s + 1 = (4 - 5)/1 + 1 = 0"}
    assert "does not fit" in faulty.fault
    assert explain(found, "r").fault == "unknown, because a preceding layer is faulty"
    assert list(worth_explaining(found)) == ["p", "c"]


@cache
def residual_merge() -> Derivation:
    """Return the derivation of a sum with eight ways from the input."""
    return explain(diagnose(planner.load(EXAMPLES / "resnet18.yaml")), "stage2.1.add1")


def test_latex_is_balanced() -> None:
    found = diagnose(planner.load(EXAMPLES / "resnet18.yaml"))
    kinds = {type(node.layer): node for node in found.network.nodes if not isinstance(node.layer, Add)}
    for derivation in (residual_merge(), *(explain(found, node.name) for node in kinds.values())):
        text = as_latex(derivation)
        assert text.count("{") == text.count("}")
        assert text.count(r"\left") == text.count(r"\right")
        assert text.count(r"\begin{align*}") == text.count(r"\end{align*}") == 1


def test_latex_writes_fractions_and_floors() -> None:
    found = one_layer("conv", ("N", 1, 7, 7), filters=1, kernel=3, stride=3)
    formula, numbers = (rf"\left\lfloor \frac{{{top}}} \right\rfloor + 1" for top in ("n - k}{s", "7 - 3}{3"))
    assert f"{formula} = {numbers} = 2" in as_latex(found)


def test_markdown_cells_hold_no_bar_of_their_own() -> None:
    found = Derivation("a|b", "conv", "", (), {"c|d": "N x 1"}, (), {})
    rows = as_markdown(found).splitlines()[2:]
    assert all(row.replace(r"\|", "").count("|") == 3 for row in rows)


def test_text_lines_up_and_json_holds_the_same_steps() -> None:
    found = one_layer("conv", ("N", 3, 32, 32), filters=6, kernel=5)
    lines = as_text(found).splitlines()
    assert lines[0] == "it: conv, convolution along the axes of a map"
    assert lines[1] == "  reads                             x: N x 3 x 32 x 32"
    assert lines[-2] == "  height and width, from the input  32 -it k5-> 28"
    assert lines[-1] == "  field size, from the input        1 -it k5-> 5"
    assert [step["terms"] for step in json.loads(json.dumps(as_json(found)))["steps"]] == [
        list(step.terms) for step in found.steps
    ]


def test_a_merge_tells_what_each_branch_sees_and_that_they_align() -> None:
    found = texts(residual_merge())
    assert found["through stage2.1.proj.norm"] == "field 11x11 to 43x43 over 4 paths, step 8, start -5 to -21, centre 0"
    assert found["alignment"] == "all branches are aligned"


def test_a_transposed_convolution_is_derived_in_full() -> None:
    found = texts(one_layer("convtranspose", ("N", 4, 5, 5), filters=6, kernel=3, stride=2, pad=1))
    assert found["height and width"] == "(n - 1)*s - a - b + e = (5 - 1)*2 - 1 - 1 + 3 = 9"
    assert found["parameters"] == "channels*filters*kh*kw + filters = 4*6*3*3 + 6 = 222"
    assert found["MACs"] == "N*channels*H*W*filters*kh*kw = N*4*5*5*6*3*3 = 5400*N"
    assert found["field step"] == "j/s = 1/2"


def test_both_axes_of_a_field_are_derived_where_they_differ() -> None:
    found = texts(one_layer("conv", ("N", 1, 9, 9), filters=1, kernel=[3, 5]))
    assert found["field size, height"].endswith("= 3")
    assert found["field size, width"].endswith("= 5")


def test_every_letter_of_a_formula_is_explained_once() -> None:
    found = [
        explain(diagnose(planner.load(EXAMPLES / f"{name}.yaml")), layer)
        for name, layer in (("lenet5", "c3"), ("unet", "up4"))
    ]
    for derivation in found:
        letters = [letter for step in derivation.steps for letter in step.letters if len(letter) <= 2]
        assert set(letters) <= set(MEANINGS)
        assert all(glossary([derivation]).count(f"{letter} {MEANINGS[letter]}") == 1 for letter in letters)
    assert glossary([found[0]]).startswith("n input size, k kernel, s stride or scale")
