"""Solving backwards: every answer is what planning at that answer says, and what cannot be had is said with reasons."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planner.symbols as sy
from planner import Network, Plan, layer, spec
from planner.domain.domain import Domain
from planner.domain.sizeset import SizeSet
from planner.findings import PlannerError, SizeError
from planner.solver import (
    Budget,
    Knob,
    Want,
    example,
    formulas,
    largest,
    loosened,
    near,
    settings_giving,
    sizes_giving,
)
from tests.harness.places import ROOT


@cache
def chain(height: int | str = "H", width: int | str = "W") -> Plan:
    """Return a small network with strides, padding and a batch."""
    return trained_chain(height, width)


def trained_chain(height: int | str = "H", width: int | str = "W", **train: object) -> Plan:
    """Return the same network with a recipe."""
    layers = [
        layer("conv", name="c1", filters=4, kernel=5, stride=2, pad=1, act="relu"),
        layer("maxpool", name="p", size=2),
        layer("conv", name="c2", filters=6, kernel=3),
        layer("gap"),
        layer("flatten"),
        layer("dense", name="out", units=10),
    ]
    return Network(name="n", input={"x": ("N", 3, height, width)}, layers=layers, train=train or None).check()


@cache
def lenet_of_400() -> Plan:
    """Return LeNet with a dense layer that reads 400 numbers: 48 pairs of height and width."""
    layers = [
        layer("conv", filters=6, kernel=5),
        layer("avgpool", size=2),
        layer("conv", name="c3", filters=16, kernel=5),
        layer("avgpool", size=2),
        layer("flatten"),
        layer("dense", units=10, features=400),
    ]
    return Network(name="lenet", input={"x": ("N", 1, "H", "W")}, layers=layers).check()


def codes(error: PlannerError) -> list[str]:
    """Return the rules an error names."""
    return [finding.code for finding in error.findings]


@given(st.integers(1, 12), st.sampled_from(["c1", "p", "c2"]))
@settings(max_examples=25)
def test_sizes_for_a_want_are_exactly_those_that_brute_force_finds(wanted: int, target: str) -> None:
    plan = chain()
    accepted = [n for n in range(1, 120) if plan.accepts(H=n)]
    expected = [n for n in accepted if plan.bind(N=1, H=n, W=40).by_name[target].output_shape[2] == wanted]
    want = Want(target, "H", (wanted,))
    if not expected:
        with pytest.raises(PlannerError) as refused:
            sizes_giving(plan, [want])
        assert codes(refused.value) == ["S212"]
        return
    answer = sizes_giving(plan, [want])
    assert [n for n in range(1, 120) if n in answer.plan.domain["H"]] == expected
    assert answer.example is not None
    assert answer.shapes[target] == plan.bind(dtype="float32", **answer.example).by_name[target].output_shape
    assert answer.shapes[target][2] == wanted


def test_several_wants_hold_together_and_a_name_may_be_wanted() -> None:
    answer = sizes_giving(chain(), [Want.read("c1=N,4,*,9"), Want.read("c2.H=3")])
    domain = answer.plan.domain
    assert domain["H"].text("H") == "21 <= H <= 24"
    assert domain["W"].text("W") == "W in {19, 20}"
    same = sizes_giving(chain(), [Want.read("out=N,10")])
    assert same.plan.domain["H"] == chain().domain["H"]


def test_a_want_that_couples_sizes_is_solved_as_pairs() -> None:
    plan = Network(name="n", input={"x": ("N", 2, "H", "W")}, layers=[layer("flatten", name="f")]).check()
    answer = sizes_giving(plan, [Want.read("f.C=12")])
    assert answer.plan.domain.count == 4
    assert answer.example is not None
    assert answer.example["H"] * answer.example["W"] == 6


def test_what_cannot_be_had_is_told_with_the_nearest_that_can() -> None:
    plan = Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=[layer("upsample", name="u", scale=4)]).check()
    with pytest.raises(PlannerError) as refused:
        sizes_giving(plan, [Want.read("u.H=9")])
    (finding,) = refused.value.findings
    assert finding.fixes == ("u.H = 8 is close, at H = 2", "u.H = 12 is close, at H = 3")


def test_wants_that_exclude_each_other_are_told_as_such() -> None:
    with pytest.raises(PlannerError, match=r"no accepted size gives c1\.H = 9 and p\.H = 7 together, only separately"):
        sizes_giving(chain(), [Want.read("c1.H=9"), Want.read("p.H=7")])


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("ot.H=1", "N103", "did you mean `out`?"),
        ("out.H=1", "S212", "2 axes"),
        ("out=N,10,1", "S212", "2 axes"),
        ("c1.H=Q", "S212", "no size `Q`"),
    ],
)
def test_wants_of_what_does_not_exist_are_refused_by_name(text: str, code: str, words: str) -> None:
    with pytest.raises(PlannerError) as refused:
        sizes_giving(chain(), [Want.read(text)])
    assert codes(refused.value) == [code]
    (finding,) = refused.value.findings
    assert words in finding.message + "".join(finding.fixes)


@pytest.mark.parametrize("text", ["out", "out.H", "out.H=", "out.H=1,2", "=3", "out.H=-1", "a b=1", "out=1,,2"])
def test_text_that_is_no_want_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        Want.read(text)


def test_a_block_stands_for_its_last_layer() -> None:
    plan = spec.load(str(ROOT / "examples" / "resnet18.yaml")).check()
    assert sizes_giving(plan, [Want.read("stage4.H=7")]).plan.domain["H"].text("H") == "193 <= H <= 224"


def test_settings_found_are_all_that_brute_force_finds() -> None:
    plan = chain(32, 32)
    found = settings_giving(plan, [Knob("c1", "kernel"), Knob("c1", "stride")], [Want.read("c1.H=10")])
    expected = {(k, s) for k in range(1, 12) for s in range(1, 5) if (32 + 2 - k) // s + 1 == 10}
    assert {tuple(answer.values.values()) for answer in found} == expected
    assert all(answer.always for answer in found)


def test_settings_that_keep_the_size_come_first_and_hold_at_every_size() -> None:
    plan = Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=[layer("conv", name="c", filters=1, kernel=5)])
    wants = [Want.read("c.H=H"), Want.read("c.W=W")]
    found = settings_giving(plan.check(), [Knob.read("c.padding"), Knob.read("c.dilation")], wants)
    assert found[0].always
    assert found[0].values == {"c.pad": 2, "c.dilation": 1}
    assert {"c.pad": 4, "c.dilation": 2} in [answer.values for answer in found]


def test_settings_can_be_asked_for_at_one_size() -> None:
    found = settings_giving(chain(), [Knob("c1", "pad")], [Want.read("c1.H=16")], {"H": 32})
    assert [answer.values for answer in found] == [{"c1.pad": 2}, {"c1.pad": "same"}]


def test_settings_that_drop_a_border_come_after_those_that_do_not() -> None:
    net = Network(name="n", input={"x": ("N", 1, 9, 9)}, layers=[layer("conv", name="c", filters=1, kernel=3)])
    found = settings_giving(net.check(), [Knob("c", "kernel"), Knob("c", "stride")], [Want.read("c.H=4")])
    assert [bool(answer.warnings) for answer in found] == sorted(bool(answer.warnings) for answer in found)
    assert found[0].values == {"c.kernel": 3, "c.stride": 2}


@pytest.mark.parametrize(
    ("knob", "code", "words"),
    [
        ("c3.pad", "N103", "there is no layer `c3`"),
        ("c1.pda", "S212", "did you mean `c1.pad`?"),
        ("c1.filters", "S212", "not a setting that can be solved for"),
        ("out.pad", "S212", "a dense layer has none"),
    ],
)
def test_settings_that_do_not_exist_are_refused_by_name(knob: str, code: str, words: str) -> None:
    with pytest.raises(PlannerError) as refused:
        settings_giving(chain(), [Knob.read(knob)], [Want.read("c1.H=3")])
    (finding,) = refused.value.findings
    assert finding.code == code
    assert words in finding.message + "".join(finding.fixes)


def test_no_setting_in_reach_is_told_with_what_was_tried() -> None:
    with pytest.raises(PlannerError) as refused:
        settings_giving(chain(32, 32), [Knob("c1", "pad")], [Want.read("c1.H=100")])
    (finding,) = refused.value.findings
    assert finding.code == "S212"
    assert "tried c1.pad = 0 to 8, same" in finding.notes
    knobs = [Knob("c1", "kernel"), Knob("c1", "stride"), Knob("c1", "pad"), Knob("p", "size")]
    with pytest.raises(PlannerError, match="combinations"):
        settings_giving(chain(32, 32), knobs, [Want.read("c1.H=100")])


@pytest.mark.parametrize("kind", ["inference memory", "training memory"])
def test_the_largest_batch_fits_and_no_larger_one_does(kind: str) -> None:
    plan = trained_chain(32, 32, loss="cross_entropy", optimizer={"adam": {}})
    budget = Budget.read("1MiB", "training memory" if kind == "training memory" else "inference memory")
    found = largest(plan, budget)

    def taken(batch: int) -> int:
        memory = plan.bind(N=batch).memory
        return memory.training_bytes if kind == "training memory" else memory.inference_bytes

    assert found.names == ("N",)
    assert found.proved
    assert found.used == taken(found.value) <= budget.limit
    assert found.next_used == taken(found.value + 1) > budget.limit
    assert all(taken(batch) > budget.limit for batch in range(found.value + 1, 2 * found.value, 7))


def test_the_largest_image_is_square_accepted_and_planned() -> None:
    budget = Budget.read("2MB", "inference memory")
    for plan in (chain(), chain(32, 32)):  # a spec that fixes the size is asked about other sizes
        found = largest(plan, budget, {"N": 2})
        assert found.names == ("H", "W")
        bound = found.plan.bind(N=2, H=found.value, W=found.value)
        assert found.used == bound.memory.inference_bytes <= 2_000_000
        assert found.next_value is not None
        assert found.plan.bind(N=2, H=found.next_value, W=found.next_value).memory.inference_bytes > 2_000_000


def test_the_largest_image_is_looked_for_among_accepted_sizes_only() -> None:
    layers = [layer("maxpool", name="a", size=4), layer("upsample", scale=4, name="b"), layer("add", from_=("x", "b"))]
    plan = Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=layers).check()
    found = largest(plan, Budget.read("100KB", "inference memory"), {"N": 1})
    assert found.value % 4 == 0
    assert found.next_value == found.value + 4
    pairs = lenet_of_400()
    end = largest(pairs, Budget.read("1G", "MACs"))
    assert (end.value, end.next_value) == (35, None)


def test_the_largest_width_comes_from_the_macs_formula() -> None:
    layers = [layer("conv", name="c", filters="K", kernel=3), layer("conv", name="d", filters="K", kernel=3)]
    plan = Network(name="n", input={"x": ("N", 3, 16, 16)}, layers=layers).check()
    found = largest(plan, Budget.read("1.5M", "MACs"))
    assert found.names == ("K",)
    counts = {k: plan.bind(N=1, K=k).macs for k in range(1, 60)}
    assert found.value == max(k for k, macs in counts.items() if macs <= 1_500_000)
    assert (found.used, found.next_used) == (counts[found.value], counts[found.value + 1])


@pytest.mark.parametrize(
    ("text", "given_sizes", "words"),
    [
        ("1KiB", {"H": 64, "W": 64}, "even N = 1, the smallest, does not fit"),
        ("1GiB", {}, "the largest batch depends on `H`, `W`"),
        ("1GiB", {"N": 1, "H": 64, "W": 64}, "no size is left to solve for"),
        ("1GiB", {"N": 1, "H": 3}, "is not accepted"),
        ("1GiB", {"Q": 3}, "no size named Q"),
    ],
)
def test_budgets_that_cannot_be_solved_say_why(text: str, given_sizes: dict[str, int], words: str) -> None:
    with pytest.raises(SizeError, match=words):
        largest(chain(), Budget.read(text, "inference memory"), given_sizes)


def test_macs_that_never_grow_are_no_limit() -> None:
    plan = Network(name="n", input={"x": ("N", 3, "H", "W")}, layers=[layer("relu")]).check()
    with pytest.raises(SizeError, match="stay within"):
        largest(plan, Budget.read("1M", "MACs"))


@pytest.mark.parametrize("text", ["", "GiB", "2 parsecs", "-1GiB", "0", "1e9", "0.0001", "2GiB2"])
def test_text_that_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|at least 1"):
        Budget.read(text, "inference memory")
    with pytest.raises(ValueError, match="write"):
        Budget.read("2GiB", "MACs")


@given(st.integers(1, 80), st.integers(1, 80))
@settings(max_examples=40)
def test_nearest_sizes_are_accepted_and_none_lies_between(height: int, width: int) -> None:
    domain = chain().lossless
    found = near(domain, {"H": height, "W": width})
    assert found.accepted == domain.accepts({"H": height, "W": width})
    assert found.above is not None
    assert domain.accepts(found.above)
    assert all(found.given[name] + sum(sides) == found.above[name] for name, sides in found.padding.items())
    assert not any(domain.accepts({"H": n}) for n in range(height, found.above["H"]))
    if found.below is not None:
        assert domain.accepts(found.below)
        assert not any(domain.accepts({"W": n}) for n in range(found.below["W"] + 1, width + 1))


@cache
def pairs_of_400() -> list[tuple[int, int]]:
    domain = lenet_of_400().domain
    pairs = [(h, w) for h in range(16, 116) for w in range(16, 116) if domain.accepts({"H": h, "W": w})]
    assert len(pairs) == 48
    return pairs


@given(st.integers(10, 120), st.integers(10, 120))
@settings(max_examples=30)
def test_sizes_that_belong_together_are_moved_together(height: int, width: int) -> None:
    domain, pairs = lenet_of_400().domain, pairs_of_400()
    found = near(domain, {"H": height, "W": width})
    reach = [h - height + w - width for h, w in pairs if h >= height and w >= width]
    moved = None if found.above is None else sum(map(sum, found.padding.values()))
    assert moved == min(reach, default=None)
    cut = [height - h + width - w for h, w in pairs if h <= height and w <= width]
    lost = None if found.below is None else height + width - sum(found.below.values())
    assert lost == min(cut, default=None)


def test_unknown_names_have_no_neighbours() -> None:
    with pytest.raises(SizeError, match="no free size named Z"):
        near(Domain({"H": SizeSet.everything()}), {"Z": 3})


def test_an_example_is_found_among_pairs() -> None:
    found = example(lenet_of_400(), {"H": 113})
    assert found is not None
    assert lenet_of_400().accepts(**found)
    assert example(lenet_of_400(), {"H": 50}) is None


def test_only_fixed_sizes_are_loosened() -> None:
    assert loosened(chain()) is None
    loose = loosened(chain(32, 32))
    assert loose is not None
    assert loose.free == ("N", "H", "W")


@given(st.integers(1, 4), st.integers(13, 60), st.integers(13, 60))
@settings(max_examples=25)
def test_factored_formulas_evaluate_to_the_planned_numbers(batch: int, height: int, width: int) -> None:
    plan, sizes = chain(), {"N": batch, "H": height, "W": width}
    found, bound = formulas(plan), plan.bind(dtype="float32", **sizes)
    short = {name: sy.evaluate(size, sizes) for name, size in found.where.items()}
    assert sy.evaluate(found.macs, sizes | short) == bound.macs
    assert sy.evaluate(found.parameter_count, sizes | short) == bound.parameter_count
    assert found.inference_bytes is not None and found.training_bytes is not None
    assert sy.evaluate(found.inference_bytes, sizes | short) <= bound.memory.inference_bytes
    assert sy.evaluate(found.training_bytes, sizes | short) <= bound.memory.training_bytes
    exact = formulas(plan, sizes)
    assert exact.exact
    assert exact.inference_bytes == bound.memory.inference_bytes


@given(st.integers(0, 2**32))
@settings(max_examples=15)
def test_a_factored_size_has_the_value_it_had(seed: int) -> None:
    check_factored(seed)


@pytest.mark.campaign
def test_many_factored_sizes_have_the_values_they_had() -> None:
    for seed in range(1000):
        check_factored(seed)


def check_factored(seed: int) -> None:
    draw = random.Random(seed)
    names = [sy.symbol(name) for name in "NHW"]
    value: sy.Size = sy.size(draw.randint(0, 5))
    for _ in range(draw.randint(1, 5)):
        term: sy.Size = sy.size(draw.choice([-6, -2, 1, 3, 4, 12]))
        for name in names:
            term *= draw.choice([sy.size(1), name, sy.floor_div(name - 1, 2) + 1, name - 3])
        value = draw.choice([value + term, sy.maximum(value, term), sy.size(value) * 2 + term])
    at = {name: draw.randint(1, 40) for name in "NHW"}
    assert sy.evaluate(sy.factored(value), at) == sy.evaluate(value, at)
