"""Kernels that resize maps: pieces, memory and gradients, beside what the conformance suite proves."""

from __future__ import annotations

import numpy as np
import pytest

import planner.layers.tiling.im2col as blocks
from planner.layers import ConvTranspose, Crop, Layer, Pad, Reshape, Upsample
from runtime.kernels.base import kernel_for
from tests.harness.kernel_bench import Bench, assert_same_weight_gradients_without_input_gradient, normal

TRANSPOSED = [
    ConvTranspose(filters=3, kernel=2, stride=2),
    ConvTranspose(filters=3, kernel=3, stride=2, pad=1, output_pad=1),
    ConvTranspose(filters=4, kernel=(3, 2), stride=(1, 3), pad=(2, 0, 1, 1), groups=2, bias=False),
    ConvTranspose(filters=8, kernel=3, dilation=2, pad=1, groups=4),
    ConvTranspose(filters=2, kernel=1),
]
RESIZING: list[Layer] = [*TRANSPOSED, Upsample(scale=(3, 2)), Pad(pad=(0, 1, 2, 3)), Crop(size=(4, 5))]
each_transposed = pytest.mark.parametrize("layer", TRANSPOSED, ids=repr)


@each_transposed
def test_cutting_the_work_into_pieces_changes_no_result(layer: ConvTranspose, monkeypatch: pytest.MonkeyPatch) -> None:
    x = normal((3, 4, 7, 6))
    whole = Bench(layer, (x,))
    y = whole.forward()
    expected = whole.backward(normal(y.shape, 1))
    monkeypatch.setattr(blocks, "COLUMNS", 64)
    monkeypatch.setattr(blocks, "POSITIONS", 5)
    assert layer.tiling((x.shape,), y.shape).back.forward_blocks.count > 3
    pieces = Bench(layer, (x,))
    np.testing.assert_allclose(pieces.forward(), y, rtol=0, atol=1e-12)
    (found,), parameters = pieces.backward(normal(y.shape, 1))
    assert found is not None
    assert expected[0][0] is not None
    np.testing.assert_allclose(found, expected[0][0], rtol=0, atol=1e-12)
    for name, array in parameters.items():
        np.testing.assert_allclose(array, expected[1][name], rtol=0, atol=1e-11)


@each_transposed
def test_weights_get_the_same_gradient_whether_or_not_the_input_wants_one(layer: ConvTranspose) -> None:
    assert_same_weight_gradients_without_input_gradient(layer, (2, 4, 7, 6))


@each_transposed
@pytest.mark.parametrize("training", [True, False])
def test_planned_workspace_never_falls_when_the_batch_grows(layer: ConvTranspose, training: bool) -> None:
    layer = layer.bind({})
    for height, width in ((7, 6), (40, 300)):
        counts = []
        for batch in range(1, 70):
            shapes = ((batch, 4, height, width),)
            output = layer.output_shape(shapes)
            counts.append((layer.workspace(shapes, output, training), layer.backward_workspace(shapes, output)))
        for column in zip(*counts, strict=True):
            assert list(column) == sorted(column)
        assert all(isinstance(count, int) for pair in counts for count in pair)


@pytest.mark.parametrize("layer", RESIZING, ids=repr)
def test_a_step_allocates_nothing_that_grows_with_the_batch(layer: Layer) -> None:
    assert Bench(layer, (normal((64, 4, 16, 16), 0, np.float32),)).step_peak() < 200_000


def test_a_crop_gives_the_input_that_lent_its_shape_a_gradient_of_zero() -> None:
    x, like = normal((2, 3, 7, 6)), normal((2, 1, 4, 6), 1)
    bench = Bench(Crop(), (x, like))
    np.testing.assert_array_equal(bench.forward(), x[:, :, 1:5])
    (_, second), _ = bench.backward(np.ones((2, 3, 4, 6)))
    assert second is not None
    assert not second.any()


def test_flatten_and_reshape_share_the_kernel_that_does_nothing() -> None:
    assert kernel_for(Reshape(shape=(-1,))).__name__ == "ReshapeKernel"
    x = normal((2, 12))
    np.testing.assert_array_equal(Bench(Reshape(shape=(3, 2, 2)), (x,)).forward(), x.reshape(2, 3, 2, 2))
