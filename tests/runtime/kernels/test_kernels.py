"""Kernels one by one, in exactly the memory the planner counts, which is NaN before every pass."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import pytest

import planner.layers.tiling.banded as bands
import planner.layers.tiling.conv as columns
import planner.layers.tiling.depthwise as depthwise
import planner.layers.tiling.im2col as blocks
import planner.layers.tiling.shards as shards
import planner.layers.tiling.workspace as workspace
import planner.lowering.segments as segments
import runtime.kernels.gemm as products
from planner.findings import SettingError
from planner.layers import (
    KINDS,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    GlobalSumPool,
    Layer,
    Relu,
    Softmax,
)
from planner.layers.base import Layer as BaseLayer
from runtime.kernels.base import kernel, kernel_for
from runtime.kernels.erf import erf
from tests.harness.kernel_bench import Bench, FloatArray, normal
from tests.harness.kernel_cases import (
    ACTIVATIONS,
    CHANNELWISE,
    CONVOLUTIONS,
    DEPTHWISE,
    DIFFERENTIABLE,
    MOVING,
    POOLS,
    RANDOM,
    label,
)


@pytest.fixture(params=["whole", "pieces", "shards", "shards of weights", "bands", "rows", "rows of weights"])
def cut(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run as shipped; in small pieces; and shared by shards, in each way of sharing the weights' gradient; in rows."""
    if request.param == "pieces":
        cut_small(monkeypatch)
    elif request.param in ("shards", "shards of weights"):
        many_shards(monkeypatch, sums=request.param == "shards")
    elif request.param == "bands":
        in_bands(monkeypatch)
    elif request.param in ("rows", "rows of weights"):
        many_shards(monkeypatch, sums=request.param == "rows")
        overlapping(monkeypatch)
    return str(request.param)


def cut_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pieces and blocks of columns so small that every loop over them turns several times."""
    monkeypatch.setattr(blocks, "COLUMNS", 64)
    monkeypatch.setattr(blocks, "POSITIONS", 5)
    monkeypatch.setattr(workspace, "BLOCK", 33)


def many_shards(monkeypatch: pytest.MonkeyPatch, *, sums: bool) -> None:
    """Make everything worth a shard, and products so small that they are cut; shards sum or share the weights."""
    cut_small(monkeypatch)
    monkeypatch.setattr(segments, "SHARD_ELEMENTS", 1)
    for module, name in ((workspace, "SUMMED_ELEMENTS"), (shards, "SUMMED_ELEMENTS"), (shards, "SUMMED_COLUMNS")):
        monkeypatch.setattr(module, name, 1)
    monkeypatch.setattr(depthwise, "SHARD_TAPS", 1)
    monkeypatch.setattr(columns, "SHARD_WORK", 1)
    monkeypatch.setattr(columns, "SHARD_POSITIONS", 1)
    monkeypatch.setattr(columns, "SHARD_ROWS", 1)
    monkeypatch.setattr(columns, "SHARD_SUMS", 10**6 if sums else 0)
    monkeypatch.setattr(products, "SMALL_PRODUCT", 500)
    monkeypatch.setattr(products, "SHARD_POSITIONS", 1)
    monkeypatch.setattr(products, "LINE", 1)


def in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make rows of depthwise convolutions products wherever they can be, a few channels and rows at a time."""
    monkeypatch.setattr(bands, "CALL_MACS", 0)
    monkeypatch.setattr(bands, "TAP_MACS", 10**6)
    monkeypatch.setattr(bands, "STRIP", 500)
    monkeypatch.setattr(bands, "ROWS", 2)
    monkeypatch.setattr(depthwise, "SHARD_BANDED", 10**3)


def overlapping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the rows of column blocks overlap wherever they can, three of them and part of their width at a time."""
    monkeypatch.setattr(blocks, "COLUMNS", 400)
    monkeypatch.setattr(blocks, "SHARED_ROWS", 3)
    monkeypatch.setattr(blocks, "SHARDS", 1)
    monkeypatch.setattr(blocks, "SHARED_COLUMNS", 1)
    monkeypatch.setattr(blocks, "REORDER_SHARE", 0)


def test_every_layer_kind_has_a_kernel() -> None:
    for layer in KINDS.values():
        assert kernel_for(object.__new__(layer))


def test_a_layer_without_a_kernel_is_named() -> None:
    class Unheard(BaseLayer):
        kind = "unheard"

    with pytest.raises(LookupError, match="'unheard'"):
        kernel_for(Unheard())


def test_a_layer_cannot_have_two_kernels() -> None:
    with pytest.raises(ValueError, match="Relu has two kernels"):
        kernel(Relu)(kernel_for(Relu()))


@pytest.mark.parametrize("layer", DIFFERENTIABLE, ids=label)
def test_gradients_are_the_differences_of_the_output(layer: Layer, cut: str) -> None:
    # values far enough apart that a step of 1e-6 changes no maximum and passes no kink
    x = np.random.default_rng(5).permutation(3 * 4 * 7 * 6).reshape(3, 4, 7, 6) / 40.0 - 6.2012
    bench = Bench(layer, (x,))
    y = bench.forward()
    weights = normal(y.shape, 1)
    (grad,), parameters = bench.backward(weights)
    assert grad is not None
    direction = normal(x.shape, 2)
    step = 1e-6

    def along(inputs: FloatArray, moved: dict[str, FloatArray]) -> float:
        return float((Bench(layer, (inputs,), parameters=moved).forward() * weights).sum())

    start = {name: array.copy() for name, array in bench.parameters.items()}
    difference = (along(x + step * direction, start) - along(x - step * direction, start)) / (2 * step)
    assert math.isclose(float((grad * direction).sum()), difference, rel_tol=1e-5, abs_tol=1e-5)
    for name, array in start.items():
        turn = normal(array.shape, 3)
        ends = [along(x, {**start, name: array + sign * step * turn}) for sign in (1, -1)]
        difference = (ends[0] - ends[1]) / (2 * step)
        assert math.isclose(float((parameters[name] * turn).sum()), difference, rel_tol=1e-5, abs_tol=1e-5)


Grads: TypeAlias = tuple[tuple[FloatArray | None, ...], Mapping[str, FloatArray]]


def assert_same(bench: Bench, y: FloatArray, grads: Grads) -> None:
    """Hold another way to compute a layer to its output and its gradients of inputs and parameters."""
    np.testing.assert_allclose(bench.forward(), y, rtol=0, atol=1e-12)
    (grad,), parameters = bench.backward(normal(y.shape, 1))
    (expected,), expected_parameters = grads
    assert grad is not None and expected is not None
    np.testing.assert_allclose(grad, expected, rtol=0, atol=1e-12)
    for name, array in parameters.items():
        np.testing.assert_allclose(array, expected_parameters[name], rtol=0, atol=1e-11)


@pytest.mark.parametrize("layer", DIFFERENTIABLE, ids=label)
def test_cutting_the_work_into_pieces_changes_no_result(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    x = normal((3, 4, 7, 6))
    whole = Bench(layer, (x,))
    y = whole.forward()
    grads = whole.backward(normal(y.shape, 1))
    cut_small(monkeypatch)
    assert_same(Bench(layer, (x,)), y, grads)


@pytest.mark.parametrize("layer", [layer for layer in CONVOLUTIONS if layer not in DEPTHWISE], ids=label)
@pytest.mark.parametrize("shards", [1, 4])
def test_rows_that_overlap_change_no_result(layer: Conv, shards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = normal((3, 4, 7, 6))
    apart = Bench(layer, (x,))
    y = apart.forward()
    grads = apart.backward(normal(y.shape, 1))
    monkeypatch.setattr(columns, "SHARD_WORK", 1 if shards > 1 else 10**9)
    overlapping(monkeypatch)
    plan = layer.bind({}).tiling((x.shape,), y.shape)
    one_row = layer.kernel[-2:][0] == 1 or y.shape[2] == 1
    apart_anyway = one_row or plan.row_dilation > 1 or plan.stride[1] >= plan.kernel[1]
    assert plan.forward_blocks.shared != apart_anyway
    assert_same(Bench(layer, (x,)), y, grads)


@pytest.mark.parametrize("layer", DEPTHWISE, ids=label)
def test_rows_as_products_change_no_result(layer: Conv, monkeypatch: pytest.MonkeyPatch) -> None:
    x = normal((3, 4, 7, 6))
    tapwise = Bench(layer, (x,))
    y = tapwise.forward()
    grads = tapwise.backward(normal(y.shape, 1))
    in_bands(monkeypatch)
    plan = layer.bind({}).tiling((x.shape,), y.shape)
    assert plan.depthwise is not None and plan.depthwise.bands is not None
    assert_same(Bench(layer, (x,)), y, grads)


@pytest.mark.parametrize("layer", [*DIFFERENTIABLE, *RANDOM, Dense(units=3)], ids=label)
@pytest.mark.parametrize("training", [True, False])
def test_planned_workspace_never_falls_when_the_batch_grows(layer: Layer, training: bool) -> None:
    layer = layer.bind({})
    for height, width in ((7, 6), (40, 300)):
        map_sizes = (64,) if isinstance(layer, Dense) else (4, height, width)
        if isinstance(layer, Conv) and layer.kernel == (7, 6):
            map_sizes = (4, 7, 6)
        counts = []
        for batch in range(1, 70):
            shapes = ((batch, *map_sizes),)
            output = layer.output_shape(shapes)
            saved = sum(math.prod(shape) for shape in layer.saved(shapes, output).values())
            counts.append((layer.workspace(shapes, output, training), layer.backward_workspace(shapes, output), saved))
        for column in zip(*counts, strict=True):
            assert list(column) == sorted(column)
        assert all(isinstance(count, int) for pair in counts for count in pair)


@pytest.mark.parametrize("layer", [item for item in (*ACTIVATIONS, BatchNorm()) if item.in_place], ids=label)
def test_working_in_place_gives_the_same_numbers(layer: Layer) -> None:
    x = normal((3, 4, 5, 2))
    apart = Bench(layer, (x,))
    y = apart.forward()
    grad = normal(y.shape, 1)
    (expected,), _ = apart.backward(grad)
    if "input" not in layer.keeps:
        within = Bench(layer, (x,), in_place=True)
        np.testing.assert_array_equal(within.forward(), y)
        np.testing.assert_array_equal(within.backward(grad)[0][0], expected)
    over = Bench(layer, (x,), overwrite_gradient=True)
    over.forward()
    np.testing.assert_array_equal(over.backward(grad)[0][0], expected)
    resting = Bench(layer, (x,), training=False)
    np.testing.assert_array_equal(Bench(layer, (x,), training=False, in_place=True).forward(), resting.forward())


@pytest.mark.parametrize("layer", [*DIFFERENTIABLE, *RANDOM], ids=label)
def test_float32_stays_float32_and_close_to_float64(layer: Layer) -> None:
    x = normal((3, 4, 7, 6))
    fine, coarse = Bench(layer, (x,)), Bench(layer, (x.astype(np.float32),))
    for name, array in coarse.parameters.items():
        fine.parameters[name][...] = array
    expected, found = fine.forward(), coarse.forward()
    assert found.dtype == np.float32
    grads = coarse.backward(normal(expected.shape, 1, np.float32))
    assert all(grad is not None and np.isfinite(grad).all() for grad in grads[0])
    if not layer.random:  # random numbers differ by type
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    "layer",
    [
        *CONVOLUTIONS[:6],
        *POOLS,
        *ACTIVATIONS,
        *CHANNELWISE,
        *MOVING,
        BatchNorm(),
        *RANDOM,
    ],
    ids=label,
)
def test_a_step_allocates_nothing_that_grows_with_the_batch(layer: Layer) -> None:
    assert Bench(layer, (normal((64, 4, 16, 16), 0, np.float32),)).step_peak() < 200_000


def test_batch_norm_moves_its_statistics_only_while_training() -> None:
    x = normal((6, 2, 3, 3)) * 3 + 5
    bench = Bench(BatchNorm(), (x,))
    bench.forward()
    columns = x.transpose(1, 0, 2, 3).reshape(2, -1)
    np.testing.assert_allclose(bench.buffers["running_mean"], 0.1 * columns.mean(axis=1))
    np.testing.assert_allclose(bench.buffers["running_var"], 0.9 + 0.1 * columns.var(axis=1, ddof=1))
    resting = Bench(BatchNorm(), (x,), training=False)
    resting.forward()
    assert resting.buffers["running_mean"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (1, 3)])
def test_batch_norm_of_one_number_a_channel_measures_nothing_and_moves_nothing(shape: tuple[int, ...]) -> None:
    bench = Bench(BatchNorm(), (normal(shape) + 7,))
    bench.forward()
    assert bench.buffers["running_mean"].tolist() == [0.0] * 3
    assert bench.buffers["running_var"].tolist() == [1.0] * 3


@pytest.mark.parametrize("eps", [0, 0.0, -1e-5, 1e-40])
def test_batch_norm_refuses_an_eps_that_leaves_nothing_to_divide_by(eps: float) -> None:
    with pytest.raises(SettingError, match="`eps` must be a number from 1e-30 to 1"):
        BatchNorm(eps=eps)


def test_batch_norm_of_a_constant_channel_is_finite_at_the_smallest_eps() -> None:
    x = np.full((4, 2, 3, 3), 5.0, np.float32)
    bench = Bench(BatchNorm(eps=1e-30), (x,))
    assert np.isfinite(bench.forward()).all()
    (grad,), _ = bench.backward(np.zeros_like(x))
    assert grad is not None and np.isfinite(grad).all()


def test_batch_norm_in_float32_survives_a_mean_far_from_zero() -> None:
    x = (normal((64, 1, 32, 32)) + 1000).astype(np.float32)
    bench = Bench(BatchNorm(affine=False), (x,))
    found = bench.forward()
    exact = (x.astype(np.float64) - x.mean(dtype=np.float64)) / np.sqrt(x.var(dtype=np.float64) + 1e-5)
    assert np.abs(found - exact).max() < 2e-3


def test_sums_over_large_maps_stay_accurate_in_float32() -> None:
    x = np.random.default_rng(0).random((1, 2, 700, 700), dtype=np.float32)
    exact = x.sum(axis=(2, 3), keepdims=True, dtype=np.float64)
    found = Bench(GlobalSumPool(), (x,), training=False).forward()
    assert np.abs(found / exact - 1).max() < 1e-6


def test_dropout_keeps_the_expected_share_and_its_gradient_has_the_same_mask() -> None:
    x = np.ones((50, 400))
    bench = Bench(Dropout(rate=0.25), (x,))
    y = bench.forward()
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert abs((y > 0).mean() - 0.75) < 0.02
    np.testing.assert_array_equal(bench.backward(x)[0][0], y)
    assert not np.array_equal(bench.forward(), y)
    np.testing.assert_array_equal(Bench(Dropout(rate=0.25), (x,), training=False).forward(), x)


@pytest.mark.parametrize("layer", [item for item in ACTIVATIONS if item.kind not in ("relu", "relu6")], ids=label)
@pytest.mark.filterwarnings("error")
def test_activations_stay_finite_and_silent_at_huge_inputs(layer: Layer) -> None:
    x = np.array([[-1e4, -100.0, 0.0, 100.0, 1e4]], np.float32)
    bench = Bench(layer, (x,))
    assert np.isfinite(bench.forward()).all()
    assert np.isfinite(bench.backward(np.ones_like(x))[0][0]).all()  # type: ignore[arg-type]  # asked for above


@pytest.mark.parametrize(
    "layer", [item for item in ACTIVATIONS if item.kind in ("gelu", "silu", "hard_swish", "mish")], ids=label
)
@pytest.mark.filterwarnings("error")
def test_activations_near_the_largest_float_have_slopes_of_zero_and_one(layer: Layer) -> None:
    x = np.array([[-3e38, -1e20, 1e20, 3e38]], np.float32)
    bench = Bench(layer, (x,))
    np.testing.assert_allclose(bench.forward(), np.maximum(x, 0))
    (grad,), _ = bench.backward(np.ones_like(x))
    assert grad is not None
    np.testing.assert_allclose(grad, np.array([[0.0, 0.0, 1.0, 1.0]]))


def test_softmax_sums_to_one_over_many_channels() -> None:
    x = (normal((2, 3000, 1, 3)) * 5).astype(np.float32)
    assert np.abs(Bench(Softmax(), (x,)).forward().sum(axis=1, dtype=np.float64) - 1).max() < 1e-6


@pytest.mark.parametrize(("dtype", "bound"), [("float32", 2.5e-7), ("float64", 1e-15)])
def test_erf_is_the_standard_librarys_to_a_few_units_in_the_last_place(dtype: str, bound: float) -> None:
    # one unit in the last place is at most 1.2e-7 and 2.3e-16 of a number
    x: FloatArray = np.concatenate([np.linspace(-7, 7, 20001), np.geomspace(1e-12, 1, 2000)]).astype(np.dtype(dtype))
    out = np.empty_like(x)
    erf(x, out, np.empty_like(x), np.empty_like(x))
    exact = np.array([math.erf(value) for value in x.tolist()])
    error = np.abs(out.astype(np.float64) - exact)
    assert (error[exact != 0] / np.abs(exact[exact != 0])).max() < bound
    assert error.max() < bound
