"""What is timed: one training step or one pass, ours and PyTorch's, on the same network and the same numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

import runtime
from planner.bound import BoundPlan
from planner.optimizers import Sgd
from runtime import losses, optim
from tests.benchmarks.twin import Twin

Work = Callable[[], object]
Step = Callable[[], float]
"""Returns the loss."""

SETTINGS = Sgd(lr=0.01, momentum=0.9)


def data(bound: BoundPlan) -> tuple[np.ndarray, np.ndarray]:
    """Return seeded images and labels of one batch."""
    rng = np.random.default_rng(0)
    (entry,), (result,) = bound.inputs.values(), bound.outputs.values()
    shape, (_, classes) = bound.by_name[entry].output_shape, bound.by_name[result].output_shape
    return rng.standard_normal(shape, dtype=np.float32), rng.integers(0, classes, shape[0])


def training(bound: BoundPlan) -> tuple[Step, Step]:
    """Return a training step of both sides: images in, loss, gradients, weights moved."""
    images, labels = data(bound)
    model = runtime.Model(bound, seed=0)
    twin = Twin(bound, model.parameters).train()

    program = model.training_program(bound.batch)
    (entry,), (output,) = program.inputs.values(), program.outputs.values()
    (grad,) = program.grad_outputs.values()
    judge = losses.bind("cross_entropy", labels, output, grad, program.loss_workspace)
    mover = optim.optimizer(SETTINGS, model.flat_parameters, model.flat_gradients)
    first = np.moveaxis(images, 0, -1)

    def ours() -> float:
        np.copyto(entry, first)
        program.forward()
        np.copyto(judge.targets, labels)  # which lie in scratch memory of the forward pass
        loss = judge.step().loss
        program.backward()
        mover.step()
        return loss

    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    sgd = torch.optim.SGD(twin.parameters(), lr=SETTINGS.lr, momentum=SETTINGS.momentum)

    def theirs() -> float:
        sgd.zero_grad()
        loss = F.cross_entropy(twin(x), y)
        loss.backward()
        sgd.step()
        return float(loss.detach())

    return ours, theirs


def inference(bound: BoundPlan) -> tuple[Work, Work]:
    """Return a pass of both sides, images in, logits out."""
    images, _ = data(bound)
    model = runtime.Model(bound, seed=0)
    twin = Twin(bound, model.parameters).eval()
    x = torch.from_numpy(images)

    def ours() -> object:
        return model(images)

    def theirs() -> object:
        with torch.inference_mode():
            return twin(x)

    return ours, theirs
