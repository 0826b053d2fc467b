"""Layers that make maps larger or smaller without weights, by definition.

Numbers are put where they belong, and what has been touched is the result.
This imports nothing of ours, like all of :mod:`tests.naive`.
"""

from __future__ import annotations

import numpy as np

from tests.naive.windows import Array, NoResult, Padding, Pair, a_map, both, paddings


def upsample(x: Array, *, scale: Pair) -> Array:
    """Return the map with every position repeated.

    Examples
    --------
    >>> upsample(np.array([[[[1.0, 2.0]]]]), scale=2).tolist()
    [[[[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]]]
    """
    a_map(x)
    high, wide = both(scale)
    rows = [row for row in range(x.shape[2]) for _ in range(high)]
    columns = [column for column in range(x.shape[3]) for _ in range(wide)]
    return np.stack([x[:, :, row][:, :, columns] for row in rows], axis=2)


def zero_pad(x: Array, *, pad: Padding) -> Array:
    """Return the map with zeros around it.

    Examples
    --------
    >>> zero_pad(np.ones((1, 1, 1, 1)), pad=[0, 1, 0, 0]).tolist()
    [[[[1.0], [0.0]]]]
    """
    a_map(x)
    (top, bottom), (left, right) = paddings(pad, (x.shape[2], x.shape[3]), (1, 1), (1, 1), (1, 1))
    y = x
    for count, axis, at in ((top, 2, 0), (bottom, 2, -1), (left, 3, 0), (right, 3, -1)):
        for _ in range(count):
            line = np.zeros_like(y.take([0], axis=axis))
            y = np.concatenate([line, y] if at == 0 else [y, line], axis=axis)
    return y


def crop(*tensors: Array, size: Pair | None = None) -> Array:
    """Return the middle of the first tensor, of a size or as large as the second; an odd line more goes at the end.

    Lines are taken off one at a time: the end first, then the beginning, and so on.

    Raises
    ------
    NoResult
        The map is smaller, or there are other than the tensors that are needed.

    Examples
    --------
    >>> crop(np.arange(4.0).reshape(1, 1, 1, 4), size=[1, 1]).tolist()
    [[[[1.0]]]]
    """
    if len(tensors) != (2 if size is None else 1):
        raise NoResult(f"{len(tensors)} tensors and size {size}")
    for tensor in tensors:
        a_map(tensor)
    wanted = both((tensors[1].shape[2], tensors[1].shape[3]) if size is None else size)
    y = tensors[0]
    for axis, kept in zip((2, 3), wanted, strict=True):
        if y.shape[axis] < kept:
            raise NoResult(f"{y.shape[axis]} is less than {kept}")
        at_end = True
        while y.shape[axis] > kept:
            y = np.delete(y, -1 if at_end else 0, axis=axis)
            at_end = not at_end
    return y.copy()
