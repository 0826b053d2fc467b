"""autograd's side of a race: a network of convolutions, max pooling and dense layers in the way of its own examples."""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.plan.plan import BoundPlan
from tests.benchmarks.graph import Arrays
from tests.benchmarks.sides import SETTINGS, Pass, Step, data
from tests.benchmarks.windows import Window


def infer(bound: BoundPlan, arrays: Arrays) -> Pass:
    """Return a pass, images in, logits out."""
    images, _ = data(bound)
    return lambda: outputs(bound, dict(arrays), images)


def step(bound: BoundPlan, arrays: Arrays) -> Step:
    """Return a training step: images in, loss, gradients, weights moved."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    images, labels = data(bound)
    chosen = np.eye(int(labels.max()) + 1, bound.output_shapes[next(iter(bound.outputs))][1], dtype=np.float32)[labels]

    def loss(values: dict[str, Any]) -> Any:
        logits = outputs(bound, values, images)
        top = anp.max(logits, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(logits - top), axis=1)) + top[:, 0] - anp.sum(logits * chosen, axis=1))

    graded = value_and_grad(loss)
    values = {name: array.copy() for name, array in arrays.items()}
    momentum = {name: np.zeros_like(array) for name, array in arrays.items()}

    def theirs() -> float:
        found, gradients = graded(values)
        for name, gradient in gradients.items():
            momentum[name] *= np.float32(SETTINGS.momentum)
            momentum[name] += gradient
            values[name] = values[name] - np.float32(SETTINGS.lr) * momentum[name]
        return float(found)

    return theirs


def outputs(bound: BoundPlan, values: dict[str, Any], x: Any) -> Any:
    """Return what a chain of layers makes of images (N, C, H, W)."""
    import autograd.numpy as anp
    from autograd.scipy.signal import convolve

    for node in bound.nodes[1:]:
        layer: Any = node.layer
        if node.kind == "conv":
            window = Window.of(layer)
            padded = anp.pad(x, ((0, 0), (0, 0), window.rows, window.columns), "constant")
            # It turns kernels round, as mathematicians do.
            kernel = anp.transpose(values[f"{node.name}.weight"], (1, 0, 2, 3))[:, :, ::-1, ::-1]
            x = convolve(padded, kernel, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode="valid")
            x = x + values[f"{node.name}.bias"][None, :, None, None]
        elif node.kind == "maxpool":
            (n, c, h, w), (kh, kw) = x.shape, Window.of(layer).kernel
            x = anp.max(anp.max(anp.reshape(x, (n, c, h // kh, kh, w // kw, kw)), axis=5), axis=3)
        elif node.kind == "dense":
            x = anp.dot(x, anp.transpose(values[f"{node.name}.weight"])) + values[f"{node.name}.bias"]
        elif node.kind == "relu":
            x = anp.maximum(x, 0)
        elif node.kind == "flatten":
            x = anp.reshape(x, (x.shape[0], -1))
        else:
            raise ValueError(f"no {node.kind} here")
    return x
