"""numpy-ml's side of a race: a chain of its layers with our weights, images last in channels as it has them."""

from __future__ import annotations

import collections
import collections.abc
import warnings
from typing import Any

import numpy as np

from planner.plan.plan import BoundPlan
from tests.benchmarks.graph import Arrays
from tests.benchmarks.sides import SETTINGS, Pass, Step, data
from tests.benchmarks.windows import Window


def infer(bound: BoundPlan, arrays: Arrays) -> Pass:
    """Return a pass, images in, logits out."""
    layers, images = chain(bound, arrays), np.ascontiguousarray(data(bound)[0].transpose(0, 2, 3, 1))

    def theirs() -> Any:
        x = images
        for layer in layers:
            x = layer.forward(x, retain_derived=False)
        return x

    return theirs


def step(bound: BoundPlan, arrays: Arrays) -> Step:
    """Return a training step: images in, loss, gradients, weights moved."""
    layers, (images, labels) = chain(bound, arrays), data(bound)
    first, rows = np.ascontiguousarray(images.transpose(0, 2, 3, 1)), np.arange(len(labels))

    def theirs() -> float:
        x: Any = first
        for layer in layers:
            x = layer.forward(x)
        powers = np.exp(x - x.max(axis=1, keepdims=True))
        gradient = powers / powers.sum(axis=1, keepdims=True)
        loss = -float(np.log(gradient[rows, labels]).mean())
        gradient[rows, labels] -= 1
        gradient /= len(rows)
        for layer in reversed(layers):
            gradient = layer.backward(gradient)
        for layer in layers:
            layer.update()
        return loss

    return theirs


def chain(bound: BoundPlan, arrays: Arrays) -> list[Any]:
    """Return its layers, one for each of ours; a relu belongs to the layer before it."""
    # Its last release, of 2019, asks `collections` for what moved to `collections.abc` in 2012 and left in 2021.
    vars(collections).setdefault("Hashable", collections.abc.Hashable)
    with warnings.catch_warnings(action="ignore"):  # of libraries for other parts of it
        from numpy_ml.neural_nets import layers as theirs
        from numpy_ml.neural_nets.optimizers import SGD

    made: list[Any] = []
    followed = {node.inputs[0] for node in bound.nodes if node.kind == "relu"}
    maps: tuple[int, ...] = ()
    for node in bound.nodes[1:]:
        layer: Any = node.layer
        options: dict[str, Any] = {"optimizer": SGD(lr=SETTINGS.lr, momentum=SETTINGS.momentum)}
        act = "ReLU" if node.name in followed else None
        if node.kind == "conv":
            window = Window.of(layer)
            pad = (*window.rows, *window.columns)
            new = theirs.Conv2D(layer.filters, window.kernel, pad, window.stride[0], act_fn=act, **options)
            new.in_ch = node.input_shapes[0][1]
            new._init_params()
            weight, bias = arrays[f"{node.name}.weight"], arrays[f"{node.name}.bias"]
            new.parameters.update(W=weight.transpose(2, 3, 1, 0).copy(), b=bias.reshape(1, 1, 1, -1).copy())
        elif node.kind == "dense":
            new = theirs.FullyConnected(layer.units, act_fn=act, **options)
            new.n_in = node.input_shapes[0][1]
            new._init_params()
            weight, bias = arrays[f"{node.name}.weight"], arrays[f"{node.name}.bias"]
            if maps:  # rows, columns, channels where ours are channels, rows, columns
                weight, maps = weight.reshape(-1, *maps).transpose(0, 2, 3, 1).reshape(len(weight), -1), ()
            new.parameters.update(W=weight.T.copy(), b=bias.reshape(1, -1).copy())
        elif node.kind == "maxpool":
            window = Window.of(layer)
            new = theirs.Pool2D(window.kernel, window.stride[0], 0, "max", **options)
        elif node.kind == "flatten":
            new, maps = theirs.Flatten("first", **options), node.input_shapes[0][1:]
        elif node.kind == "relu":
            continue
        else:
            raise ValueError(f"no {node.kind} here")
        made.append(new)
    return made
