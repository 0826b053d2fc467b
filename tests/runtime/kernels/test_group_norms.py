"""Layer, group and instance normalisation: sums that stay accurate, and memory that does not grow."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import planner.layers.tiling.shards as shards
import planner.layers.tiling.workspace as workspace
from planner.layers import GroupNorm, InstanceNorm, Layer, LayerNorm, LocalResponseNorm, LogSoftmax, Softmax
from runtime.blas_threads import for_step
from runtime.program import BUFFER
from tests.harness.kernel_bench import THREADS, Bench, normal
from tests.harness.kernel_cases import label

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
    before = np.setbufsize(BUFFER)  # as in a step, where every thread has buffers of its own
    bench.run_forward()
    bench.run_backward()
    tracemalloc.start()
    try:
        bench.run_forward()
        bench.run_backward()
        assert tracemalloc.get_traced_memory()[1] < 2**16
    finally:
        tracemalloc.stop()
        np.setbufsize(before)


EACH_WAY = [
    (LayerNorm(), 4),
    (LayerNorm(over="all"), 4),
    (GroupNorm(groups=4), 4),
    (InstanceNorm(affine=True, running=True), 4),
    (LocalResponseNorm(size=3), 4),
    (Softmax(), 4),
    (LogSoftmax(), 4),
]


@pytest.mark.parametrize(("layer", "count"), EACH_WAY, ids=lambda value: str(value))
@pytest.mark.usefixtures("thread_pool")
def test_any_number_of_threads_gives_the_same_bits(layer: Layer, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((workspace, "SUMMED_ELEMENTS"), (shards, "SUMMED_ELEMENTS"), (shards, "SUMMED_COLUMNS")):
        monkeypatch.setattr(module, name, 1)
    x = normal((5, 8, 6, 7), 0, np.float32)
    results = []
    for threads in (1, 2, THREADS):
        bench = Bench(layer, (x,))
        assert len(vars(bench.kernels[0])["shards"]) == count
        with threadpool_limits(limits=threads, user_api="blas"), for_step():
            y = bench.forward()
            (found,), parameters = bench.backward(normal(y.shape, 1, np.float32))
        assert found is not None
        results.append([y, found, *parameters.values(), *bench.buffers.values()])
    for several in results[1:]:
        for expected, array in zip(results[0], several, strict=True):
            np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("layer", [layer for layer, _ in EACH_WAY], ids=label)
@pytest.mark.parametrize("training", [True, False])
def test_what_is_planned_for_a_batch_is_enough_for_smaller_ones(layer: Layer, training: bool) -> None:
    layer = layer.bind({})
    for sizes in ((16, 24, 24), (200, 14, 14), (4, 160, 160)):
        counts = []
        for batch in range(1, 130):
            shape = (batch, *sizes)
            counts.append((layer.workspace((shape,), shape, training), layer.backward_workspace((shape,), shape)))
        for column in zip(*counts, strict=True):
            assert list(column) == sorted(column)
