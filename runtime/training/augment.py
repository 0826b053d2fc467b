"""Data augmentation: images are flipped and shifted at random on their way into a network.

The moves depend only on the state of the random generator and the number of images in the batch. A run that resumes
from a checkpoint therefore moves every image as the uninterrupted run would. :mod:`planner.training.augment` decides
which images may be moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.findings import PlannerError
from planner.training.augment import Augment, augment_finding
from runtime.images import PIECE_BYTES, PIECE_IMAGES, Images
from runtime.training.batches import Batches

Array = NDArray[Any]

MOVED_BYTES = PIECE_BYTES // 2
"""Bytes of pixels moved at once; the moves need memory too, and a step may allocate 64 KiB."""


class AugmentError(PlannerError):
    """Images that cannot be moved, or not without making their labels wrong (R515)."""


class MovingFeed:
    """A copier of chosen rows of a set of images into one batch-last array that moves each image at random.

    Like :class:`runtime.images.Feed`, it needs the same memory for any batch and data set, and keeps none: a strip of
    `MOVED_BYTES` of pixels, or one row of an image if that is larger.

    Parameters
    ----------
    images : Images
        (N, C, H, W); each image is enlarged and padded, then shifted within its padded frame.
    target : array (C, H, W, n)
        Written by each call.
    augment : Augment
    rng : Generator
        Advanced by each call.

    Examples
    --------
    >>> images, target = Images(np.array([[[[1, 2, 3]]]])), np.empty((1, 1, 3, 2), np.float32)
    >>> feed = MovingFeed(images, target, Augment(flip="horizontal"), np.random.default_rng(0))
    >>> feed(np.array([0, 0]))
    >>> target[0, 0].T.tolist()
    [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]
    """

    def __init__(self, images: Images, target: Array, augment: Augment, rng: np.random.Generator) -> None:
        self._images, self._target, self._augment, self._rng = images, target, augment, rng
        _, height, width, batch = target.shape
        line = width * images.pixels.itemsize
        # One channel at a time: as many images at once as fit with all their rows, or one image in strips of rows.
        self._at_once = max(1, min(batch, PIECE_IMAGES, MOVED_BYTES // (height * line)))
        self._rows = max(1, min(height, MOVED_BYTES // (self._at_once * line)))

    def __call__(self, rows: Array) -> None:
        """Fill the target with these rows, one for each of its images."""
        channels, height, width, _ = self._target.shape
        strip = np.empty((self._at_once, self._rows, width), self._images.pixels.dtype)
        for start in range(0, len(rows), self._at_once):
            some = rows[start : start + self._at_once]
            moves = [_Move(*move) for move in zip(*self._drawn(len(some)), strict=True)]
            for channel in range(channels):
                for top in range(0, height, self._rows):
                    piece = strip[: len(some), : min(height - top, self._rows)]
                    piece.fill(0)
                    for row, move, place in zip(some.tolist(), moves, piece, strict=True):
                        self._move(self._images.pixels[row, channel], move, place, top)
                    part = self._target[channel, top : top + piece.shape[1], :, start : start + len(some)]
                    np.copyto(part, piece.transpose(1, 2, 0), casting="unsafe")
        if self._images.scale != 1.0:
            np.multiply(self._target, float(self._images.scale), out=self._target)
        if self._images.shift:
            np.add(self._target, float(self._images.shift), out=self._target)

    def _drawn(self, count: int) -> tuple[list[int], list[int], list[int], list[int]]:
        """Draw the moves of `count` images: flip left to right, flip top to bottom, rows down, columns right."""
        flip, shift, none = self._augment.flip, self._augment.shift, [0] * count

        def draw(low: int, high: int) -> list[int]:
            found: list[int] = self._rng.integers(low, high, count, dtype=np.int8, endpoint=True).tolist()
            return found

        return (
            draw(0, 1) if flip in ("horizontal", "both") else none,
            draw(0, 1) if flip in ("vertical", "both") else none,
            draw(-shift, shift) if shift else none,
            draw(-shift, shift) if shift else none,
        )

    def _move(self, source: Array, move: _Move, place: Array, top: int) -> None:
        """Write the part of a moved image that falls into a strip of rows, which starts at `top`."""
        if move.left_right:
            source = source[:, ::-1]
        if move.top_bottom:
            source = source[::-1]
        times, (above, _, left, _) = self._images.enlarge, self._images.pad
        for i in range(times):
            to_rows, from_rows = _overlap(above + move.down + i - top, times, len(source), len(place))
            for j in range(times):
                to_columns, from_columns = _overlap(left + move.right + j, times, source.shape[1], place.shape[1])
                place[to_rows, to_columns] = source[from_rows, from_columns]


@dataclass(frozen=True, slots=True)
class _Move:
    left_right: int
    top_bottom: int
    down: int
    right: int


def refuse_unmovable(data: Batches, augment: Augment) -> None:
    """Raise AugmentError (R515) if moving the images is impossible or would make labels wrong."""
    shapes = {name: images.shape[1:] for name, images in data.images.items()}
    found = augment_finding(augment, shapes, {name: targets.ndim - 1 for name, targets in data.labelled.items()})
    if found is not None:
        raise AugmentError([found])


def _overlap(start: int, step: int, count: int, length: int) -> tuple[slice, slice]:
    """Return the places ``start + step * k``, k below `count`, in ``range(length)``, and these k, as slices."""
    first = max(0, -(start // step))
    end = max(first, min(count, -((start - length) // step)))
    return slice(start + step * first, start + step * end, step) if end > first else slice(0), slice(first, end)
