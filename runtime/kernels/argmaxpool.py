"""Max pooling that remembers which tap of each window won, on batch-last maps of one to three axes, (C, H, W, N)."""

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

Numbers: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ArgmaxTap:
    """One tap of one strip: its number, and the part of the argmax it reaches, tile by tile, with marks as large."""

    number: int
    tap: PoolTap
    won: Numbers
    marks: Mask


@dataclass(frozen=True, slots=True)
class ArgmaxStrip:
    """One strip with its argmax, (tiles, channels, D, H, W, N), marks for one tile, and its taps in reading order.

    The first tap has the largest number, so that of several with the maximum the first wins as the largest.
    """

    strip: PoolStrip
    argmax: Numbers
    marks: Mask
    taps: Views[ArgmaxTap]


@kernel(ArgmaxPool)
class ArgmaxPoolKernel(PoolKernel[ArgmaxPool]):
    """Largest value of each window, perhaps confined to an interval; its gradient goes to the first that has it."""

    def prepare(self) -> None:
        super().prepare()
        if self.grad_input is None:
            return
        elements, workspace = self.plan.elements, self.backward_workspace()
        self.taken = workspace.take(elements)
        shape = volume(self.arrays.output).shape
        saved = self.arrays.saved["argmax"].view(np.uint8)[:, : prod(shape[1:])]
        self.argmax = channel_tiles(saved.reshape(shape, copy=False), self.plan.step[0])
        marks, back = self.workspace().take_mask(elements), workspace.take_mask(elements)
        self.found = Views(partial(self._marked, marks), self.count)
        self.handed = Views(partial(self._marked, back), self.count)

    def _marked(self, memory: Mask) -> Iterator[ArgmaxStrip]:
        places = (
            tiles[:, :, *(slice(*span) for span in (*cut, (0, tiles.shape[4])))]
            for tiles in self.argmax
            for cut in self.spans
        )
        for strip, argmax in zip(self.strips, places, strict=True):
            marks = memory[: argmax[0].size].reshape(argmax.shape[1:])
            yield ArgmaxStrip(strip, argmax, marks, Views(partial(self._taps_of, strip, argmax, memory), self.count))

    def _taps_of(self, strip: PoolStrip, argmax: Numbers, memory: Mask) -> Iterator[ArgmaxTap]:
        taps = list(strip.taps)
        for before, tap in enumerate(taps):
            marks = memory[: tap.part[0].size].reshape(tap.part.shape[1:])
            yield ArgmaxTap(len(taps) - before, tap, argmax[:, *tap.slot], marks)

    def forward(self) -> None:
        if self.grad_input is not None:
            for strip in self.found:
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
        """Write the maxima of a tile, and the numbers of the taps that have them, which come from small to large."""
        output, argmax = strip.strip.output[tile], strip.argmax[tile]
        if self.whole:
            np.copyto(output, taps[0].tap.seen[tile])
            argmax.fill(taps[0].number)
            taps = taps[1:]
        else:
            output.fill(-inf)
            argmax.fill(0)
        for each in taps:
            part, seen, won = each.tap.part[tile], each.tap.seen[tile], each.won[tile]
            numbers = each.marks.view(np.uint8)
            np.greater_equal(seen, part, out=each.marks)
            np.maximum(part, seen, out=part)
            np.multiply(numbers, each.number, out=numbers)
            np.maximum(won, numbers, out=won)
        if self.layer.clip is not None:
            self._confine(output, argmax, strip.marks, *self.layer.clip)

    def _confine(self, output: Array, argmax: Numbers, marks: Mask, low: float, high: float) -> None:
        """Clamp the maxima to the interval; a maximum outside its ends has no argmax."""
        np.clip(output, low, high, out=output)
        for compare, end in ((np.greater, low), (np.less, high)):
            if abs(end) < inf:
                compare(output, end, out=marks)
                np.multiply(argmax, marks.view(np.uint8), out=argmax)

    def backward(self) -> None:
        if self.grad_input is None:
            return
        if self.gaps:
            self.grad_input.fill(0)
        for strip in self.handed:
            assert strip.strip.grad_output is not None, "training comes with gradients"
            for tile, grad in enumerate(strip.strip.grad_output):
                for each in strip.taps:
                    self._hand_on(grad, tile, each)

    def _hand_on(self, grad: Array, tile: int, each: ArgmaxTap) -> None:
        assert each.tap.grad_seen is not None, "training comes with gradients"
        target = each.tap.grad_seen[tile]
        taken = target if self.apart else self.taken[: target.size].reshape(target.shape)
        np.equal(each.won[tile], each.number, out=each.marks)
        np.multiply(grad[each.tap.slot], each.marks, out=taken)
        if not self.apart:
            np.add(target, taken, out=target)
