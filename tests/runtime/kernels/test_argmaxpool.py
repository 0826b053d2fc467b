"""An activation fused into its max pooling, and argmax kept instead of a map, compared with the network as written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import planner
import planner.lowering.segments
from planner import layer
from planner.lowering.node import BoundNode
from planner.lowering.segments import segments
from planner.plan.plan import BoundPlan
from runtime.model import Model

Found = tuple[np.ndarray[Any, Any], ...]


class AsWritten(BoundPlan):
    """A bound plan each of whose layers does its own work."""

    @property
    def lowered(self) -> tuple[BoundNode, ...]:
        return self.nodes


def as_written(bound: BoundPlan) -> BoundPlan:
    return AsWritten(bound.plan, bound.nodes, bound.sizes, bound.dtype)


def bind(shape: tuple[int, ...], *layers: Any, dtype: Any = "float32") -> BoundPlan:
    net = planner.Network(name="t", input={"x": ("N", *shape[1:])}, layers=layers)
    return net.check().bind(N=shape[0], dtype=dtype)


def both(bound: BoundPlan, x: Any, gradient: Any) -> tuple[Found, Found]:
    """Return the outputs of a pass and of a step and its gradients, with work moved and as written."""
    found = []
    for plan in (bound, as_written(bound)):
        model = Model(plan, seed=1)
        inference = model(x).copy()
        output, grad_inputs, grad_parameters = model.gradients(x, gradient)
        found.append((inference, output, grad_inputs["x"], *grad_parameters.values()))
    return found[0], found[1]


WINDOWS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "apart": ({"size": 2}, (3, 4, 8, 10)),
    "rows and columns left over": ({"size": 2}, (3, 4, 9, 11)),
    "overlapping": ({"size": 3, "stride": 1}, (3, 4, 7, 6)),
    "padded": ({"size": 3, "stride": 2, "pad": 1}, (3, 4, 9, 10)),
    "padded to the same size": ({"size": 3, "stride": 1, "pad": "same"}, (3, 4, 5, 6)),
    "dilated": ({"size": 2, "stride": 1, "dilation": 3}, (3, 4, 9, 10)),
    "dilated and padded": ({"size": 3, "stride": 2, "dilation": 2, "pad": 1}, (3, 4, 9, 10)),
    "overhanging": ({"size": 3, "stride": 2, "rounding": "ceil"}, (3, 4, 8, 8)),
    "gaps": ({"size": 2, "stride": 3}, (3, 4, 8, 8)),
    "one tap": ({"size": 1}, (3, 4, 5, 5)),
    "of two sizes": ({"size": [15, 17], "stride": 1}, (2, 2, 17, 18)),
    "a sequence": ({"size": 3, "stride": 2, "pad": 1}, (3, 4, 11)),
    "a volume": ({"size": 2, "stride": 1, "pad": [1, 0, 1]}, (2, 3, 4, 5, 6)),
    "one image": ({"size": 2}, (1, 3, 7, 7)),
}

RARE = {"of two sizes": 0.003}
"""Share of the numbers above 0 where windows are large."""


def integers(shape: tuple[int, ...], dtype: str, rng: np.random.Generator, rare: float) -> np.ndarray[Any, Any]:
    """Return few different numbers, so that most windows have several of each; above 0 and not finite, fewer."""
    x = rng.integers(-4, 1, shape).astype(dtype)
    above = rng.random(shape) < rare
    x[above] = rng.integers(1, 9, np.count_nonzero(above))
    for value in (np.nan, np.inf, -np.inf):
        x[rng.random(shape) < rare / 30] = value
    return x


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("act", ["relu", "relu6"])
@pytest.mark.parametrize("window", WINDOWS)
def test_an_activation_done_by_its_max_pooling_gives_the_same_bits_and_gradients(
    window: str, act: str, dtype: str
) -> None:
    settings, shape = WINDOWS[window]
    bound = bind(shape, layer(act, name="r"), layer("maxpool", name="p", **settings), dtype=dtype)
    assert [node.layer.kind for node in bound.lowered] == ["input", "deferred", "argmaxpool"]
    rng, passed_on = np.random.default_rng(len(window)), 0
    for _ in range(4):
        gradient = rng.integers(-5, 6, bound.output_shapes["p"]).astype(dtype)
        moved, written = both(bound, integers(shape, dtype, rng, RARE.get(window, 0.5)), gradient)
        assert all(left.tobytes() == right.tobytes() for left, right in zip(moved[:2], written[:2], strict=True))
        np.testing.assert_array_equal(moved[2], written[2])
        passed_on += int(np.count_nonzero(written[2]))
    assert passed_on


def test_of_a_zero_alone_the_sign_may_differ() -> None:
    bound = bind((4, 8, 8, 8), layer("relu"), layer("maxpool", name="p", size=2))
    rng = np.random.default_rng(0)
    x = np.where(rng.random((4, 8, 8, 8)) < 0.5, -0.0, rng.integers(-1, 2, (4, 8, 8, 8))).astype(np.float32)
    moved, written = both(bound, x, np.ones(bound.output_shapes["p"], np.float32))
    for left, right in zip(moved, written, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("window", WINDOWS)
def test_kept_argmax_is_the_position_that_comparing_finds(window: str, dtype: str) -> None:
    settings, shape = WINDOWS[window]
    layers = [layer("shift", name="s"), layer("maxpool", name="p", **settings)]
    bound = bind(shape, *layers, dtype=dtype)
    assert bound.lowered[-1].layer.kind == "argmaxpool"
    rng = np.random.default_rng(7)
    x = integers(shape, dtype, rng, RARE.get(window, 0.5))
    x[np.isnan(x)] = -np.inf  # a window of NaN has no position that equals its maximum
    gradient = rng.integers(-5, 6, bound.output_shapes["p"]).astype(dtype)
    for left, right in zip(*both(bound, x, gradient), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_window_of_minus_infinity_gives_its_gradient_to_the_first_position_of_the_map() -> None:
    bound = bind((1, 1, 3, 3), layer("shift"), layer("maxpool", size=3, stride=2, pad=1))
    x = np.full((1, 1, 3, 3), -np.inf, np.float32)
    _, gradients, _ = Model(bound, seed=0).gradients(x, np.arange(1.0, 5.0, dtype=np.float32).reshape(1, 1, 2, 2))
    assert gradients["x"].tolist() == [[[[1, 2, 0], [3, 4, 0], [0, 0, 0]]]]


def training(batch: int) -> BoundPlan:
    layers = [
        layer("conv", name="a", filters=16, kernel=3, pad=1, norm="batch", act="relu"),
        layer("maxpool", size=2),
        layer("conv", name="b", filters=24, kernel=3, pad=1, act="relu6"),
        layer("maxpool", size=3, stride=2, pad=1),
        layer("conv", name="c", filters=8, kernel=3, pad=1),
        layer("maxpool", size=2),
        layer("flatten"),
        layer("dense", name="out", units=5),
    ]
    return bind((batch, 3, 18, 18), *layers)


@pytest.mark.parametrize("shard", [2**10, 2**20])
def test_a_network_learns_the_same_bits_whether_work_is_moved_or_not(
    shard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner.lowering.segments, "SHARD_ELEMENTS", shard)
    bound = training(8)
    assert [node.layer.kind for node in bound.lowered].count("argmaxpool") == 3
    rng = np.random.default_rng(3)
    x, labels = rng.standard_normal((19, 3, 18, 18), dtype=np.float32), rng.integers(0, 5, 19)
    found = []
    for plan in (bound, as_written(bound)):
        model = Model(plan, seed=2)
        model.fit(x, labels, epochs=2, batch=8, progress=False)  # the last batch of an epoch has three images
        found.append((model.predict(x), model.flat_parameters.copy(), model.flat_buffers.copy()))
    for left, right in zip(*found, strict=True):
        assert left.tobytes() == right.tobytes()


def test_normalisation_activation_and_pooling_stay_one_segment_that_keeps_no_map() -> None:
    bound = training(8)
    chains = [[node.name for node in segment.nodes] for segment in segments(bound.lowered)]
    assert ["a.norm", "a.act", "maxpool1"] in chains
    positions = [node.name for node in bound.nodes]
    blocks = bound.memory.training.places
    assert blocks["value", "a.act", 0] is blocks["value", "a.norm", 0]
    assert blocks["value", "a.act", 0].last == positions.index("maxpool1")
    assert blocks["value", "b", 0].last == positions.index("maxpool2")
    assert blocks["saved", "maxpool1", "argmax"].bytes == 16 * 9 * 9 * 8
    assert bound.memory.training_bytes < as_written(bound).memory.training_bytes


def test_a_pass_that_nobody_learns_from_remembers_nothing() -> None:
    bound = training(2)
    assert not any(role == "saved" for role, _, _ in bound.memory.inference.places)
    model, plain = Model(bound, seed=0), Model(as_written(bound), seed=0)
    x = np.random.default_rng(0).standard_normal((5, 3, 18, 18), dtype=np.float32)
    assert model(x).tobytes() == plain(x).tobytes()


def test_a_smaller_batch_remembers_its_winners_in_the_memory_of_the_planned_one() -> None:
    rng = np.random.default_rng(1)
    x, gradient = rng.standard_normal((3, 3, 18, 18), dtype=np.float32), rng.standard_normal((3, 5), dtype=np.float32)
    (output, grad_inputs, grads), (expected, *rest) = (
        Model(training(batch), seed=0).gradients(x, gradient) for batch in (4, 3)
    )
    assert output.tobytes() == expected.tobytes()
    for found, wanted in zip((grad_inputs, grads), rest, strict=True):
        for name, array in wanted.items():
            np.testing.assert_array_equal(found[name], array)
