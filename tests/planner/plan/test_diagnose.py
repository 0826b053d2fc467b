"""Checking: impossible sizes are found, explained, and the fixes offered work."""

from __future__ import annotations

from typing import Any

import pytest

from planner import Entry, Network, ShapeError, SizeError, diagnose, layer
from planner.fixes import with_fixes
from planner.plan.diagnose import Diagnosis

IMAGE = ("N", 3, 16, 16)


def network(*layers: Entry, shape: tuple[int | str, ...] = IMAGE, **given: Any) -> Network:
    """Return a network of these layers on one input `x`."""
    return Network(name="n", input={"x": shape}, layers=layers, **given)


def diagnosed(*layers: Entry, **given: Any) -> Diagnosis:
    """Return what is wrong with these layers, with fixes."""
    return with_fixes(diagnose(network(*layers, **given)))


def lenet(size: int | str) -> Network:
    """Return the convolutions of LeNet-5 on square images of that size."""
    return network(
        layer("conv", name="c1", filters=6, kernel=5),
        layer("avgpool", name="s2", size=2),
        layer("conv", name="c3", filters=16, kernel=5),
        layer("avgpool", name="s4", size=2),
        layer("conv", name="c5", filters=120, kernel=5),
        layer("relu", name="r"),
        shape=("N", 1, size, size),
    )


def test_a_kernel_larger_than_its_input_is_explained_with_the_whole_story() -> None:
    (finding,) = with_fixes(diagnose(lenet(28))).findings
    assert finding.code == "S201"
    assert finding.message == "`c5`: a 5x5 kernel does not fit its 4x4 input"
    assert finding.label == "output height would be floor((4 - 5)/1) + 1 = 0"
    assert finding.notes == (
        "28 -c1 k5-> 24 -s2 /2-> 12 -c3 k5-> 8 -s4 /2-> 4",
        "accepted: N >= 1, H >= 32, W >= 32",
    )
    assert finding.fixes == (
        "feed 32x32 images:  x: [N, 1, 32, 32]",
        "pad the first layer:  c1: {..., pad: 2}",
        "pad this layer:  c5: {..., pad: 1}",
    )


def test_what_only_follows_from_a_fault_is_not_reported_again() -> None:
    found = diagnosed(
        layer("conv", name="a", filters=4, kernel=17),
        layer("conv", name="b", filters=4, kernel=99),
        layer("maxpool", name="c", size=50, from_="x"),
        layer("add", from_=["a", "b", "c"]),
    )
    assert [(f.code, f.layer) for f in found.findings] == [("S201", "a"), ("S201", "c")]


@pytest.mark.parametrize(
    ("layers", "given", "code", "message", "fix"),
    [
        (
            [
                layer("conv", name="a", filters=8, kernel=3, pad=1),
                layer("conv", name="b", from_="x", filters=9, kernel=3, pad=1),
                layer("add", name="s", from_=["a", "b"]),
            ],
            {},
            "S202",
            "`s`: input 1 is N x 8 x 16 x 16 but input 2 is N x 9 x 16 x 16: channels 8 and 9 differ",
            "a: {..., filters: 9}",
        ),
        (
            [
                layer("conv", name="a", filters=8, kernel=3, pad=1),
                layer("conv", name="b", from_="x", filters=8, kernel=3, pad=1, stride=2),
                layer("concat", name="s", from_=["a", "b"]),
            ],
            {},
            "S202",
            "`s`: input 1 is N x 8 x 16 x 16 but input 2 is N x 8 x 8 x 8: height 16 and 8 differ",
            "b: {..., stride: 1}",
        ),
        (
            [layer("flatten", name="f"), layer("add", name="s", from_=["x", "f"])],
            {},
            "S202",
            "`s`: input 1 is N x 3 x 16 x 16 but input 2 is N x 768: 4 and 2 axes differ",
            None,
        ),
        (
            [layer("conv", name="a", filters=8, kernel=3, groups=2)],
            {},
            "S203",
            "`a`: 2 groups cannot share 3 input channels evenly",
            "a: {..., groups: 1}",
        ),
        (
            [layer("dense", name="a", units=8)],
            {},
            "S204",
            "`a`: takes a tensor of 2 axes (N, features), but its input is N x 3 x 16 x 16; "
            "put `flatten` before this layer",
            "put `flatten` before `a`:  - flatten",
        ),
        (
            [layer("flatten"), layer("conv", name="a", filters=1, kernel=1)],
            {},
            "S204",
            "`a`: takes a map such as (N, C, H, W), but its input N x 768 has no map; put this layer before `flatten`",
            None,
        ),
        (
            [layer("relu", name="a")],
            {"output": {"a": ("N", 3, 8, 8)}},
            "S205",
            "`a` is N x 3 x 16 x 16, but N x 3 x 8 x 8 is asserted",
            "if that is what you want, assert it:  [N, 3, 16, 16]",
        ),
        (
            [layer("relu", name="a", expect=("N", 4, 16, 16))],
            {},
            "S205",
            "`a` is N x 3 x 16 x 16, but N x 4 x 16 x 16 is asserted",
            None,
        ),
        (
            [layer("maxpool", name="a", size=2, pad=2)],
            {},
            "S206",
            "`a`: padding 2 is more than half of its window of 2; pooling pads by at most half a window, so that "
            "every window sees its input",
            "a: {..., pad: 1}",
        ),
        (
            [layer("conv", name="a", filters=8, kernel=3, stride=2, rounding="exact")],
            {},
            "S208",
            "`a`: `rounding: exact` needs windows that end at the border, but along the height "
            "(16 - 3)/2 + 1 = 15/2 is not a whole number",
            "feed 17x17 images:  x: [N, 3, 17, 17]",
        ),
    ],
)
def test_every_impossible_size_is_one_finding_with_a_proved_fix(
    layers: list[Entry], given: dict[str, Any], code: str, message: str, fix: str | None
) -> None:
    found = diagnosed(*layers, **given)
    assert [(f.code, f.message) for f in found.errors] == [(code, message)]
    assert fix is None or fix in found.errors[0].fixes
    assert found.plan is None


def test_a_border_that_no_window_sees_is_a_warning_with_the_clean_sizes() -> None:
    found = diagnosed(layer("conv", name="a", filters=8, kernel=3, stride=3), shape=("N", 3, 7, 7))
    (finding,) = found.findings
    assert (finding.code, finding.severity.value) == ("S301", "warning")
    assert finding.message == "`a`: no window sees the last 1 row and 1 column of its 7x7 input"
    assert finding.notes == ("nothing is dropped here for H = 3k, H >= 3, W = 3k, W >= 3",)
    assert found.plan is not None and found.plan.warnings[0].code == "S301"


def test_requirements_that_contradict_each_other_are_named_together() -> None:
    found = diagnosed(
        layer("conv", name="a", filters=8, kernel=40),
        layer("relu", name="b", expect=("N", 8, 3, "V")),
        layer("maxpool", name="c", size=2, rounding="exact"),
        shape=("N", 3, "H", "V"),
    )
    assert [f.code for f in found.findings] == ["S205"]
    found = diagnosed(
        layer("maxpool", name="a", size=2, rounding="exact"),
        layer("maxpool", name="b", size=2, stride=1, from_="x"),
        layer("maxpool", name="c", size=2, rounding="exact"),
        output=["a", "c"],
        shape=("N", 3, "H", "H"),
    )
    (finding,) = found.findings
    assert (finding.code, finding.message) == ("S207", "no H can meet every requirement")
    assert len(finding.notes) == 2 and all(note.startswith("`") for note in finding.notes)


def test_names_in_an_assertion_must_be_names_of_the_network() -> None:
    found = diagnosed(layer("relu", name="a", expect=("N", 3, "Q", 16)))
    assert found.findings[0].notes == ("`Q` is not a size of this network",)


def test_check_raises_every_finding_and_its_text_names_them() -> None:
    with pytest.raises(ShapeError, match=r"error\[S201\]: `c5`: a 5x5 kernel does not fit its 4x4 input") as caught:
        lenet(28).check()
    assert len(caught.value.findings) == 1


def test_symbolic_settings_give_the_textbook_formula() -> None:
    plan = network(layer("conv", name="a", filters="K", kernel="F", stride="S"), shape=("N", 3, "H", "H")).check()
    assert plan.free == ("N", "H", "F", "K", "S")
    assert [str(size) for size in plan.output_shapes["a"]][:2] == ["N", "K"]
    bound = plan.bind(N=2, H=32, F=5, K=6, S=1)
    assert bound.output_shapes == {"a": (2, 6, 28, 28)}
    count = plan.parameter_count
    assert bound.parameter_count == 456 == count.subs({s: bound.sizes[s.name] for s in count.free_symbols})


def test_bind_refuses_sizes_with_the_rule_and_the_nearest_accepted() -> None:
    with pytest.raises(SizeError) as caught:
        lenet("H").check().bind(N=1, H=31)
    (finding,) = caught.value.findings
    assert finding.message == "`c5` cannot run at H = 31: it needs H >= 32"
    assert finding.fixes == ("nearest accepted: H = 32",)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({}, "no value for `N`, `H`"),
        ({"N": 1}, "no value for `H`"),
        ({"N": 1, "H": 40, "Q": 3}, "no size named Q"),
        ({"N": 0, "H": 40}, "N must be a whole number from 1"),
        ({"N": 1.5, "H": 40}, "got 1.5"),
        ({"N": True, "H": 40}, "got True"),
        ({"N": 1, "H": 2**60}, "2^40"),
        ({"N": 1, "H": 40, "C": 3}, "the spec fixes C = 1, but C = 3"),
    ],
)
def test_bind_names_what_is_missing_unknown_or_out_of_range(sizes: dict[str, Any], words: str) -> None:
    with pytest.raises(SizeError) as caught:
        lenet("H").check().bind(**sizes)
    assert words in str(caught.value)


def test_axis_letters_may_be_given_for_sizes_the_spec_fixes() -> None:
    plan = lenet(32).check()
    assert plan.bind(N=8, C=1, H=32, W=32).output_shapes == {"r": (8, 120, 1, 1)}
    assert plan.accepts(H=32, W=32) and not plan.accepts(H=28, W=28)
    with pytest.raises(SizeError, match="no size named Z"):
        plan.accepts(Z=1)


def test_bound_numbers_are_plain_ints() -> None:
    bound = lenet("H").check().bind(N=2, H=40)
    for node in bound.nodes:
        assert all(type(size) is int for size in node.output_shape)
        assert all(type(size) is int for p in node.parameters.values() for size in p.shape)
        assert type(node.macs) is int
    assert type(bound.parameter_count) is type(bound.macs) is int


def test_formulas_too_long_to_reason_about_are_a_finding_that_names_what_to_give() -> None:
    layers = [layer("conv", name=f"c{i}", filters=1, kernel="K", stride="S", pad="P") for i in range(30)]
    (finding,) = diagnosed(*layers, shape=("N", 1, "H", "W")).findings
    assert finding.code == "S215"
    assert finding.message.endswith("set some of its names to numbers: `H`, `K`, `P`, `S`")
    assert finding.layer is not None
    few = layers[: int(finding.layer[1:])]
    assert network(*few, shape=("N", 1, "H", "W")).check().accepts(N=1, H=2000, W=2000, K=3, S=1, P=1)


def test_ways_out_are_looked_for_among_the_first_findings_only_and_the_others_say_so() -> None:
    layers = [layer("conv", name=f"c{i}", from_="x", filters=1, kernel=17) for i in range(60)]
    findings = diagnosed(*layers, output=[f"c{i}" for i in range(60)]).findings
    assert len(findings) == 60
    assert all(finding.fixes for finding in findings[:10])
    silent = findings[50:]
    assert not any(finding.fixes for finding in silent)
    assert all(finding.notes == ("fixes were searched for the first 50 findings only",) for finding in silent)


def test_a_fixed_dense_width_offers_the_images_that_give_it_and_the_width_there_is() -> None:
    layers = [
        layer("conv", filters=6, kernel=5),
        layer("maxpool", size=2),
        layer("conv", filters=16, kernel=5),
        layer("maxpool", size=2),
        layer("flatten"),
    ]
    dense = layer("dense", name="d", units=120, features=400)
    (finding,) = diagnosed(*layers, dense, shape=("N", 1, 28, 28)).findings
    assert finding.code == "S211"
    assert finding.fixes == ("feed 32x32 images:  x: [N, 1, 32, 32]", "d: {..., features: 256}")

    (finding,) = diagnosed(*layers, layer("dense", name="d", units=1, features=401), shape=("N", 1, "H", "W")).findings
    assert finding.code == "S211"
    assert finding.fixes[0] == "d: {..., features: 400}"

    plan = network(*layers, dense, shape=("N", 1, "H", "W")).check()
    assert plan.parameter_count == 6 * 26 + 16 * 151 + 120 * 401


@pytest.mark.parametrize(
    ("pad", "warned"), [(2, False), (3, True), ([0, 0, 0, 3], True), ([2, 2], False), ("same", False)]
)
def test_convolution_padding_that_holds_whole_windows_is_warned_of(pad: Any, warned: bool) -> None:
    found = diagnosed(layer("conv", name="c", filters=1, kernel=3, pad=pad))
    assert [finding.code for finding in found.findings] == ["S303"] * warned
    if warned:
        assert found.findings[0].fixes == ("c: {..., pad: 1}",)
