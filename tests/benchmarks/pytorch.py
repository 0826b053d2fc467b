"""PyTorch's side of a race: the same network, read off the plan, with the same weights."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from planner.plan.plan import BoundPlan
from tests.benchmarks.sides import SETTINGS, Pass, Step, data
from tests.benchmarks.twin import Arrays, Twin


def step(bound: BoundPlan, arrays: Arrays | None = None) -> Step:
    """Return a training step: images in, loss, gradients, weights moved."""
    twin, (images, labels) = Twin(bound, arrays).train(), data(bound)
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    sgd = torch.optim.SGD(twin.parameters(), lr=SETTINGS.lr, momentum=SETTINGS.momentum)

    def theirs() -> float:
        sgd.zero_grad()
        loss = F.cross_entropy(twin(x), y)
        loss.backward()
        sgd.step()
        return float(loss.detach())

    return theirs


def infer(bound: BoundPlan, arrays: Arrays | None = None) -> Pass:
    """Return a pass, images in, logits out."""
    twin, x = Twin(bound, arrays).eval(), torch.from_numpy(data(bound)[0])

    def theirs() -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(twin(x))

    return theirs
