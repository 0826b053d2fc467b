"""Transposed convolution: every way to compute it gives what the definition gives, with the same bits in any shards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import planner.layers.tiling.convtranspose as transposed
import planner.layers.tiling.im2col as blocks
from planner.layers import ConvTranspose
from runtime.blas_threads import for_step
from tests.harness import naive
from tests.harness.kernel_bench import THREADS, Bench, assert_same_weight_gradients_without_input_gradient, normal
from tests.runtime.kernels.test_kernels import many_shards

Real = np.ndarray[Any, np.dtype[np.float64]]

MAP, LINE, VOLUME = (3, 4, 5, 6), (3, 4, 7), (2, 4, 3, 2, 4)
CASES = [
    (ConvTranspose(filters=3, kernel=2, stride=2), MAP),
    (ConvTranspose(filters=6, kernel=4, stride=2, pad=1, bias=False), MAP),
    (ConvTranspose(filters=6, kernel=3, pad=1), MAP),
    (ConvTranspose(filters=3, kernel=3, stride=2, pad=1, output_pad=1), MAP),
    (ConvTranspose(filters=4, kernel=(3, 2), stride=(1, 3), pad=(2, 0, 1, 1), groups=2), MAP),
    (ConvTranspose(filters=4, kernel=(5, 3), stride=(2, 4), pad=(1, 3, 0, 2), output_pad=(1, 3), groups=2), MAP),
    (ConvTranspose(filters=8, kernel=3, dilation=2, pad=1, groups=4), MAP),
    (ConvTranspose(filters=2, kernel=3, stride=4, dilation=6, pad=2), MAP),
    (ConvTranspose(filters=2, kernel=2, stride=2, dilation=2, pad=1), MAP),
    (ConvTranspose(filters=2, kernel=2, stride=3, output_pad=2), MAP),
    (ConvTranspose(filters=2, kernel=1), MAP),
    (ConvTranspose(filters=2, kernel=1, dilation=3, output_pad=2), MAP),
    (ConvTranspose(filters=5, kernel=(4, 3)), (3, 4, 1, 1)),
    (ConvTranspose(filters=4, kernel=5, stride=3, pad=2), LINE),
    (ConvTranspose(filters=3, kernel=(2, 3, 3), stride=(1, 2, 2), pad=1), VOLUME),
]
each_case = pytest.mark.parametrize(("layer", "shape"), CASES, ids=lambda value: str(value))


@pytest.fixture(params=["whole", "pieces", "shards", "shards of weights"])
def cut(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run as shipped; in small pieces; and shared by shards, in each way of sharing the weights' gradient."""
    if request.param != "whole":
        monkeypatch.setattr(blocks, "COLUMNS", 64)
        monkeypatch.setattr(blocks, "POSITIONS", 5)
    if request.param.startswith("shards"):
        make_shards(monkeypatch, sums=request.param == "shards")
    return str(request.param)


@pytest.fixture(params=["scattered", "gathered"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Go forward in either way, where there are both."""
    if request.param == "scattered":
        monkeypatch.setattr(transposed, "PHASES", 0)
    else:
        monkeypatch.setattr(transposed, "ADD_SHARES", (10**6, 10**6))
    return str(request.param)


def make_shards(monkeypatch: pytest.MonkeyPatch, *, sums: bool) -> None:
    many_shards(monkeypatch, sums=sums)
    monkeypatch.setattr(transposed, "SHARD_SUMS", 10**6 if sums else 0)
    monkeypatch.setattr(transposed, "SHARD_POSITIONS", 1)
    monkeypatch.setattr(transposed, "SHARD_ROWS", 1)


def defined(layer: ConvTranspose, x: Real, weight: Real, bias: Real | None = None) -> Real:
    """Return what the definition gives."""
    names = ("stride", "pad", "output_pad", "dilation")
    given = {name: [int(size) for size in getattr(layer, name)] for name in names}
    lone = {name: value[0] if len(value) == 1 else tuple(value) for name, value in given.items()}
    return naive.conv_transpose(x, weight, bias, groups=int(layer.groups), **lone)


@each_case
@pytest.mark.usefixtures("cut", "way")
def test_both_passes_are_those_of_the_definition(layer: ConvTranspose, shape: tuple[int, ...]) -> None:
    x = normal(shape).astype(np.float64)
    bench = Bench(layer, (x,))
    arrays = {name: array.astype(np.float64) for name, array in bench.parameters.items()}
    weight, bias = arrays["weight"], arrays.get("bias")
    y = bench.forward()
    np.testing.assert_allclose(y, defined(layer, x, weight, bias), rtol=0, atol=1e-12)
    grad = normal(y.shape, 1)
    (found,), gradients = bench.backward(grad)
    assert found is not None
    # linear in the input and in the weights: gradients are what the transposed map does to any direction
    turns = normal(x.shape, 2).astype(np.float64), normal(weight.shape, 3).astype(np.float64)
    along_input = (grad * defined(layer, turns[0], weight)).sum()
    along_weight = (grad * defined(layer, x, turns[1])).sum()
    np.testing.assert_allclose((found * turns[0]).sum(), along_input, rtol=0, atol=1e-10)
    np.testing.assert_allclose((gradients["weight"] * turns[1]).sum(), along_weight, rtol=0, atol=1e-10)
    if bias is not None:
        others = tuple(axis for axis in range(grad.ndim) if axis != 1)
        np.testing.assert_allclose(gradients["bias"], grad.sum(axis=others), rtol=0, atol=1e-12)


@each_case
@pytest.mark.usefixtures("cut", "way")
def test_weights_get_the_same_gradient_whether_or_not_the_input_wants_one(
    layer: ConvTranspose, shape: tuple[int, ...]
) -> None:
    assert_same_weight_gradients_without_input_gradient(layer, shape)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("layer", "sizes"),
    [
        (ConvTranspose(filters=32, kernel=3, stride=2, pad=1, output_pad=1), (64, 8, 8)),
        (ConvTranspose(filters=64, kernel=4, stride=2, pad=1), (128, 5, 5)),
        (ConvTranspose(filters=64, kernel=3, pad=1), (64, 6, 6)),
        (ConvTranspose(filters=16, kernel=2, stride=2), (32, 20, 20)),
        (ConvTranspose(filters=64, kernel=4), (100, 1, 1)),
    ],
)
def test_what_is_planned_for_a_batch_is_enough_for_smaller_ones(
    layer: ConvTranspose, sizes: tuple[int, ...], training: bool
) -> None:
    layer = layer.bind({})
    counts, ways = [], set()
    for batch in range(1, 130):
        shapes = ((batch, *sizes),)
        output = layer.output_shape(shapes)
        counts.append((layer.workspace(shapes, output, training), layer.backward_workspace(shapes, output)))
        ways.add(layer.tiling(shapes, output).gathers)
    for column in zip(*counts, strict=True):
        assert list(column) == sorted(column)
    assert len(ways) == 2 or layer.kernel in ((2,), (4,)) or layer.stride == (1,)


@each_case
@pytest.mark.parametrize("sums", [True, False])
@pytest.mark.usefixtures("way", "thread_pool")
def test_any_number_of_threads_gives_the_same_bits(
    layer: ConvTranspose, shape: tuple[int, ...], sums: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_shards(monkeypatch, sums=sums)
    x = normal(shape, 0, np.float32)
    bound = layer.bind({})
    plan = bound.tiling((shape,), bound.output_shape((shape,)))
    assert (plan.phase_cuts[0].blocks.shards if plan.gathers else len(plan.filter_shards)) > 1
    assert plan.back.forward.shards > 1
    assert plan.shard_sums is sums
    results = []
    for threads in (1, THREADS):
        bench = Bench(layer, (x,))
        with threadpool_limits(limits=threads, user_api="blas"), for_step():
            y = bench.forward()
            (found,), parameters = bench.backward(normal(y.shape, 1, np.float32))
        assert found is not None
        results.append([y, found, *parameters.values()])
    for several in results[1:]:
        for expected, array in zip(results[0], several, strict=True):
            np.testing.assert_array_equal(array, expected)
