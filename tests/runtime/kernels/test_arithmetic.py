"""Kernels of several tensors: pieces, ties, sums of what was repeated, and memory."""

from __future__ import annotations

import numpy as np
import pytest

import planner.layers.tiling.workspace as workspace
from planner.layers import Add, Concat, Layer, Maximum, Multiply, Subtract
from tests.harness.kernel_bench import Bench, FloatArray, normal
from tests.harness.kernel_cases import label

ARITHMETIC: tuple[Layer, ...] = (Add(), Subtract(), Multiply(), Maximum())


def inputs(batch: int = 3, dtype: type = np.float64) -> tuple[FloatArray, ...]:
    """Return a map, a gate, a mask and a row of rows."""
    shapes = ((batch, 4, 7, 6), (batch, 4, 1, 1), (batch, 1, 7, 6), (batch, 4, 7, 1))
    return tuple(normal(shape, seed, dtype) for seed, shape in enumerate(shapes))


@pytest.mark.parametrize("layer", ARITHMETIC, ids=label)
def test_cutting_the_work_into_pieces_changes_no_result(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Bench(layer, inputs())
    y, grads = whole.forward(), whole.backward(normal((3, 4, 7, 6), 9))[0]
    monkeypatch.setattr(workspace, "BLOCK", 33)
    cut = Bench(layer, inputs())
    np.testing.assert_array_equal(cut.forward(), y)
    for found, expected in zip(cut.backward(normal((3, 4, 7, 6), 9))[0], grads, strict=True):
        assert found is not None
        assert expected is not None
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("layer", [*ARITHMETIC, Concat(axis=3)], ids=label)
def test_a_step_allocates_nothing_that_grows_with_the_batch(layer: Layer) -> None:
    x = (normal((64, 4, 16, 16), 0, np.float32), normal((64, 4, 16, 1), 1, np.float32))
    assert Bench(layer, x).step_peak() < 200_000


@pytest.mark.parametrize("layer", [Add(), Multiply()], ids=label)
def test_gradients_of_a_gate_stay_accurate_in_float32(layer: Layer) -> None:
    x, gate = np.random.default_rng(0).random((1, 2, 500, 400), np.float32), np.ones((1, 2, 1, 1), np.float32)
    bench = Bench(layer, (x, gate))
    bench.forward()
    _, found = bench.backward(np.ones_like(x))[0]
    factor = x if isinstance(layer, Multiply) else np.ones_like(x)
    exact = factor.sum((2, 3), keepdims=True, dtype=np.float64)
    assert found is not None
    assert np.abs(found / exact - 1).max() < 1e-6


def test_equal_numbers_share_the_gradient_of_their_maximum() -> None:
    x = np.array([[1.0, 2.0, 3.0]])
    bench = Bench(Maximum(), (x, np.array([[1.0, 5.0, 3.0]]), np.array([[0.0, 5.0, 3.0]])))
    assert bench.forward().tolist() == [[1.0, 5.0, 3.0]]
    grads, _ = bench.backward(np.array([[6.0, 6.0, 6.0]]))
    assert [None if grad is None else grad.round(12).tolist() for grad in grads] == [
        [[3.0, 0.0, 2.0]],
        [[3.0, 3.0, 2.0]],
        [[0.0, 3.0, 2.0]],
    ]


def test_nobody_is_asked_for_a_gradient_that_nobody_wants() -> None:
    for layer in ARITHMETIC:
        bench = Bench(layer, inputs(), wanted=False)
        bench.forward()
        assert bench.backward(normal((3, 4, 7, 6)))[0] == (None,) * 4
