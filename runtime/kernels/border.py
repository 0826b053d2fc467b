"""Padding and cropping of maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from planner.layers.border import Crop, Pad
from runtime.kernels.base import Array, Kernel, kernel, user_shape


def _around(array: Array, corner: Sequence[int], inner: Sequence[int]) -> Iterator[Array]:
    """Yield the parts of a map outside a block of size `inner` at `corner`."""
    within: tuple[slice, ...] = (slice(None),)
    for first, size in zip(corner, inner, strict=True):
        for part in (array[*within, :first], array[*within, first + size :]):
            if part.size:
                yield part
        within = (*within, slice(first, first + size))


def _sources(size: int, before: int, after: int, mode: str) -> list[tuple[slice, slice]]:
    """Return the parts of a padded axis that are copies, each with the part of the map that it copies.

    Examples
    --------
    >>> _sources(4, 2, 1, "reflect")[1:]
    [(slice(0, 2, None), slice(2, 0, -1)), (slice(6, 7, None), slice(2, 1, -1))]
    """
    end = before + size
    found = [(slice(before, end), slice(0, size))]
    if before and mode != "constant":
        found.append((slice(0, before), slice(before, 0, -1) if mode == "reflect" else slice(0, 1)))
    if after and mode != "constant":
        beyond = size - 2 - after
        mirror = slice(size - 2, None if beyond < 0 else beyond, -1)
        found.append((slice(end, end + after), mirror if mode == "reflect" else slice(size - 1, size)))
    return found


@kernel(Pad)
class PadKernel(Kernel[Pad]):
    """Padding around a map, one block at a time; each position gets the summed gradients of all its copies."""

    def prepare(self) -> None:
        x, y, mode = self.arrays.inputs[0], self.arrays.output, self.layer.mode
        around = self.layer.sides(user_shape(x))
        axes = (
            _sources(size, int(before), int(after), mode)
            for size, (before, after) in zip(x.shape[1:-1], around, strict=True)
        )
        places = [tuple(zip(*some, strict=True)) for some in product(*axes)]
        corner = [int(before) for before, _ in around]
        self.constant = list(_around(y, corner, x.shape[1:-1])) if mode == "constant" else []
        self.copies = [(y[:, *to], x[:, *source]) for to, source in places]
        grad = self.arrays.grad_inputs[0] if self.differentiates else None
        self.folds: list[tuple[Array, Array, tuple[int, ...], Array]] = []
        for to, source in places if grad is not None else ():
            assert grad is not None
            part, target = self.grad_output[:, *to], grad[:, *source]
            folded = tuple(axis for axis in range(1, part.ndim - 1) if part.shape[axis] != target.shape[axis])
            total = self.backward_workspace().take(*target.shape) if folded else target
            self.folds.append((part, target, folded, total))

    def forward(self) -> None:
        for part in self.constant:
            part.fill(self.layer.value)
        for part, source in self.copies:
            np.copyto(part, source)

    def backward(self) -> None:
        for index, (part, target, axes, total) in enumerate(self.folds):
            if not index:
                np.copyto(target, part)
                continue
            if axes:
                np.add.reduce(part, axis=axes, keepdims=True, out=total)
                part = total
            np.add(target, part, out=target)


@kernel(Crop)
class CropKernel(Kernel[Crop]):
    """The middle of a map; the border has no gradient, nor does the input that provides only its shape."""

    def prepare(self) -> None:
        x, y = self.arrays.inputs[0], self.arrays.output
        corner = self.layer.offsets(tuple(map(user_shape, self.arrays.inputs)))
        middle = (slice(None), *(slice(n, n + kept) for n, kept in zip(corner, y.shape[1:-1], strict=True)))
        self.middle = x[middle]
        grad_input = self.arrays.grad_inputs[0]
        self.grad_middle = None if grad_input is None else grad_input[middle]
        self.zeros = [] if grad_input is None else list(_around(grad_input, corner, y.shape[1:-1]))
        self.zeros += [grad for grad in self.arrays.grad_inputs[1:] if grad is not None]

    def forward(self) -> None:
        np.copyto(self.arrays.output, self.middle)

    def backward(self) -> None:
        for part in self.zeros:
            part.fill(0)
        if self.grad_middle is not None:
            np.copyto(self.grad_middle, self.grad_output)
