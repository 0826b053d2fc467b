"""The plan is the run: planned bytes are allocated bytes, and sharing memory changes no bit."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import planner
from planner import layer
from planner.bound import BoundPlan
from planner.memory import Arena, plan_arena
from runtime.model import Model
from runtime.program import Program

STEP_LIMIT = 64 * 1024


def lenet(batch: int) -> BoundPlan:
    layers = [
        layer("conv", name="c1", filters=6, kernel=5, act="tanh"),
        layer("avgpool", size=2),
        layer("conv", name="c3", filters=16, kernel=5, act="tanh"),
        layer("maxpool", size=2),
        layer("conv", name="c5", filters=120, kernel=5, act="relu"),
        layer("flatten"),
        layer("dense", name="f6", units=84, act="tanh"),
        layer("dense", name="out", units=10),
    ]
    return planner.Network(name="lenet", input={"image": ("N", 1, 32, 32)}, layers=layers).check().bind(N=batch)


def residual(batch: int) -> BoundPlan:
    layers = [
        layer("conv", name="stem", filters=8, kernel=3, pad=1, bias=False, norm="batch", act="relu"),
        layer("conv", name="a", filters=8, kernel=3, pad=1, norm="batch", act="relu"),
        layer("dropout", rate=0.5),
        layer("conv", name="b", filters=8, kernel=3, pad=1, groups=2, act="silu"),
        layer("add", name="sum", from_=["b", "stem"], act="relu"),
        layer("maxpool", name="left", from_="sum", size=3, stride=2, pad=1),
        layer("conv", name="right", from_="sum", filters=4, kernel=1, stride=2, act="gelu"),
        layer("concat", name="both", from_=["left", "right", "left"], act="leaky_relu"),
        layer("gmp", name="top", from_="both"),
        layer("gap", name="mean", from_="both"),
        layer("add", name="pooled", from_=["top", "mean"]),
        layer("flatten"),
        layer("dense", name="out", units=5),
        layer("softmax", name="shares"),
    ]
    net = planner.Network(name="r", input={"x": ("N", 3, 12, 10)}, layers=layers, output=["shares", "sum"])
    return net.check().bind(N=batch)


NETWORKS = [lenet, residual]


def apart(arena: Arena) -> Arena:
    """Return the arena with every block behind the one before: nothing shares memory by coming later."""
    offset, moved = 0, {}
    for block in dict.fromkeys(arena.places.values()):
        moved[block] = replace(block, offset=offset)
        offset += block.bytes
    places = {key: moved[block] for key, block in arena.places.items()}
    return replace(arena, bytes=offset, blocks=tuple(moved.values()), places=places)


def run(bound: BoundPlan, arena: Arena, batch: int, *, rubbish: int) -> list[np.ndarray[Any, Any]]:
    """Return everything two passes or steps leave behind, in memory that begins full of rubbish."""
    model = Model(bound, seed=3)
    memory = np.full(arena.bytes, rubbish, np.uint8)
    program = Program(bound, model._store, arena, memory, batch=batch)
    rng, found = np.random.default_rng(5), []
    for _ in range(2):
        for view in program.inputs.values():
            view[...] = rng.standard_normal(view.shape)
        program.forward()
        found += [view.copy() for view in program.outputs.values()]
        for view in program.grad_outputs.values():
            view[...] = rng.standard_normal(view.shape)
        program.backward()
        found += [view.copy() for view in program.grad_inputs.values()]
        if program.training:
            found.append(model.flat_gradients.copy())
    return [*found, model.flat_buffers.copy()]


def modes(bound: BoundPlan, *, in_place: bool = True) -> list[Arena]:
    return [
        plan_arena(bound, training=training, input_gradients=asked, in_place=in_place)
        for training, asked in [(False, False), (True, False), (True, True)]
    ]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("batch", [4, 3])
def test_running_in_the_arena_is_bit_for_bit_running_in_separate_arrays(network: Any, batch: int) -> None:
    bound = network(4)
    for arena, alone in zip(modes(bound), modes(bound, in_place=False), strict=True):
        shared = run(bound, arena, batch, rubbish=0xFF)  # 0xFF bytes are NaN
        for other in (apart(arena), apart(alone)):
            separate = run(bound, other, batch, rubbish=0x11)
            assert all(np.array_equal(a, b) for a, b in zip(shared, separate, strict=True))
        assert all(np.isfinite(array).all() for array in shared)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_arena_is_the_planned_number_of_bytes_on_a_cache_line(network: Any) -> None:
    bound = network(8)
    model = Model(bound)
    for training, planned in [(False, bound.memory.inference), (True, bound.memory.training)]:
        memory = model.arena(training=training)
        assert memory.nbytes == planned.bytes and memory.ctypes.data % 64 == 0


@pytest.mark.parametrize("network", NETWORKS)
def test_every_array_a_step_uses_lies_in_the_arena_or_the_store(network: Any) -> None:
    bound = network(4)
    model = Model(bound)
    program = model.training_program(4)
    memory = model.arena(training=True)
    for view in [*program.inputs.values(), *program.outputs.values(), *program.grad_outputs.values()]:
        assert np.shares_memory(view, memory)
    assert np.shares_memory(program.loss_workspace, memory)


@pytest.mark.parametrize("network", NETWORKS)
def test_parameters_buffers_and_gradients_are_the_planned_bytes(network: Any) -> None:
    bound = network(2)
    model = Model(bound)
    assert model.flat_parameters.nbytes == bound.memory.parameter_bytes
    assert model.flat_gradients.nbytes == bound.memory.gradient_bytes
    assert model.flat_buffers.nbytes == bound.memory.buffer_bytes
    state = bound.train.optimizer.state_arrays
    assert bound.memory.optimizer_bytes == state * bound.memory.parameter_bytes


def peak_of_a_step(program: Program) -> int:
    def step() -> None:
        program.forward()
        for view in program.grad_outputs.values():
            view.fill(0.25)
        program.backward()

    for view in program.inputs.values():
        view.fill(0.5)
    step()
    tracemalloc.start()
    try:
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("batch", [8, 128])
def test_a_steady_training_step_allocates_less_than_64_kib_whatever_the_batch(network: Any, batch: int) -> None:
    assert peak_of_a_step(Model(network(batch)).training_program(batch)) < STEP_LIMIT


@pytest.mark.parametrize("network", NETWORKS)
def test_evaluating_between_training_steps_needs_no_second_arena(network: Any) -> None:
    bound = network(4)
    model = Model(bound)
    before = model.arena(training=True).ctypes.data
    model(np.zeros((4, *next(iter(bound.input_shapes.values()))[1:])))
    assert model.arena().ctypes.data == before == model.arena(training=True).ctypes.data


def test_memory_is_linear_in_the_batch_beyond_alignment_and_scratch() -> None:
    small, large = (residual(n).memory.training for n in (16, 32))
    scratch = sum(block.bytes for block in large.blocks if block.role == "workspace")
    assert abs(large.bytes - 2 * small.bytes) <= scratch + 64 * len(large.blocks)
