"""Max pooling that saves the argmax tap of each window, on batch-last maps of one to three axes, (C, H, W, N)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import inf, prod
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from planner.lowering.argmaxpool import ArgmaxPool
from runtime.kernels.base import Array, Mask, kernel
from runtime.kernels.pool import PoolKernel, PoolStrip, PoolTap
from runtime.kernels.window import Views, channel_tiles, volume

Indices: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ArgmaxTap:
    """One tap of one strip: its number, the part of the argmax that it reaches, by tile, and a mask of that size."""

    number: int
    tap: PoolTap
    argmax: Indices
    mask: Mask


@dataclass(frozen=True, slots=True)
class ArgmaxStrip:
    """One strip with its argmax, (tiles, channels, D, H, W, N), a mask for one tile, and its taps in reading order.

    The first tap has the largest number, so that the largest of several numbers selects the first tap.
    """

    strip: PoolStrip
    argmax: Indices
    mask: Mask
    taps: Views[ArgmaxTap]


@kernel(ArgmaxPool)
class ArgmaxPoolKernel(PoolKernel[ArgmaxPool]):
    """Largest value of each window, optionally clipped; its gradient goes to the first position that has it."""

    def prepare(self) -> None:
        super().prepare()
        if self.grad_input is None:
            return
        elements, workspace = self.plan.elements, self.backward_workspace()
        self.taken = workspace.take(elements)
        shape = volume(self.arrays.output).shape
        saved = self.arrays.saved["argmax"].view(np.uint8)[:, : prod(shape[1:])]
        self.argmax = channel_tiles(saved.reshape(shape, copy=False), self.plan.step[0])
        mask, mask_back = self.workspace().take_mask(elements), workspace.take_mask(elements)
        self.forward_strips = Views(partial(self._argmax_strips, mask), self.count)
        self.backward_strips = Views(partial(self._argmax_strips, mask_back), self.count)

    def _argmax_strips(self, memory: Mask) -> Iterator[ArgmaxStrip]:
        places = (
            tiles[:, :, *(slice(*span) for span in (*cut, (0, tiles.shape[4])))]
            for tiles in self.argmax
            for cut in self.spans
        )
        for strip, argmax in zip(self.strips, places, strict=True):
            mask = memory[: argmax[0].size].reshape(argmax.shape[1:])
            yield ArgmaxStrip(strip, argmax, mask, Views(partial(self._argmax_taps, strip, argmax, memory), self.count))

    def _argmax_taps(self, strip: PoolStrip, argmax: Indices, memory: Mask) -> Iterator[ArgmaxTap]:
        taps = list(strip.taps)
        for index, tap in enumerate(taps):
            mask = memory[: tap.part[0].size].reshape(tap.part.shape[1:])
            yield ArgmaxTap(len(taps) - index, tap, argmax[:, *tap.slot], mask)

    def forward(self) -> None:
        if self.grad_input is not None:
            for strip in self.forward_strips:
                taps = list(strip.taps)[::-1]
                for tile in range(len(strip.argmax)):
                    self._find(strip, tile, taps)
            return
        self.combine(np.maximum, -inf)
        if self.layer.clip is not None:
            for each in self.strips:
                for output in each.output:
                    np.clip(output, *self.layer.clip, out=output)

    def _find(self, strip: ArgmaxStrip, tile: int, taps: list[ArgmaxTap]) -> None:
        """Write the maxima of a tile and the numbers of their taps; `taps` are in ascending order of their numbers."""
        output, argmax = strip.strip.output[tile], strip.argmax[tile]
        if self.whole:
            np.copyto(output, taps[0].tap.seen[tile])
            argmax.fill(taps[0].number)
            taps = taps[1:]
        else:
            output.fill(-inf)
            argmax.fill(0)
        for each in taps:
            part, seen, found = each.tap.part[tile], each.tap.seen[tile], each.argmax[tile]
            numbers = each.mask.view(np.uint8)
            np.greater_equal(seen, part, out=each.mask)
            np.maximum(part, seen, out=part)
            np.multiply(numbers, each.number, out=numbers)
            np.maximum(found, numbers, out=found)
        if self.layer.clip is not None:
            self._clip(output, argmax, strip.mask, *self.layer.clip)

    def _clip(self, output: Array, argmax: Indices, mask: Mask, low: float, high: float) -> None:
        """Clip the maxima to the interval; those that are not strictly inside it get argmax 0, no tap."""
        np.clip(output, low, high, out=output)
        for compare, end in ((np.greater, low), (np.less, high)):
            if abs(end) < inf:
                compare(output, end, out=mask)
                np.multiply(argmax, mask.view(np.uint8), out=argmax)

    def backward(self) -> None:
        if self.grad_input is None:
            return
        if self.gaps:
            self.grad_input.fill(0)
        for strip in self.backward_strips:
            assert strip.strip.grad_output is not None, "training programs have gradients"
            for tile, grad in enumerate(strip.strip.grad_output):
                for each in strip.taps:
                    self._distribute(grad, tile, each)

    def _distribute(self, grad: Array, tile: int, each: ArgmaxTap) -> None:
        assert each.tap.grad_seen is not None, "training programs have gradients"
        target = each.tap.grad_seen[tile]
        taken = target if self.disjoint else self.taken[: target.size].reshape(target.shape)
        np.equal(each.argmax[tile], each.number, out=each.mask)
        np.multiply(grad[each.tap.slot], each.mask, out=taken)
        if not self.disjoint:
            np.add(target, taken, out=target)
