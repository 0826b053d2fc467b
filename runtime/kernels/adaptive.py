"""Adaptive pooling of a map (C, H, W, N): first along the last axis, then along those before it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import numpy as np

from planner.layers.adaptive import AdaptiveAvgPool, AdaptiveMaxPool, AdaptivePool, share
from planner.layers.spatial import between
from runtime.kernels.base import Array, Kernel, LayerT, Workspace, at, kernel, user_shape


def shares(size: int, count: int) -> list[slice]:
    """Return the window of each of `count` positions on an axis of `size`.

    Examples
    --------
    >>> shares(5, 2)
    [slice(0, 3, None), slice(2, 5, None)]
    """
    return [slice(*share(position, size, count)) for position in range(count)]


class AdaptiveKernel(Kernel[LayerT]):
    """Base of both kernels: the windows along each axis, and the intermediate maps between input and output."""

    def prepare(self) -> None:
        assert isinstance(self.layer, AdaptivePool)
        x, y = self.arrays.inputs[0], self.arrays.output
        self.axes = [(axis, shares(x.shape[axis], y.shape[axis])) for axis in range(x.ndim - 2, 0, -1)]
        self.between = self._between(self.workspace())
        self.grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        if self.grad_input is not None:
            workspace = self.backward_workspace()
            self.between_back = self._between(workspace)
            self.prepare_backward(workspace)

    def _between(self, workspace: Workspace) -> list[Array]:
        shapes = between(*map(user_shape, (self.arrays.inputs[0], self.arrays.output)))
        return [workspace.take(*shape[1:], shape[0]) for shape in shapes]

    def prepare_backward(self, workspace: Workspace) -> None:
        """Take the other arrays of the backward pass from its workspace."""

    def reduce(self, ufunc: np.ufunc, out: Sequence[Array]) -> None:
        """Reduce the windows along one axis after the other, one axis for each map in `out`."""
        maps = (self.arrays.inputs[0], *out)
        for (axis, windows), (source, target) in zip(self.axes, pairwise(maps), strict=False):
            for index, window in enumerate(windows):
                ufunc.reduce(source[at(axis, window)], axis=axis, out=target[at(axis, index)])


@kernel(AdaptiveAvgPool)
class AdaptiveAvgPoolKernel(AdaptiveKernel[AdaptiveAvgPool]):
    """Mean of each window."""

    def prepare(self) -> None:
        super().prepare()
        y = self.arrays.output
        self.factors = []
        for axis, windows in reversed(self.axes):
            share = np.array([1 / (window.stop - window.start) for window in windows], y.dtype)
            self.factors.append(share.reshape(-1, *(1,) * (y.ndim - 1 - axis)))

    def prepare_backward(self, workspace: Workspace) -> None:
        self.scaled = workspace.take(*self.arrays.output.shape)

    def forward(self) -> None:
        self.reduce(np.add, (*self.between, self.arrays.output))
        self._scale(self.arrays.output, self.arrays.output)

    def backward(self) -> None:
        if self.grad_input is None:
            return
        self._scale(self.grad_output, self.scaled)
        maps = (self.scaled, *reversed(self.between_back), self.grad_input)
        for (axis, windows), (grad, target) in zip(reversed(self.axes), pairwise(maps), strict=True):
            target.fill(0)
            for index, window in enumerate(windows):
                part = target[at(axis, window)]
                np.add(part, grad[at(axis, slice(index, index + 1))], out=part)

    def _scale(self, sums: Array, out: Array) -> None:
        for factor in self.factors:
            np.multiply(sums, factor, out=out)
            sums = out


@kernel(AdaptiveMaxPool)
class AdaptiveMaxPoolKernel(AdaptiveKernel[AdaptiveMaxPool]):
    """Largest value of each window; its gradient goes to the first position in reading order that has it.

    The backward pass distributes it axis by axis: to the first row of a window that has the maximum, and in that row
    to the first column.
    """

    def prepare_backward(self, workspace: Workspace) -> None:
        maps = (*self.between_back, self.arrays.output)
        self.grads_between = [workspace.take(*array.shape) for array in self.between_back]
        face = max(array.size // array.shape[axis] for (axis, _), array in zip(self.axes, maps, strict=True))
        self.remaining, self.taken, self.equal = workspace.take(face), workspace.take(face), workspace.take_mask(face)

    def forward(self) -> None:
        self.reduce(np.maximum, (*self.between, self.arrays.output))

    def backward(self) -> None:
        if self.grad_input is None:
            return
        self.reduce(np.maximum, self.between_back)
        largest = [self.arrays.output, *reversed(self.between_back), self.arrays.inputs[0]]
        grads = [self.grad_output, *reversed(self.grads_between), self.grad_input]
        steps = zip(reversed(self.axes), pairwise(largest), pairwise(grads), strict=True)
        for (axis, windows), (maximum, values), (grad, target) in steps:
            target.fill(0)
            for index, window in enumerate(windows):
                places = (at(axis, each) for each in range(window.start, window.stop))
                where = [(values[place], target[place]) for place in places]
                self._distribute(grad[at(axis, index)], maximum[at(axis, index)], where)

    def _distribute(self, grad: Array, largest: Array, where: list[tuple[Array, Array]]) -> None:
        count = prod(grad.shape)
        temporaries = self.remaining, self.taken, self.equal
        remaining, taken, equal = (part[:count].reshape(grad.shape) for part in temporaries)
        np.copyto(remaining, grad)
        for values, target in where:
            np.equal(values, largest, out=equal)
            np.multiply(remaining, equal, out=taken)
            np.add(target, taken, out=target)
            np.subtract(remaining, taken, out=remaining)
