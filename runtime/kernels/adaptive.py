"""Pooling of equal shares of a map (C, H, W, N): along the rows first, then along the columns."""

from __future__ import annotations

from math import prod

import numpy as np

from planner.layers.adaptive import AdaptiveAvgPool, AdaptiveMaxPool, AdaptivePool, share
from runtime.kernels.base import Array, Kernel, LayerT, kernel


def shares(size: int, count: int) -> list[slice]:
    """Return the window of each of `count` positions on an axis of `size`.

    Examples
    --------
    >>> shares(5, 2)
    [slice(0, 3, None), slice(2, 5, None)]
    """
    return [slice(*share(position, size, count)) for position in range(count)]


class AdaptiveKernel(Kernel[LayerT]):
    """What both share: the windows along both axes, and room for the rows once their columns are pooled."""

    def prepare(self) -> None:
        assert isinstance(self.layer, AdaptivePool)
        x, y = self.arrays.inputs[0], self.arrays.output
        self.high, self.wide = shares(x.shape[1], y.shape[1]), shares(x.shape[2], y.shape[2])
        self.work = self.scratch()
        self.rows = self.work.take(*x.shape[:2], y.shape[2], x.shape[3])
        self.grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        self.begin()

    def begin(self) -> None:
        """Take what else is needed of `work`."""

    def reduce_rows(self, ufunc: np.ufunc) -> None:
        """Reduce the windows along the width."""
        for column, window in enumerate(self.wide):
            ufunc.reduce(self.arrays.inputs[0][:, :, window], axis=2, out=self.rows[:, :, column])

    def reduce(self, ufunc: np.ufunc) -> None:
        """Reduce the windows along both axes."""
        self.reduce_rows(ufunc)
        for row, window in enumerate(self.high):
            ufunc.reduce(self.rows[:, window], axis=1, out=self.arrays.output[:, row])


@kernel(AdaptiveAvgPool)
class AdaptiveAvgPoolKernel(AdaptiveKernel[AdaptiveAvgPool]):
    """Mean of each share."""

    def begin(self) -> None:
        y = self.arrays.output
        down, across = (
            np.array([1 / (window.stop - window.start) for window in windows], y.dtype)
            for windows in (self.high, self.wide)
        )
        self.down, self.across = down[:, None, None], across[:, None]
        if self.grad_input is not None:
            self.scaled = self.work.take(*y.shape)

    def forward(self) -> None:
        self.reduce(np.add)
        self._scale(self.arrays.output, self.arrays.output)

    def backward(self) -> None:
        if self.grad_input is None:
            return
        self._scale(self.grad_output, self.scaled)
        self.rows.fill(0)
        for row, window in enumerate(self.high):
            target = self.rows[:, window]
            np.add(target, self.scaled[:, row, None], out=target)
        self.grad_input.fill(0)
        for column, window in enumerate(self.wide):
            target = self.grad_input[:, :, window]
            np.add(target, self.rows[:, :, column, None], out=target)

    def _scale(self, sums: Array, out: Array) -> None:
        np.multiply(sums, self.down, out=out)
        np.multiply(out, self.across, out=out)


@kernel(AdaptiveMaxPool)
class AdaptiveMaxPoolKernel(AdaptiveKernel[AdaptiveMaxPool]):
    """Largest value of each share; its gradient goes to the first position in reading order that has it.

    Backward hands it on twice: to the first row of a share whose maximum it is, and in that row to the first column.
    """

    def begin(self) -> None:
        if self.grad_input is None:
            return
        x, y = self.arrays.inputs[0], self.arrays.output
        self.grad_rows = self.work.take(*self.rows.shape)
        line = x.shape[0] * max(x.shape[1], y.shape[2]) * x.shape[3]
        self.left, self.taken, self.equal = self.work.take(line), self.work.take(line), self.work.take_mask(line)

    def forward(self) -> None:
        self.reduce(np.maximum)

    def backward(self) -> None:
        if self.grad_input is None:
            return
        self.reduce_rows(np.maximum)
        self.grad_rows.fill(0)
        for row, window in enumerate(self.high):
            where = [(self.rows[:, each], self.grad_rows[:, each]) for each in range(window.start, window.stop)]
            self._hand_on(self.grad_output[:, row], self.arrays.output[:, row], where)
        self.grad_input.fill(0)
        x = self.arrays.inputs[0]
        for column, window in enumerate(self.wide):
            where = [(x[:, :, each], self.grad_input[:, :, each]) for each in range(window.start, window.stop)]
            self._hand_on(self.grad_rows[:, :, column], self.rows[:, :, column], where)

    def _hand_on(self, grad: Array, largest: Array, where: list[tuple[Array, Array]]) -> None:
        count = prod(grad.shape)
        left, taken, equal = (part[:count].reshape(grad.shape) for part in (self.left, self.taken, self.equal))
        np.copyto(left, grad)
        for values, target in where:
            np.equal(values, largest, out=equal)
            np.multiply(left, equal, out=taken)
            np.add(target, taken, out=target)
            np.subtract(left, taken, out=left)
