"""PyTorch's side of a race: the same network, read off the plan, with the same weights."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from planner.plan.plan import BoundPlan
from tests.benchmarks.sides import SETTINGS, Pass, Step, data
from tests.benchmarks.torch_reference import Arrays, TorchReference


def step(bound: BoundPlan, arrays: Arrays | None = None) -> Step:
    """Return a training step: images in, loss, gradients, weights moved."""
    reference, (images, labels) = TorchReference(bound, arrays).train(), data(bound)
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    sgd = torch.optim.SGD(reference.parameters(), lr=SETTINGS.lr, momentum=SETTINGS.momentum)

    def theirs() -> float:
        sgd.zero_grad()
        loss = F.cross_entropy(reference(x), y)
        loss.backward()
        sgd.step()
        return float(loss.detach())

    return theirs


def infer(bound: BoundPlan, arrays: Arrays | None = None) -> Pass:
    """Return a pass, images in, logits out."""
    reference, x = TorchReference(bound, arrays).eval(), torch.from_numpy(data(bound)[0])

    def theirs() -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(reference(x))

    return theirs
