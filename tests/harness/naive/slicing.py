"""Parts of tensors, and numbers moved to other places, by definition.

This imports nothing of ours, like all of :mod:`tests.harness.naive`.
"""

from __future__ import annotations

import numpy as np

from tests.harness.naive.windows import Array, NoResult


def slice_of(x: Array, start: int = 0, stop: int | None = None, step: int = 1, axis: int = 1) -> Array:
    """Return positions start, start + step, ... before stop of one axis; negative ones are counted from the end.

    Raises
    ------
    NoResult
        The first is not there, the end lies beyond the axis, nothing is left, or there is no such axis.

    Examples
    --------
    >>> slice_of(np.array([[1.0, 2.0, 3.0, 4.0]]), 1, -1).tolist()
    [[2.0, 3.0]]
    """
    axis = _axis(x, axis)
    size = x.shape[axis]
    first = start if start >= 0 else size + start
    end = size if stop is None else stop if stop >= 0 else size + stop
    if not 0 <= first < end <= size:
        raise NoResult(f"{start}:{stop} of {size}")
    kept = []
    place = first
    while place < end:
        kept.append(np.take(x, place, axis))
        place += step
    return np.stack(kept, axis)


def split(x: Array, parts: int | list[int], part: int, axis: int = 1) -> Array:
    """Return one part of an axis: of so many equal ones, or of a list of sizes that fill it.

    Raises
    ------
    NoResult
        The parts are not equal, or do not fill the axis.

    Examples
    --------
    >>> split(np.array([[1.0, 2.0, 3.0, 4.0]]), 2, 1).tolist()
    [[3.0, 4.0]]
    """
    axis = _axis(x, axis)
    owners: list[int] = []
    if isinstance(parts, int):
        if x.shape[axis] % parts:
            raise NoResult(f"{x.shape[axis]} in {parts} parts")
        parts = [x.shape[axis] // parts] * parts
    for number, size in enumerate(parts):
        owners += [number] * size
    if len(owners) != x.shape[axis]:
        raise NoResult(f"{parts} do not fill {x.shape[axis]}")
    return np.stack([np.take(x, place, axis) for place, owner in enumerate(owners) if owner == part], axis)


def _axis(x: Array, axis: int) -> int:
    place = axis if axis > 0 else x.ndim + axis
    if not 1 <= place < x.ndim:
        raise NoResult(f"no axis {axis} of {x.ndim}")
    return place


def permute(x: Array, order: int | list[int]) -> Array:
    """Return the axes behind the batch in another order.

    Raises
    ------
    NoResult
        There are more axes, or fewer.

    Examples
    --------
    >>> permute(np.array([[[1.0, 2.0], [3.0, 4.0]]]), [2, 1]).tolist()
    [[[1.0, 3.0], [2.0, 4.0]]]
    """
    listed = order if isinstance(order, list) else [order]
    if len(listed) != x.ndim - 1:
        raise NoResult(f"{x.ndim} axes in the order {listed}")
    places = [0, *(place if place > 0 else x.ndim + place for place in listed)]
    y = np.zeros([x.shape[place] for place in places])
    for index in np.ndindex(*y.shape):
        source = dict(zip(places, index, strict=True))
        y[index] = x[tuple(source[place] for place in range(x.ndim))]
    return y


def channel_shuffle(x: Array, groups: int) -> Array:
    """Return the first channel of each group, then the second of each, and so on.

    Examples
    --------
    >>> channel_shuffle(np.array([[1.0, 2.0, 3.0, 4.0]]), 2).tolist()
    [[1.0, 3.0, 2.0, 4.0]]
    """
    channels = x.shape[1]
    if channels % groups:
        raise NoResult(f"{channels} channels in {groups} groups")
    each = channels // groups
    order = [group * each + card for card in range(each) for group in range(groups)]
    return np.stack([x[:, channel] for channel in order], 1)


def pixel_shuffle(x: Array, scale: int) -> Array:
    """Return a map scale times as large along each axis, of the squares of its channels.

    Raises
    ------
    NoResult
        There is no map, or the channels are no squares.

    Examples
    --------
    >>> pixel_shuffle(np.arange(4.0).reshape(1, 4, 1, 1), 2).tolist()
    [[[[0.0, 1.0], [2.0, 3.0]]]]
    """
    square = scale ** (x.ndim - 2)
    if x.ndim < 3 or x.shape[1] % square:
        raise NoResult(f"{x.shape} in squares of {scale}")
    y = np.zeros((x.shape[0], x.shape[1] // square, *(size * scale for size in x.shape[2:])))
    for index in np.ndindex(x.shape):
        y[_larger(index, scale, square)] = x[index]
    return y


def pixel_unshuffle(x: Array, scale: int) -> Array:
    """Return a map scale times smaller along each axis, each of whose positions holds a square of the input.

    Raises
    ------
    NoResult
        There is no map, or it cannot be cut into squares.

    Examples
    --------
    >>> pixel_unshuffle(np.arange(4.0).reshape(1, 1, 2, 2), 2).ravel().tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    square = scale ** (x.ndim - 2)
    if x.ndim < 3 or any(size % scale for size in x.shape[2:]):
        raise NoResult(f"{x.shape} in squares of {scale}")
    y = np.zeros((x.shape[0], x.shape[1] * square, *(size // scale for size in x.shape[2:])))
    for index in np.ndindex(y.shape):
        y[index] = x[_larger(index, scale, square)]
    return y


def _larger(index: tuple[int, ...], scale: int, square: int) -> tuple[int, ...]:
    """Return where a number of many channels lies in the larger map: the last axis takes what differs fastest."""
    image, channel, *places = index
    inside = channel % square
    found = []
    for place in reversed(places):
        found.append(place * scale + inside % scale)
        inside //= scale
    return (image, channel // square, *reversed(found))
