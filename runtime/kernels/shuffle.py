"""Numbers moved to other places of the same image: one copy between two views of the same axes in another order."""

from __future__ import annotations

import numpy as np

from planner.layers.shuffle import ChannelShuffle, Permute, PixelShuffle, PixelUnshuffle
from runtime.kernels.base import Array, Kernel, LayerT, flat, kernel


class MovingKernel(Kernel[LayerT]):
    """A copy in another order; a subclass says how the output looks in the input's axes.

    The backward pass applies the inverse.
    """

    def prepare(self) -> None:
        self.moved = self.seen(self.arrays.output, self.arrays.inputs[0])
        self.back: list[tuple[Array, Array]] = []
        grad_input = self.arrays.grad_inputs[0] if self.differentiates else None
        if grad_input is not None:
            grad, target = self.seen(self.grad_output, grad_input)
            self.back = [(target, grad)]

    def seen(self, output: Array, source: Array) -> tuple[Array, Array]:
        """Return views of output and input in which equal indices hold equal numbers."""
        raise NotImplementedError

    def forward(self) -> None:
        np.copyto(*self.moved)

    def backward(self) -> None:
        for target, grad in self.back:
            np.copyto(target, grad)


@kernel(ChannelShuffle)
class ChannelShuffleKernel(MovingKernel[ChannelShuffle]):
    """(groups, C/groups) turned: whole channels are copied."""

    def seen(self, output: Array, source: Array) -> tuple[Array, Array]:
        groups, channels = int(self.layer.groups), source.shape[0]
        cards = flat(output, channels // groups, groups, *output.shape[1:])
        return cards, flat(source, groups, channels // groups, *source.shape[1:]).swapaxes(0, 1)


def squares(channels: Array, places: Array, scale: int) -> tuple[Array, Array]:
    """Return views of (C*r^d, ..., N) and of the map (C, r*..., N) it is the squares of, in which indices agree.

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
class PixelShuffleKernel(MovingKernel[PixelShuffle]):
    """Channels become squares."""

    def seen(self, output: Array, source: Array) -> tuple[Array, Array]:
        channels, places = squares(source, output, int(self.layer.scale))
        return places, channels


@kernel(PixelUnshuffle)
class PixelUnshuffleKernel(MovingKernel[PixelUnshuffle]):
    """Squares become channels."""

    def seen(self, output: Array, source: Array) -> tuple[Array, Array]:
        return squares(output, source, int(self.layer.scale))


@kernel(Permute)
class PermuteKernel(MovingKernel[Permute]):
    """The axes before the batch in another order."""

    def seen(self, output: Array, source: Array) -> tuple[Array, Array]:
        return output, source.transpose(*(place - 1 for place in self.layer.order), source.ndim - 1)
