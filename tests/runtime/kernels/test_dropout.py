"""Layers that leave out whole maps or whole images at random: how many, which, and what the gradient sees."""

from __future__ import annotations

import numpy as np
import pytest

from planner.layers import Dropout2d, Layer, StochasticDepth
from tests.harness.kernel_bench import Bench, FloatArray

LAYERS: tuple[tuple[Layer, tuple[int, ...]], ...] = (
    (Dropout2d(rate=0.3), (2, 3)),
    (StochasticDepth(rate=0.3), (1, 2, 3)),
    (StochasticDepth(rate=0.3, mode="batch"), (0, 1, 2, 3)),
)
"""Each with the axes along which all numbers share one fate."""


def fates(layer: Layer, axes: tuple[int, ...], batch: int, seed: int) -> FloatArray:
    """Return what every group of numbers was multiplied by; all of a group alike, the gradient too."""
    x: FloatArray = np.ones((batch, 20, 3, 2))
    bench = Bench(layer, (x,), seed=seed)
    y = bench.forward()
    (gradient,), _ = bench.backward(x)
    np.testing.assert_array_equal(gradient, y)
    found = y.max(axis=axes, keepdims=True)
    np.testing.assert_array_equal(np.broadcast_to(found, y.shape), y)
    return np.asarray(found.ravel())


@pytest.mark.parametrize(("layer", "axes"), LAYERS)
def test_the_share_is_left_out_and_the_rest_made_up_for(layer: Layer, axes: tuple[int, ...]) -> None:
    batch = 50 if axes == (2, 3) else 400
    runs = 1000 if 0 in axes else 1
    kept = np.concatenate([fates(layer, axes, 1 if 0 in axes else batch, seed) for seed in range(runs)])
    assert set(np.unique(kept)) == {0.0, 1 / 0.7}
    # As many draws stray from their probability by less than five standard deviations.
    assert abs((kept == 0).mean() - 0.3) <= 5 * np.sqrt(0.3 * 0.7 / kept.size)


@pytest.mark.parametrize(("layer", "axes"), LAYERS)
def test_every_step_draws_anew_and_inference_changes_nothing(layer: Layer, axes: tuple[int, ...]) -> None:
    x: FloatArray = np.random.default_rng(0).standard_normal((6, 20, 3, 2))
    bench = Bench(layer, (x,))
    first = [bench.forward() for _ in range(30)]
    assert any(not np.array_equal(first[0], other) for other in first[1:])
    np.testing.assert_array_equal(Bench(layer, (x,), training=False).forward(), x)


def test_a_batch_is_left_out_as_one() -> None:
    found = [fates(StochasticDepth(rate=0.5, mode="batch"), (0, 1, 2, 3), 7, seed).size for seed in range(3)]
    assert found == [1, 1, 1]
