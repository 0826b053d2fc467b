"""Layers that make maps larger or smaller without weights, by definition.

Numbers are put where they belong, and what has been touched is the result.
This imports nothing of ours, like all of :mod:`tests.harness.naive`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from tests.harness.naive.windows import Array, NoResult, Padding, Pair, a_map, for_axes, paddings


def upsample(x: Array, *, scale: Pair) -> Array:
    """Return the map with every position repeated.

    Examples
    --------
    >>> upsample(np.array([[[[1.0, 2.0]]]]), scale=2).tolist()
    [[[[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]]]
    """
    a_map(x)
    for axis, times in enumerate(for_axes(scale, x.ndim - 2), start=2):
        x = x.take([line for line in range(x.shape[axis]) for _ in range(times)], axis=axis)
    return x


def _factors(scale: float | Sequence[float], axes: int) -> list[Fraction]:
    """Return one factor for each axis, as it is written."""
    given = [scale] * axes if isinstance(scale, (int, float)) else list(scale)
    if len(given) != axes:
        raise NoResult(f"{len(given)} factors for {axes} axes")
    return [Fraction(str(factor)) for factor in given]


def resize(
    *tensors: Array,
    size: Pair | None = None,
    scale: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool = False,
) -> Array:
    """Return the map at places spread evenly over it, as many as wanted along each axis.

    Source: torch.nn.functional.interpolate documentation.

    Raises
    ------
    NoResult
        It is not said how large, or said twice.

    Examples
    --------
    >>> resize(np.array([[[[0.0, 4.0]]]]), scale=[1, 2], mode="bilinear").tolist()
    [[[[0.0, 1.0, 3.0, 4.0]]]]
    """
    for tensor in tensors:
        a_map(tensor)
    if len(tensors) != (1 if size is not None or scale is not None else 2) or tensors[-1].ndim != tensors[0].ndim:
        raise NoResult(f"{len(tensors)} tensors, size {size}, scale {scale}")
    y = tensors[0]
    like = tensors[-1].shape[2:]
    for axis in range(2, y.ndim):
        n = y.shape[axis]
        if scale is None:
            o = for_axes(like if size is None else size, y.ndim - 2)[axis - 2]
            apart = Fraction(n, o)
        else:
            factor = _factors(scale, y.ndim - 2)[axis - 2]
            o, apart = math.floor(n * factor), 1 / factor
            if o < 1:
                raise NoResult(f"{n} times {factor}")
        last = Fraction(n - 1)
        lines = []
        for p in range(o):
            if mode == "nearest":
                lines.append(y.take(math.floor(p * apart), axis=axis))
                continue
            corners = last * p / (o - 1) if o > 1 else Fraction(0)
            place = sorted(
                (Fraction(0), corners if align_corners else (p + Fraction(1, 2)) * apart - Fraction(1, 2), last)
            )[1]
            below, above = math.floor(place), math.ceil(place)
            part = float(place - below)
            lines.append(y.take(below, axis=axis) * (1 - part) + y.take(above, axis=axis) * part)
        y = np.stack(lines, axis=axis)
    return y


def bordered(x: Array, *, pad: Padding, mode: str = "constant", value: float = 0.0) -> Array:
    """Return the map with a border around it, one line after the other.

    Source: torch.nn.ConstantPad2d, ReflectionPad2d and ReplicationPad2d documentation.

    Raises
    ------
    NoResult
        A mirror would have to show more than the map has beyond its edge.

    Examples
    --------
    >>> bordered(np.ones((1, 1, 1, 1)), pad=[0, 1, 0, 0]).tolist()
    [[[[1.0], [0.0]]]]
    >>> bordered(np.array([[[[1.0, 2.0, 3.0]]]]), pad=[0, 0, 2, 1], mode="reflect").tolist()
    [[[[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]]]]
    """
    a_map(x)
    y = x
    ones = (1,) * (x.ndim - 2)
    for axis, (before, after) in enumerate(paddings(pad, x.shape[2:], ones, ones, ones), start=2):
        lines = [y.take([index], axis=axis) for index in range(y.shape[axis])]
        if mode == "reflect" and max(before, after) >= len(lines):
            raise NoResult("the mirror is too small")

        def beyond(index: int, lines: list[Array] = lines) -> Array:
            last = len(lines) - 1
            if mode == "reflect":
                return lines[-index if index < 0 else 2 * last - index]
            if mode == "replicate":
                return lines[0 if index < 0 else last]
            return np.full_like(lines[0], value)

        left = [beyond(index) for index in range(-before, 0)]
        right = [beyond(index) for index in range(len(lines), len(lines) + after)]
        y = np.concatenate([*left, *lines, *right], axis=axis)
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
        if tensor.ndim != tensors[0].ndim:
            raise NoResult(f"{tensors[0].ndim} and {tensor.ndim} axes")
    y = tensors[0]
    for axis, kept in enumerate(for_axes(tensors[1].shape[2:] if size is None else size, y.ndim - 2), start=2):
        if y.shape[axis] < kept:
            raise NoResult(f"{y.shape[axis]} is less than {kept}")
        at_end = True
        while y.shape[axis] > kept:
            y = np.delete(y, -1 if at_end else 0, axis=axis)
            at_end = not at_end
    return y.copy()
