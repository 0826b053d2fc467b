"""Interpolation of maps to another size, first along the last axis and last along the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np

from planner.layers.resize import Resize, Sources
from planner.layers.spatial import between
from runtime.kernels.base import Array, Kernel, Workspace, at, kernel, user_shape


@dataclass(frozen=True)
class Mix:
    """Interpolation along one axis: each target line is a weighted sum of a few source lines."""

    axis: int
    sources: Sequence[Sources]
    line: Array

    def _at(self, array: Array, index: int) -> Array:
        return array[at(self.axis, index)]

    def apply(self, source: Array, target: Array) -> None:
        """Compute every line of the target."""
        for index, parts in enumerate(self.sources):
            out = self._at(target, index)
            (first, share), *others = parts
            if not others:
                np.copyto(out, self._at(source, first))
                continue
            np.multiply(self._at(source, first), float(share), out=out)
            for place, part in others:
                np.add(out, self._scaled(self._at(source, place), float(part)), out=out)

    def apply_backward(self, grad: Array, target: Array) -> None:
        """Compute the gradient of the source lines from that of the target lines, `grad`."""
        target.fill(0)
        for index, parts in enumerate(self.sources):
            part = self._at(grad, index)
            for place, share in parts:
                line = self._at(target, place)
                np.add(line, part if share == 1 else self._scaled(part, float(share)), out=line)

    def _scaled(self, values: Array, share: float) -> Array:
        scaled = self.line[: prod(values.shape)].reshape(values.shape)
        return np.multiply(values, share, out=scaled)


@kernel(Resize)
class ResizeKernel(Kernel[Resize]):
    """Interpolation, one axis after the other; the backward pass applies the transposed sums.

    An input that provides only its shape has no gradient.
    """

    def prepare(self) -> None:
        x, y = self.arrays.inputs[0], self.arrays.output
        self.between, self.mixes = self._along(x, y, self.workspace())
        if self.differentiates:
            self.between_back, self.mixes_back = self._along(x, y, self.backward_workspace())

    def _along(self, x: Array, y: Array, workspace: Workspace) -> tuple[list[Array], list[Mix]]:
        """Return the intermediate maps between input and output, and the interpolation along each axis."""
        maps = [workspace.take(*shape[1:], shape[0]) for shape in between(user_shape(x), user_shape(y))]
        axes = range(y.ndim - 2, 0, -1)
        faces = (array.size // array.shape[axis] for axis, array in zip(axes, (*maps, y), strict=True))
        line = workspace.take(0 if self.layer.mode == "nearest" else max(faces))
        mixes = []
        for axis in axes:
            sizes = x.shape[axis], y.shape[axis]
            mixes.append(Mix(axis, self.layer.sources(*sizes, self.layer.step(axis - 1, *sizes)), line))
        return maps, mixes

    def forward(self) -> None:
        maps = (self.arrays.inputs[0], *self.between, self.arrays.output)
        for mix, (source, target) in zip(self.mixes, pairwise(maps), strict=True):
            mix.apply(source, target)

    def backward(self) -> None:
        grad_input, *others = self.arrays.grad_inputs
        for grad in others:
            if grad is not None:
                grad.fill(0)
        if grad_input is not None:
            maps = (self.grad_output, *reversed(self.between_back), grad_input)
            for mix, (grad, target) in zip(reversed(self.mixes_back), pairwise(maps), strict=True):
                mix.apply_backward(grad, target)
