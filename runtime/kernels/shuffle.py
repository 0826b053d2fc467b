"""Layers that reorder the numbers of an image: one copy between two views with the axes in different orders."""

from __future__ import annotations

import numpy as np

from planner.layers.shuffle import ChannelShuffle, Permute, PixelShuffle, PixelUnshuffle
from runtime.kernels.base import Array, Kernel, LayerT, flat, kernel


class ReorderKernel(Kernel[LayerT]):
    """Base of the kernels that copy in another order; a subclass defines the views of input and output.

    The backward pass copies in the opposite direction.
    """

    def prepare(self) -> None:
        self.moved = self.seen(self.arrays.output, self.arrays.inputs[0])
        self.back: list[tuple[Array, Array]] = []
        grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        if grad_input is not None:
            grad, target = self.seen(self.grad_output, grad_input)
            self.back = [(target, grad)]

    def seen(self, output: Array, source: Array) -> tuple[Array, Array]:
        """Return views of output and input with equal numbers at equal indices."""
        raise NotImplementedError

    def forward(self) -> None:
        np.copyto(*self.moved)

    def backward(self) -> None:
        for target, grad in self.back:
            np.copyto(target, grad)


@kernel(ChannelShuffle)
class ChannelShuffleKernel(ReorderKernel[ChannelShuffle]):
    """Transposition of (groups, C/groups), which copies whole channels."""

    def seen(self, output: Array, source: Array) -> tuple[Array, Array]:
        groups, channels = int(self.layer.groups), source.shape[0]
        shuffled = flat(output, channels // groups, groups, *output.shape[1:])
        return shuffled, flat(source, groups, channels // groups, *source.shape[1:]).swapaxes(0, 1)


def squares(channels: Array, places: Array, scale: int) -> tuple[Array, Array]:
    """Return views of (C*r^d, ..., N) and of the map (C, r*..., N) of the same numbers, with equal indices.

    Examples
    --------
    >>> a, b = squares(np.zeros((4, 2, 3, 1)), np.zeros((1, 4, 6, 1)), 2)
    >>> a.shape == b.shape
    True
    """
    count, *sizes = places.shape[:-1]
    cut = [part for size in sizes for part in (size // scale, scale)]
    table = flat(places, count, *cut, places.shape[-1])
    last = table.ndim - 1
    return (
        flat(channels, count, *[scale] * len(sizes), *channels.shape[1:]),
        table.transpose(0, *range(2, last, 2), *range(1, last, 2), last),
    )


@kernel(PixelShuffle)
class PixelShuffleKernel(ReorderKernel[PixelShuffle]):
    """Channels are moved to squares of positions."""

    def seen(self, output: Array, source: Array) -> tuple[Array, Array]:
        channels, places = squares(source, output, int(self.layer.scale))
        return places, channels


@kernel(PixelUnshuffle)
class PixelUnshuffleKernel(ReorderKernel[PixelUnshuffle]):
    """Squares of positions are moved to channels."""

    def seen(self, output: Array, source: Array) -> tuple[Array, Array]:
        return squares(output, source, int(self.layer.scale))


@kernel(Permute)
class PermuteKernel(ReorderKernel[Permute]):
    """Permutation of the axes before the batch."""

    def seen(self, output: Array, source: Array) -> tuple[Array, Array]:
        return output, source.transpose(*(place - 1 for place in self.layer.order), source.ndim - 1)
