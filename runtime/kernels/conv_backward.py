"""The backward pass of a convolution. Which way it goes is the plan's choice (:mod:`planner.layers.tiling.conv`).

Two equal ways to come by the input's gradient:

plain
    the turned weights times the output's gradient give columns, which are added back to the input's gradient, tap by
    tap; where the input is its own column matrix, they are that gradient;
rotated
    at stride 1, a convolution of the output's gradient with the kernel turned around. With g the output's
    gradient, that of the input at p is the sum over taps t of ``turned[t] @ g[p + t]``, and the gradient of turned[t]
    is the sum over p of ``g[p + t] x[p]^T``: the same columns serve both, where shards share positions.

Two equal ways to share the weights' gradient among shards: each sums over positions of its own, and the sums are added
up in their order; or each has some of the input's channels to itself, gathers those at all positions, and what it sums
is the gradient where it belongs.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from planner.layers.tiling.conv import ConvTiling
from planner.layers.tiling.shards import shares
from planner.layers.window import Window
from runtime.kernels.base import Array, Arrays, Workspace, flat
from runtime.kernels.gemm import MapProduct, Product, Shard, Step, WeightSum, add_up, products, run_and_copy
from runtime.kernels.im2col import ColumnBlock, column_blocks, column_shards, direct_shards, kernel_rows_first
from runtime.kernels.window import Windows, volume
from runtime.thread_pool import Task, one_by_one, run_parallel


class Gradients:
    """Gradients of the weights, of the bias and, if needed, of the input.

    Parameters
    ----------
    plan : ConvTiling
    windows : tuple of Window
    arrays : Arrays
    workspace : Scratch
    """

    def __init__(self, plan: ConvTiling, windows: Windows, arrays: Arrays, workspace: Workspace) -> None:
        (x,), g, grad_input = arrays.inputs, arrays.grad_output, arrays.grad_inputs[0]
        assert g is not None, "training comes with gradients"
        weight, groups = arrays.parameters["weight"], plan.groups
        channels, filters = x.shape[0] // groups, g.shape[0] // groups
        spread = (groups, filters, channels, *plan.kernel)
        self.plan, self.workspace, self.grad_input = plan, workspace, grad_input
        self.grad_weight = arrays.grad_parameters["weight"]
        self.rotated = plan.rotated and grad_input is not None
        self.turning: tuple[Array, Array] | None = None
        self.maps, self.grads = flat(x, groups, channels, *volume(x).shape[1:]), flat(g, groups, filters, -1)
        self.plain_windows, self.plain_out = windows, volume(g).shape[1:4]
        if self.rotated:
            # what is gathered, what it is multiplied by, and where the weights' gradient is, axes in the order of sums
            self.gathered, self.other = flat(g, groups, filters, *volume(g).shape[1:]), flat(x, groups, channels, -1)
            deep, high, wide = map(_around, windows)
            self.windows, self.out = (deep, high, wide), volume(x).shape[1:4]
            result = _flipped(flat(self.grad_weight, *spread)).swapaxes(1, 2)
            self.blocks = plan.rotated_blocks
        else:
            self.gathered, self.other = self.maps, self.grads
            self.windows, self.out = windows, self.plain_out
            result = flat(self.grad_weight, *spread)
            self.blocks = plan.summed_blocks
        # (groups, of the other, gathered, kd, kh, kw), the rows of the sums last
        self.ordered = np.moveaxis(kernel_rows_first(result) if self.blocks.shared else result, 1, -1)
        if self.rotated:
            kernels = _flipped(flat(weight, *spread)).swapaxes(1, 2)
            kernels = kernel_rows_first(kernels) if self.blocks.shared else kernels
            turned = workspace.take_lines(*kernels.shape)
            self.turning = (turned, kernels)
            self.weight = flat(turned, groups, channels, -1)
        else:
            self.weight = flat(weight, groups, filters, -1).swapaxes(1, 2)
        self.stages: list[list[Task]] = []
        self.sums: list[Array] = []
        if plan.shard_sums and (self.rotated or plan.direct or grad_input is None):
            self._sum_in_shards()
        else:
            self._share_weights()
        if "bias" in arrays.parameters:
            rows, bias, last = flat(g, g.shape[0], -1), arrays.grad_parameters["bias"], self.stages[-1]
            self.stages[-1] = [
                partial(one_by_one, [task, partial(np.add.reduce, rows[some], axis=1, out=bias[some])])
                for task, some in zip(last, (slice(*span) for span in shares(len(rows), len(last))), strict=False)
            ]
            self.stages[-1] += last[len(self.stages[-1]) :]  # more shards than biases

    def run(self) -> None:
        """Compute them."""
        if self.turning is not None:
            np.copyto(*self.turning)
        for stage in self.stages:
            run_parallel(stage)
        if self.sums:
            add_up(self.sums, self.ordered)

    def _shards(self) -> list[list[ColumnBlock]]:
        """Return the blocks of all positions, by shards that share them."""
        if self.plan.direct:
            return direct_shards(self._direct(), self.plan.forward.shards)
        memory = self.workspace.take(self.blocks.elements)
        return column_shards(self.gathered, self.windows, self.out, self.blocks, memory)

    def _direct(self) -> Array:
        """Return the input as the column matrix that it is."""
        return flat(self.gathered, *self.gathered.shape[:1], -1, self.other.shape[2])

    def _fillings(self, block: ColumnBlock) -> list[Product]:
        """Return the products that give the input's gradient at the positions of a block, with nothing to add back."""
        if self.grad_input is None:
            return []
        target = flat(self.grad_input, len(self.weight), self.weight.shape[1], -1)
        right = block.matrix if self.rotated else block.part(self.other)
        return products(self.weight, right, block.part(target))

    def _sum_in_shards(self) -> None:
        depth = (len(self.gathered), self.gathered.shape[1] * self.plan.taps, self.other.shape[1])
        tasks: list[Task] = []
        shards = self._shards()
        target = self._alone([block for shard in shards for block in shard])
        for shard in shards:
            rows = self.blocks.row_step if self.blocks.shared else 0
            total = WeightSum(self.workspace, depth, len(shard), target, rows)
            steps = [Step(block, block.part(self.other), self._fillings(block)) for block in shard]
            tasks.append(Shard(steps, total).run)
            self.sums += [total.total] if target is None else []
        self.stages.append(tasks)

    def _alone(self, blocks: list[ColumnBlock]) -> Array | None:
        """Return the weights' gradient as a sum, if a single block holds all of it."""
        if self.rotated or self.blocks.shared or len(blocks) > 1:
            return None
        groups, depth, filters = self.weight.shape
        return flat(self.grad_weight, groups, filters, depth).swapaxes(1, 2)

    def _share_weights(self) -> None:
        plan, used = self.plan, self.workspace.used
        target: Array | None = None
        if self.grad_input is not None and (self.rotated or plan.direct):
            whole = flat(self.grad_input, len(self.weight), self.weight.shape[1], -1)
            shards = self._shards() if self.rotated else direct_shards(self.other, plan.backward.shards)
            self.stages += MapProduct(self.weight, shards, whole, plan.backward.row_shards).stages
            self.workspace.used = used  # the shards of the weights come afterwards
        elif self.grad_input is not None:
            target = flat(self.grad_input, *self.gathered.shape)
        self.stages.append([self._weight_shard(shard, target) for shard in plan.weight_shards])

    def _weight_shard(self, shard: tuple[slice, slice], added: Array | None) -> Task:
        """Return what gives the gradient of a shard's weights and, with `added`, adds the input's up there."""
        plan, (groups, channels) = self.plan, shard
        own, others = self.maps[shard], self.grads[groups]
        part = None if added is None else added[shard]
        if plan.direct:
            matrix = flat(own, len(own), -1, others.shape[2])
            blocks = [ColumnBlock(0, others.shape[2], matrix, (), (), ())]
        else:
            cut = plan.weight_blocks(shard)
            memory = self.workspace.take(cut.elements)
            blocks = column_blocks(own, self.plain_windows, self.plain_out, cut, memory, part)
        first, last, _ = channels.indices(self.maps.shape[1])
        some = slice(first * plan.taps, last * plan.taps)
        result = flat(self.grad_weight, len(self.maps), others.shape[1], -1)[groups, :, some].swapaxes(1, 2)
        total = WeightSum(self.workspace, result.shape, len(blocks), result if len(blocks) == 1 else None)
        steps = []
        for block in blocks:
            other = block.part(others)
            back = [] if part is None else products(self.weight[groups, some], other, block.matrix)
            steps.append(Step(block, other, back))
        whole = Shard(steps, total, None if part is None else partial(part.fill, 0))
        return whole.run if len(blocks) == 1 else partial(run_and_copy, whole, total.total, result)


def _flipped(kernels: Array) -> Array:
    """Return kernels (groups, filters, channels, ...) turned around along every axis of the map."""
    return kernels[(slice(None), slice(None), slice(None), *[slice(None, None, -1)] * (kernels.ndim - 3))]


def _around(window: Window) -> Window:
    return Window(window.kernel, 1, window.extent - 1 - window.before, 0, window.dilation)
