"""A small SegNet, encoder and decoder that share the positions of maxima, is what PyTorch makes of the same layers."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import planner
import runtime
from planner import layer

WIDTHS = (6, 8)
SHAPE = (3, 3, 13, 10)


def segnet(batch: int | str = "N") -> planner.Network:
    """Return two poolings and their two unpoolings with a convolution before each."""
    layers = [
        entry
        for number, width in enumerate(WIDTHS, start=1)
        for entry in (
            layer("conv", name=f"c{number}", filters=width, kernel=3, pad=1, act="relu"),
            layer("maxpool", name=f"p{number}", size=2),
        )
    ]
    layers += [
        entry
        for number in (2, 1)
        for entry in (
            layer("unpool", name=f"u{number}", pool=f"p{number}"),
            layer("conv", name=f"d{number}", filters=(4, WIDTHS[0])[number - 1], kernel=3, pad=1, act="relu"),
        )
    ]
    return planner.Network(name="segnet", input={"image": (batch, *SHAPE[1:])}, layers=layers)


def torch_reference(torch: Any, x: Any, arrays: dict[str, Any]) -> Any:
    """Return what torch's own layers make of an image and these weights."""
    functional = torch.nn.functional

    def conv(name: str, y: Any) -> Any:
        return functional.relu(functional.conv2d(y, arrays[f"{name}.weight"], arrays[f"{name}.bias"], padding=1))

    y, kept = x, []
    for number in (1, 2):
        y = conv(f"c{number}", y)
        shape = y.shape
        y, indices = functional.max_pool2d(y, 2, return_indices=True)
        kept.append((indices, shape))
    for number in (2, 1):
        indices, shape = kept.pop()
        y = conv(f"d{number}", functional.max_unpool2d(y, indices, 2, output_size=shape))
    return y


@pytest.mark.other_frameworks
def test_values_and_gradients_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch")
    model = runtime.Model(segnet().check().bind(dtype="float64", N=3), seed=1)
    rng = np.random.default_rng(0)
    x = rng.standard_normal(SHAPE)
    leaf = torch.tensor(x, requires_grad=True)
    arrays = {name: torch.tensor(array, requires_grad=True) for name, array in model.parameters.items()}
    judged = torch_reference(torch, leaf, arrays)
    projection = rng.standard_normal(tuple(judged.shape))
    judged.backward(torch.tensor(projection))
    told, grad_inputs, grad_parameters = model.gradients(x, projection)
    # float64 sums of a few hundred products, four deep
    np.testing.assert_allclose(told, judged.detach().numpy(), rtol=0, atol=1e-11)
    np.testing.assert_allclose(model(x), told, rtol=0, atol=1e-12)
    np.testing.assert_allclose(grad_inputs["image"], leaf.grad.numpy(), rtol=0, atol=1e-10)
    for name, array in arrays.items():
        np.testing.assert_allclose(grad_parameters[name], array.grad.numpy(), rtol=0, atol=1e-10)


def test_it_learns() -> None:
    model = runtime.Model(segnet().check().bind(N=8), seed=0)
    rng = np.random.default_rng(0)
    images = rng.standard_normal((32, *SHAPE[1:])).astype(np.float32)
    labels = (images.sum(axis=1) > 0).astype(int)
    history = model.fit(images, labels, epochs=6, lr=0.05, progress=False)
    losses = [row["loss"] for row in history.rows]
    assert losses[-1] < 0.7 * losses[0]


def test_a_step_allocates_nothing_that_grows_with_the_batch() -> None:
    model = runtime.Model(segnet().check().bind(N=64), seed=0)
    program = model.training_program(64)
    for array in (*program.inputs.values(), *program.grad_outputs.values()):
        array.fill(0.5)
    program.forward()
    program.backward()
    tracemalloc.start()
    try:
        program.forward()
        program.backward()
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
