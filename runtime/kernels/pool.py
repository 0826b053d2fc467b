"""Max, average and sum pooling on batch-last maps (C, H, W, N)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from planner.layers.pool import AvgPool, MaxPool, Pool, SumPool
from planner.layers.scratch import Tiles, pieces
from planner.layers.window import Window
from runtime.kernels.base import Array, Kernel, LayerT, Mask, kernel, user_shape
from runtime.kernels.window import taps


@dataclass(frozen=True, slots=True)
class PoolTap:
    """One tap of one tile: the part of the output it reaches, and what it sees of the input.

    `slot` is the same part counted inside the tile.
    """

    part: Array
    seen: Array
    slot: tuple[slice, slice, slice]
    grad_seen: Array | None


@dataclass(frozen=True, slots=True)
class PoolTile:
    """Some channels and rows of the output with all their taps."""

    output: Array
    grad_output: Array | None
    rows: slice
    taps: tuple[PoolTap, ...]


class PoolKernel(Kernel[LayerT]):
    """What the poolings share: tiles that fit in cache, and views of every tap in them.

    Attributes
    ----------
    whole : bool
        Every tap lies inside the input everywhere: nothing to pad.
    apart : bool
        No two windows see the same position, so that gradients are written, not added.
    """

    pool: Pool

    def prepare(self) -> None:
        assert isinstance(self.layer, Pool)
        self.pool = self.layer
        x, y = self.arrays.inputs[0], self.arrays.output
        high, wide = self.windows = self.pool.windows(user_shape(x))
        self.apart = all(
            window.stride >= window.extent or positions == 1
            for window, positions in ((high, y.shape[1]), (wide, y.shape[2]))
        )
        self.grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        self.plan = Tiles(y.shape[0], y.shape[1], y.shape[2] * y.shape[3])
        self.tiles = list(self._tiles())
        count = high.kernel * wide.kernel
        self.whole = all(
            len(tile.taps) == count and all(tap.part.shape == tile.output.shape for tap in tile.taps)
            for tile in self.tiles
        )
        covered = sum(tap.seen.size for tile in self.tiles for tap in tile.taps)
        self.gaps = not (self.apart and covered == x.size)

    def _tiles(self) -> Iterator[PoolTile]:
        x, y = self.arrays.inputs[0], self.arrays.output
        grad_output = self.arrays.grad_output
        channels, rows = self.plan.step
        for first, last in pieces(y.shape[0], channels):
            for span in pieces(y.shape[1], rows):
                there = (slice(first, last), slice(*span))
                found = []
                for _, _, high, wide in taps(self.windows, (x.shape[1], x.shape[2]), span, (0, y.shape[2])):
                    slot = (slice(0, last - first), high.within(span[0]), wide.within(0))
                    seen = (slice(first, last), high.seen, wide.seen)
                    grad_seen = None if self.grad_input is None else self.grad_input[seen]
                    found.append(PoolTap(y[there][slot], x[seen], slot, grad_seen))
                grad = None if grad_output is None else grad_output[there]
                yield PoolTile(y[there], grad, slice(*span), tuple(found))

    def combine(self, ufunc: np.ufunc, neutral: float) -> None:
        """Compute every output as `ufunc` over its window; `neutral` changes nothing."""
        for tile in self.tiles:
            rest = tile.taps
            if self.whole and len(rest) > 1:
                ufunc(rest[0].seen, rest[1].seen, out=tile.output)
                rest = rest[2:]
            else:
                tile.output.fill(neutral)
            for tap in rest:
                ufunc(tap.part, tap.seen, out=tap.part)


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
        self.steps = [(tile, list(self._steps(tile))) for tile in self.tiles]

    def _steps(self, tile: PoolTile) -> Iterator[tuple[PoolTap, Array, Array, Mask]]:
        left = self.left[: tile.output.size].reshape(tile.output.shape)
        for tap in tile.taps:
            shape = tap.part.shape
            taken = self.taken[: tap.part.size].reshape(shape)
            if self.apart and tap.grad_seen is not None:
                taken = tap.grad_seen
            yield tap, left[tap.slot], taken, self.equal[: tap.part.size].reshape(shape)

    def forward(self) -> None:
        self.combine(np.maximum, -np.inf)

    def backward(self) -> None:
        if self.grad_input is None:
            return
        if self.gaps:
            self.grad_input.fill(0)
        for tile, steps in self.steps:
            if tile.grad_output is None:
                continue
            np.copyto(self.left[: tile.output.size].reshape(tile.output.shape), tile.grad_output)
            for tap, left, taken, equal in steps:
                np.equal(tap.seen, tap.part, out=equal)
                np.multiply(left, equal, out=taken)
                np.subtract(left, taken, out=left)
                if not self.apart and tap.grad_seen is not None:
                    np.add(tap.grad_seen, taken, out=tap.grad_seen)


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
        self.factors: tuple[tuple[Array, ...], ...] = tuple(() for _ in self.tiles)
        if shares is not None:
            high, wide = shares
            uniform = bool((high == high[0]).all() and (wide == wide[0]).all())
            self.factors = tuple(
                (high[:1] * wide[:1],) if uniform else (high[tile.rows, None, None], wide[:, None])
                for tile in self.tiles
            )
        if self.grad_input is not None:
            self.scaled = self.scratch().take(self.plan.elements if shares is not None else 0)

    def forward(self) -> None:
        self.combine(np.add, 0.0)
        for tile, factors in zip(self.tiles, self.factors, strict=True):
            for factor in factors:
                np.multiply(tile.output, factor, out=tile.output)

    def backward(self) -> None:
        if self.grad_input is None:
            return
        if self.gaps:
            self.grad_input.fill(0)
        for tile, factors in zip(self.tiles, self.factors, strict=True):
            grad = tile.grad_output
            assert grad is not None, "training comes with gradients"
            for factor in factors:
                scaled = self.scaled[: grad.size].reshape(grad.shape)
                np.multiply(grad, factor, out=scaled)
                grad = scaled
            for tap in tile.taps:
                if tap.grad_seen is None:
                    continue
                if self.apart:
                    np.copyto(tap.grad_seen, grad[tap.slot])
                else:
                    np.add(tap.grad_seen, grad[tap.slot], out=tap.grad_seen)


@kernel(AvgPool)
class AvgPoolKernel(SumKernel[AvgPool]):
    """Mean of each window, with PyTorch's divisors at the border."""

    def shares(self) -> tuple[Array, Array] | None:
        x, y = self.arrays.inputs[0], self.arrays.output
        include = self.layer.count_include_pad
        return (
            _shares(self.windows[0], x.shape[1], y.shape[1], include, y),
            _shares(self.windows[1], x.shape[2], y.shape[2], include, y),
        )


@kernel(SumPool)
class SumPoolKernel(SumKernel[SumPool]):
    """Sum of each window."""
