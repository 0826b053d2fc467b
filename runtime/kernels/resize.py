"""Maps of another size: lines along the width are mixed first, then lines along the height."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from planner.layers.resize import Resize, Sources
from runtime.kernels.base import Array, Kernel, kernel


@dataclass(frozen=True)
class Mix:
    """How the lines of one array come from those of another along an axis: few for each, with their shares."""

    axis: int
    sources: Sequence[Sources]
    line: Array

    def _at(self, array: Array, index: int) -> Array:
        return array[:, index] if self.axis == 1 else array[:, :, index]

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
        scratch = self.scratch()
        self.rows = scratch.take(*x.shape[:2], y.shape[2], x.shape[3])
        lines = x.shape[0] * max(x.shape[1], y.shape[2]) * x.shape[3]
        line = scratch.take(0 if self.layer.mode == "nearest" else lines)
        self.across = Mix(2, self.layer.sources(x.shape[2], y.shape[2]), line)
        self.down = Mix(1, self.layer.sources(x.shape[1], y.shape[1]), line)

    def forward(self) -> None:
        self.across.spread(self.arrays.inputs[0], self.rows)
        self.down.spread(self.rows, self.arrays.output)

    def backward(self) -> None:
        grad_input, *others = self.arrays.grad_inputs
        for grad in others:
            if grad is not None:
                grad.fill(0)
        if grad_input is not None:
            self.down.gather(self.grad_output, self.rows)
            self.across.gather(self.rows, grad_input)
