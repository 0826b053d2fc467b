"""Networks and plans as Python values: short in print, copied, pickled, hashed."""

from __future__ import annotations

import copy
import pickle
from functools import cache

import pytest

import planner
from planner import BoundPlan, Network, Plan
from planner.mappings import FrozenMapping
from planner.memory import Memory, plan_memory
from planner.tables.table import show
from tests.harness.places import EXAMPLES

NAMES = ["lenet5", "resnet18", "two_inputs", "unet"]


@cache
def values(name: str) -> tuple[Network, Plan, BoundPlan]:
    network = planner.load(EXAMPLES / f"{name}.yaml")
    plan = network.check()
    return network, plan, plan.bind(dtype="float32", **{size: 572 if size in "HW" else 1 for size in plan.free})


@pytest.mark.parametrize("name", NAMES)
def test_every_value_prints_on_one_short_line(name: str) -> None:
    for value in values(name):
        assert "\n" not in repr(value)
        assert repr(value).startswith(f"<{type(value).__name__} {name}")
        assert len(repr(value)) < 250


def test_a_line_tells_layers_parameters_and_shapes() -> None:
    network, plan, bound = values("lenet5")
    assert repr(network) == "<Network lenet5: 12 layers, image N x 1 x 32 x 32 -> out>"
    assert repr(plan) == "<Plan lenet5: 12 layers, 61,706 parameters, image N x 1 x 32 x 32 -> out N x 10>"
    assert repr(bound) == (
        "<BoundPlan lenet5 in float32: 12 layers, 61,706 parameters, image 1 x 1 x 32 x 32 -> out 1 x 10>"
    )


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "two_inputs"])
def test_a_plan_as_text_is_its_table(name: str) -> None:
    _, plan, bound = values(name)
    assert str(plan) == show(plan)
    assert str(bound) == show(plan, bound.sizes)


@pytest.mark.parametrize("name", NAMES)
def test_values_survive_copies_and_pickles_whatever_was_computed_before(name: str) -> None:
    network, plan, bound = values(name)
    assert bound.memory.training_bytes and plan.domain and network.by_name
    for value in (network, plan, bound):
        again = pickle.loads(pickle.dumps(value))  # noqa: S301  # made on this line
        assert again == value == copy.deepcopy(value)
        assert repr(again) == repr(value)
        assert hash(again) == hash(value) == hash(copy.copy(value))
    restored = pickle.loads(pickle.dumps(bound))  # noqa: S301  # made on this line
    assert restored.memory == bound.memory
    assert [opened.requirement.sentence for opened in restored.plan.requirements] == [
        opened.requirement.sentence for opened in plan.requirements
    ]


def test_a_frozen_mapping_equals_any_mapping_and_cannot_be_changed() -> None:
    frozen = FrozenMapping({"N": 1, "H": 2})
    assert frozen == {"H": 2, "N": 1}
    assert {**frozen} == dict(frozen)
    with pytest.raises(TypeError):
        frozen["N"] = 3  # type: ignore[index]  # the mistake


def test_printing_a_bound_plan_plans_its_memory_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = planner.load(EXAMPLES / "lenet5.yaml").check().bind(N=8)
    planned: list[BoundPlan] = []

    def counted(plan: BoundPlan) -> Memory:
        planned.append(plan)
        return plan_memory(plan)

    monkeypatch.setattr("planner.plan.plan.plan_memory", counted)
    assert str(bound) == planner.show(bound)
    assert planner.show(bound, sort="memory") != str(bound)
    assert bound.memory.inference_bytes > 0
    assert planned == [bound]
