"""Maps of another size: lines along the last axis are mixed first, those along the first axis last."""

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
    """How the lines of one array come from those of another along an axis: few for each, with their shares."""

    axis: int
    sources: Sequence[Sources]
    line: Array

    def _at(self, array: Array, index: int) -> Array:
        return array[at(self.axis, index)]

    def spread(self, source: Array, target: Array) -> None:
        """Write every line of the target."""
        for index, parts in enumerate(self.sources):
            out = self._at(target, index)
            (first, share), *others = parts
            if not others:
                np.copyto(out, self._at(source, first))
                continue
            np.multiply(self._at(source, first), float(share), out=out)
            for place, part in others:
                np.add(out, self._scaled(self._at(source, place), float(part)), out=out)

    def gather(self, grad: Array, target: Array) -> None:
        """Give the target's lines what they have contributed to those of `grad`."""
        target.fill(0)
        for index, parts in enumerate(self.sources):
            come = self._at(grad, index)
            for place, share in parts:
                to = self._at(target, place)
                np.add(to, come if share == 1 else self._scaled(come, float(share)), out=to)

    def _scaled(self, values: Array, share: float) -> Array:
        scaled = self.line[: prod(values.shape)].reshape(values.shape)
        return np.multiply(values, share, out=scaled)


@kernel(Resize)
class ResizeKernel(Kernel[Resize]):
    """Interpolation, one axis after the other; backward is the same sums turned round.

    An input that only lends its shape has no gradient.
    """

    def prepare(self) -> None:
        x, y = self.arrays.inputs[0], self.arrays.output
        self.between, self.mixes = self._along(x, y, self.workspace())
        if self.differentiates:
            self.between_back, self.mixes_back = self._along(x, y, self.backward_workspace())

    def _along(self, x: Array, y: Array, workspace: Workspace) -> tuple[list[Array], list[Mix]]:
        """Return the maps between input and output, and what is done along each axis."""
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
            mix.spread(source, target)

    def backward(self) -> None:
        grad_input, *others = self.arrays.grad_inputs
        for grad in others:
            if grad is not None:
                grad.fill(0)
        if grad_input is not None:
            maps = (self.grad_output, *reversed(self.between_back), grad_input)
            for mix, (grad, target) in zip(reversed(self.mixes_back), pairwise(maps), strict=True):
                mix.gather(grad, target)
