"""Our side of a race: one training step or one pass of a network, and the seeded numbers that both sides get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import runtime
from planner.plan.plan import BoundPlan
from planner.training.optimizers import Sgd
from runtime.training import losses, optim

Array = np.ndarray[Any, Any]
Pass = Callable[[], Any]
"""Returns the outputs, (N, classes)."""
Step = Callable[[], float]
"""Returns the loss."""

SETTINGS = Sgd(lr=0.01, momentum=0.9)


def data(bound: BoundPlan) -> tuple[Array, Array]:
    """Return seeded images and labels of one batch."""
    rng = np.random.default_rng(0)
    (shape,), ((_, classes),) = bound.input_shapes.values(), bound.output_shapes.values()
    return rng.standard_normal(shape, dtype=np.float32), rng.integers(0, classes, shape[0])


def step(bound: BoundPlan, model: runtime.Model) -> Step:
    """Return a training step: images in, loss, gradients, weights moved."""
    images, labels = data(bound)
    program = model.training_program(bound.batch)
    (entry,), (output,) = program.inputs.values(), program.outputs.values()
    (grad,) = program.grad_outputs.values()
    judge = losses.bind("cross_entropy", labels, output, grad, program.loss_workspace)
    mover = optim.optimizer(SETTINGS, model.flat_parameters, model.flat_gradients)
    first = np.moveaxis(images, 0, -1)

    def ours() -> float:
        np.copyto(entry, first)
        program.forward()
        np.copyto(judge.targets, labels)  # which lie in workspace of the forward pass
        loss = judge.step().loss
        program.backward()
        mover.step()
        return loss

    return ours


def infer(bound: BoundPlan, model: runtime.Model) -> Pass:
    """Return a pass, images in, logits out."""
    images, _ = data(bound)
    return lambda: model(images)


def fused(bound: BoundPlan, model: runtime.Model) -> Pass | None:
    """Return a pass of the fused model, or None where there is no batch norm to fuse."""
    made = model.fused()
    return None if made.bound.buffer_count == bound.buffer_count else infer(made.bound, made)
