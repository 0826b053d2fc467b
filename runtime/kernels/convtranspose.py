"""Transposed convolution: a convolution with forward and backward pass exchanged, on the same columns.

There are two equivalent methods for the forward pass:

scattered
    The transposed weights times the input give columns, which are added to the output, tap by tap (col2im). Shards
    split the filters, so that no two shards add to the same numbers. If no two windows overlap, the columns are copied.
gathered
    Each phase of the output is a convolution of the input with the flipped taps of that phase. Shards split the
    positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np

from planner.layers.convtranspose import ConvTranspose
from planner.layers.tiling.convtranspose import PhaseCut, TransposedTiling
from planner.layers.tiling.shards import shares
from planner.layers.tiling.workspace import pieces
from runtime.kernels.base import Array, Arrays, Kernel, Workspace, flat, kernel, user_shape
from runtime.kernels.gemm import MapProduct, Shard, Step, WeightSum, add_up, products, run_and_copy
from runtime.kernels.im2col import ColumnBlock, column_blocks, column_shards, direct_shards
from runtime.kernels.window import Windows, volume
from runtime.thread_pool import Task, one_by_one, run_parallel


@kernel(ConvTranspose)
class ConvTransposeKernel(Kernel[ConvTranspose]):
    """Transposed convolution by matrix products (:mod:`runtime.kernels.gemm`)."""

    def prepare(self) -> None:
        x, y, weight = self.arrays.inputs[0], self.arrays.output, self.arrays.parameters["weight"]
        self.plan = plan = self.layer.tiling((user_shape(x),), user_shape(y))
        groups = plan.back.groups
        channels, filters = x.shape[0] // groups, y.shape[0] // groups
        self.weight = flat(weight, groups, channels, filters, *plan.back.kernel)
        self.input = flat(x, groups, channels, *volume(x).shape[1:])
        self.output = flat(y, groups, filters, *volume(y).shape[1:])
        bias = self.arrays.parameters.get("bias")
        self.bias = None if bias is None else flat(bias, groups, filters, 1)
        self.before: list[tuple[Array, Array | float]] = []
        self.shards = self._gathered() if plan.gathers else list(self._scattered())
        if self.differentiates:
            self.gradients = TransposedGradients(plan, plan.windows, self.arrays, self.backward_workspace())

    def _gathered(self) -> list[Task]:
        """Return the tasks of shards that split the positions of each phase."""
        cuts, workspace = self.plan.phase_cuts, self.workspace()
        columns, outputs = map(workspace.take, self.plan.phase_elements(cuts))
        shards: list[list[Task]] = [[] for _ in range(cuts[0].blocks.shards)]
        # Positions that no tap reaches get only the bias.
        if any(not axis.window.kernel for axes in self.plan.phases for axis in axes):
            self.before.append((self.output, _initial(self.bias)))
        for cut in cuts:
            for shard, tasks in enumerate(self._phase(cut, workspace, columns, outputs)):
                shards[shard] += tasks
        return [partial(one_by_one, tasks) for tasks in shards]

    def _phase(self, cut: PhaseCut, workspace: Workspace, columns: Array, outputs: Array) -> Iterator[list[Task]]:
        """Yield the tasks of each shard for a phase; the flipped taps of the phase are copied before."""
        groups, channels, filters, *_ = self.weight.shape
        deep, high, wide = cut.axes
        turned = workspace.take_lines(groups, filters, channels, *(axis.window.kernel for axis in cut.axes))
        self.before.append((turned, self.weight[:, :, :, deep.taps, high.taps, wide.taps].swapaxes(1, 2)))
        weight = flat(turned, groups, filters, -1)
        target = self.output[:, :, *(slice(axis.first, None, axis.step) for axis in cut.axes)]
        out, windows = (deep.count, high.count, wide.count), (deep.window, high.window, wide.window)
        shards = column_shards(self.input, windows, out, cut.blocks, columns)
        boxes = product(*(pieces(size, step) for size, step in zip(out, cut.blocks.step, strict=True)))
        own = outputs.size // cut.blocks.shards
        for index, shard in enumerate(shards):
            tasks: list[Task] = []
            for block in shard:
                part = target[:, :, *(slice(*span) for span in next(boxes))]
                matrix = (
                    flat(outputs[index * own :][: part.size], groups, filters, -1)
                    if outputs.size
                    else flat(self.output, groups, filters, -1)[:, :, block.first : block.last]
                )
                bias = None if self.bias is None else (matrix, self.bias)
                tasks.append(Shard([Step(block, None, products(weight, block.matrix, matrix), bias)]).run)
                if outputs.size:
                    tasks.append(partial(np.copyto, part, flat(matrix, *part.shape)))
            yield tasks

    def _scattered(self) -> Iterator[Task]:
        """Yield the tasks of shards that split the filters."""
        workspace, x = self.workspace(), flat(self.input, *self.input.shape[:2], -1)
        for shard in self.plan.filter_shards:
            groups, filters = shard
            cut, output, weight = self.plan.filter_blocks(shard), self.output[shard], self.weight[groups, :, filters]
            bias = None if self.bias is None else self.bias[shard]
            memory, sizes = workspace.take(cut.elements), self.input.shape[2:5]
            blocks = column_blocks(output, self.plan.windows, sizes, cut, memory, output)
            turned = flat(weight, *weight.shape[:2], -1).swapaxes(1, 2)
            tasks: list[Task] = []
            places = sum(seen.size for block in blocks for _, seen in block.sums)
            if not self.plan.apart or places < output.size:
                tasks.append(partial(np.copyto, output, _initial(bias)))
            for block in blocks:
                parts = products(turned, x[groups, :, block.first : block.last], block.matrix)
                bare = replace(block, zeros=(), copies=())
                if not self.plan.apart:
                    tasks.append(Shard([Step(bare, None, parts)]).run)
                    continue
                added = None if bias is None else (flat(block.matrix, *bias.shape[:2], -1), bias)
                tasks.append(Shard([Step(replace(bare, sums=()), None, parts, added)]).run)
                tasks += [partial(np.copyto, seen, part) for part, seen in block.sums]
            yield partial(one_by_one, tasks)

    def forward(self) -> None:
        for target, source in self.before:
            np.copyto(target, source)
        run_parallel(self.shards)

    def backward(self) -> None:
        self.gradients.run()


def _initial(bias: Array | None) -> Array | float:
    """Return the initial values of a map (groups, filters, D, H, W, N), before any tap is added."""
    return 0.0 if bias is None else bias[..., None, None, None]


class TransposedGradients:
    """Gradients of the weights, of the bias and, if needed, of the input.

    The columns of the output gradient serve both products: times the weights they give the input gradient, times the
    input the weight gradient.

    Parameters
    ----------
    plan : TransposedTiling
    windows : tuple of Window
    arrays : Arrays
    workspace : Workspace
    """

    def __init__(self, plan: TransposedTiling, windows: Windows, arrays: Arrays, workspace: Workspace) -> None:
        (x,), g, grad_input = arrays.inputs, arrays.grad_output, arrays.grad_inputs[0]
        assert g is not None, "training programs have gradients"
        back = plan.back
        groups, channels, filters = back.groups, x.shape[0] // back.groups, g.shape[0] // back.groups
        self.plan, self.back, self.windows, self.workspace = plan, back, windows, workspace
        self.positions = volume(x).shape[1:4]
        self.gathered, self.other = flat(g, groups, filters, *volume(g).shape[1:]), flat(x, groups, channels, -1)
        self.weight = flat(arrays.parameters["weight"], groups, channels, -1)
        self.target = None if grad_input is None else flat(grad_input, groups, channels, -1)
        self.whole = flat(arrays.grad_parameters["weight"], groups, channels, -1).swapaxes(1, 2)
        self.sums: list[Array] = []
        self.stages = [self._sum_in_shards()] if plan.shard_sums else self._split_weights()
        if "bias" in arrays.parameters:
            rows, bias = flat(g, g.shape[0], -1), arrays.grad_parameters["bias"]
            spans = (slice(*span) for span in shares(len(rows), len(self.stages[-1])))
            self.stages[-1] += [partial(np.add.reduce, rows[some], axis=1, out=bias[some]) for some in spans]

    def run(self) -> None:
        """Compute the gradients."""
        for stage in self.stages:
            run_parallel(stage)
        if self.sums:
            add_up(self.sums, self.whole)

    def _shards(self) -> list[list[ColumnBlock]]:
        back = self.back
        if back.direct:
            matrix = flat(self.gathered, len(self.gathered), -1, self.other.shape[2])
            return direct_shards(matrix, back.forward.shards)
        blocks = self.plan.back_blocks
        memory = self.workspace.take(blocks.elements)
        return column_shards(self.gathered, self.windows, self.positions, blocks, memory)

    def _sum_in_shards(self) -> list[Task]:
        shards, tasks = self._shards(), list[Task]()
        target = self.whole if sum(map(len, shards)) == 1 else None
        for shard in shards:
            total = WeightSum(self.workspace, self.whole.shape, len(shard), target)
            tasks.append(Shard([self._step(block) for block in shard], total).run)
            self.sums += [total.total] if target is None else []
        return tasks

    def _step(self, block: ColumnBlock) -> Step:
        parts = [] if self.target is None else products(self.weight, block.matrix, block.part(self.target))
        return Step(block, block.part(self.other), parts)

    def _split_weights(self) -> list[list[Task]]:
        stages: list[list[Task]] = []
        used = self.workspace.used
        if self.target is not None:
            stages += MapProduct(self.weight, self._shards(), self.target, self.back.forward.row_shards).stages
            self.workspace.used = used  # the weight shards run later and reuse the workspace
        return [*stages, [self._weight_shard(shard) for shard in self.back.weight_shards]]

    def _weight_shard(self, shard: tuple[slice, slice]) -> Task:
        """Return the task for the weight gradient of the filters of a shard."""
        groups, filters = shard
        own, others = self.gathered[shard], self.other[groups]
        if self.back.direct:
            matrix = flat(own, len(own), -1, others.shape[2])
            blocks = [ColumnBlock(0, others.shape[2], matrix, (), (), ())]
        else:
            cut = self.plan.filter_blocks(shard)
            blocks = column_blocks(own, self.windows, self.positions, cut, self.workspace.take(cut.elements))
        first, last, _ = filters.indices(self.gathered.shape[1])
        result = self.whole[groups, first * self.back.taps : last * self.back.taps]
        total = WeightSum(self.workspace, result.shape, len(blocks), result if len(blocks) == 1 else None)
        whole = Shard([Step(block, block.part(others), []) for block in blocks], total)
        return whole.run if len(blocks) == 1 else partial(run_and_copy, whole, total.total, result)
