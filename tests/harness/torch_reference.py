"""A bound plan computed by PyTorch: each layer by the function that judges its kind, wired as the plan is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from planner.layers import BatchNorm, Unpool
from planner.lowering.node import BoundNode
from planner.plan.plan import BoundPlan
from planner.spec.write import settings as settings_of
from tests.harness.torch_judge import FUNCTIONS

Arrays = Mapping[str, np.ndarray[Any, Any]]


class TorchReference:
    """The network in PyTorch, with its own copies of the parameters and running statistics.

    Attributes
    ----------
    parameters, buffers : dict of str to torch.Tensor
        By ``node.name``; a step in training moves the running statistics.
    """

    def __init__(self, bound: BoundPlan, parameters: Arrays, buffers: Arrays) -> None:
        self.bound = bound
        self.parameters = {name: torch.tensor(array, requires_grad=True) for name, array in parameters.items()}
        self.buffers = {name: torch.tensor(array) for name, array in buffers.items()}

    def __call__(self, inputs: Mapping[str, torch.Tensor], training: bool) -> dict[str, torch.Tensor]:
        """Return the outputs by their public names."""
        values = dict(inputs)
        for node in self.bound.nodes:
            if node.name not in values:
                values[node.name] = self._value(node, [values[name] for name in node.inputs], training)
        return {public: values[name] for public, name in self.bound.outputs.items()}

    def _value(self, node: BoundNode, inputs: list[torch.Tensor], training: bool) -> torch.Tensor:
        arrays = {
            name.removeprefix(f"{node.name}."): array
            for name, array in [*self.parameters.items(), *self.buffers.items()]
            if name.rpartition(".")[0] == node.name
        }
        if isinstance(node.layer, BatchNorm):  # the judge of the kind alone leaves the running statistics as they are
            return F.batch_norm(
                inputs[0], arrays["running_mean"], arrays["running_var"], arrays.get("weight"), arrays.get("bias"),
                training, node.layer.momentum, node.layer.eps,
            )  # fmt: skip
        judge = FUNCTIONS[node.layer.kind]
        if isinstance(node.layer, Unpool):  # the judge finds the positions by itself, in the map that was pooled
            return judge([inputs[0], inputs[2]], {"pool": settings_of(node.layer.pool)}, arrays, training)
        return judge(inputs, settings_of(node.layer), arrays, training)
