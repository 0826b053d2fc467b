"""Max, average and sum pooling on batch-last maps (C, H, W, N)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np

from planner.layers.pool import AvgPool, LpPool, MaxPool, Pool, SumPool
from planner.layers.scratch import Tiles, pieces
from planner.layers.window import Window
from runtime.kernels.base import Array, Kernel, LayerT, Mask, kernel, user_shape
from runtime.kernels.window import Views, channel_tiles, reaches, taps


@dataclass(frozen=True, slots=True)
class PoolTap:
    """One tap of one strip: the part of the output it reaches, and what it sees of the input, tile by tile.

    `slot` is that part counted inside a tile.
    """

    part: Array
    seen: Array
    slot: tuple[slice, slice, slice]
    grad_seen: Array | None


@dataclass(frozen=True, slots=True)
class PoolStrip:
    """Some rows of the output, (tiles, channels, rows, columns, N), with all their taps."""

    output: Array
    grad_output: Array | None
    rows: slice
    taps: Views[PoolTap]


class PoolKernel(Kernel[LayerT]):
    """What the poolings share: tiles that fit in cache, and views of every tap in them.

    Attributes
    ----------
    strips : Views of PoolStrip
    whole : bool
        Every tap lies inside the input everywhere: nothing to pad.
    apart : bool
        No two windows see the same position, so that gradients are written, not added.
    gaps : bool
        Gradients have to begin at zero: some positions are added to, or seen by no window.
    """

    pool: Pool

    def prepare(self) -> None:
        assert isinstance(self.layer, Pool)
        self.pool = self.layer
        x, y = self.arrays.inputs[0], self.arrays.output
        self.windows = self.pool.windows(user_shape(x))
        axes = list(zip(self.windows, x.shape[1:3], y.shape[1:3], strict=True))
        self.apart = all(window.stride >= window.extent or positions == 1 for window, _, positions in axes)
        self.whole, covered = True, x.shape[0] * x.shape[3]
        for window, size, positions in axes:
            found = [(tap.first, tap.last) if tap else (0, 0) for tap in reaches(window, size, positions)]
            self.whole = self.whole and all(span == (0, positions) for span in found)
            covered *= sum(last - first for first, last in found)
        self.gaps = not (self.apart and covered == x.size)
        self.grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        self.plan = Tiles(y.shape[0], y.shape[1], y.shape[2] * y.shape[3])
        channels, rows = self.plan.step
        self.maps = channel_tiles(x, channels), channel_tiles(y, channels)
        self.grads = [_tiled(array, channels, self.maps[0]) for array in (self.grad_input, self.arrays.grad_output)]
        taps_each = self.windows[0].kernel * self.windows[1].kernel
        self.count = len(self.maps[0]) * -(-y.shape[1] // rows) * taps_each
        self.strips = Views(self._strips, self.count)

    def _strips(self) -> Iterator[PoolStrip]:
        for x, y, grad_input, grad_output in zip(*self.maps, *self.grads, strict=True):
            for span in pieces(y.shape[2], self.plan.step[1]):
                rows = slice(*span)
                views = Views(partial(self._taps, x, y, grad_input, span), self.count)
                yield PoolStrip(y[:, :, rows], None if grad_output is None else grad_output[:, :, rows], rows, views)

    def _taps(self, x: Array, y: Array, grad_input: Array | None, rows: tuple[int, int]) -> Iterator[PoolTap]:
        output = y[:, :, slice(*rows)]
        for _, _, high, wide in taps(self.windows, (x.shape[2], x.shape[3]), rows, (0, y.shape[3])):
            slot = (slice(None), high.within(rows[0]), wide.within(0))
            seen = (slice(None), slice(None), high.seen, wide.seen)
            yield PoolTap(output[:, *slot], x[seen], slot, None if grad_input is None else grad_input[seen])

    def combine(self, ufunc: np.ufunc, neutral: float) -> None:
        """Compute every output as `ufunc` over its window; `neutral` changes nothing."""
        for strip in self.strips:
            for tile, output in enumerate(strip.output):
                rest = iter(strip.taps)
                if self.whole:
                    self._begin(ufunc, tile, output, rest)
                else:
                    output.fill(neutral)
                for tap in rest:
                    part = tap.part[tile]
                    ufunc(part, tap.seen[tile], out=part)

    def _begin(self, ufunc: np.ufunc, tile: int, output: Array, rest: Iterator[PoolTap]) -> None:
        """Write the first two taps, which saves a pass over the output; they are taken from the rest."""
        first, second = next(rest), next(rest, None)
        if second is None:
            np.copyto(output, first.seen[tile])
        else:
            ufunc(first.seen[tile], second.seen[tile], out=output)


def _tiled(array: Array | None, step: int, like: Sequence[Array]) -> Sequence[Array | None]:
    return [None] * len(like) if array is None else channel_tiles(array, step)


@dataclass(frozen=True, slots=True)
class MaxStep:
    """Backward at one tap of one strip, with the scratch memory of one tile."""

    tap: PoolTap
    left: Array
    taken: Array
    equal: Mask


@kernel(MaxPool)
class MaxPoolKernel(PoolKernel[MaxPool]):
    """Largest value of each window; its gradient goes to the first position that has it.

    Backward hands each window's gradient from tap to tap: the first that equals the maximum takes it,
    and what is handed on is zero.
    """

    def prepare(self) -> None:
        super().prepare()
        if self.grad_input is None:
            return
        scratch = self.scratch()
        self.left = scratch.take(self.plan.elements)
        self.taken = scratch.take(self.plan.elements)
        self.equal = scratch.take_mask(self.plan.elements)
        self.steps = Views(self._steps, self.count)

    def _steps(self) -> Iterator[tuple[PoolStrip, Array, Views[MaxStep]]]:
        for strip in self.strips:
            shape = strip.output.shape[1:]
            left = self.left[: prod(shape)].reshape(shape)
            yield strip, left, Views(partial(self._tap_steps, strip, left), self.count)

    def _tap_steps(self, strip: PoolStrip, left: Array) -> Iterator[MaxStep]:
        for tap in strip.taps:
            shape = tap.part.shape[1:]
            taken, equal = self.taken[: prod(shape)], self.equal[: prod(shape)]
            yield MaxStep(tap, left[tap.slot], taken.reshape(shape), equal.reshape(shape))

    def forward(self) -> None:
        self.combine(np.maximum, -np.inf)

    def backward(self) -> None:
        if self.grad_input is None:
            return
        if self.gaps:
            self.grad_input.fill(0)
        for strip, left, steps in self.steps:
            assert strip.grad_output is not None, "training comes with gradients"
            for tile, grad in enumerate(strip.grad_output):
                np.copyto(left, grad)
                for step in steps:
                    self._hand_on(tile, step)

    def _hand_on(self, tile: int, step: MaxStep) -> None:
        assert step.tap.grad_seen is not None, "training comes with gradients"
        target = step.tap.grad_seen[tile]
        taken = target if self.apart else step.taken
        np.equal(step.tap.seen[tile], step.tap.part[tile], out=step.equal)
        np.multiply(step.left, step.equal, out=taken)
        np.subtract(step.left, taken, out=step.left)
        if not self.apart:
            np.add(target, taken, out=target)


def _shares(window: Window, size: int, positions: int, include_pad: bool, like: Array) -> Array:
    """Return 1 / (positions a window counts along one axis), for each window.

    Counted are positions of the input and, with `include_pad`, of its padding, but none beyond.

    References
    ----------
    torch.nn.AvgPool2d documentation.
    """
    low, high = (-window.before, size + window.after) if include_pad else (0, size)
    starts = [index * window.stride - window.before for index in range(positions)]
    counts = [min(start + window.extent, high) - max(start, low) for start in starts]
    return np.array([1 / count for count in counts], like.dtype)


class SumKernel(PoolKernel[LayerT]):
    """Sum of each window times the shares of its row and column."""

    def shares(self) -> tuple[Array, Array] | None:
        """Return factors for the rows and columns of the output; None where all are 1."""
        return None

    def prepare(self) -> None:
        super().prepare()
        shares = self.shares()
        self.high: Array | None = None
        self.wide: Array | None = None
        self.everywhere: Array | None = None
        if shares is not None:
            high, wide = shares
            if (high == high[0]).all() and (wide == wide[0]).all():
                self.everywhere = high[:1] * wide[:1]
            else:
                self.high, self.wide = high[:, None, None], wide[:, None]
        if self.grad_input is not None:
            self.scaled = self.scratch().take(self.plan.elements if shares is not None else 0)

    def factors(self, strip: PoolStrip) -> list[Array]:
        """Return what the sums of a tile are multiplied by."""
        high = None if self.high is None else self.high[strip.rows]
        return [factor for factor in (self.everywhere, high, self.wide) if factor is not None]

    def forward(self) -> None:
        self.combine(np.add, 0.0)
        for strip in self.strips:
            factors = self.factors(strip)
            for output in strip.output if factors else ():
                for factor in factors:
                    np.multiply(output, factor, out=output)

    def backward(self) -> None:
        if self.grad_input is None:
            return
        if self.gaps:
            self.grad_input.fill(0)
        for strip in self.strips:
            factors = self.factors(strip)
            assert strip.grad_output is not None, "training comes with gradients"
            for tile, grad in enumerate(strip.grad_output):
                scaled = grad
                for factor in factors:
                    target = self.scaled[: grad.size].reshape(grad.shape)
                    np.multiply(scaled, factor, out=target)
                    scaled = target
                self._spread(tile, scaled, strip.taps)

    def _spread(self, tile: int, grad: Array, some: Iterable[PoolTap]) -> None:
        """Give each position what the windows that see it pass on."""
        for tap in some:
            assert tap.grad_seen is not None, "training comes with gradients"
            target = tap.grad_seen[tile]
            if self.apart:
                np.copyto(target, grad[tap.slot])
            else:
                np.add(target, grad[tap.slot], out=target)


@kernel(AvgPool)
class AvgPoolKernel(SumKernel[AvgPool]):
    """Mean of each window, with PyTorch's divisors at the border."""

    def shares(self) -> tuple[Array, Array] | None:
        x, y = self.arrays.inputs[0], self.arrays.output
        if self.layer.divisor is not None:
            return np.full(y.shape[1], 1 / self.layer.divisor, y.dtype), np.ones(y.shape[2], y.dtype)
        include = self.layer.count_include_pad
        return (
            _shares(self.windows[0], x.shape[1], y.shape[1], include, y),
            _shares(self.windows[1], x.shape[2], y.shape[2], include, y),
        )


@kernel(SumPool)
class SumPoolKernel(SumKernel[SumPool]):
    """Sum of each window."""


@kernel(LpPool)
class LpPoolKernel(SumKernel[LpPool]):
    """Lp norm of each window; with c the share of a window that overhangs, ``y = (c sum |x|^p)^(1/p)``.

    Backward is ``g c y^(1 - p) |x|^(p - 1)`` with the sign of x.
    """

    def shares(self) -> tuple[Array, Array] | None:
        x, y = self.arrays.inputs[0], self.arrays.output
        if self.layer.rounding != "ceil":
            return None
        high, wide = (
            window.kernel * _shares(window, size, positions, True, y)
            for window, size, positions in zip(self.windows, x.shape[1:3], y.shape[1:3], strict=True)
        )
        return high, wide

    def prepare(self) -> None:
        super().prepare()
        scratch = self.scratch()
        self.power = scratch.take(self.plan.elements)
        if self.grad_input is not None:
            self.given, self.scaled = scratch.take(self.plan.elements), scratch.take(self.plan.elements)
            self.flat = scratch.take_mask(self.plan.elements)

    def _raised(self, values: Array, exponent: float) -> Array:
        """Return magnitudes raised to a power, in scratch memory."""
        out: Array = self.power[: values.size].reshape(values.shape)
        np.absolute(values, out=out)
        if exponent != 1:
            np.power(out, exponent, out=out)
        return out

    def forward(self) -> None:
        p = float(self.layer.p)
        for strip in self.strips:
            factors = self.factors(strip)
            for tile, output in enumerate(strip.output):
                output.fill(0)
                for tap in strip.taps:
                    part = tap.part[tile]
                    np.add(part, self._raised(tap.seen[tile], p), out=part)
                for factor in factors:
                    np.multiply(output, factor, out=output)
                np.power(output, 1 / p, out=output)

    def backward(self) -> None:
        if self.grad_input is None:
            return
        self.grad_input.fill(0)
        for strip in self.strips:
            assert strip.grad_output is not None, "training comes with gradients"
            factors = self.factors(strip)
            for tile, grad in enumerate(strip.grad_output):
                given = self._given(strip.output[tile], grad)
                for factor in factors:
                    np.multiply(given, factor, out=given)
                for tap in strip.taps:
                    self._hand_on(tap, tile, given[tap.slot])

    def _given(self, output: Array, grad: Array) -> Array:
        """Return ``g y^(1 - p)``, and 0 where y is."""
        given, flat = self.given[: grad.size].reshape(grad.shape), self.flat[: grad.size].reshape(grad.shape)
        norm = self._raised(output, float(self.layer.p) - 1) if self.layer.p > 1 else None
        np.equal(output if norm is None else norm, 0, out=flat)
        if norm is None:
            np.copyto(given, grad)
        else:
            np.add(norm, flat, out=norm)
            np.divide(grad, norm, out=given)
        np.copyto(given, 0, where=flat)
        return given

    def _hand_on(self, tap: PoolTap, tile: int, given: Array) -> None:
        assert tap.grad_seen is not None, "training comes with gradients"
        x, target = tap.seen[tile], tap.grad_seen[tile]
        scaled = self.scaled[: x.size].reshape(x.shape)
        if self.layer.p == 1:
            np.sign(x, out=scaled)
        else:
            np.copysign(self._raised(x, float(self.layer.p) - 1), x, out=scaled)
        np.multiply(scaled, given, out=scaled)
        np.add(target, scaled, out=target)
