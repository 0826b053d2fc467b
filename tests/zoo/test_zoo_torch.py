"""Every network of the zoo, made small, gives PyTorch's values, gradients and running statistics.

In float64, so that what is left is the order of summation: relative to the largest number of an array, 1e-9 is a
million roundings, and a wrong factor, wiring or epsilon is far above it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from planner.plan.plan import BoundPlan
from runtime.model import Model
from tests.harness import small_zoo

torch = pytest.importorskip("torch")

from tests.harness.torch_reference import TorchReference  # noqa: E402  # only where torch is installed

pytestmark = pytest.mark.other_frameworks

CLOSE = 1e-9


def gap(ours: np.ndarray[Any, Any], theirs: Any) -> float:
    """Return the largest difference, relative to the largest number."""
    judged = theirs.detach().numpy()
    assert ours.shape == judged.shape
    return float(np.abs(ours - judged).max() / max(np.abs(judged).max(), 1e-12))


VARIANTS = {"googlenet": "aux", "resnet20": "projection", "unet": "padded"}
"""Networks with another form, and the setting that asks for it."""


@pytest.mark.parametrize("name", small_zoo.DISTINCT)
def test_values_gradients_and_running_statistics_are_those_of_torch(name: str) -> None:
    judge(small_zoo.bound(name))


@pytest.mark.parametrize("name", VARIANTS)
def test_so_are_those_of_variants(name: str) -> None:
    judge(small_zoo.bound(name, **{VARIANTS[name]: True}))


def judge(bound: BoundPlan) -> None:
    torch.set_num_threads(1)  # small arrays, and other tests beside this one
    model = Model(bound, seed=1)
    rng = np.random.default_rng(4)
    for array in model.parameters.values():  # scales and shifts that are not 1 and 0
        array += 0.1 * rng.standard_normal(array.shape)
    reference = TorchReference(bound, model.parameters, model.buffers)
    images = {key: rng.standard_normal(shape) for key, shape in bound.input_shapes.items()}
    leaves = {key: torch.tensor(array, requires_grad=True) for key, array in images.items()}
    grads = {key: rng.standard_normal(shape) for key, shape in bound.output_shapes.items()}

    outputs, grad_inputs, grad_parameters = model.gradients(images, grads)
    judged = reference(leaves, training=True)
    sum((judged[key] * torch.tensor(grad)).sum() for key, grad in grads.items()).backward()

    found = outputs if isinstance(outputs, dict) else dict.fromkeys(judged, outputs)
    assert max(gap(found[key], value) for key, value in judged.items()) < CLOSE
    assert max(gap(array, leaves[key].grad) for key, array in grad_inputs.items()) < CLOSE
    scale = max(np.abs(array).max() for array in grad_parameters.values())
    for key, array in grad_parameters.items():
        assert np.abs(array - reference.parameters[key].grad.numpy()).max() <= CLOSE * scale, key
    for key, array in model.buffers.items():
        assert gap(array, reference.buffers[key]) < CLOSE, key

    with torch.no_grad():
        alone = reference(leaves, training=False)
    outputs = model(images)
    found = outputs if isinstance(outputs, dict) else dict.fromkeys(alone, outputs)
    assert max(gap(found[key], value) for key, value in alone.items()) < CLOSE
