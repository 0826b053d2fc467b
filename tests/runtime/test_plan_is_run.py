"""The plan is the run: planned bytes are allocated bytes, and sharing memory changes no bit."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import planner
import runtime.training.train  # noqa: F401  # what is imported with the first fit is not what it holds
from planner import layer
from planner.memory import Arena, arrange, timeline
from planner.plan.plan import BoundPlan
from runtime.images import Images
from runtime.model import Model
from runtime.parameters import State
from runtime.program import Program
from runtime.training import optim
from runtime.training.progress import Silent
from tests.harness.arenas import apart, run

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


def dense(batch: int) -> BoundPlan:
    """Return a network whose every layer reads all maps before it: concats in concats, two of the same maps."""
    layers = [layer("conv", name="c0", filters=4, kernel=3, pad=1, act="relu")]
    for position in range(1, 5):
        some = [f"c{index}" for index in range(position)]
        source = layer("concat", name=f"k{position}", from_=some) if position > 1 else None
        layers += [source] if source else []
        layers += [layer("conv", name=f"c{position}", filters=3, kernel=3, pad=1, norm="batch", act="relu")]
    layers += [
        layer("concat", name="chain", from_=["k4", "c4"], act="leaky_relu"),
        layer("concat", name="again", from_=["c4", "k4", "x"]),
        layer("concat", name="all", from_=["chain", "again"]),
        layer("gap"),
        layer("flatten"),
        layer("dense", name="out", units=5),
    ]
    net = planner.Network(name="d", input={"x": ("N", 2, 9, 7)}, layers=layers, output=["out", "c2"])
    return net.check().bind(N=batch)


def segnet(batch: int) -> BoundPlan:
    """Return a network whose decoder puts values where the maxima of its encoder were."""
    layers = [
        layer("conv", name="c1", filters=6, kernel=3, pad=1, norm="batch", act="relu"),
        layer("maxpool", name="p1", size=2),
        layer("conv", name="c2", filters=8, kernel=3, pad=1, norm="batch", act="relu"),
        layer("maxpool", name="p2", size=2, rounding="ceil"),
        layer("unpool", name="u2", pool="p2"),
        layer("conv", name="d2", filters=6, kernel=3, pad=1, norm="batch", act="relu"),
        layer("unpool", name="u1", pool="p1"),
        layer("conv", name="d1", filters=3, kernel=3, pad=1),
        layer("gap"),
        layer("flatten"),
        layer("dense", name="out", units=5),
    ]
    net = planner.Network(name="s", input={"x": ("N", 2, 10, 7)}, layers=layers, output=["out", "u2"])
    return net.check().bind(N=batch)


def recurrent(batch: int) -> BoundPlan:
    """Return a network that applies one layer, with its normalisation, three times, and one dense layer twice."""
    layers = [
        layer("conv", name="stem", filters=6, kernel=3, pad=1),
        layer("conv", name="c1", filters=6, kernel=3, pad=1, norm="batch", act="relu"),
        layer("conv", name="c2", use="c1"),
        layer("add", from_=["c1", "c2"]),
        layer("conv", name="c3", use="c2"),
        layer("gap"),
        layer("flatten"),
        layer("dense", name="d", units=6, act="tanh"),
        layer("dense", name="e", use="d"),
        layer("dense", name="out", units=5),
    ]
    net = planner.Network(name="r", input={"x": ("N", 2, 9, 7)}, layers=layers, output=["out", "c2"])
    return net.check().bind(N=batch)


NETWORKS = [lenet, residual, dense, segnet, recurrent]


def modes(bound: BoundPlan, *, in_place: bool = True, inside: bool = True) -> list[Arena]:
    """Return the arenas of all three modes, with the inputs of a concat inside its output whether or not that pays."""
    return [
        arrange(
            timeline(
                bound.lowered,
                bound.outputs,
                bound.item_bytes,
                training=training,
                input_gradients=asked,
                in_place=in_place,
                inside=inside,
            )
        )
        for training, asked in [(False, False), (True, False), (True, True)]
    ]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("batch", [4, 3])
def test_running_in_the_arena_is_bit_for_bit_running_in_separate_arrays(network: Any, batch: int) -> None:
    bound = network(4)
    ways = modes(bound), modes(bound, inside=False), modes(bound, in_place=False)
    for arena, copied, alone in zip(*ways, strict=True):
        shared = run(bound, arena, batch, rubbish=0xFF)  # 0xFF bytes are NaN
        for other in (copied, apart(arena), apart(alone)):
            separate = run(bound, other, batch, rubbish=0x11)
            assert all(np.array_equal(a, b) for a, b in zip(shared, separate, strict=True))
        assert all(np.isfinite(array).all() for array in shared)


@contextmanager
def traced() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def array_bytes() -> int:
    """Return how many bytes NumPy holds for arrays made since tracing began."""
    numbers = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)
    found = tracemalloc.take_snapshot().filter_traces([numbers])
    return sum(trace.size for trace in found.traces)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("training", [False, True])
def test_the_arena_a_model_asks_the_machine_for_is_the_planned_bytes(network: Any, training: bool) -> None:
    bound = network(8)
    planned = bound.memory.training if training else bound.memory.inference
    model = Model(bound)
    with traced():
        memory = model.arena(training=training)
        asked = array_bytes()
    assert memory.ctypes.data % 64 == 0
    assert asked == planned.bytes + 63  # to begin on a cache line


@pytest.mark.parametrize("network", NETWORKS)
def test_a_model_that_trains_holds_the_planned_bytes(network: Any) -> None:
    bound = network(8)
    planned = bound.memory.training_bytes
    with traced():
        model = Model(bound)
        program = model.training_program(8)
        optimizer = optim.optimizer(bound.train.optimizer, model.flat_parameters, model.flat_gradients)
        held = array_bytes()
    assert program.training and optimizer.state is not None
    assert planned <= held <= planned + 63 + 4096  # shares of windows at a border


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
    workspace = min(64 * 1024, bound.memory.parameter_bytes)
    assert bound.memory.optimizer_bytes == state * bound.memory.parameter_bytes + workspace


class Watch(Silent):
    """Notes how much each training step allocates on top of what was there before it."""

    def __init__(self) -> None:
        self.peaks: list[int] = []
        self.held = 0
        self._before: int | None = None

    def start_epoch(self, epoch: int, epochs: int, images: int, done: int = 0) -> None:
        self._begin()

    def step(self, images: int, loss: float, accuracy: float | None) -> None:
        if self._before is not None:
            self.peaks.append(tracemalloc.get_traced_memory()[1] - self._before)
        if not self.held:
            self.held = array_bytes()
        self._begin()

    def _begin(self) -> None:
        tracemalloc.reset_peak()
        self._before = tracemalloc.get_traced_memory()[0]


STEPS = 4


def watched_fit(bound: BoundPlan, loss: str, optimizer: str, **options: Any) -> Watch:
    """Return what a real `fit` of two epochs holds and allocates: feeding, passes, losses and optimizer."""
    batch = bound.batch
    rng = np.random.default_rng(0)
    (shape,) = bound.input_shapes.values()
    images = rng.integers(0, 256, (STEPS * batch, *shape[1:]), dtype=np.uint8)
    output, outputs = next(iter(bound.output_shapes.items()))
    labels = rng.integers(0, outputs[1], STEPS * batch)
    watch = Watch()
    with traced():
        Model(bound).fit(
            Images(images, scale=1 / 255), {output: labels}, epochs=2, loss=loss, optimizer=optimizer, progress=watch,
            **options,
        )  # fmt: skip
    return watch


@pytest.mark.parametrize(
    ("network", "loss", "optimizer"),
    [(lenet, "cross_entropy", "sgd"), (lenet, "mse", "adam"), (residual, "mse", "adamw")],
)
@pytest.mark.parametrize("batch", [8, 128])
def test_a_steady_step_of_fit_allocates_less_than_64_kib_whatever_the_batch(
    network: Any, loss: str, optimizer: str, batch: int
) -> None:
    peaks = watched_fit(network(batch), loss, optimizer).peaks
    assert len(peaks) == 2 * STEPS
    assert max(peaks[1:]) < STEP_LIMIT, peaks  # the first step makes the program


@pytest.mark.parametrize("batch", [8, 128])
def test_a_step_whose_images_are_moved_allocates_less_than_64_kib_and_holds_no_more(batch: int) -> None:
    moved = watched_fit(lenet(batch), "cross_entropy", "sgd", augment={"flip": "both", "shift": 3})
    assert max(moved.peaks[1:]) < STEP_LIMIT, moved.peaks
    order = STEPS * batch * np.dtype(np.intp).itemsize
    assert 0 <= moved.held - lenet(batch).memory.training_bytes - order <= STEP_LIMIT // 4


def test_the_watch_on_a_step_notices_an_array_the_size_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Program.forward

    def wasteful(program: Program) -> None:
        for view in program.inputs.values():
            view.copy()
        forward(program)

    monkeypatch.setattr(Program, "forward", wasteful)
    assert min(watched_fit(lenet(128), "cross_entropy", "sgd").peaks) > STEP_LIMIT


@pytest.mark.parametrize("network", NETWORKS)
def test_fit_holds_the_planned_bytes_and_nothing_else_that_grows_with_the_batch(network: Any) -> None:
    bound = network(128)
    held = watched_fit(bound, "mse", bound.train.optimizer.kind).held
    order = STEPS * 128 * np.dtype(np.intp).itemsize
    assert 0 <= held - bound.memory.training_bytes - order <= STEP_LIMIT // 4


@pytest.mark.parametrize("network", NETWORKS)
def test_evaluating_between_training_steps_needs_no_second_arena(network: Any) -> None:
    bound = network(4)
    model = Model(bound)
    before = model.arena(training=True).ctypes.data
    model(np.zeros((4, *next(iter(bound.input_shapes.values()))[1:])))
    assert model.arena().ctypes.data == before == model.arena(training=True).ctypes.data


def rows(bound: BoundPlan) -> dict[tuple[Any, ...], int]:
    """Return the bytes of everything a training step keeps but workspace."""
    needs = timeline(bound.lowered, bound.outputs, bound.item_bytes, training=True)
    return {request.keys: request.bytes for request in needs.requests if request.role != "workspace"}


@pytest.mark.parametrize("network", NETWORKS)
def test_memory_but_workspace_is_exactly_linear_in_the_batch(network: Any) -> None:
    one, sixteen, seventeen = (rows(network(batch)) for batch in (1, 16, 17))
    assert one.keys() == sixteen.keys() == seventeen.keys()
    for keys, size in sixteen.items():
        ((role, name, what),) = keys[:1]
        if role == "weights" or (role == "saved" and what in ("mean", "inverse")):
            assert one[keys] == size == seventeen[keys], name
        elif role == "saved":  # one byte a number, in whole elements
            assert 0 <= 16 * one[keys] - size < 16 * 4 and 0 <= size + one[keys] - seventeen[keys] < 8
        else:
            assert size == 16 * one[keys] and seventeen[keys] == 17 * one[keys], name


@pytest.mark.parametrize("network", NETWORKS)
def test_the_largest_sum_of_what_lives_at_once_is_linear_in_the_batch_but_for_alignment(network: Any) -> None:
    def most(batch: int) -> int:
        arena: Arena = network(batch).memory.training
        kept = [block for block in arena.blocks if block.role != "workspace"]
        return max(sum(b.bytes for b in kept if b.first <= step <= b.last) for step in range(arena.steps))

    assert abs(most(64) - 4 * most(16)) <= 4 * 64 * len(network(16).memory.training.blocks)


@pytest.mark.parametrize("batch", [4, 3, 1])
def test_a_smaller_batch_finds_the_inputs_of_a_concat_inside_its_output_too(batch: int) -> None:
    layers = [
        layer("conv", name="a", filters=3, kernel=3, pad=1),
        layer("conv", name="b", from_="x", filters=2, kernel=3, pad=1),
        layer("concat", name="both", from_=["a", "b", "a"]),
        layer("conv", name="c", filters=2, kernel=3),
        layer("flatten"),
    ]
    bound = planner.Network(name="t", input={"x": ("N", 2, 5, 5)}, layers=layers).check().bind(N=4)
    arena = modes(bound)[1]
    assert arena.places["value", "b", 0] is arena.places["value", "both", 0]
    program = Program(bound, State(bound, 1), arena, np.empty(arena.bytes, np.uint8), batch=batch)
    program.inputs["x"][...] = np.random.default_rng(0).standard_normal(program.inputs["x"].shape)
    program.forward()
    whole, left, right = (program._value(name) for name in ("both", "a", "b"))
    assert np.shares_memory(whole[3:5], right) and np.shares_memory(whole[:3], left)
    np.testing.assert_array_equal(whole, np.concatenate([left, right, left]))
