"""Tables, JSON and memory formulas of a plan: columns add up, formulas hold, letters stay letters."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import planner
from planner import Network, Plan, layer
from planner import symbols as sy
from planner.findings import SizeError
from planner.plan.memory_formula import accepted_sizes, memory_formula
from planner.tables import table
from planner.tables.chart import chart
from planner.tables.facts import Legend, admit, as_json, memory_as_json, report
from tests.harness.places import EXAMPLES

WORDS = {"floor": sympy.floor, "max": sympy.Max, "min": sympy.Min}
LETTERS = {letter: sympy.Symbol(letter) for letter in "NCHWFSK"}


@cache
def example(name: str) -> Plan:
    return planner.load(EXAMPLES / f"{name}.yaml").check()


@cache
def residual() -> Plan:
    """A network with every way of sharing memory: in place, alias, branch, merge."""
    return Network(
        name="residual",
        input={"image": ("N", 3, "H", "W")},
        layers=[
            layer("conv", name="a", filters=4, kernel=3, stride=2, pad=1, norm="batch", act="relu"),
            layer("conv", name="b", filters=4, kernel=3, pad=1),
            layer("add", name="sum", from_=["a", "b"], act="relu"),
            layer("dropout", rate=0.5),
            layer("gap"),
            layer("flatten"),
            layer("dense", name="out", units=5),
        ],
    ).check()


def value(text: int | str, **sizes: int) -> int:
    """Return what a printed number is at some sizes, by a reader that is not ours."""
    return int(sympy.sympify(str(text), locals={**WORDS, **LETTERS}).subs({LETTERS[k]: v for k, v in sizes.items()}))


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("lenet5", {}),
        ("lenet5", {"N": 7}),
        ("resnet18", {"H": 224, "W": 200}),
        ("resnet18", {}),
        ("two_inputs", {"N": 2}),
    ],
)
def test_totals_are_the_sums_of_the_rows(name: str, sizes: dict[str, int]) -> None:
    found = report(example(name), sizes)
    for column in ("parameter_count", "buffer_count", "macs", "output_bytes"):
        rest = sy.difference(sy.total(getattr(row, column) for row in found.rows), getattr(found, column))
        assert rest == 0, column


@pytest.mark.parametrize(
    ("name", "sizes"), [("lenet5", {}), ("resnet18", {"H": 224, "W": 224}), ("inception", {"H": 96, "W": 64})]
)
def test_printed_columns_add_up_to_the_printed_total(name: str, sizes: dict[str, int]) -> None:
    lines = table.show(example(name), sizes, width=200).splitlines()
    rule = next(i for i, line in enumerate(lines) if "───" in line)
    total = next(i for i, line in enumerate(lines) if line.strip().startswith("total"))
    header = lines[rule - 1]
    ends = {word: header.index(word) + len(word) for word in ("output", "parameters", "MACs")}

    def cell(line: str, word: str, before: str) -> int:
        text = line[ends[before] : ends[word]].strip()
        return int(text.replace(",", "")) if text else 0

    for word, before in (("parameters", "output"), ("MACs", "parameters")):
        column = [cell(line, word, before) for line in lines[rule + 1 : total - 1]]
        assert sum(column) == cell(lines[total], word, before) > 0


def test_the_table_counts_one_image_and_says_so_while_the_batch_is_free() -> None:
    plan = example("lenet5")
    assert "counted for one image (N = 1)" in table.show(plan)
    assert "416,520" in table.show(plan)
    assert "counted for one image" not in table.show(plan, {"N": 2})
    assert "833,040" in table.show(plan, {"N": 2})


def test_free_maps_are_shown_by_short_names_that_are_explained() -> None:
    text = table.show(example("resnet18"), width=120)
    assert "64xh1xw1" in text
    assert "h1 = floor((H - 1)/2) + 1" in text
    assert "--at H=...,W=..." in text


def test_a_legend_never_takes_a_name_of_the_network() -> None:
    legend = Legend(taken=["h1"])
    legend.shorten((1, 2, sy.symbol("H") + 1, 4))
    assert legend.text() == "h2 = H + 1"


@pytest.mark.parametrize("key", table.SORT_KEYS)
def test_sorting_puts_the_largest_first(key: table.SortKey) -> None:
    column = {"params": "parameter_count", "macs": "macs", "output": "output_shape", "memory": "output_bytes"}[key]
    found = report(example("lenet5"), {"N": 1})
    sizes = {row.name: getattr(row, column) for row in found.rows}
    lines = table.show(example("lenet5"), sort=key, width=200).splitlines()
    names = [word for line in lines if line[1:2].strip() and (word := line.split()[0]) in sizes]
    numbers = [sy.product(sizes[name]) if key == "output" else sizes[name] for name in names]
    assert len(numbers) == len(found.rows)
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("name", ["lenet5", "resnet18", "unet"])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    plan = example(name)
    text = table.show(plan, {size: 572 for size in plan.free if size in "HW"}, width=width)
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [1, 20, 40, 60, 80, 100])
def test_no_word_is_ever_broken(width: int) -> None:
    narrow, wide = (table.show(example("resnet18"), width=columns) for columns in (width, 10_000))
    notes = "hidden, terminal too narrow: " + ", ".join(table.HIDDEN)
    known = {word.rstrip(",") for word in f"{wide} {notes}".split()}
    assert {word.rstrip(",") for word in narrow.replace("─", "").split()} <= known


def test_columns_are_left_out_in_the_order_that_is_told() -> None:
    seen = []
    for width in range(120, 20, -1):
        lines = table.show(example("lenet5"), width=width).splitlines()
        told = " ".join(lines).partition("hidden, terminal too narrow: ")[2].partition(" MACs: multiply")[0]
        left_out = tuple(told.split(", ")) if told else ()
        seen += [left_out] if left_out not in seen else []
        heading = next(line for line in lines if line.split()[:1] == ["layer"])
        assert ("field" in heading) is ("receptive field" not in left_out)
        assert all((word in heading) is (word not in left_out) for word in ("memory", "kind", "MACs", "parameters"))
    assert seen == [table.HIDDEN[:count] for count in range(len(table.HIDDEN) + 1)]


def test_one_layer_is_not_several() -> None:
    plan = Network(name="n", input={"x": ("N", 1, 8, 8)}, layers=[layer("relu")]).check()
    assert "1 layer\n" in "\n".join(line[:20].rstrip() for line in str(plan).splitlines()) + "\n"
    assert repr(plan) == "<Plan n: 1 layer, 0 parameters, x N x 1 x 8 x 8 -> relu1 N x 1 x 8 x 8>"


def test_the_table_of_a_float64_plan_counts_its_own_bytes() -> None:
    plan = example("lenet5")
    single, double = plan.bind(N=1), plan.bind(N=1, dtype="float64")
    assert "output in float64" in str(double)
    assert table.size(double.memory.training_bytes) in str(double)
    assert table.size(single.memory.training_bytes) in str(single)


@pytest.mark.parametrize("training", [False, True])
def test_the_chart_of_memory_tells_the_peak_and_its_step(training: bool) -> None:
    bound = example("lenet5").bind(N=1)
    arena = bound.memory.training if training else bound.memory.inference
    lines = table.memory_table(bound, training=training, width=80).splitlines()
    told = next(line for line in lines if line.startswith("in use"))
    step = arena.live().index(max(arena.live()))
    assert told.startswith(
        f"in use in each of {arena.steps} steps; peak: {table.size(max(arena.live()))} in step {step}"
    )
    assert lines[2][2 + step] == "█"


def test_the_table_of_memory_says_whether_the_arena_is_proved_to_be_the_least() -> None:
    bound = example("lenet5").bind(N=1)
    arena = bound.memory.inference
    for proved, bigger, told in [
        (True, 0, "provably minimal"),
        (True, 64, "proved minimal by search"),
        (False, 64, "not proved minimal"),
    ]:
        bound.__dict__["memory"] = replace(
            bound.memory, inference=replace(arena, proved=proved, bytes=arena.lower_bound + bigger)
        )
        assert told in table.memory_table(bound, training=False, width=100).splitlines()[0]


def test_the_json_of_memory_holds_every_block_and_adds_up_to_its_live_bytes() -> None:
    bound = example("unet").bind(N=1, H=188, W=188)
    found = memory_as_json(bound)
    for name, arena in (("inference", bound.memory.inference), ("training", bound.memory.training)):
        told = found[name]
        assert (told["bytes"], told["lower_bound"], told["proved"]) == (arena.bytes, arena.lower_bound, arena.proved)
        for step, live in enumerate(told["live"]):
            assert live == sum(b["bytes"] for b in told["blocks"] if b["first"] <= step <= b["last"])
        assert max(told["live"]) == told["lower_bound"] and len(told["live"]) == told["steps"]


@settings(max_examples=50)
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=300), st.integers(1, 100), st.integers(1, 6))
def test_a_chart_fits_shows_its_peak_and_hides_nothing(amounts: list[int], width: int, high: int) -> None:
    lines = chart(amounts, width, high)
    assert len(lines) == high
    assert max(map(len, lines)) <= width
    assert ("█" in lines[0]) is (max(amounts) > 0)
    if len(amounts) <= width:
        foot = lines[-1].ljust(len(amounts))
        assert [bar != " " for bar in foot] == [amount > 0 for amount in amounts]


def test_the_largest_unit_takes_the_rest() -> None:
    assert [table.size(n) for n in (0, 1023, 1024, 2**20, 2**30, 2**60)] == [
        "0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.0 GiB", "1,048,576.0 TiB",
    ]  # fmt: skip


def test_json_of_a_bound_plan_holds_plain_integers() -> None:
    found = as_json(report(example("lenet5"), {"N": 8}))
    assert list(found) == ["name", "inputs", "outputs", "parameters", "buffers", "macs", "memory", "layers"]
    assert found["inputs"] == {"image": [8, 1, 32, 32]}
    assert found["outputs"] == {"out": [8, 10]}
    assert (found["parameters"], found["buffers"], found["macs"]) == (61706, 0, 8 * 416520)
    bound = example("lenet5").bind(N=8)
    assert found["memory"] == {
        "inference_bytes": bound.memory.inference_bytes,
        "training_bytes": bound.memory.training_bytes,
    }
    first = found["layers"][1]
    assert list(first) == [
        "name", "kind", "inputs", "shares", "output", "parameters", "macs", "receptive_field", "done_in",
    ]  # fmt: skip
    assert first["receptive_field"] == {"size": [5, 5], "jump": [1, 1], "start": [0, 0]}
    for row in found["layers"]:
        numbers = [*row["output"], row["parameters"], row["macs"]]
        assert all(type(number) is int for number in numbers)


def test_json_of_a_network_without_maps_has_no_receptive_fields() -> None:
    plan = Network(name="n", input={"x": ("N", 4)}, layers=[layer("dense", units=2)]).check()
    assert [row["receptive_field"] for row in as_json(report(plan))["layers"]] == [None, None]


@settings(max_examples=15)
@given(st.integers(1, 9), st.integers(1, 70), st.integers(1, 70))
def test_every_formula_in_the_json_gives_the_number_of_the_bound_plan(n: int, h: int, w: int) -> None:
    free, bound = as_json(report(residual())), as_json(report(residual(), {"N": n, "H": h, "W": w}))
    sizes = {"N": n, "H": h, "W": w}
    for key in ("parameters", "buffers", "macs"):
        assert value(free[key], **sizes) == bound[key]
    for left, right in zip(free["layers"], bound["layers"], strict=True):
        assert [value(size, **sizes) for size in left["output"]] == right["output"]
        assert value(left["macs"], **sizes) == right["macs"]


@settings(max_examples=15)
@given(st.integers(1, 9), st.integers(1, 70), st.integers(1, 70))
def test_no_plan_needs_less_memory_than_the_formula_says(n: int, h: int, w: int) -> None:
    plan = residual()
    memory = plan.bind(N=n, H=h, W=w).memory
    for training, planned in ((False, memory.inference_bytes), (True, memory.training_bytes)):
        formula = memory_formula(plan, {}, training=training)
        assert formula is not None
        assert 0 < sy.evaluate(formula, {"N": n, "H": h, "W": w}) <= planned


def test_the_memory_formula_is_exact_without_alignment_and_workspace() -> None:
    plan = Network(
        name="n", input={"x": ("N", 16, "H", "H")}, layers=[layer("silu", name="a"), layer("add", from_=["a", "x"])]
    ).check()
    formula = memory_formula(plan, {}, training=False)
    assert formula is not None
    bound = plan.bind(N=4, H=8)
    workspace = max((b.bytes for b in bound.memory.inference.blocks if b.role == "workspace"), default=0)
    assert sy.evaluate(formula, {"N": 4, "H": 8}) == 3 * 4 * 16 * 8 * 8 * 4
    planned = bound.memory.inference_bytes
    assert planned - workspace <= sy.evaluate(formula, {"N": 4, "H": 8}) <= planned


def test_sizes_that_are_given_are_substituted_and_the_others_stay_letters() -> None:
    found = as_json(report(residual(), {"H": 9}))
    assert found["inputs"] == {"image": ["N", 3, 9, "W"]}
    assert found["layers"][1]["output"] == ["N", 4, 5, "floor((W - 1)/2) + 1"]
    assert value(found["macs"], N=2, W=11) == residual().bind(N=2, H=9, W=11).macs


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"H": 4}, "cannot run at H = 4"),
        ({"Q": 4}, "no size named Q"),
        ({"H": 0}, "from 1 to 2^40"),
        ({"C": 4}, "cannot run at C = 4; the spec fixes C"),
        ({"N": 1, "H": 4, "W": 9}, "`c` cannot run at H = 4"),
    ],
)
def test_sizes_that_are_not_accepted_are_refused_with_a_way_out(sizes: dict[str, int], words: str) -> None:
    plan = Network(
        name="n", input={"x": ("N", 3, "H", "W")}, layers=[layer("conv", name="c", filters=1, kernel=5)]
    ).check()
    with pytest.raises(SizeError) as caught:
        admit(plan, sizes)
    (finding,) = caught.value.findings
    assert finding.code == "S209"
    assert words in finding.message
    assert finding.fixes


def test_accepted_sizes_meet_conditions_that_couple_two_letters() -> None:
    plan = Network(
        name="n",
        input={"a": ("N", 3, "H", "H"), "b": ("N", 3, "W", "W")},
        layers=[layer("conv", name="s", from_="a", filters=3, kernel=3), layer("add", from_=["s", "b"])],
    ).check()
    found = accepted_sizes(plan, {"W": 5})
    assert found == {"N": 1, "H": 7, "W": 5}


def test_no_accepted_sizes_give_no_memory_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(plan: Plan, values: dict[str, int]) -> Any:
        return None

    monkeypatch.setattr("planner.plan.memory_formula.accepted_sizes", none)
    found = as_json(report(residual()))
    assert found["memory"] == {"inference_bytes": None, "training_bytes": None}


def test_the_batch_is_only_counted_as_one_where_it_is_nothing_else() -> None:
    both = Network(name="n", input={"x": ("B", 3, "B", 8)}, layers=[layer("relu")]).check()
    assert table.batch_name(both) is None


def test_bound_sizes_have_receptive_fields_where_the_formula_would_be_too_long() -> None:
    layers, before = [layer("conv", name="s0", filters=4, kernel=7, stride=2, pad="same")], "s0"
    for step in range(1, 10):
        layers.append(layer("conv", name=f"a{step}", from_=before, filters=4, kernel=3, stride=2, pad="same"))
        layers.append(layer("conv", name=f"p{step}", from_=before, filters=4, kernel=1, stride=2, pad="same"))
        layers.append(layer("add", name=f"s{step}", from_=[f"a{step}", f"p{step}"]))
        before = f"s{step}"
    plan = Network(name="same", input={"x": ("N", 3, "H", "W")}, layers=layers).check()
    assert plan.by_name[before].receptive_field is None
    field = as_json(report(plan, {"N": 1, "H": 224, "W": 224}))["layers"][-1]["receptive_field"]
    assert field is not None and all(type(size) is int for size in field["size"] + field["jump"] + field["start"])
