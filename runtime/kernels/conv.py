"""Convolution on batch-last maps of one to three axes, (C, H, W, N), by the method that the plan found cheapest."""

from __future__ import annotations

from functools import partial

import numpy as np

from planner.layers.conv import Conv
from planner.layers.tiling.conv import ConvTiling
from planner.layers.tiling.depthwise import DepthwiseTiling
from runtime.kernels.banded import Banded
from runtime.kernels.base import Array, Kernel, Workspace, flat, kernel, user_shape
from runtime.kernels.conv_backward import Gradients
from runtime.kernels.depthwise import Depthwise
from runtime.kernels.gemm import MapProduct
from runtime.kernels.im2col import ColumnBlock, column_shards, direct_shards, kernel_rows_first
from runtime.kernels.window import Windows, over_volume, volume
from runtime.thread_pool import Task, one_by_one, run_parallel


@kernel(Conv)
class ConvKernel(Kernel[Conv]):
    """Convolution by matrix products (:mod:`runtime.kernels.gemm`), or separately for each channel."""

    def prepare(self) -> None:
        x, y = self.arrays.inputs[0], self.arrays.output
        plan = self.layer.tiling((user_shape(x),), user_shape(y))
        self.forward_pass: Task
        self.backward_pass: Task
        windows = over_volume(self.layer.windows(user_shape(x)))
        if plan.depthwise is not None:
            both = self.workspace(), self.backward_workspace()
            shards = [self._depthwise(*shard, windows, both) for shard in plan.depthwise.shards]
            self.forward_pass = partial(run_parallel, [shard.forward for shard in shards])
            self.backward_pass = partial(run_parallel, [shard.backward for shard in shards])
            return
        bias, rows = self.arrays.parameters.get("bias"), y.shape[0] // plan.groups
        workspace = self.workspace()
        weight, reorder = self._weight(plan, workspace)
        product = MapProduct(
            weight,
            self._shards(plan, windows, workspace),
            flat(y, plan.groups, rows, -1),
            plan.forward.row_shards,
            None if bias is None else flat(bias, plan.groups, -1, 1),
        )
        self.forward_pass = partial(one_by_one, [*reorder, product.run])
        if self.differentiates:
            self.backward_pass = Gradients(plan, windows, self.arrays, self.backward_workspace()).run

    def _weight(self, plan: ConvTiling, workspace: Workspace) -> tuple[Array, list[Task]]:
        """Return the weights, (groups, rows, depth), in the order of the columns, and the tasks that reorder them."""
        weight = self.arrays.parameters["weight"]
        each = (plan.groups, weight.shape[0] // plan.groups)
        if not plan.forward_blocks.shared:
            return flat(weight, *each, -1), []
        ordered = kernel_rows_first(flat(weight, *each, weight.shape[1], *plan.kernel))
        copy = workspace.take_lines(*ordered.shape)
        return flat(copy, *each, -1), [partial(np.copyto, copy, ordered)]

    def _depthwise(
        self, span: tuple[int, int], plan: DepthwiseTiling, windows: Windows, workspace: tuple[Workspace, Workspace]
    ) -> Depthwise | Banded:
        """Return the depthwise convolution of some channels, with their filters."""
        multiple = self.arrays.output.shape[0] // self.arrays.inputs[0].shape[0]
        filters = slice(span[0] * multiple, span[1] * multiple)
        arrays = self.arrays.cut(slice(*span), filters, (workspace[0].memory, workspace[1].memory))
        shard: Depthwise | Banded
        if plan.bands is None:
            shard = Depthwise(plan, windows, arrays, workspace, self.differentiates)
        else:
            shard = Banded(plan.bands, windows, arrays, workspace, self.differentiates)
        for each in workspace:
            each.take_lines(0)
        return shard

    def _shards(self, plan: ConvTiling, windows: Windows, workspace: Workspace) -> list[list[ColumnBlock]]:
        """Return the column blocks of the input by shard; shards split the positions."""
        x, y = self.arrays.inputs[0], self.arrays.output
        if plan.direct:
            return direct_shards(flat(x, plan.groups, -1, y.size // y.shape[0]), plan.forward.shards)
        maps = flat(x, plan.groups, x.shape[0] // plan.groups, *volume(x).shape[1:])
        blocks = plan.forward_blocks
        return column_shards(maps, windows, volume(y).shape[1:4], blocks, workspace.take(blocks.elements))

    def forward(self) -> None:
        self.forward_pass()

    def backward(self) -> None:
        self.backward_pass()
