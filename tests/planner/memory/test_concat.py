"""A concat's inputs inside its output: where that is legal, what it forbids, and where it is not worth it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner import Network, layer
from planner.layers import Add, Concat, Dropout, Input
from planner.memory import arrange, plan_arena, timeline
from tests.harness.memory_judge import Simulation
from tests.harness.memory_nodes import BYTES, SHAPE, judge, node, place, plan, same_conv


def test_the_inputs_of_a_concat_are_written_inside_its_output() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    d = node("d", same_conv(), x)
    k = node("k", Concat(), c, d)
    e = node("e", same_conv(6), k)
    inference, training = judge([x, c, d, k, e], "e")
    for arena in (inference, training):
        block = arena.places["value", "k", 0]
        assert block.name == "k" and block.bytes == 2 * BYTES
        assert arena.places["value", "c", 0] is block and ("value", "c", 0) not in arena.starts
        assert arena.places["value", "d", 0] is block and arena.starts["value", "d", 0] == BYTES
    block = training.places["gradient", "k", 0]
    assert training.places["gradient", "c", 0] is block and training.places["gradient", "d", 0] is block
    assert training.starts["gradient", "d", 0] == BYTES
    assert inference.lower_bound == 4 * BYTES + inference.places["workspace", "e", "forward"].bytes


def test_a_concat_of_concats_is_one_stretch_of_memory() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    d = node("d", same_conv(), x)
    k = node("k", Concat(), c, d)
    e = node("e", same_conv(6), k)
    top = node("top", Concat(), e, k)
    inference, training = judge([x, c, d, k, e, top], "top")
    for arena in (inference, training):
        assert len({arena.places["value", name, 0].offset for name in ("c", "d", "k", "e", "top")}) == 1
        assert [arena.starts.get(("value", name, 0), 0) // BYTES for name in ("e", "k", "c", "d")] == [0, 2, 2, 3]


def test_neighbours_that_fill_an_older_concat_are_taken_in_together() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    d = node("d", same_conv(), c)
    k = node("k", Concat(), c, d)
    e = node("e", same_conv(6), k)
    top = node("top", Concat(), c, d, e)
    inference, _ = judge([x, c, d, k, e, top], "top")
    block = inference.places["value", "top", 0]
    assert all(inference.places["value", name, 0] is block for name in ("c", "d", "k", "e"))


def test_what_a_concat_reads_twice_or_in_another_order_is_copied() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    d = node("d", same_conv(), x)
    twice = node("twice", Concat(), c, c)
    other = node("other", Concat(), d, c)
    a = node("a", Add(), twice, other)
    inference, training = judge([x, c, d, twice, other, a], "a")
    for arena in (inference, training):
        assert arena.places["value", "c", 0] is arena.places["value", "twice", 0]
        assert arena.places["value", "d", 0] is arena.places["value", "other", 0]
    assert training.starts["gradient", "c", 0] == BYTES  # `other`, the last reader, gives the first part
    assert training.starts["partial", "twice", 1] == BYTES and ("partial", "twice", 0) not in training.starts


def test_nothing_is_written_over_a_concat_while_an_input_of_it_is_read_later() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    d = node("d", same_conv(), x)
    k = node("k", Concat(), c, d)
    r = node("r", Dropout(), k)
    e = node("e", same_conv(), r)
    a = node("a", Add(), c, e)
    inference, training = judge([x, c, d, k, r, e, a], "a")
    for arena in (inference, training):
        assert place(arena, "value", "k")[0] != place(arena, "value", "r")[0]
    without, _ = judge([x, c, d, k, r, e], "e")
    assert place(without, "value", "k") == place(without, "value", "r")


def test_nothing_is_written_over_an_input_of_a_concat_while_the_concat_is_read_later() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    d = node("d", same_conv(), x)
    k = node("k", Concat(), c, d)
    r = node("r", Dropout(), c)
    a = node("a", Concat(), r, d)
    b = node("b", Add(), k, a)
    inference, training = judge([x, c, d, k, r, a, b], "b")
    for arena in (inference, training):
        assert place(arena, "value", "c")[0] != place(arena, "value", "r")[0]


def test_inputs_of_a_concat_have_memory_of_their_own_where_that_takes_less() -> None:
    """The two channels would hold the memory of all 66 from the first step on."""
    layers = [
        layer("conv", name="wide", filters=64, kernel=3, pad=1),
        layer("conv", name="narrow", filters=2, kernel=3, pad=1),
        layer("conv", name="again", filters=64, kernel=3, pad=1),
        layer("concat", name="both", from_=["again", "x"]),
        layer("gap"),
    ]
    bound = Network(name="t", input={"x": ("N", 2, 32, 32)}, layers=layers).check().bind(N=4)
    choices = [
        arrange(timeline(bound.nodes, bound.outputs, 4, training=False, inside=inside)).bytes
        for inside in (True, False)
    ]
    assert choices[1] < choices[0] and plan_arena(bound, training=False).bytes == choices[1]


def test_the_simulation_notices_a_part_of_a_concat_in_the_wrong_place() -> None:
    x = node("x", Input(SHAPE))
    c = node("c", same_conv(), x)
    d = node("d", same_conv(), x)
    k = node("k", Concat(), c, d)
    arena = plan([x, c, d, k], "k")
    broken = replace(arena, starts={**arena.starts, ("value", "c", 0): BYTES})
    with pytest.raises(AssertionError):
        Simulation([x, c, d, k], ["k"], broken).forward(training=False)
