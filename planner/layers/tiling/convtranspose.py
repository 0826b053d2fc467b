"""How a transposed convolution is cut into products of matrices, phases, shards and workspace.

It is a convolution with its passes turned round: what that one does to its output's gradient is done to the input here,
and its forward pass gives the input's gradient. Plain ints, counted in elements.
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
"""Most weights of which each shard sums the gradient by itself; where there are more, columns are gathered twice."""

PHASES = 16
"""Most phases of an output that is gathered: each is a pass of its own."""

COPY_SHARE = 16
"""Multiply-accumulates that take as long as copying one element to a map, its neighbours a stride apart (measured)."""

ADD_SHARES = 24, 48
"""The same for adding one to the output, where neighbours are neighbours there and where they lie a stride apart."""

TURN_SHARE = 64
"""The same for copying one weight of a kernel that is turned around."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Every stride-th position along one axis of the output: what the same taps make, at stride 1.

    Attributes
    ----------
    first, step, count : int
        Positions of the output.
    taps : slice
        Of the kernel, in the order in which the input is seen.
    window : Window
        Through which the input is seen; a kernel of 0 where no tap makes these positions.

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

    Position o is made by the taps t with ``t*dilation = o + before`` modulo the stride, from the input at
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
        The columns over the input, at the positions of the phase.
    """

    axes: tuple[Phase, Phase, Phase]
    blocks: ColumnBlocks

    @property
    def taps(self) -> int:
        """Positions of the kernel that make this phase."""
        return prod(axis.window.kernel for axis in self.axes)

    @property
    def columns(self) -> int:
        """Most columns of a block."""
        return self.blocks.elements // self.blocks.shards // self.blocks.depth


@dataclass(frozen=True, slots=True)
class TransposedTiling:
    """What a transposed convolution works in, and which of the equal ways to compute it is cheaper.

    Attributes
    ----------
    back : ConvTiling
        The convolution that leads back: it reads the map made here, and makes the map read here.
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
        """No two windows overlap."""
        sizes = lifted(self.back.output_shape[2:], 1)
        return all(size == 1 or int(w.extent) <= w.stride for w, size in zip(self.windows, sizes, strict=True))

    @property
    def gathers(self) -> bool:
        """Forward convolves the input, phase by phase of the output, instead of adding columns to the output."""
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
        """The phases of the output that any tap makes, their positions shared by the same number of shards."""
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
        """The groups, and filters of each group, that shards have to themselves where forward scatters."""
        back, every = self.back, slice(None)
        if back.groups > 1:
            return [(slice(*span), every) for span in shares(back.groups, back.forward.wanted)]
        shards = min(back.forward.wanted, back.depth // SHARD_ROWS)
        return [(every, slice(*span)) for span in shares(back.input_shape[1], shards)]

    def filter_blocks(self, shard: tuple[slice, slice]) -> ColumnBlocks:
        """Return how the columns of one of :attr:`filter_shards` are cut, which are its alone."""
        return self.back.weight_blocks(shard)

    @property
    def forward_elements(self) -> int:
        """Elements of workspace of a forward pass."""
        # a smaller batch may scatter where this one gathers
        return max(sum(self.filter_blocks(shard).elements for shard in self.filter_shards), self._gathered)

    @property
    def _gathered(self) -> int:
        """Return the elements of a forward pass that gathers: turned weights, columns and products."""
        if not self.gathers:
            return 0
        cuts = self.phase_cuts
        weights = sum(in_lines(self.back.weights // self.back.taps * cut.taps) for cut in cuts)
        columns, made = self.phase_elements(cuts)
        return weights + columns + made

    def phase_elements(self, cuts: list[PhaseCut]) -> tuple[int, int]:
        """Return the elements that hold the columns of any phase, for all shards, and what is made from them."""
        columns = max(cut.blocks.elements for cut in cuts)
        if self.back.stride == (1, 1, 1):
            return columns, 0  # made where they belong
        most = max(cut.columns for cut in cuts)
        return columns, cuts[0].blocks.shards * in_lines(self.back.input_shape[1] * most)

    @property
    def shard_sums(self) -> bool:
        """Each shard sums the weights' gradient over its own positions; otherwise each has some of the weights."""
        return self.back.weights <= SHARD_SUMS

    @property
    def back_blocks(self) -> ColumnBlocks:
        """The columns over the gradient of the output."""
        return self.back.forward_blocks.apart

    @property
    def backward_elements(self) -> int:
        """Elements of workspace of a backward pass."""
        back = self.back
        columns = 0 if back.direct else self.back_blocks.elements
        if self.shard_sums:
            return columns + back.sums(self.back_blocks, rotated=False)
        return max(columns, sum(map(back.weight_shard, back.weight_shards)))
