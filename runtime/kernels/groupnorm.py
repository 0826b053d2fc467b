"""Normalisation of each image separately, on tensors viewed as (groups, channels, positions, vectors)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from planner.layers.groupnorm import GroupedNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from planner.layers.tiling.shards import column_shares
from planner.layers.tiling.workspace import pieces, shard_blocks, softmax_columns
from runtime.kernels.base import Array, Kernel, flat, kernel, user_shape
from runtime.kernels.grouped import Grouped, GroupedShard
from runtime.thread_pool import run_parallel


@kernel(LayerNorm, GroupNorm)
class GroupedNormKernel(Kernel[GroupedNorm]):
    """Normalisation of each group, separately for each vector; shards split the groups, or the vectors of one group.

    Shards that split the vectors each sum the gradients of all weights over their vectors, and the sums are added up in
    order.
    """

    def prepare(self) -> None:
        x = self.arrays.inputs[0]
        plan = self.layer.pieces(user_shape(x))
        whole, rows = (plan.groups, plan.channels * plan.positions, plan.vectors), (plan.groups, plan.channels, 1)
        lines = plan.groups, 1, plan.vectors
        grads = self.arrays.grad_parameters if self.differentiates else {}

        def seen(array: Array | None, shape: tuple[int, int, int]) -> Array | None:
            return None if array is None else flat(array, *shape)

        arrays, saved = self.arrays.parameters, self.arrays.saved if self.training else {}
        every = Grouped(
            flat(x, *whole),
            flat(self.arrays.output, *whole),
            seen(arrays.get("weight"), rows),
            seen(arrays.get("bias"), rows),
            seen(saved.get("mean"), lines),
            seen(saved.get("inverse"), lines),
            seen(self.arrays.grad_output if self.differentiates else None, whole),
            seen(self.arrays.grad_inputs[0] if self.differentiates else None, whole),
            seen(grads.get("weight"), rows),
            seen(grads.get("bias"), rows),
            tuple(flat(self.arrays.buffers[name], plan.groups, 1, 1) for name in self.running),
        )
        workspace, shards = self.workspace(), plan.shards
        back = self.backward_workspace() if self.differentiates else None
        shared = len(shards) > 1 and shards[0][2].groups == plan.groups
        self.shards, self.sums = [], list[tuple[Array, Array]]()
        for groups, vectors, part in shards:
            arrays_of_shard = every.cut(groups, vectors)
            if shared and back is not None and every.grad_weight is not None and every.grad_bias is not None:
                weight, bias = back.take(*rows), back.take(*rows)
                arrays_of_shard = replace(arrays_of_shard, grad_weight=weight, grad_bias=bias)
                self.sums += [(every.grad_weight, weight), (every.grad_bias, bias)]
            self.shards.append(GroupedShard(self.layer, part, arrays_of_shard, workspace, back, self.training))
            workspace.take_lines(0)
            if back is not None:
                back.take_lines(0)

    @property
    def running(self) -> tuple[str, ...]:
        """Names of the buffers with running statistics."""
        return ()

    def forward(self) -> None:
        run_parallel([shard.forward for shard in self.shards])

    def backward(self) -> None:
        run_parallel([shard.backward for shard in self.shards])
        for index, (target, share) in enumerate(self.sums):
            if index < 2:
                np.copyto(target, share)
            else:
                np.add(target, share, out=target)


@kernel(InstanceNorm)
class InstanceNormKernel(GroupedNormKernel):
    """Normalisation with each channel of each image as a group; running statistics, if any, are used in inference."""

    @property
    def running(self) -> tuple[str, ...]:
        assert isinstance(self.layer, InstanceNorm)
        return ("running_mean", "running_var") if self.layer.running else ()


@kernel(LocalResponseNorm)
class LocalResponseNormKernel(Kernel[LocalResponseNorm]):
    """Division by a power of the mean square of neighbouring channels, some positions at a time.

    With d = k + alpha*m, the backward pass is ``g d^-beta - 2 alpha beta/size x sum(g x d^(-beta - 1))``, summed over
    the channels that have this one as a neighbour.
    """

    def prepare(self) -> None:
        x = self.arrays.inputs[0]
        channels, places = x.shape[0], x.size // x.shape[0]
        self.input, self.output = flat(x, channels, places), flat(self.arrays.output, channels, places)
        workspace, back = self.workspace(), self.backward_workspace()
        self.shards: list[list[tuple[slice, list[Array]]]] = []
        self.shards_back: list[list[tuple[slice, list[Array]]]] = []
        cuts = column_shares(channels, places)
        for first, last in cuts:
            step = softmax_columns(channels, last - first, shard_blocks(len(cuts)))
            temporaries = [workspace.take(channels * step) for _ in range(2)]
            temporaries_back = [back.take(channels * step) for _ in range(3 if self.differentiates else 0)]
            spans = [slice(first + start, first + stop) for start, stop in pieces(last - first, step)]
            self.shards.append([(span, temporaries) for span in spans])
            self.shards_back.append([(span, temporaries_back) for span in spans])
            workspace.take_lines(0)
            back.take_lines(0)
        size = int(self.layer.size)
        self.before, self.after = min(size // 2, channels - 1), min((size - 1) // 2, channels - 1)
        self.factor = self.layer.alpha / size
        grad_output, grad_input = self.arrays.grad_output, self.arrays.grad_inputs[0]
        self.grad = None if grad_output is None else flat(grad_output, channels, places)
        self.grad_input = None if grad_input is None else flat(grad_input, channels, places)

    def _cut(self, span: slice, temporaries: list[Array]) -> list[Array]:
        shape = (self.input.shape[0], span.stop - span.start)
        return [array[: shape[0] * shape[1]].reshape(shape) for array in temporaries]

    def _neighbours(self, values: Array, before: int, after: int, out: Array) -> None:
        np.copyto(out, values)
        for step in range(1, before + 1):
            np.add(out[step:], values[:-step], out=out[step:])
        for step in range(1, after + 1):
            np.add(out[:-step], values[step:], out=out[:-step])

    def _divisor(self, x: Array, square: Array, out: Array) -> None:
        np.multiply(x, x, out=square)
        self._neighbours(square, self.before, self.after, out)
        np.multiply(out, self.factor, out=out)
        np.add(out, self.layer.k, out=out)

    def forward(self) -> None:
        run_parallel([partial(self._forward, shard) for shard in self.shards])

    def _forward(self, shard: list[tuple[slice, list[Array]]]) -> None:
        for span, temporaries in shard:
            x, (square, divisor) = self.input[:, span], self._cut(span, temporaries)
            self._divisor(x, square, divisor)
            np.power(divisor, -self.layer.beta, out=divisor)
            np.multiply(x, divisor, out=self.output[:, span])

    def backward(self) -> None:
        if self.grad_input is not None and self.grad is not None:
            run_parallel([partial(self._backward, shard, self.grad, self.grad_input) for shard in self.shards_back])

    def _backward(self, shard: list[tuple[slice, list[Array]]], grads: Array, target: Array) -> None:
        for span, temporaries in shard:
            x, grad, (own, divisor, scaled) = self.input[:, span], grads[:, span], self._cut(span, temporaries)
            self._divisor(x, own, divisor)
            np.power(divisor, -self.layer.beta, out=scaled)
            np.multiply(grad, scaled, out=scaled)
            np.divide(scaled, divisor, out=own)
            np.multiply(own, x, out=own)
            self._neighbours(own, self.after, self.before, divisor)
            np.multiply(divisor, x, out=divisor)
            np.multiply(divisor, -2 * self.factor * self.layer.beta, out=divisor)
            np.add(scaled, divisor, out=target[:, span])
