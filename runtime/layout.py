"""Conversion between the users' layout (N, C, H, W) and the internal one, with the batch last.

Arrays from users are checked once, here; internal arrays are not checked again. Numbers of any integer, boolean or
floating type are accepted and converted to the plan's dtype without scaling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.findings import Finding, SizeError, nearest

Array = NDArray[Any]
Arrays = Mapping[str, Array]
Given = ArrayLike | Mapping[str, ArrayLike]
"""One array, or arrays by name."""


def read(given: Given, shapes: Mapping[str, tuple[int, ...]], what: str = "input") -> tuple[dict[str, Array], int]:
    """Check arrays against planned shapes; return them by name, with the number of images they hold.

    Parameters
    ----------
    given : array_like or mapping of str to array_like
        A single array if the network has one of `what`, otherwise one array by name.
    shapes : mapping of str to tuple of int
        Planned shapes, N, C, H, W; any N is accepted.
    what : str
        What findings call the arrays.

    Raises
    ------
    SizeError
        R502: names, shapes, numbers of images or types differ from the plan; one error lists every difference.

    Examples
    --------
    >>> arrays, count = read(np.zeros((5, 1, 8, 8), np.uint8), {"image": (32, 1, 8, 8)})
    >>> arrays["image"].shape, count
    ((5, 1, 8, 8), 5)
    >>> read(np.zeros((5, 8, 8, 1)), {"image": (32, 1, 8, 8)})
    Traceback (most recent call last):
    planner.findings.SizeError: error[R502]: input `image` must be (N, 1, 8, 8), got (5, 8, 8, 1); \
the channels are last: give image.transpose(0, 3, 1, 2)
    """
    named = _by_name(given, shapes, what)
    findings: list[Finding] = []
    arrays: dict[str, Array] = {}
    for name, shape in shapes.items():
        array = _array(named[name])
        problem = _problem(array, name, shape, what)
        findings += [problem] if problem else []
        arrays[name] = array
    counts = {name: len(array) for name, array in arrays.items() if array.ndim}
    if not findings and len(set(counts.values())) > 1:
        found = ", ".join(f"`{name}` {count}" for name, count in counts.items())
        message = f"all {what}s must hold the same number of images, got {found}"
        findings.append(Finding("R502", message, fixes=("give one row per image in each",)))
    if findings:
        raise SizeError(findings)
    return arrays, next(iter(counts.values()))


def fill(view: Array, array: Array) -> None:
    """Write images (N, ...) into a batch-last array.

    Examples
    --------
    >>> inside = np.empty((3, 2))
    >>> fill(inside, np.array([[1, 2, 3], [4, 5, 6]]))
    >>> inside.tolist()
    [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    """
    np.copyto(view, np.moveaxis(array, 0, -1), casting="same_kind")


def images(view: Array) -> Array:
    """Return a batch-last array as a view in the order N, C, H, W.

    Examples
    --------
    >>> images(np.empty((3, 8, 8, 2))).shape
    (2, 3, 8, 8)
    """
    return np.moveaxis(view, -1, 0)


def _by_name(given: Given, shapes: Mapping[str, tuple[int, ...]], what: str) -> Mapping[str, ArrayLike]:
    if not isinstance(given, Mapping):
        if len(shapes) == 1:
            return {next(iter(shapes)): given}
        wanted = ", ".join(f'"{name}": ...' for name in shapes)
        message = f"the network has {len(shapes)} {what}s, and one array was given"
        raise SizeError.of("R502", message, fixes=(f"give {{{wanted}}}",))
    findings = [
        Finding("R502", f"nothing was given for {what} `{name}`", fixes=(f'add "{name}": array',))
        for name in shapes
        if name not in given
    ]
    for name in given:
        if name not in shapes:
            close = nearest(str(name), shapes)
            fix = f"did you mean `{close}`?" if close else "the network has " + ", ".join(f"`{n}`" for n in shapes)
            findings.append(Finding("R502", f"the network has no {what} `{name}`", fixes=(fix,)))
    if findings:
        raise SizeError(findings)
    return given


def _array(value: ArrayLike) -> Array:
    try:
        return np.asarray(value)
    except ValueError:  # rows of different lengths
        return np.empty((), object)


def _problem(array: Array, name: str, shape: tuple[int, ...], what: str) -> Finding | None:
    if array.dtype.kind not in "biuf":
        fix = "give an array of float32, or of integers, which are converted to it"
        return Finding("R502", f"{what} `{name}` must hold real numbers, got {_type_text(array)}", fixes=(fix,))
    if array.ndim == len(shape) and array.shape[1:] == shape[1:]:
        return None
    wanted = ", ".join(map(str, ("N", *shape[1:])))
    return Finding(
        "R502",
        f"{what} `{name}` must be ({wanted}), got {array.shape}",
        fixes=(_shape_fix(array.shape, name, shape, what),),
    )


def _type_text(array: Array) -> str:
    return "rows of different lengths or other objects" if array.dtype == object else str(array.dtype)


def _shape_fix(got: tuple[int, ...], name: str, shape: tuple[int, ...], what: str) -> str:
    if got == shape[1:]:
        return f"add the batch axis: {name}[None]"
    if len(shape) == 4 and shape[1] == 1 and got[1:] == shape[2:]:
        return f"add the channel axis: {name}[:, None]"
    if len(shape) == 4 and len(got) == 4 and got[1:] == (*shape[2:], shape[1]):
        return f"the channels are last: give {name}.transpose(0, 3, 1, 2)"
    if what != "input":
        return "give one number for each number of the output"
    if len(shape) == 4 and len(got) == 4 and got[1] == shape[1]:
        return f"bind the plan at H={got[2]}, W={got[3]}, if it accepts them, or resize the images"
    return f"reshape the {what}, or bind the plan at its sizes"
