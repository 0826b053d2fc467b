"""Max, average, sum and Lp pooling on batch-last maps of one, two or three axes, (C, H, W, N)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import prod

import numpy as np

from planner.layers.pool import AvgPool, LpPool, MaxPool, Pool, SumPool
from planner.layers.tiling.workspace import Tiles, pieces
from planner.layers.window import Window
from runtime.kernels.base import Array, Kernel, LayerT, Mask, kernel, user_shape
from runtime.kernels.window import Span, Views, channel_tiles, over_volume, reaches, taps, volume


@dataclass(frozen=True, slots=True)
class PoolTap:
    """One tap of one strip: the part of the output that it reaches and the part of the input that it sees, by tile.

    `slot` is the index of the output part inside a tile.
    """

    part: Array
    seen: Array
    slot: tuple[slice, ...]
    grad_seen: Array | None


@dataclass(frozen=True, slots=True)
class PoolStrip:
    """Some slabs and rows of the output, (tiles, channels, D, H, W, N), with all their taps."""

    output: Array
    grad_output: Array | None
    spans: tuple[Span, ...]
    taps: Views[PoolTap]


class PoolKernel(Kernel[LayerT]):
    """Base of the pooling kernels: tiles that fit in cache, and views of every tap in them.

    Attributes
    ----------
    strips : Views of PoolStrip
    whole : bool
        Whether every tap is inside the input everywhere, so that there is no padding.
    disjoint : bool
        Whether no two windows overlap, so that gradients are written, not added.
    gaps : bool
        Whether gradients must start at zero, because they are added to, or no window sees some positions.
    """

    pool: Pool

    def prepare(self) -> None:
        assert isinstance(self.layer, Pool)
        self.pool = self.layer
        self.windows = over_volume(self.pool.windows(user_shape(self.arrays.inputs[0])))
        x, y = volume(self.arrays.inputs[0]), volume(self.arrays.output)
        axes = list(zip(self.windows, x.shape[1:4], y.shape[1:4], strict=True))
        self.disjoint = all(window.stride >= window.extent or positions == 1 for window, _, positions in axes)
        self.whole, covered = True, x.shape[0] * x.shape[-1]
        for window, size, positions in axes:
            found = [(tap.first, tap.last) if tap else (0, 0) for tap in reaches(window, size, positions)]
            self.whole = self.whole and all(span == (0, positions) for span in found)
            covered *= sum(last - first for first, last in found)
        self.gaps = not (self.disjoint and covered == x.size)
        self.grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        self.plan = Tiles(y.shape[0], y.shape[1], y.shape[2], y.shape[3] * y.shape[4])
        channels, *cuts = self.plan.step
        self.spans = list(product(*(pieces(n, cut) for n, cut in zip(y.shape[1:3], cuts, strict=True))))
        self.maps = channel_tiles(x, channels), channel_tiles(y, channels)
        self.grads = [_tiled(array, channels, self.maps[0]) for array in (self.grad_input, self.arrays.grad_output)]
        self.count = len(self.maps[0]) * len(self.spans) * prod(window.kernel for window in self.windows)
        self.strips = Views(self._strips, self.count)

    def _strips(self) -> Iterator[PoolStrip]:
        for x, y, grad_input, grad_output in zip(*self.maps, *self.grads, strict=True):
            for cut in self.spans:
                spans = (*cut, (0, y.shape[4]))
                part = (slice(None), slice(None), *(slice(*span) for span in spans))
                views = Views(partial(self._taps, x, y[part], grad_input, spans), self.count)
                yield PoolStrip(y[part], None if grad_output is None else grad_output[part], spans, views)

    def _taps(self, x: Array, output: Array, grad_input: Array | None, spans: tuple[Span, ...]) -> Iterator[PoolTap]:
        for _, sight in taps(self.windows, x.shape[2:5], spans):
            slot = (slice(None), *(one.within(span[0]) for one, span in zip(sight, spans, strict=True)))
            seen = (slice(None), slice(None), *(one.seen for one in sight))
            yield PoolTap(output[:, *slot], x[seen], slot, None if grad_input is None else grad_input[seen])

    def combine(self, ufunc: np.ufunc, neutral: float) -> None:
        """Reduce every window by `ufunc`, with its neutral element `neutral`."""
        for strip in self.strips:
            for tile, output in enumerate(strip.output):
                rest = iter(strip.taps)
                if self.whole:
                    self._combine_first(ufunc, tile, output, rest)
                else:
                    output.fill(neutral)
                for tap in rest:
                    part = tap.part[tile]
                    ufunc(part, tap.seen[tile], out=part)

    def _combine_first(self, ufunc: np.ufunc, tile: int, output: Array, rest: Iterator[PoolTap]) -> None:
        """Combine the first two taps directly, which saves a pass over the output, and remove them from `rest`."""
        first, second = next(rest), next(rest, None)
        if second is None:
            np.copyto(output, first.seen[tile])
        else:
            ufunc(first.seen[tile], second.seen[tile], out=output)


def _tiled(array: Array | None, step: int, like: Sequence[Array]) -> Sequence[Array | None]:
    return [None] * len(like) if array is None else channel_tiles(volume(array), step)


@dataclass(frozen=True, slots=True)
class MaxStep:
    """The backward pass of one tap of one strip, with the workspace of one tile."""

    tap: PoolTap
    remaining: Array
    taken: Array
    equal: Mask


@kernel(MaxPool)
class MaxPoolKernel(PoolKernel[MaxPool]):
    """Largest value of each window; its gradient goes to the first position that has it.

    The backward pass visits the taps of a window in order. The first tap that equals the maximum takes the gradient,
    and zero remains for the others.
    """

    def prepare(self) -> None:
        super().prepare()
        if self.grad_input is None:
            return
        workspace = self.backward_workspace()
        self.remaining = workspace.take(self.plan.elements)
        self.taken = workspace.take(self.plan.elements)
        self.equal = workspace.take_mask(self.plan.elements)
        self.steps = Views(self._steps, self.count)

    def _steps(self) -> Iterator[tuple[PoolStrip, Array, Views[MaxStep]]]:
        for strip in self.strips:
            shape = strip.output.shape[1:]
            remaining = self.remaining[: prod(shape)].reshape(shape)
            yield strip, remaining, Views(partial(self._tap_steps, strip, remaining), self.count)

    def _tap_steps(self, strip: PoolStrip, remaining: Array) -> Iterator[MaxStep]:
        for tap in strip.taps:
            shape = tap.part.shape[1:]
            taken, equal = self.taken[: prod(shape)], self.equal[: prod(shape)]
            yield MaxStep(tap, remaining[tap.slot], taken.reshape(shape), equal.reshape(shape))

    def forward(self) -> None:
        self.combine(np.maximum, -np.inf)

    def backward(self) -> None:
        if self.grad_input is None:
            return
        if self.gaps:
            self.grad_input.fill(0)
        for strip, remaining, steps in self.steps:
            assert strip.grad_output is not None, "training programs have gradients"
            for tile, grad in enumerate(strip.grad_output):
                np.copyto(remaining, grad)
                for step in steps:
                    self._distribute(tile, step)

    def _distribute(self, tile: int, step: MaxStep) -> None:
        assert step.tap.grad_seen is not None, "training programs have gradients"
        target = step.tap.grad_seen[tile]
        taken = target if self.disjoint else step.taken
        np.equal(step.tap.seen[tile], step.tap.part[tile], out=step.equal)
        np.multiply(step.remaining, step.equal, out=taken)
        np.subtract(step.remaining, taken, out=step.remaining)
        if not self.disjoint:
            np.add(target, taken, out=target)


def _shares(window: Window, size: int, positions: int, include_pad: bool, like: Array) -> Array:
    """Return the reciprocal of the number of positions in each window along one axis.

    Positions of the input count and, with `include_pad`, those of its padding, but none beyond it.

    References
    ----------
    torch.nn.AvgPool2d documentation.
    """
    low, high = (-window.before, size + window.after) if include_pad else (0, size)
    starts = [index * window.stride - window.before for index in range(positions)]
    counts = [min(start + window.extent, high) - max(start, low) for start in starts]
    return np.array([1 / count for count in counts], like.dtype)


class SumKernel(PoolKernel[LayerT]):
    """Sum of each window, times a factor for its position along each axis."""

    def shares(self) -> list[Array] | None:
        """Return the factors of the output positions along each axis of the volume; None if all are 1."""
        return None

    def shares_within(self, include_pad: bool) -> list[Array]:
        """Return the factors for averages over the positions of the input and, with `include_pad`, of its padding."""
        x, y = volume(self.arrays.inputs[0]), volume(self.arrays.output)
        axes = zip(self.windows, x.shape[1:4], y.shape[1:4], strict=True)
        return [_shares(*axis, include_pad, y) for axis in axes]

    def prepare(self) -> None:
        super().prepare()
        shares = self.shares()
        self.axes: list[tuple[int, Array]] = []
        self.constant: Array | None = None
        if shares is not None:
            if all((share == share[0]).all() for share in shares):
                self.constant = shares[0][:1] * shares[1][:1] * shares[2][:1]
            else:
                shaped = (share.reshape(-1, *(1,) * after) for share, after in zip(shares, (3, 2, 1), strict=True))
                self.axes = [(axis, share) for axis, share in enumerate(shaped) if (share != 1).any()]
        if self.grad_input is not None:
            self.scaled = self.backward_workspace().take(self.plan.elements if shares is not None else 0)

    def factors(self, strip: PoolStrip) -> list[Array]:
        """Return the factors of the sums of a strip."""
        if self.constant is not None:
            return [self.constant]
        return [share[slice(*strip.spans[axis])] for axis, share in self.axes]

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
            assert strip.grad_output is not None, "training programs have gradients"
            for tile, grad in enumerate(strip.grad_output):
                scaled = grad
                for factor in factors:
                    target = self.scaled[: grad.size].reshape(grad.shape)
                    np.multiply(scaled, factor, out=target)
                    scaled = target
                self._spread(tile, scaled, strip.taps)

    def _spread(self, tile: int, grad: Array, some: Iterable[PoolTap]) -> None:
        """Write or add the gradients of the windows to the positions that they see."""
        for tap in some:
            assert tap.grad_seen is not None, "training programs have gradients"
            target = tap.grad_seen[tile]
            if self.disjoint:
                np.copyto(target, grad[tap.slot])
            else:
                np.add(target, grad[tap.slot], out=target)


@kernel(AvgPool)
class AvgPoolKernel(SumKernel[AvgPool]):
    """Mean of each window, with the divisors of PyTorch at the border."""

    def shares(self) -> list[Array] | None:
        if self.layer.divisor is not None:
            dtype = self.arrays.output.dtype
            return [np.full(1, 1 / self.layer.divisor, dtype), np.ones(1, dtype), np.ones(1, dtype)]
        return self.shares_within(self.layer.count_include_pad)


@kernel(SumPool)
class SumPoolKernel(SumKernel[SumPool]):
    """Sum of each window."""


@kernel(LpPool)
class LpPoolKernel(SumKernel[LpPool]):
    """Lp norm of each window, ``y = (c sum |x|^p)^(1/p)``; c compensates for windows that overhang the border.

    The backward pass is ``g c y^(1 - p) |x|^(p - 1)`` with the sign of x.
    """

    def shares(self) -> list[Array] | None:
        if self.layer.rounding != "ceil":
            return None
        shares = self.shares_within(include_pad=True)
        return [window.kernel * share for window, share in zip(self.windows, shares, strict=True)]

    def prepare(self) -> None:
        super().prepare()
        self.power = self.workspace().take(self.plan.elements)
        if self.grad_input is not None:
            workspace = self.backward_workspace()
            self.power_back = workspace.take(self.plan.elements)
            self.given, self.scaled = workspace.take(self.plan.elements), workspace.take(self.plan.elements)
            self.zero = workspace.take_mask(self.plan.elements)

    def _raised(self, values: Array, exponent: float, memory: Array) -> Array:
        """Return magnitudes raised to a power, in `memory`."""
        out: Array = memory[: values.size].reshape(values.shape)
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
                    np.add(part, self._raised(tap.seen[tile], p, self.power), out=part)
                for factor in factors:
                    np.multiply(output, factor, out=output)
                np.power(output, 1 / p, out=output)

    def backward(self) -> None:
        if self.grad_input is None:
            return
        self.grad_input.fill(0)
        for strip in self.strips:
            assert strip.grad_output is not None, "training programs have gradients"
            factors = self.factors(strip)
            for tile, grad in enumerate(strip.grad_output):
                given = self._scaled_gradient(strip.output[tile], grad)
                for factor in factors:
                    np.multiply(given, factor, out=given)
                for tap in strip.taps:
                    self._distribute(tap, tile, given[tap.slot])

    def _scaled_gradient(self, output: Array, grad: Array) -> Array:
        """Return ``g y^(1 - p)``, and 0 where y is 0."""
        given, zero = self.given[: grad.size].reshape(grad.shape), self.zero[: grad.size].reshape(grad.shape)
        norm = self._raised(output, float(self.layer.p) - 1, self.power_back) if self.layer.p > 1 else None
        np.equal(output if norm is None else norm, 0, out=zero)
        if norm is None:
            np.copyto(given, grad)
        else:
            np.add(norm, zero, out=norm)
            np.divide(grad, norm, out=given)
        np.copyto(given, 0, where=zero)
        return given

    def _distribute(self, tap: PoolTap, tile: int, given: Array) -> None:
        assert tap.grad_seen is not None, "training programs have gradients"
        x, target = tap.seen[tile], tap.grad_seen[tile]
        scaled = self.scaled[: x.size].reshape(x.shape)
        if self.layer.p == 1:
            np.sign(x, out=scaled)
        else:
            np.copysign(self._raised(x, float(self.layer.p) - 1, self.power_back), x, out=scaled)
        np.multiply(scaled, given, out=scaled)
        np.add(target, scaled, out=target)
