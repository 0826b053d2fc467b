"""Images as stored, and their conversion to the input of a network: enlarging, padding, scaling.

Pixels stay bytes in memory. The arithmetic is done one batch at a time, directly into the array that the
network reads. :mod:`runtime.data` loads the images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.findings import Finding, PlannerError

Array = NDArray[Any]
PIXEL_SCALE = 1.0 / 255.0

PIECE_BYTES = 56 * 1024
"""Bytes of pixels gathered at once: all the memory a feed needs, below the 64 KiB that a step may allocate."""

PIECE_IMAGES = 64
"""Minimum number of images gathered at once, if the batch has them, to write whole cache lines of a batch."""


class DataError(PlannerError):
    """Images or data files that do not match the network or the format (R502, R504, R505)."""


@dataclass(frozen=True)
class Images:
    """A set of stored images, and the arithmetic that turns them into network input.

    Attributes
    ----------
    pixels : array (N, C, H, W) or (N, features)
        Bytes or floats.
    scale, shift : float
        The network reads ``pixel * scale + shift``, background included.
    enlarge : int
        Each pixel becomes a square with sides of this many pixels.
    pad : tuple of int
        Background (pixel 0) added after enlarging: rows above and below, columns left and right.

    Examples
    --------
    >>> images = Images(np.full((1, 1, 2, 2), 255, np.uint8), PIXEL_SCALE, pad=(1, 0, 0, 0))
    >>> images.shape, np.asarray(images)[0, 0].tolist()
    ((1, 1, 3, 2), [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    """

    pixels: Array
    scale: float = 1.0
    shift: float = 0.0
    enlarge: int = 1
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape after the arithmetic, as the network reads it, such as (N, C, H, W)."""
        if self.pixels.ndim != 4:
            return self.pixels.shape
        count, channels, height, width = self.pixels.shape
        above, below, left, right = self.pad
        return count, channels, height * self.enlarge + above + below, width * self.enlarge + left + right

    def of_axes(self, axes: int) -> Images:
        """Return the images for an input with this many axes: grey pictures may be read as sequences, (N, C, L).

        Examples
        --------
        >>> Images(np.zeros((5, 1, 40, 101))).of_axes(3).shape
        (5, 40, 101)
        """
        grey = self.pixels.ndim == 4 and self.pixels.shape[1] == 1 and not any(self.pad) and self.enlarge == 1
        return replace(self, pixels=self.pixels[:, 0]) if axes == 3 and grey else self

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, rows: Any) -> Images:
        """Return some of the images: a slice, or an array of row numbers."""
        return replace(self, pixels=self.pixels[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Return all images as the network reads them (default: float32)."""
        out = np.empty(self.shape, np.float32 if dtype is None else dtype)
        Feed(self, np.moveaxis(out, 0, -1))(np.arange(len(self)))
        return out


class Feed:
    """A copier of chosen rows of a data set into one batch-last array.

    Pixels are copied one piece at a time, whatever their memory order. A call needs `PIECE_BYTES` of memory for any
    batch and data set, and keeps none.

    Parameters
    ----------
    source : Images or array (N, ...)
    target : array (..., n)
        Written by each call; n is the batch size.

    Examples
    --------
    >>> target = np.empty((3, 2))
    >>> Feed(np.arange(12).reshape(4, 3), target)(np.array([3, 0]))
    >>> target.tolist()
    [[9.0, 0.0], [10.0, 1.0], [11.0, 2.0]]
    """

    def __init__(self, source: Images | Array, target: Array) -> None:
        images = source if isinstance(source, Images) else Images(source)
        self._pixels, self._target = images.pixels, target
        self._scale, self._shift = float(images.scale), float(images.shift)
        fit = PIECE_BYTES // max(1, prod(self._pixels.shape[1:]) * self._pixels.itemsize)
        self._at_once = max(1, min(target.shape[-1], max(PIECE_IMAGES, fit)))
        self._piece_pixels = max(1, PIECE_BYTES // (self._at_once * self._pixels.itemsize))
        self._batch_last = (*range(1, self._pixels.ndim), 0)
        self._padded = any(images.pad)
        self._parts = [target]
        if images.pixels.ndim == 4:
            above, _, left, _ = images.pad
            times = images.enlarge
            height, width = (size * times for size in images.pixels.shape[2:])
            inner = target[:, above : above + height, left : left + width]
            self._parts = [inner[:, i::times, j::times] for i in range(times) for j in range(times)]

    def __call__(self, rows: Array) -> None:
        """Fill the target with these rows, one for each of its images."""
        if self._padded:
            self._target.fill(0)
        for start in range(0, len(rows), self._at_once):
            images = slice(start, start + self._at_once)
            for piece in _pieces(self._pixels.shape[1:], self._piece_pixels):
                self._copy(piece, rows[images], images)
        if self._scale != 1.0:
            np.multiply(self._target, self._scale, out=self._target)
        if self._shift:
            np.add(self._target, self._shift, out=self._target)

    def _copy(self, piece: tuple[slice, ...], rows: Array, images: slice) -> None:
        # numpy.take would first copy the whole data set if it is not contiguous.
        found = self._pixels[(slice(None), *piece)][rows].transpose(self._batch_last)
        for part in self._parts:
            place: tuple[Any, ...] = (*piece, ..., images)
            np.copyto(part[place], found, casting="unsafe")


def _pieces(shape: tuple[int, ...], most: int) -> Iterator[tuple[slice, ...]]:
    """Yield the indices of parts of an array, in memory order, with at most `most` elements each."""
    inner = prod(shape[1:])
    if not shape:
        yield ()
    elif inner <= most:
        step = most // max(1, inner)
        for start in range(0, shape[0], step):
            yield (slice(start, start + step),)
    else:
        for place in range(shape[0]):
            for rest in _pieces(shape[1:], most):
                yield (slice(place, place + 1), *rest)


def fitted(images: Images, shape: tuple[int, ...], say: Callable[[str], None] | None = None, name: str = "") -> Images:
    """Fit images to a planned input: enlarge them by a whole factor, then pad them on all sides.

    Parameters
    ----------
    shape : tuple of int
        Shape of one image in the network: (C, H, W) or (features,).
    say : callable, optional
        Called with one sentence that describes what was done.
    name : str
        Name of the input, for messages.

    Raises
    ------
    DataError
        R502: the channels differ, or the images are larger than the input.

    Examples
    --------
    >>> digits = Images(np.zeros((5, 1, 28, 28), np.uint8))
    >>> fitted(digits, (1, 32, 32), print).pad
    28x28 images become 32x32: padded by 2 on every side
    (2, 2, 2, 2)
    """
    images = images.of_axes(len(shape) + 1)
    have = images.shape[1:]
    if have == tuple(shape):
        return images
    if len(have) == 3 and len(shape) == 1 and int(np.prod(have)) == shape[0] and images.enlarge == 1:
        return replace(images, pixels=images.pixels.reshape(len(images), -1))
    if len(have) != 3 or len(shape) != 3 or have[0] != shape[0] or have[1] > shape[1] or have[2] > shape[2]:
        raise DataError([misfit(have, tuple(shape), name)])
    (_, height, width), (_, wanted_height, wanted_width) = have, shape
    times = min(wanted_height // height, wanted_width // width)
    extra_height, extra_width = wanted_height - height * times, wanted_width - width * times
    above, left = extra_height // 2, extra_width // 2
    pad = (above, extra_height - above, left, extra_width - left)
    if say is not None:
        say(_sentence((height, width), (wanted_height, wanted_width), times, pad))
    return replace(images, enlarge=times, pad=pad)


def misfit(have: tuple[int, ...], want: tuple[int, ...], name: str = "") -> Finding:
    """Return the finding (R502) for images of one shape that are given to an input of another."""
    given, wanted = _times(have), _times(want)
    order = {2: " (C, L)", 3: " (C, H, W)", 4: " (C, D, H, W)"}.get(len(want), "")
    which = f"input `{name}`" if name else "the network"
    fixes: tuple[str, ...] = ()
    if len(have) == 3 and len(want) == 3:
        if (have[2], have[0], have[1]) == want:
            fixes = ("put the channels first: images.transpose(0, 3, 1, 2)",)
        elif have[0] != want[0]:
            fixes = (f"use images with {want[0]} channels, or change the input of the network to {have[0]}",)
        else:
            fixes = (f"plan the network for {have[1]}x{have[2]} images:  input: [N, {have[0]}, {have[1]}, {have[2]}]",)
    return Finding("R502", f"{which} reads images of {wanted}{order}, got {given}", fixes=fixes)


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) if shape else "no axes"


def _sentence(have: tuple[int, int], want: tuple[int, int], times: int, pad: tuple[int, int, int, int]) -> str:
    done = [f"enlarged {times} times"] if times > 1 else []
    if any(pad):
        sides = zip(pad, ("above", "below", "left", "right"), strict=True)
        words = [f"{size} {side}" for size, side in sides]
        done.append(f"padded by {f'{pad[0]} on every side' if len(set(pad)) == 1 else ', '.join(words)}")
    return f"{have[0]}x{have[1]} images become {want[0]}x{want[1]}: {' and '.join(done)}"
