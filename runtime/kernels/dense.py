"""Fully connected layers on (features, N)."""

from __future__ import annotations

from functools import partial

import numpy as np

from planner.layers.dense import Dense
from planner.layers.tiling.shards import SHARD_WORK, shards_for, shares
from runtime.kernels.base import Array, Kernel, kernel
from runtime.thread_pool import Task, one_by_one, run_parallel


@kernel(Dense)
class DenseKernel(Kernel[Dense]):
    """``weight @ x + bias``: with the batch last, no operand is transposed in memory; shards split the rows."""

    def prepare(self) -> None:
        (x,), y, weight = self.arrays.inputs, self.arrays.output, self.arrays.parameters["weight"]
        units, features = weight.shape
        bias = self.arrays.parameters.get("bias")
        shards = shards_for(weight.size * x.shape[1], SHARD_WORK)
        self.forward_shards: list[Task] = [
            partial(_forward, weight[rows], x, None if bias is None else bias[rows, None], y[rows])
            for rows in (slice(*span) for span in shares(units, shards))
        ]
        self.backward_shards: list[Task] = []
        if not self.differentiates:
            return
        grad, grads, grad_input = self.grad_output, self.arrays.grad_parameters, self.arrays.grad_inputs[0]
        tasks: list[Task] = []
        for rows in (slice(*span) for span in shares(units, shards)):
            target = None if bias is None else grads["bias"][rows]
            tasks.append(partial(_grad_weight, grad[rows], x.T, grads["weight"][rows], target))
        if grad_input is not None:
            for columns in (slice(*span) for span in shares(features, shards)):
                tasks.append(partial(np.matmul, weight.T[columns], grad, out=grad_input[columns]))
        self.backward_shards = [partial(one_by_one, tasks)] if shards == 1 else tasks

    def forward(self) -> None:
        run_parallel(self.forward_shards)

    def backward(self) -> None:
        run_parallel(self.backward_shards)


def _forward(weight: Array, x: Array, bias: Array | None, output: Array) -> None:
    np.matmul(weight, x, out=output)
    if bias is not None:
        np.add(output, bias, out=output)


def _grad_weight(grad: Array, transposed: Array, target: Array, bias: Array | None) -> None:
    """Write the gradients of some rows of the weights and of their biases."""
    if grad.shape[1] == 1:
        # The same result as matmul, which takes ten times as long for a single column.
        np.multiply(grad, transposed, out=target)
    else:
        np.matmul(grad, transposed, out=target)
    if bias is not None:
        np.add.reduce(grad, axis=1, out=bias)
