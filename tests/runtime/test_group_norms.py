"""Layer, group and instance normalisation: sums that stay accurate, and memory that does not grow."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from planner.layers import GroupNorm, InstanceNorm, Layer, LayerNorm, LocalResponseNorm
from tests.runtime.bench import Bench
from tests.runtime.kernel_cases import label

LAYERS: tuple[Layer, ...] = (GroupNorm(groups=1, affine=False), InstanceNorm(), LayerNorm(over="all", affine=False))


@pytest.mark.parametrize("layer", LAYERS, ids=label)
@pytest.mark.parametrize("batch", [1, 2])
def test_a_million_numbers_far_from_zero_are_normalised_in_float32(layer: Layer, batch: int) -> None:
    x = (100 + np.random.default_rng(0).standard_normal((batch, 1, 1024, 1024))).astype(np.float32)
    y = Bench(layer, (x,), training=False).forward().astype(np.float64)
    exact = x.astype(np.float64)
    exact -= exact.mean((1, 2, 3), keepdims=True)
    exact /= np.sqrt((exact**2).mean((1, 2, 3), keepdims=True) + 1e-5)
    # the mean is off by half a spacing of float32 at 100, 4e-6; one number after the other would be off by 1e-3
    # (atol); a sum of a million squares, among which nothing cancels, by some 1e-5 of itself (rtol)
    np.testing.assert_allclose(y, exact, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "layer", [LayerNorm(), GroupNorm(groups=4), InstanceNorm(affine=True), LocalResponseNorm(size=5)], ids=label
)
def test_a_step_allocates_nothing_that_grows(layer: Layer) -> None:
    bench = Bench(layer, (np.ones((16, 16, 48, 48), np.float32),))
    bench.run_forward()
    bench.run_backward()
    tracemalloc.start()
    try:
        bench.run_forward()
        bench.run_backward()
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
