"""Products of weights and columns, in shards of blocks; each block is multiplied while it is in the cache of a core."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.layers.tiling.conv import SHARD_POSITIONS, SMALL_PRODUCT
from planner.layers.tiling.shards import LINE, shares
from runtime.kernels.base import Array, Workspace, flat
from runtime.kernels.im2col import ColumnBlock
from runtime.thread_pool import Task, run_parallel

Product = tuple[Array, Array, Array]
"""Left factor, right factor and target of a matrix product."""


def products(left: Array, right: Array, out: Array) -> list[Product]:
    """Split ``left @ right`` into products with so few columns that a BLAS uses its fast path for small products.

    Parameters
    ----------
    left, right, out : Array
        (groups, rows, depth), (groups, ..., depth, columns) and (groups, ..., rows, columns).

    Examples
    --------
    >>> [right.shape for _, right, _ in products(*map(np.ones, [(1, 16, 144), (1, 144, 1000), (1, 16, 1000)]))]
    [(1, 2, 144, 336), (1, 144, 328)]
    """
    columns, limit = right.shape[-1], SMALL_PRODUCT // (left.shape[1] * left.shape[2])
    left = flat(left, len(left), *(1,) * (right.ndim - 3), *left.shape[1:]) if right.ndim > 3 else left
    if columns <= limit or limit < SHARD_POSITIONS:
        return [(left, right, out)]
    width = -(-columns // -(-columns // limit))
    width = min(limit, -(-width // LINE) * LINE)
    whole = columns // width
    found = [(left[..., None, :, :], _strips(right, whole, width), _strips(out, whole, width))]
    if whole * width < columns:
        found.append((left, right[..., whole * width :], out[..., whole * width :]))
    return found


def _strips(matrix: Array, count: int, width: int) -> Array:
    """Return the first columns of matrices as a view (..., strips, rows, width)."""
    *before, rows, _ = matrix.shape
    return matrix[..., : count * width].reshape(*before, rows, count, width, copy=False).swapaxes(-3, -2)


class WeightSum:
    """The sum over blocks of ``columns @ other^T``; the transposed order would be slower.

    Parameters
    ----------
    workspace : Workspace
    shape : tuple of int
        (groups, depth, rows).
    count : int
        Number of blocks.
    target : Array, optional
        Array for the sum; default: taken from the workspace.
    rows : int
        Maximum number of rows of a block if its rows overlap, otherwise 0.
    """

    def __init__(
        self, workspace: Workspace, shape: tuple[int, int, int], count: int, target: Array | None = None, rows: int = 0
    ) -> None:
        self.total = workspace.take_lines(*shape) if target is None else target
        self.part = workspace.take_lines(*shape) if count > 1 else None
        self.rows = workspace.take_lines(shape[0], rows, *shape[1:])

    def add(self, index: int, columns: Array, other: Array) -> None:
        """Add the product of block `index`; block 0 starts a new sum."""
        target = self.part if index else self.total
        if target is None:
            return
        if columns.ndim > 3:
            each = self.rows[:, : columns.shape[1]]
            np.matmul(columns, other, out=each)
            np.add.reduce(each, axis=1, out=target)
        else:
            np.matmul(columns, other, out=target)
        if index:
            np.add(self.total, target, out=self.total)


@dataclass(frozen=True, slots=True)
class Step:
    """The work of a shard on one block: gather it, add its product to the weight gradient, fill maps from it.

    Attributes
    ----------
    block : ColumnBlock
    other : Array or None
        Factor of the columns in the sum, (groups, ..., rows, columns).
    products : list of Product
    bias : tuple of Array, or None
        Part of the output, and the bias to add to it.
    """

    block: ColumnBlock
    other: Array | None
    products: list[Product]
    bias: tuple[Array, Array] | None = None


class Shard:
    """A sequence of blocks for one thread.

    Parameters
    ----------
    steps : sequence of Step
    total : WeightSum, optional
    prepare : callable, optional
        Called before the first step.
    """

    def __init__(self, steps: Sequence[Step], total: WeightSum | None = None, prepare: Task | None = None) -> None:
        self.steps, self.total, self.prepare = steps, total, prepare

    def run(self) -> None:
        """Run all steps."""
        if self.prepare is not None:
            self.prepare()
        for index, step in enumerate(self.steps):
            step.block.gather()
            if self.total is not None and step.other is not None:
                self.total.add(index, step.block.matrix, step.other.swapaxes(-2, -1))
            for left, right, out in step.products:
                np.matmul(left, right, out=out)
            step.block.scatter()
            if step.bias is not None:
                np.add(*step.bias, out=step.bias[0])


def run_and_copy(shard: Shard, total: Array, result: Array) -> None:
    """Run a shard, then copy its sum to `result`, in the shape of `result`."""
    shard.run()
    np.copyto(result, total.reshape(result.shape, copy=False))


def add_up(sums: Sequence[Array], result: Array) -> None:
    """Add up the sums of shards in order, in place in the first one, and copy the total to `result`.

    Examples
    --------
    >>> add_up([np.ones((1, 4, 1)), np.ones((1, 4, 1))], result := np.zeros((1, 2, 2, 1)))
    >>> result.ravel().tolist()
    [2.0, 2.0, 2.0, 2.0]
    """
    total, *rest = sums
    for other in rest:
        np.add(total, other, out=total)
    np.copyto(result, total.reshape(result.shape, copy=False))


class MapProduct:
    """The product ``weight @ columns``, written to a map; shards split its positions or, if these are few, its rows.

    Parameters
    ----------
    weight : Array
        (groups, rows, depth).
    shards : list of list of ColumnBlock
    output : Array
        (groups, rows, positions).
    row_shards : int
        Number of shards that split the rows; 1 if the shards are those of the blocks.
    bias : Array, optional
        Added to the product, (groups, rows, 1).
    """

    def __init__(
        self,
        weight: Array,
        shards: list[list[ColumnBlock]],
        output: Array,
        row_shards: int,
        bias: Array | None = None,
    ) -> None:
        self.stages: list[list[Task]] = []
        if row_shards == 1:
            steps = ([_map_step(block, weight, output, bias) for block in shard] for shard in shards)
            self.stages.append([Shard(each).run for each in steps])
            return
        spans = [slice(*span) for span in shares(weight.shape[1], row_shards)]
        for block in (block for shard in shards for block in shard):
            self.stages.append([part.gather for part in block.sliced(row_shards)])
            gathered = ColumnBlock(block.first, block.last, block.matrix, (), (), ())
            steps_of_block = [
                _map_step(gathered, weight[:, span], output[:, span], None if bias is None else bias[:, span])
                for span in spans
            ]
            self.stages.append([Shard([step]).run for step in steps_of_block])

    def run(self) -> None:
        """Compute the map."""
        for stage in self.stages:
            run_parallel(stage)


def _map_step(block: ColumnBlock, weight: Array, output: Array, bias: Array | None) -> Step:
    part = block.part(output)
    if bias is not None and part.ndim > 3:
        bias = bias[:, None]
    return Step(block, None, products(weight, block.matrix, part), None if bias is None else (part, bias))
