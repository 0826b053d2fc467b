"""The backward pass of a convolution, by the method that the plan chose (:mod:`planner.layers.tiling.conv`).

There are two equivalent methods for the input gradient:

plain
    The transposed weights times the output gradient give columns, which are added to the input gradient, tap by tap
    (col2im). If the input is its own column matrix, the columns are the input gradient.
rotated
    At stride 1, the input gradient is a convolution of the output gradient with the rotated kernel. With g the output
    gradient, the input gradient at p is the sum over taps t of ``turned[t] @ g[p + t]``, and the gradient of turned[t]
    is the sum over p of ``g[p + t] x[p]^T``. The same columns serve both, if shards split the positions.

There are also two equivalent methods to split the weight gradient among shards. Either each shard sums over separate
positions, and the sums are added up in order; or each shard gathers some of the input channels at all positions, and
sums directly into its part of the gradient.
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
    workspace : Workspace
    """

    def __init__(self, plan: ConvTiling, windows: Windows, arrays: Arrays, workspace: Workspace) -> None:
        (x,), g, grad_input = arrays.inputs, arrays.grad_output, arrays.grad_inputs[0]
        assert g is not None, "training programs have gradients"
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
            # the gathered map, the other factor, and the weight gradient with its axes in the order of the sums
            self.gathered, self.other = flat(g, groups, filters, *volume(g).shape[1:]), flat(x, groups, channels, -1)
            deep, high, wide = map(_rotated, windows)
            self.windows, self.out = (deep, high, wide), volume(x).shape[1:4]
            result = _flipped(flat(self.grad_weight, *spread)).swapaxes(1, 2)
            self.blocks = plan.rotated_blocks
        else:
            self.gathered, self.other = self.maps, self.grads
            self.windows, self.out = windows, self.plain_out
            result = flat(self.grad_weight, *spread)
            self.blocks = plan.summed_blocks
        # (groups, channels of the gathered map, kd, kh, kw, channels of the other factor): the order of the sums
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
            self._split_weights()
        if "bias" in arrays.parameters:
            rows, bias, last = flat(g, g.shape[0], -1), arrays.grad_parameters["bias"], self.stages[-1]
            self.stages[-1] = [
                partial(one_by_one, [task, partial(np.add.reduce, rows[some], axis=1, out=bias[some])])
                for task, some in zip(last, (slice(*span) for span in shares(len(rows), len(last))), strict=False)
            ]
            self.stages[-1] += last[len(self.stages[-1]) :]  # if there are more shards than biases

    def run(self) -> None:
        """Compute the gradients."""
        if self.turning is not None:
            np.copyto(*self.turning)
        for stage in self.stages:
            run_parallel(stage)
        if self.sums:
            add_up(self.sums, self.ordered)

    def _shards(self) -> list[list[ColumnBlock]]:
        """Return the blocks of all positions by shard."""
        if self.plan.direct:
            return direct_shards(self._direct(), self.plan.forward.shards)
        memory = self.workspace.take(self.blocks.elements)
        return column_shards(self.gathered, self.windows, self.out, self.blocks, memory)

    def _direct(self) -> Array:
        """Return the input as a view, which is its own column matrix."""
        return flat(self.gathered, *self.gathered.shape[:1], -1, self.other.shape[2])

    def _input_products(self, block: ColumnBlock) -> list[Product]:
        """Return the products that give the input gradient at the positions of a block directly, without col2im."""
        if self.grad_input is None:
            return []
        target = flat(self.grad_input, len(self.weight), self.weight.shape[1], -1)
        right = block.matrix if self.rotated else block.part(self.other)
        return products(self.weight, right, block.part(target))

    def _sum_in_shards(self) -> None:
        depth = (len(self.gathered), self.gathered.shape[1] * self.plan.taps, self.other.shape[1])
        tasks: list[Task] = []
        shards = self._shards()
        target = self._single_sum([block for shard in shards for block in shard])
        for shard in shards:
            rows = self.blocks.row_step if self.blocks.shared else 0
            total = WeightSum(self.workspace, depth, len(shard), target, rows)
            steps = [Step(block, block.part(self.other), self._input_products(block)) for block in shard]
            tasks.append(Shard(steps, total).run)
            self.sums += [total.total] if target is None else []
        self.stages.append(tasks)

    def _single_sum(self, blocks: list[ColumnBlock]) -> Array | None:
        """Return the weight gradient as the target of the sum if a single block gives all of it; otherwise None."""
        if self.rotated or self.blocks.shared or len(blocks) > 1:
            return None
        groups, depth, filters = self.weight.shape
        return flat(self.grad_weight, groups, filters, depth).swapaxes(1, 2)

    def _split_weights(self) -> None:
        plan, used = self.plan, self.workspace.used
        target: Array | None = None
        if self.grad_input is not None and (self.rotated or plan.direct):
            whole = flat(self.grad_input, len(self.weight), self.weight.shape[1], -1)
            shards = self._shards() if self.rotated else direct_shards(self.other, plan.backward.shards)
            self.stages += MapProduct(self.weight, shards, whole, plan.backward.row_shards).stages
            self.workspace.used = used  # the weight shards run later and reuse the workspace
        elif self.grad_input is not None:
            target = flat(self.grad_input, *self.gathered.shape)
        self.stages.append([self._weight_shard(shard, target) for shard in plan.weight_shards])

    def _weight_shard(self, shard: tuple[slice, slice], added: Array | None) -> Task:
        """Return the task for the weight gradient of a shard; with `added`, also for the input gradient."""
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
    """Return kernels (groups, filters, channels, ...), flipped along every axis of the map."""
    return kernels[(slice(None), slice(None), slice(None), *[slice(None, None, -1)] * (kernels.ndim - 3))]


def _rotated(window: Window) -> Window:
    """Return the window of the convolution with the rotated kernel."""
    return Window(window.kernel, 1, window.extent - 1 - window.before, 0, window.dilation)
