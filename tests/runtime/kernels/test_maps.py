"""Kernels over maps and joins one by one: pooling, convolution, add and concat."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

import planner.layers.tiling.workspace as workspace
from planner.layers import Add, AvgPool, Concat, Conv, GlobalMaxPool, Layer, LpPool, MaxPool
from runtime.kernels import window
from runtime.kernels.base import kernel_for
from tests.harness.kernel_bench import Bench, assert_same_weight_gradients_without_input_gradient, normal
from tests.harness.kernel_cases import CONVOLUTIONS, POOLS, label
from tests.harness.steps import steps


def test_max_pool_gives_the_gradient_to_the_first_of_equal_maxima() -> None:
    x = np.array([[[[1.0, 2.0, 2.0], [2.0, 1.0, 0.0]]]])
    bench = Bench(MaxPool(size=2, stride=1), (x,))
    assert bench.forward().tolist() == [[[[2.0, 2.0]]]]
    (grad,), _ = bench.backward(np.array([[[[10.0, 1.0]]]]))
    assert grad is not None and grad.tolist() == [[[[0.0, 11.0, 0.0], [0.0, 0.0, 0.0]]]]


def test_global_max_pool_gives_the_gradient_to_the_first_of_equal_maxima() -> None:
    bench = Bench(GlobalMaxPool(), (np.array([[[[0.0, 3.0], [3.0, 3.0]]]]),))
    bench.forward()
    (grad,), _ = bench.backward(np.full((1, 1, 1, 1), 5.0))
    assert grad is not None and grad.tolist() == [[[[0.0, 5.0], [0.0, 0.0]]]]


@pytest.mark.parametrize("layer", [*POOLS[:7], *(c for c in CONVOLUTIONS if c.groups == 4)], ids=label)
def test_views_made_anew_in_each_pass_change_no_bit(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    x = normal((3, 4, 7, 6))
    monkeypatch.setattr(workspace, "BLOCK", 33)
    kept = Bench(layer, (x,))
    y = kept.forward()
    grad = normal(y.shape, 1)
    inputs, parameters = kept.backward(grad)
    monkeypatch.setattr(window, "KEPT", 0)
    anew = Bench(layer, (x,))
    for _ in range(2):
        np.testing.assert_array_equal(anew.forward(), y)
        found, weights = anew.backward(grad)
        np.testing.assert_array_equal(found[0], inputs[0])
        assert all(np.array_equal(weights[name], array) for name, array in parameters.items())


@pytest.mark.parametrize(
    "layer", [MaxPool(size=31, stride=1, pad=15), Conv(filters=64, kernel=7, pad=3, groups=64)], ids=label
)
def test_kernels_of_many_taps_and_tiles_take_little_memory_to_build(layer: Layer) -> None:
    bench = Bench(layer, (np.zeros((8, 64, 56, 56), np.float32),))
    tracemalloc.start()
    try:
        kernel_for(bench.layer)(bench.node, bench.arrays, True)
        assert tracemalloc.get_traced_memory()[1] < 2 * 2**20
    finally:
        tracemalloc.stop()


def test_padding_never_wins_a_max_pool() -> None:
    bench = Bench(MaxPool(size=2, pad=1), (np.full((1, 1, 2, 2), -9.0),), training=False)
    assert bench.forward().tolist() == [[[[-9.0, -9.0], [-9.0, -9.0]]]]


def test_average_pool_divides_by_what_it_counts() -> None:
    x = np.ones((1, 1, 3, 3))
    counted = Bench(AvgPool(size=2, stride=2, pad=1, rounding="floor"), (x,), training=False).forward()
    assert counted.tolist() == [[[[0.25, 0.5], [0.5, 1.0]]]]
    seen = Bench(AvgPool(size=2, stride=2, pad=1, count_include_pad=False), (x,), training=False).forward()
    assert seen.tolist() == [[[[1.0, 1.0], [1.0, 1.0]]]]
    overhanging = Bench(AvgPool(size=2, rounding="ceil"), (x,), training=False).forward()
    assert overhanging.tolist() == [[[[1.0, 1.0], [1.0, 1.0]]]]


def test_lecture_filter_on_the_binary_image() -> None:
    image = [[int(c) for c in row] for row in ("111001", "011100", "001111", "100100", "001111", "011000")]
    taps = np.array([[1.0, 0, 1], [0, 1, 0], [1, 0, 1]]).reshape(1, 1, 3, 3)
    layer = Conv(filters=1, kernel=3, bias=False)
    bench = Bench(layer, (np.array(image, float).reshape(1, 1, 6, 6),), parameters={"weight": taps})
    found = bench.forward()
    assert found[0, 0].tolist() == [[4, 3, 4, 3], [2, 4, 2, 3], [2, 2, 5, 4], [2, 3, 2, 2]]
    assert Bench(MaxPool(size=2), (found,)).forward()[0, 0].tolist() == [[4, 4], [3, 5]]


@pytest.mark.parametrize("layer", CONVOLUTIONS, ids=label)
def test_weights_get_the_same_gradient_whether_or_not_the_input_wants_one(layer: Conv) -> None:
    assert_same_weight_gradients_without_input_gradient(layer, (2, 4, 7, 6))


def test_add_of_one_tensor_twice_is_twice_the_tensor() -> None:
    x, other = normal((2, 3)), normal((2, 3), 1)
    bench = Bench(Add(), (x, other, x), shared=(0, 1, 0), training=False)
    np.testing.assert_allclose(bench.forward(), 2 * x + other)


def test_an_add_of_many_branches_is_built_with_work_proportional_to_them() -> None:
    def work(count: int) -> int:
        branches = tuple(normal((2, 3), seed) for seed in range(count))
        np.testing.assert_allclose(Bench(Add(), branches, training=False).forward(), np.sum(branches, axis=0))
        return steps(lambda: Bench(Add(), branches, training=False))

    assert work(400) < 2.2 * work(200)


def test_concat_copies_nothing_that_lies_inside_its_output_already() -> None:
    bench = Bench(Concat(), (normal((2, 3, 2, 2)), normal((2, 1, 2, 2), 1)))
    y, grad = bench.arrays.output, bench.grad_output
    inside = replace(bench.arrays, inputs=(y[:3], y[3:]), grad_inputs=(grad[:3], grad[3:]))
    placed = kernel_for(bench.layer)(bench.node, inside, True)
    y[...], grad[...] = 1.0, 2.0
    y.flags.writeable = grad.flags.writeable = False  # a copy onto itself would raise
    placed.forward()
    placed.backward()


def test_concat_stacks_channels_and_cuts_the_gradient() -> None:
    left, right = normal((2, 3, 2, 2)), normal((2, 1, 2, 2), 1)
    bench = Bench(Concat(), (left, right))
    np.testing.assert_array_equal(bench.forward(), np.concatenate([left, right], axis=1))
    grad = normal((2, 4, 2, 2), 2)
    inputs, _ = bench.backward(grad)
    np.testing.assert_array_equal(inputs[0], grad[:, :3])
    np.testing.assert_array_equal(inputs[1], grad[:, 3:])


def test_an_lp_pool_of_zeros_has_no_gradient() -> None:
    bench = Bench(LpPool(size=2, p=3), (np.array([[[[0.0, 0.0, 3.0, 0.0], [0.0, 0.0, 0.0, 4.0]]]]),))
    np.testing.assert_allclose(bench.forward(), [[[[0.0, (27 + 64) ** (1 / 3)]]]])
    (grad,), _ = bench.backward(np.ones((1, 1, 1, 2)))
    share = 91 ** (2 / 3)
    assert grad is not None
    np.testing.assert_allclose(grad, [[[[0, 0, 9 / share, 0], [0, 0, 0, 16 / share]]]])
