"""Lifetimes of memory: what may share and what may not, judged by running every plan on tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner import load
from planner.layers import Add, Concat, Dropout, Flatten, Input, MaxPool, Relu, Sigmoid, Silu
from planner.layers.base import Layer
from planner.lowering.node import BoundNode
from planner.lowering.rewrite import lower
from planner.memory import arrange, timeline
from tests.harness.memory_judge import Simulation, assert_no_overlap
from tests.harness.memory_nodes import BYTES, SHAPE, judge, node, place, plan, same_conv, same_pool
from tests.harness.steps import steps


@dataclass(frozen=True)
class Scratchy(Layer):
    """A layer with a saved array and workspace, as no layer of the vocabulary promises to stay."""

    kind: ClassVar[str] = "scratchy"

    def saved(self, inputs: tuple[Any, ...], output: Any) -> Mapping[str, Any]:
        return {"mask": (3, 8, 8, 2)}

    def workspace(self, inputs: tuple[Any, ...], output: Any, training: bool) -> int:
        return 200 if training else 50

    def backward_workspace(self, inputs: tuple[Any, ...], output: Any) -> int:
        return 500


def test_relu_behind_a_convolution_works_in_place() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    r = node("r", Relu(), c)
    d = node("d", same_conv(), r)
    inference, training = judge([x, c, r, d], "d")
    assert place(inference, "value", "c") == place(inference, "value", "r")
    assert place(training, "value", "c") == place(training, "value", "r")
    assert place(training, "gradient", "c") == place(training, "gradient", "r")


def test_relu_does_not_overwrite_what_another_branch_reads_later() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    r = node("r", Relu(), c)
    a = node("a", Add(), c, r)
    inference, training = judge([x, c, r, a], "a")
    assert place(inference, "value", "c")[0] != place(inference, "value", "r")[0]
    assert place(training, "value", "c")[0] != place(training, "value", "r")[0]


def test_relu_overwrites_what_another_branch_has_read_before() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    s = node("s", Sigmoid(), c)
    r = node("r", Relu(), c)
    a = node("a", Add(), s, r)
    inference, training = judge([x, c, s, r, a], "a")
    assert place(inference, "value", "c") == place(inference, "value", "r")
    assert place(inference, "value", "c")[0] != place(inference, "value", "s")[0]
    assert place(training, "value", "c") == place(training, "value", "r")


def test_relu_does_not_overwrite_what_a_backward_pass_reads_again() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    s = node("s", Silu(), c)
    r = node("r", Relu(), c)
    a = node("a", Add(), s, r)
    inference, training = judge([x, c, s, r, a], "a")
    assert place(inference, "value", "c") == place(inference, "value", "r")
    assert place(training, "value", "c")[0] != place(training, "value", "r")[0]


def test_dropout_does_not_overwrite_a_relu_whose_output_is_kept_but_relu_overwrites_dropout() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    r = node("r", Relu(), c)
    d = node("d", Dropout(), r)
    q = node("q", Relu(), d)
    e = node("e", same_conv(), q)
    inference, training = judge([x, c, r, d, q, e], "e")
    assert len({place(inference, "value", name)[0] for name in "crdq"}) == 1
    assert place(training, "value", "c") == place(training, "value", "r")
    assert place(training, "value", "r")[0] != place(training, "value", "d")[0]
    assert place(training, "value", "d") == place(training, "value", "q")


def test_an_input_is_overwritten_once_nobody_reads_it_again() -> None:
    x = node("x", Input(SHAPE))
    f = node("f", Flatten(), x)
    r = node("r", Relu(), f)
    inference, training = judge([x, f, r], "r")
    assert len({place(inference, "value", name) for name in "xfr"}) == 1
    assert len({place(training, "value", name) for name in "xfr"}) == 1


def test_an_input_that_is_read_later_is_not_overwritten() -> None:
    x = node("x", Input(SHAPE))
    r = node("r", Relu(), x)
    a = node("a", Add(), r, x)
    inference, training = judge([x, r, a], "a")
    for arena in (inference, training):
        assert place(arena, "value", "x")[0] != place(arena, "value", "r")[0]


def test_every_input_is_alive_from_the_first_step() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    d = node("d", same_conv(), c)
    y = node("y", Input(SHAPE))
    a = node("a", Add(), d, y)
    inference, training = judge([x, c, d, y, a], "a")
    assert inference.places["value", "y", 0].first == training.places["value", "y", 0].first == 0


def test_outputs_that_others_read_are_not_overwritten_even_by_the_last_layer() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    r = node("r", Relu(), c)
    inference, training = judge([x, c, r], "c", "r")
    assert place(inference, "value", "c")[0] != place(inference, "value", "r")[0]
    assert place(training, "value", "c")[0] != place(training, "value", "r")[0]


def test_an_alias_protects_the_memory_it_shares() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    f = node("f", Flatten(), c)
    r = node("r", Relu(), c)
    g = node("g", Flatten(), r)
    a = node("a", Add(), f, g)
    inference, training = judge([x, c, f, r, g, a], "a")
    for arena in (inference, training):
        assert place(arena, "value", "c") == place(arena, "value", "f")
        assert place(arena, "value", "c")[0] != place(arena, "value", "r")[0]


def test_a_value_read_twice_by_one_layer_gets_its_gradient_in_two_parts() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    a = node("a", Add(), c, c)
    _, training = judge([x, c, a], "a")
    assert ("partial", "a", 1) in training.places and ("partial", "a", 0) not in training.places


def test_two_public_names_for_one_node_have_a_gradient_each() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    arena = arrange(timeline([x, c], {"left": "c", "right": "c"}, 4, training=True))
    assert arena.places["gradient", "c", 0].offset != arena.places["partial", "c", "right"].offset
    assert_no_overlap(arena)


def test_nothing_is_kept_where_no_gradient_is_wanted() -> None:
    x = node("x", Input(SHAPE))
    m = node("m", MaxPool(size=3, stride=1, pad=1), x)
    c = node("c", same_conv(), m)
    nodes = [x, m, c]
    _, training = judge(nodes, "c")
    assert training.backward == ("c",)
    assert ("gradient", "m", 0) not in training.places and training.places["value", "x", 0].last == 1
    asked = plan(nodes, "c", training=True, input_gradients=True)
    assert asked.backward == ("c", "m", "x") and asked.places["gradient", "x", 0].last == asked.steps - 1
    assert_no_overlap(asked)


def test_workspace_memory_is_reserved_only_during_the_two_passes_of_its_layer() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    s = node("s", Scratchy(), c)
    d = node("d", same_conv(), s)
    inference, training = judge([x, c, s, d], "d")
    mine = [block for block in training.blocks if block.role == "workspace" and block.name == "s"]
    assert [(block.first, block.last, block.bytes) for block in mine] == [(2, 2, 832), (6, 6, 2048)]
    assert [training.places["workspace", "s", direction] for direction in ("forward", "backward")] == mine
    assert inference.places["workspace", "s", "forward"].bytes == 256
    assert ("workspace", "s", "backward") not in inference.places
    assert ("saved", "s", "mask") in training.places and ("saved", "s", "mask") not in inference.places


@pytest.mark.parametrize(
    ("name", "batch", "size"),
    [("lenet5", 1, 32), ("lenet5", 64, 32), ("unet", 1, 572), ("resnet18", 32, 224), ("vgg16", 32, 224)],
)
def test_training_steps_of_known_networks_take_their_lower_bound(name: str, batch: int, size: int) -> None:
    plan = load(f"zoo:{name}").check()
    sizes = {"N": batch, "H": size, "W": size}
    arena = plan.bind(dtype="float32", **{each: sizes[each] for each in plan.free}).memory.training
    assert_no_overlap(arena)
    assert arena.bytes == arena.lower_bound and arena.proved


def test_without_sharing_every_layer_but_an_alias_has_memory_of_its_own() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    r = node("r", Relu(), c)
    f = node("f", Flatten(), r)
    arena = plan([x, c, r, f], "f", training=True, in_place=False)
    assert arena.places["value", "c", 0] is not arena.places["value", "r", 0]
    assert arena.places["value", "r", 0] is arena.places["value", "f", 0]


def test_a_chain_needs_two_maps_however_long_it_is() -> None:
    nodes = [node("x", Input(SHAPE))]
    for position in range(20):
        nodes.append(node(f"p{position}", MaxPool(size=3, stride=1, pad=1), nodes[-1]))
    arena = plan(nodes, "p19")
    workspace = max((block.bytes for block in arena.blocks if block.role == "workspace"), default=0)
    assert arena.lower_bound == 2 * BYTES + workspace and arena.bytes <= arena.lower_bound + BYTES


def chain_of(count: int) -> list[BoundNode]:
    chain = [node("x", Input(SHAPE))]
    for position in range(count):
        chain.append(node(f"c{position}", same_conv(), chain[-1]))
    return chain


@pytest.mark.parametrize("training", [False, True])
def test_arenas_of_long_chains_are_laid_out_at_the_lower_bound_with_work_in_proportion(training: bool) -> None:
    def lower(count: int) -> int:
        chain = chain_of(count)
        arena = plan(chain, chain[-1].name, training=training)
        assert arena.bytes == arena.lower_bound
        return steps(lambda: plan(chain, chain[-1].name, training=training))

    assert lower(400) < 2.2 * lower(200)


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[BoundNode], list[str]]:
    nodes = [node("n0", Input(SHAPE))]
    if draw(st.booleans()):
        nodes.append(node("n1", Input(SHAPE)))
    for _ in range(draw(st.integers(1, 12))):
        makers: list[Any] = [Relu, Sigmoid, Silu, Dropout, same_conv, same_pool, Scratchy, Add, Concat, Flatten]
        make = draw(st.sampled_from(makers))
        source = draw(st.sampled_from(nodes))
        alike = [item for item in nodes if item.output_shape == source.output_shape]
        if make in (Add, Concat) and len(source.output_shape) == 4:
            sources = [source, draw(st.sampled_from(alike))]
        elif len(source.output_shape) == 4 and make is same_conv:
            sources, make = [source], partial(same_conv, source.output_shape[1])
        elif (make is same_pool and len(source.output_shape) == 4) or (
            make is Flatten and source.output_shape == SHAPE
        ):
            sources = [source]
        else:
            sources, make = [source], draw(st.sampled_from([Relu, Sigmoid, Silu, Dropout]))
        nodes.append(node(f"n{len(nodes)}", make(), *sources))
    read = {name for item in nodes for name in item.inputs}
    outputs = [item.name for item in nodes if item.name not in read]
    extra = [item.name for item in nodes if item.name in read and item.inputs]
    if extra:
        outputs += draw(st.lists(st.sampled_from(extra), unique=True, max_size=2))
    return nodes, outputs


@settings(max_examples=150)
@given(networks(), st.booleans(), st.booleans(), st.booleans())
def test_no_run_ever_reads_what_another_value_has_overwritten(
    network: tuple[list[BoundNode], list[str]], input_gradients: bool, in_place: bool, moved: bool
) -> None:
    nodes, outputs = network
    judge(lower(nodes, outputs) if moved else nodes, *outputs, input_gradients=input_gradients, in_place=in_place)


def test_the_simulation_notices_a_block_moved_onto_another() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    r = node("r", Relu(), c)
    a = node("a", Add(), c, r)
    arena = plan([x, c, r, a], "a")
    wrong = {**arena.places, ("value", "r", 0): arena.places["value", "c", 0]}
    broken = replace(arena, places=wrong)
    with pytest.raises(AssertionError):
        Simulation([x, c, r, a], ["a"], broken).forward(training=False)
