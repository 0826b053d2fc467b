"""Every layer kind keeps the promise that the plan is the run: shapes, requirements, counts.

One suite over :data:`tests.harness.cases.CASES`; numbers and gradients are in :mod:`tests.conformance.test_numbers`,
what each kind must state in :mod:`tests.test_conformance_facts`.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

import planner
import planner.symbols as sy
import runtime
from planner.conditions import Verdict
from planner.plan.node import PlannedNode
from tests.harness import build
from tests.harness.cases import CASES, ORACLES, REFUSED, Case, fixed_arrays, result
from tests.harness.naive import Array

every_case = pytest.mark.parametrize("index", range(len(CASES)), ids=[case.id for case in CASES])


def naive_output(case: Case, sizes: dict[str, int]) -> Array | None:
    """Return the oracle's output of a case by itself at these sizes, or None where there is none."""
    shapes, settings = case.shapes(sizes), case.defined(sizes)
    rng = np.random.default_rng(3)
    x = [rng.standard_normal(shape) for shape in shapes]
    output = result(ORACLES[case.kind], x, settings, fixed_arrays(case, shapes, settings, rng))
    return output if output is None or case.kind != "input" else ORACLES["flatten"]([output], {}, {})


def planned_alone(index: int) -> PlannedNode:
    """Return the node of a case's layer in the plan of the case by itself."""
    return build.plan_alone(index).by_name[build.TESTED]


@every_case
def test_the_planned_shape_is_the_shape_that_ran(index: int) -> None:
    case, plan = CASES[index], build.plan_alone(index)
    rng = np.random.default_rng(0)
    for sizes in [*build.some_sizes(case)][1::2]:
        expected = naive_output(case, sizes)
        if expected is None:
            with pytest.raises(planner.SizeError):
                build.bind(plan, sizes)
            continue
        bound = build.bind(plan, sizes)
        model = runtime.Model(bound, seed=0)
        output = model(build.feed(build.random_inputs(bound, rng)))
        assert output.shape == bound.nodes[-1].output_shape == expected.shape, sizes
        assert output.dtype == np.float32


@every_case
def test_the_symbolic_plan_at_sizes_is_the_concrete_plan(index: int) -> None:
    case, plan = CASES[index], build.plan_alone(index)
    for sizes in [*build.some_sizes(case)][::2]:  # the test before has the others
        expected = naive_output(case, sizes)
        shapes = {f"x{i}": shape for i, shape in enumerate(case.shapes(sizes))}
        concrete = case.bound(sizes)
        if expected is None:
            with pytest.raises(planner.ShapeError):
                planner.Network(name="concrete", input=shapes, layers=build.layers_alone(concrete)).check()
            continue
        bound = build.bind(plan, sizes)
        fixed = planner.Network(name="concrete", input=shapes, layers=build.layers_alone(concrete)).check()
        symbolic = tuple(sy.evaluate(size, sizes) for size in plan.output_shapes[build.TESTED])
        assert symbolic == expected.shape
        assert tuple(fixed.output_shapes[build.TESTED]) == symbolic == bound.nodes[-1].output_shape
        assert sy.evaluate(plan.parameter_count, sizes) == fixed.parameter_count == bound.parameter_count
        assert sy.evaluate(plan.macs, sizes) == fixed.macs == bound.macs
        assert all(isinstance(size, int) for node in bound.nodes for size in node.output_shape)


@every_case
def test_multiply_accumulates_are_those_of_the_definition(index: int) -> None:
    case, plan = CASES[index], build.plan_alone(index)
    sizes = case.sizes
    bound = build.bind(plan, sizes)
    weights = [p for p in bound.nodes[-1].parameters.values() if p.name == "weight"]
    expected = 0
    if case.kind == "convtranspose":
        # One product for each input number and each weight of its own channel.
        (weight,) = weights
        expected = int(np.prod(bound.nodes[-1].input_shapes[0])) * int(np.prod(weight.shape[1:]))
    elif case.kind in ("conv", "dense"):
        # One product for each output number and each weight of its own filter.
        (weight,) = weights
        output = bound.nodes[-1].output_shape
        expected = int(np.prod(output)) * int(np.prod(weight.shape[1:]))
    assert bound.macs == expected


@every_case
def test_sizes_are_accepted_exactly_where_the_definition_has_a_result(index: int) -> None:
    check_sizes(index, 24)


@pytest.mark.campaign
def test_larger_sizes_are_accepted_exactly_where_the_definition_has_a_result() -> None:
    for index in range(len(CASES)):
        check_sizes(index, 64)


def check_sizes(index: int, most: int) -> None:
    """Assert that a plan accepts those of the sizes up to `most` for which the oracle has a result."""
    case, plan = CASES[index], build.plan_alone(index)
    accepted: dict[str, dict[int, bool]] = defaultdict(dict)
    for name, sizes in build.scanned(case, most):
        has_result = naive_output(case, sizes) is not None
        assert plan.accepts(**sizes) == has_result, sizes
        if has_result:
            build.bind(plan, sizes)
        else:
            with pytest.raises(planner.SizeError):
                build.bind(plan, sizes)
        accepted[name][sizes[name]] = has_result

    edges = 0
    for name, verdicts in accepted.items():
        assert any(verdicts.values()), f"no {name} is accepted at all"
        boundaries = [(a, b) for a, b in zip(verdicts, list(verdicts)[1:], strict=False) if verdicts[a] != verdicts[b]]
        for a, b in boundaries[:3]:
            edges += 1
            inside = {**case.sizes, name: a if verdicts[a] else b}
            bound = build.bind(plan, inside)
            output = runtime.Model(bound, seed=0)(build.feed(build.random_inputs(bound, np.random.default_rng(0))))
            expected = naive_output(case, inside)
            assert expected is not None
            assert output.shape == expected.shape, inside
    assert edges or not depends(index), "a requirement that depends on sizes, but no size that breaks it"


def depends(index: int) -> bool:
    """Tell whether a case's layer has a requirement that some positive sizes break."""
    case = CASES[index]
    if case.kind == "input":
        return False
    node = planned_alone(index)
    found = [r.condition for r in node.layer.requires(node.input_shapes) if r.condition.verdict() is Verdict.DEPENDS]
    trials = [sizes for _, sizes in build.scanned(case)]
    return any(not condition.holds(sizes) for condition in found for sizes in trials)


@pytest.mark.parametrize(("code", "outside", "inside"), REFUSED, ids=[f"{code} {case.id}" for code, case, _ in REFUSED])
def test_what_can_never_work_is_refused_by_rule_and_its_neighbour_runs(code: str, outside: Case, inside: Case) -> None:
    with pytest.raises(planner.ShapeError) as refusal:
        build.plan_of(outside, build.layers_alone(outside))
    assert [finding.code for finding in refusal.value.findings] == [code]
    assert refusal.value.findings[0].layer == build.TESTED
    assert naive_output(outside, outside.sizes) is None

    bound = build.bind(build.plan_of(inside, build.layers_alone(inside)), inside.sizes)
    output = runtime.Model(bound, seed=0)(build.feed(build.random_inputs(bound, np.random.default_rng(0))))
    expected = naive_output(inside, inside.sizes)
    assert expected is not None
    assert output.shape == expected.shape


def test_every_rule_a_layer_can_break_is_broken_by_a_case() -> None:
    can_break: set[tuple[str, str]] = set()
    for index, case in enumerate(CASES):
        if case.kind != "input":
            node = planned_alone(index)
            can_break |= {(case.kind, each.code) for each in node.layer.requires(node.input_shapes)}
    broken = {(case.kind, code) for code, case, _ in REFUSED}
    kinds_of_window = {"maxpool", "maxindices", "avgpool", "lppool", "sumpool"}
    # Poolings share one rule book; breaking a rule with one of them is enough. Flatten and batch norm ask for
    # two axes at least, which every input has.
    shared = {(kind, code) for kind in kinds_of_window for code in ("S201", "S206", "S208", "S220")}
    assert {code for kind, code in can_break & shared} <= {code for kind, code in broken if kind in kinds_of_window}
    assert can_break - shared - {("flatten", "S204"), ("batchnorm", "S204")} <= broken


@every_case
def test_planned_parameters_are_the_arrays_the_model_owns(index: int) -> None:
    case, plan = CASES[index], build.plan_alone(index)
    sizes = case.sizes
    bound = build.bind(plan, sizes, "float64")
    model = runtime.Model(bound, seed=0)
    planned = {f"{node.name}.{p.name}": tuple(p.shape) for node in bound.nodes for p in node.parameters.values()}
    states = {f"{node.name}.{p.name}": tuple(p.shape) for node in bound.nodes for p in node.buffers.values()}
    assert {name: array.shape for name, array in model.parameters.items()} == planned
    assert {name: array.shape for name, array in model.buffers.items()} == states
    assert sum(array.size for array in model.parameters.values()) == bound.parameter_count
    assert {array.dtype.name for array in [*model.parameters.values(), *model.buffers.values()]} <= {"float64"}
    if case.kind != "input":
        shapes, settings = case.shapes(sizes), case.defined(sizes)
        defined = fixed_arrays(case, shapes, settings, np.random.default_rng(0))
        if case.settings.get("affine") is False:
            defined = {name: array for name, array in defined.items() if name.startswith("running")}
        assert {f"{build.TESTED}.{name}": array.shape for name, array in defined.items()} == {**planned, **states}
