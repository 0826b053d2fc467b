"""How a transposed convolution is split into GEMMs, phases and shards, and its workspace.

It is a convolution with its passes swapped: the forward pass applies the convolution's backward pass to the input, and
the convolution's forward pass yields the input's gradient. Plain ints, counted in elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import gcd, prod

from planner.layers.spatial import lifted
from planner.layers.tiling.conv import GATHER_SHARE, SHARD_POSITIONS, SHARD_ROWS, ConvTiling
from planner.layers.tiling.im2col import ColumnBlocks
from planner.layers.tiling.shards import in_lines, shares
from planner.layers.window import Window

SHARD_SUMS = 2**17
"""Largest number of weights of which each shard sums the gradient separately; with more, im2col runs twice."""

PHASES = 16
"""Largest number of phases of an output that is gathered: each is a separate pass."""

COPY_SHARE = 16
"""Multiply-accumulates that take as long as copying one element to a map with a stride (measured)."""

ADD_SHARES = 24, 48
"""The same for adding one element to the output, contiguously and with a stride."""

TURN_SHARE = 64
"""The same for copying one weight of a rotated kernel."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Every stride-th position along one axis of the output: those computed from the same taps, at stride 1.

    Attributes
    ----------
    first, step, count : int
        Positions of the output.
    taps : slice
        Of the kernel, in the order of the input positions.
    window : Window
        Over the input; its kernel is 0 if no tap contributes to these positions.

    Examples
    --------
    >>> for phase in phases_along(Window(kernel=3, stride=2, before=1, after=1), 8):
    ...     print(phase.first, phase.count, list(range(3)[phase.taps]), phase.window.kernel, phase.window.before)
    0 4 [1] 1 0
    1 4 [2, 0] 2 0
    """

    first: int
    step: int
    count: int
    taps: slice
    window: Window


def phases_along(window: Window, size: int) -> list[Phase]:
    """Return the phases along an axis of the output of that size.

    The taps t with ``t*dilation = o + before`` modulo the stride contribute to position o, from the input at
    ``(o + before - t*dilation)/stride``.

    References
    ----------
    Shi et al., arXiv:1609.07009 (transposed convolution as convolutions of one resolution).
    """
    found, step = [], window.stride // gcd(window.stride, window.dilation)
    for first in range(min(window.stride, size)):
        count = -(-(size - first) // window.stride)
        taps = [t for t in range(window.kernel) if (first + window.before - t * window.dilation) % window.stride == 0]
        last = taps[-1] if taps else 0
        start = (first + window.before - last * window.dilation) // window.stride
        apart = step * window.dilation // window.stride
        part = slice(last, taps[0] - 1 if taps and taps[0] else None, -step) if taps else slice(0)
        found.append(Phase(first, window.stride, count, part, Window(len(taps), 1, -start, 0, apart)))
    return found


@dataclass(frozen=True, slots=True)
class PhaseCut:
    """A phase along all axes.

    Attributes
    ----------
    axes : tuple of Phase
    blocks : ColumnBlocks
        The im2col blocks of the input, at the positions of the phase.
    """

    axes: tuple[Phase, Phase, Phase]
    blocks: ColumnBlocks

    @property
    def taps(self) -> int:
        """Number of kernel positions that contribute to this phase."""
        return prod(axis.window.kernel for axis in self.axes)

    @property
    def columns(self) -> int:
        """Largest number of columns of a block."""
        return self.blocks.elements // self.blocks.shards // self.blocks.depth


@dataclass(frozen=True, slots=True)
class TransposedTiling:
    """The workspace of a transposed convolution, and the cheaper of its equivalent algorithms.

    Attributes
    ----------
    back : ConvTiling
        The inverse convolution: it reads the output computed here, and its output has the shape of the input here.
    windows : tuple of Window
        Its windows along depth, height and width.

    Examples
    --------
    >>> back = ConvTiling((8, 32, 128, 128), (8, 64, 64, 64), (1, 2, 2), (1, 2, 2), False, 1)
    >>> plan = TransposedTiling(back, (Window(1), Window(2, 2), Window(2, 2)))
    >>> plan.apart, plan.gathers, plan.filter_shards[0]
    (True, False, (slice(None, None, None), slice(0, 8, None)))
    """

    back: ConvTiling
    windows: tuple[Window, Window, Window]

    @property
    def apart(self) -> bool:
        """Whether no two windows overlap."""
        sizes = lifted(self.back.output_shape[2:], 1)
        return all(size == 1 or int(w.extent) <= w.stride for w, size in zip(self.windows, sizes, strict=True))

    @property
    def gathers(self) -> bool:
        """Whether forward convolves the input, one phase of the output at a time, instead of adding columns to it."""
        back = self.back
        if prod(back.stride) > PHASES or self.apart or back.depthwise is not None:
            return False
        strided = back.stride != (1, 1, 1)
        visited: int = sum(prod(axis.count * axis.window.kernel for axis in axes) for axes in self.phases)
        each = back.weights // back.taps + GATHER_SHARE * back.output_shape[1]
        gathered = back.output_shape[0] * visited * each
        copied = back.in_positions * back.input_shape[1] * COPY_SHARE if strided else 0
        added = back.out_positions * (back.weights + ADD_SHARES[strided] * back.depth)
        return 0 < gathered < added - copied - TURN_SHARE * back.weights

    @property
    def phases(self) -> list[tuple[Phase, Phase, Phase]]:
        """The phases of the output along depth, height and width."""
        sizes = lifted(self.back.input_shape[2:], 1)
        deep, high, wide = (phases_along(window, size) for window, size in zip(self.windows, sizes, strict=True))
        return list(product(deep, high, wide))

    @property
    def phase_cuts(self) -> list[PhaseCut]:
        """The phases of the output that any tap contributes to, each split into the same number of shards."""
        back, batch = self.back, self.back.output_shape[0]
        every = [axes for axes in self.phases if all(axis.window.kernel for axis in axes)]
        fewest = min(prod(axis.count for axis in axes) for axes in every) * batch
        shards = max(1, min(back.forward.wanted, fewest // SHARD_POSITIONS))
        rows, found = back.input_shape[1] // back.groups, []
        for deep, high, wide in every:
            depth = back.output_shape[1] * deep.window.kernel * high.window.kernel * wide.window.kernel
            blocks = ColumnBlocks(depth, rows, deep.count, high.count, wide.count, batch, shards, summed=False)
            found.append(PhaseCut((deep, high, wide), blocks))
        return found

    @property
    def filter_shards(self) -> list[tuple[slice, slice]]:
        """The groups, and filters of each group, of each shard if forward scatters."""
        back, every = self.back, slice(None)
        if back.groups > 1:
            return [(slice(*span), every) for span in shares(back.groups, back.forward.wanted)]
        shards = min(back.forward.wanted, back.depth // SHARD_ROWS)
        return [(every, slice(*span)) for span in shares(back.input_shape[1], shards)]

    def filter_blocks(self, shard: tuple[slice, slice]) -> ColumnBlocks:
        """Return the im2col blocks of one of :attr:`filter_shards`, which no other shard uses."""
        return self.back.weight_blocks(shard)

    @property
    def forward_elements(self) -> int:
        """Elements of workspace of a forward pass."""
        # a smaller batch may scatter even if this one gathers
        return max(sum(self.filter_blocks(shard).elements for shard in self.filter_shards), self._gathered)

    @property
    def _gathered(self) -> int:
        """Return the elements of a forward pass that gathers: rotated weights, columns and products."""
        if not self.gathers:
            return 0
        cuts = self.phase_cuts
        weights = sum(in_lines(self.back.weights // self.back.taps * cut.taps) for cut in cuts)
        columns, made = self.phase_elements(cuts)
        return weights + columns + made

    def phase_elements(self, cuts: list[PhaseCut]) -> tuple[int, int]:
        """Return the elements that hold the columns of any phase, for all shards, and those of their products."""
        columns = max(cut.blocks.elements for cut in cuts)
        if self.back.stride == (1, 1, 1):
            return columns, 0  # products are written to the output directly
        most = max(cut.columns for cut in cuts)
        return columns, cuts[0].blocks.shards * in_lines(self.back.input_shape[1] * most)

    @property
    def shard_sums(self) -> bool:
        """Whether each shard sums the weight gradient over its own positions, or computes a part of the weights."""
        return self.back.weights <= SHARD_SUMS

    @property
    def back_blocks(self) -> ColumnBlocks:
        """The im2col blocks of the gradient of the output."""
        return self.back.forward_blocks.apart

    @property
    def backward_elements(self) -> int:
        """Elements of workspace of a backward pass."""
        back = self.back
        columns = 0 if back.direct else self.back_blocks.elements
        if self.shard_sums:
            return columns + back.sums(self.back_blocks, rotated=False)
        return max(columns, sum(map(back.weight_shard, back.weight_shards)))
