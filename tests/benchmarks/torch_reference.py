"""A bound plan as a PyTorch module: the same layers, the same parameters, read off the plan and not written twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows
from torch import nn

from planner.layers import (
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Input,
    MaxPool,
    Relu,
    Relu6,
)
from planner.lowering.node import BoundNode
from planner.plan.plan import BoundPlan
from tests.benchmarks.windows import Window

Arrays = Mapping[str, np.ndarray[Any, Any]]


class TorchReference(nn.Module):  # type: ignore[misc]  # PyTorch is an optional judge, and has no types here
    """A plan's layers in PyTorch, in the plan's order.

    Parameters
    ----------
    bound : BoundPlan
    parameters : mapping of str to array, optional
        Values by ``node.name``, as a model of ours has them.
    """

    def __init__(self, bound: BoundPlan, parameters: Arrays | None = None) -> None:
        super().__init__()
        self.steps: list[tuple[str, Callable[..., torch.Tensor], tuple[str, ...]]] = []
        self.last = {name: node.name for node in bound.nodes for name in node.inputs}
        (self.source,) = bound.inputs.values()
        (self.result,) = bound.outputs.values()
        self.layers = nn.ModuleList()
        for node in bound.nodes:
            if not isinstance(node.layer, Input):
                made = _made(node)
                if isinstance(made, nn.Module):
                    self.layers.append(made)
                    _fill(made, node, parameters)
                self.steps.append((node.name, made, node.inputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the output for one input tensor."""
        values = {self.source: x}
        for name, function, inputs in self.steps:
            values[name] = function(*(values[each] for each in inputs))
            for each in set(inputs):
                if self.last[each] == name:
                    del values[each]  # as a module would, whose variables are overwritten
        return values[self.result]


def _made(node: BoundNode) -> Any:  # a module, or a function of tensors
    layer = node.layer
    if isinstance(layer, Conv):
        window = Window.of(layer)
        return nn.Conv2d(
            node.input_shapes[0][1], layer.filters, window.kernel, window.stride, window.pad, window.dilation,
            layer.groups, layer.bias,
        )  # fmt: skip
    if isinstance(layer, Dense):
        return nn.Linear(node.input_shapes[0][1], layer.units, layer.bias)
    if isinstance(layer, BatchNorm):
        return nn.BatchNorm2d(node.input_shapes[0][1], layer.eps, layer.momentum)
    if isinstance(layer, (MaxPool, AvgPool)):
        pool = nn.MaxPool2d if isinstance(layer, MaxPool) else nn.AvgPool2d
        window = Window.of(layer)
        return pool(window.kernel, window.stride, window.pad, ceil_mode=layer.rounding == "ceil")
    if isinstance(layer, Dropout):
        return nn.Dropout(layer.rate)
    if isinstance(layer, Relu):
        return nn.ReLU(inplace=True)
    if isinstance(layer, Relu6):
        return nn.ReLU6(inplace=True)
    functions: Mapping[type, Callable[..., torch.Tensor]] = {
        GlobalAvgPool: partial(F.adaptive_avg_pool2d, output_size=1),
        Flatten: partial(torch.flatten, start_dim=1),
        Add: torch.add,
        Concat: lambda *tensors: torch.cat(tensors, 1),
    }
    return functions[type(layer)]


def _fill(module: nn.Module, node: BoundNode, parameters: Arrays | None) -> None:
    if parameters is None:
        return
    with torch.no_grad():
        for name, value in module.named_parameters():
            value.copy_(torch.from_numpy(parameters[f"{node.name}.{name}"].copy()))
