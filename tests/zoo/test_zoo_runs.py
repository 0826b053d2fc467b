"""Every network of the zoo, made small, runs and learns: in the planned arena bit for bit as outside it."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.model import Model
from tests.harness import small_zoo
from tests.harness.arenas import apart, run

ALL = pytest.mark.parametrize("name", small_zoo.DISTINCT)


@ALL
def test_inference_in_the_arena_is_bit_for_bit_inference_outside_it(name: str) -> None:
    bound = small_zoo.bound(name)
    arena = bound.memory.inference
    inside = run(bound, arena, small_zoo.BATCH, rubbish=0xFF)
    outside = run(bound, apart(arena), small_zoo.BATCH, rubbish=0x11)
    assert all(np.array_equal(a, b) for a, b in zip(inside, outside, strict=True))
    assert all(np.isfinite(array).all() for array in inside)


@ALL
def test_one_training_step_lowers_the_loss(name: str) -> None:
    bound = small_zoo.bound(name)
    model = Model(bound, seed=2)
    rng = np.random.default_rng(3)
    (image,), (output,) = bound.input_shapes.values(), bound.output_shapes.values()
    images = rng.standard_normal(image)
    loss = "cross_entropy" if output[1] > 1 else "mse"
    labels = rng.integers(output[1], size=(output[0], *output[2:]))
    targets = labels if loss == "cross_entropy" else rng.standard_normal(output)
    history = model.fit(
        images, targets, epochs=2, batch=small_zoo.BATCH, loss=loss, optimizer="sgd", lr=1e-4, progress=False
    )
    first, second = history["loss"]  # of the first step before it is taken, of the second behind it
    assert second < first
