"""Which sizes a network takes, by trying them: every window is slid, every position counted one at a time.

The oracle behind the property tests of accepted sizes. Like :mod:`tests.harness.naive`, it imports nothing of ours and
knows no formula for a size. Networks come as plain steps (:mod:`tests.harness.random_networks`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from tests.harness.naive.windows import NoResult, for_axes, paddings, seen, slide
from tests.harness.random_networks import Drawn, Step


class OwnRule(NoResult):
    """Refused by a rule that is ours alone: other frameworks compute something there."""


@dataclass(frozen=True)
class Outcome:
    """What became of one input: the shape of every tensor, and whether all windows reached the end of their input.

    Windows shorter than their stride leave out positions everywhere, on purpose, and are not asked.
    """

    shapes: Mapping[str, tuple[int | None, ...]]
    lossless: bool


SAME = ("relu", "batchnorm", "prelu", "layer_scale", "shift", "hard_swish", "dropout2d", "stochastic_depth",
        "channel_shuffle")  # fmt: skip
"""Layers whose output has the shape of their input; those that shuffle are drawn so that they can."""

Map = tuple[int | None, ...]
"""The sizes of a tensor; None stands for an axis that is not looked at, where everything fits."""


def outcome(drawn: Drawn, height: int | None, width: int | None, batch: int = 1) -> Outcome:
    """Return the shapes of a network's tensors for an input of that size.

    One axis may be None: what is found is then the other one's own verdict. Height and width never meet before a
    layer counts the numbers of a whole image.

    Raises
    ------
    NoResult
        Some layer has no result.

    Examples
    --------
    >>> step = Step("a", "maxpool", {"size": 2}, ("x",))
    >>> found = outcome(Drawn(("N", 1, "H", "W"), (step,)), 6, 7)
    >>> found.shapes["a"], found.lossless
    ((1, 1, 3, 3), False)
    """
    shapes: dict[str, Map] = {"x": (batch, drawn.shape[1], height, width)}
    known = {"x": (False, *(isinstance(size, int) for size in drawn.shape[1:]))}
    lossless = True
    for step in drawn.steps:
        inputs = [shapes[name] for name in step.reads]
        if step.kind in WINDOWS:
            shapes[step.name], reached = _window(step, inputs[0])
        elif step.kind in ARITHMETIC:
            shapes[step.name], reached = _combined(inputs, [known[name] for name in step.reads]), (True, True)
        else:
            shapes[step.name], reached = RULES[step.kind](inputs, step.settings), (True, True)
        known[step.name] = _known(step, inputs, [known[name] for name in step.reads])
        lossless = lossless and all(reached)
        if step.expect is not None:
            expected = tuple(batch if size == "N" else size for size in step.expect)
            if len(expected) != len(shapes[step.name]) or any(map(_differ, shapes[step.name], expected)):
                raise OwnRule(f"{step.name} is {shapes[step.name]}, not {expected}")
    return Outcome(shapes, lossless)


def verdict(drawn: Drawn, height: int | None, width: int | None) -> bool | None:
    """Return whether everything is seen at that size, None where the network has no result."""
    try:
        return outcome(drawn, height, width).lossless
    except NoResult:
        return None


def _differ(left: int | str | None, right: int | str | None) -> bool:
    return left is not None and right is not None and left != right


WINDOWS: Mapping[str, str] = MappingProxyType(
    {"conv": "kernel", "maxpool": "size", "avgpool": "size", "sumpool": "size"}
)
"""Layers that slide a window, by the setting that holds its size."""


def _window(step: Step, shape: Map) -> tuple[Map, tuple[bool, bool]]:
    """Return the map a window makes, and whether it reaches the last row and the last column of its input."""
    if len(shape) != 4:
        raise NoResult(f"a window slides over N, C, H, W; got {len(shape)} axes")
    chosen = step.settings
    kernel = for_axes(chosen[WINDOWS[step.kind]], 2)
    stride = for_axes(chosen.get("stride", 1 if step.kind == "conv" else kernel), 2)
    dilation, pad = for_axes(chosen.get("dilation", 1), 2), chosen.get("pad", 0)
    # Where an axis is not looked at, a size of 1 stands in for its padding, which is then not used.
    sizes = (shape[2] or 1, shape[3] or 1)
    if step.kind != "conv" and not isinstance(pad, str):
        sides = paddings(pad, sizes, kernel, stride, dilation)
        if any(2 * side > kernel[axis] for axis in (0, 1) for side in sides[axis]):
            raise NoResult(f"padding {pad} of windows of {kernel}")
    rounding = chosen.get("rounding", "floor")
    counts: list[int | None] = []
    reached = [True, True]
    for axis, (before, after) in enumerate(paddings(pad, sizes, kernel, stride, dilation)):
        if shape[2 + axis] is None:
            counts.append(None)
            continue
        mode = "floor" if isinstance(pad, str) and rounding == "ceil" else rounding
        count, sees_end, blind = _slid(sizes[axis], kernel[axis], stride[axis], before, after, dilation[axis], mode)
        if step.kind != "conv" and blind:
            raise OwnRule(f"{step.name}: a window sees nothing of its input")
        counts.append(count)
        reached[axis] = sees_end or dilation[axis] * (kernel[axis] - 1) + 1 < stride[axis]
    channels = chosen["filters"] if step.kind == "conv" else shape[1]
    return (shape[0], channels, counts[0], counts[1]), (reached[0], reached[1])


@lru_cache(maxsize=200_000)
def _slid(
    size: int, kernel: int, stride: int, before: int, after: int, dilation: int, rounding: str
) -> tuple[int, bool, bool]:
    """Return how many windows there are, whether one reaches the end of the input, and whether one sees none of it."""
    try:
        windows = slide(size, kernel, stride, before, after, dilation, rounding)
    except NoResult:
        if rounding != "exact":
            raise
        slide(size, kernel, stride, before, after, dilation, "floor")  # no place at all is everybody's rule
        raise OwnRule("windows leave something over") from None
    blind = not all(any(True for _ in seen(taps, size)) for taps in windows)
    return len(windows), any(taps[-1] >= size - 1 for taps in windows), blind


def _conv_transpose(inputs: list[Map], chosen: Mapping[str, Any]) -> Map:
    (shape,) = inputs
    sizes: list[int | None] = []
    kernel, stride = for_axes(chosen["kernel"], 2), for_axes(chosen.get("stride", 1), 2)
    dilation = for_axes(chosen.get("dilation", 1), 2)
    more = for_axes(chosen.get("output_pad", 0), 2)
    sides = paddings(chosen.get("pad", 0), (1, 1), kernel, stride, dilation)
    for axis in (0, 1):
        if more[axis] >= stride[axis] and more[axis] >= dilation[axis]:
            raise NoResult("too much output padding")
        size = shape[2 + axis]
        spread = (kernel[axis], stride[axis], dilation[axis], more[axis], sides[axis])
        sizes.append(None if size is None else _spread(size, *spread))
    return (shape[0], chosen["filters"], sizes[0], sizes[1])


@lru_cache(maxsize=200_000)
def _spread(size: int, kernel: int, stride: int, dilation: int, more: int, sides: tuple[int, int]) -> int:
    """Return how much of a sheet is left on which every input position has put its kernel."""
    sheet = 0
    for position in range(size):
        for tap in range(kernel):
            sheet = max(sheet, position * stride + tap * dilation + 1)
    left = list(range(sheet + more))[sides[0] :]
    for _ in range(sides[1]):
        if left:
            left.pop()
    if not left:
        raise OwnRule("padding cuts everything away")
    return len(left)


def _repeated(inputs: list[Map], chosen: Mapping[str, Any]) -> Map:
    (shape,) = inputs
    repeated = [
        None if size is None else len([position for position in range(size) for _ in range(scale)])
        for size, scale in zip(shape[2:], for_axes(chosen["scale"], 2), strict=True)
    ]
    return (*shape[:2], *repeated)


def _resized(inputs: list[Map], chosen: Mapping[str, Any]) -> Map:
    (shape,), factor = inputs, Fraction(str(chosen["scale"]))
    sizes: list[int | None] = []
    for size in shape[2:]:
        count = 0
        while size is not None and (count + 1) / factor <= size:
            count += 1
        if size is not None and not count:
            raise NoResult(f"{factor} of {size} is nothing")
        sizes.append(None if size is None else count)
    return (*shape[:2], *sizes)


def _padded(inputs: list[Map], chosen: Mapping[str, Any]) -> Map:
    (shape,) = inputs
    sides = paddings(chosen["pad"], (1, 1), (1, 1), (1, 1), (1, 1))
    padded = [
        None if size is None else len([0] * before + [1] * size + [0] * after)
        for size, (before, after) in zip(shape[2:], sides, strict=True)
    ]
    return (*shape[:2], *padded)


def _cropped(inputs: list[Map], chosen: Mapping[str, Any]) -> Map:
    shape = inputs[0]
    wanted = for_axes(chosen["size"], 2) if "size" in chosen else (inputs[1][2], inputs[1][3])
    for size, kept in zip(shape[2:], wanted, strict=True):
        if size is not None and kept is not None and kept > size:
            raise OwnRule(f"{size} is less than {kept}")
    return (*shape[:2], *(None if size is None else kept for size, kept in zip(shape[2:], wanted, strict=True)))


def _alike(inputs: list[Map], axes: tuple[int, ...]) -> None:
    for other in inputs[1:]:
        if len(other) != len(inputs[0]) or any(_differ(other[axis], inputs[0][axis]) for axis in axes):
            raise NoResult(f"{inputs[0]} and {other}")


ARITHMETIC = frozenset({"add", "subtract", "multiply", "maximum"})
"""Layers that repeat what is 1, where that is written and does not just happen."""

Known = tuple[bool, ...]
"""Of which axes the size is written in the network, so that it is the same for every input."""


def _known(step: Step, inputs: list[Map], known: list[Known]) -> Known:
    """Return which sizes of a layer's output are written in the network."""
    first, chosen = known[0], step.settings
    if step.kind == "gap" or (step.kind == "crop" and "size" in chosen):
        return (*first[:2], True, True)
    if step.kind == "crop":
        return (*first[:2], *known[1][2:])
    if step.kind in ("flatten", "dense"):
        return (first[0], step.kind == "dense" or all(first[1:]))
    if step.kind == "reshape":
        return (first[0], *(size != -1 or all(first[1:]) for size in chosen["shape"]))
    if step.kind in ARITHMETIC:
        return tuple(known[_lead(inputs, known, axis)][axis] for axis in range(len(first)))
    changed = list(first)
    if step.kind in ("slice", "split", "concat"):
        axis = chosen.get("axis", 1)
        if step.kind == "concat":
            changed[axis] = all(each[axis] for each in known)
        elif step.kind == "split":
            changed[axis] = first[axis] or isinstance(chosen["parts"], list)
        else:
            changed[axis] = first[axis] or min(chosen.get("start", 0), chosen.get("stop", -1)) >= 0
    return tuple(changed)


def _lead(inputs: list[Map], known: list[Known], axis: int) -> int:
    """Return the first input that is not repeated along an axis."""
    whole = [i for i, shape in enumerate(inputs) if axis == 0 or shape[axis] != 1 or not known[i][axis]]
    return whole[0] if whole else 0


def _combined(inputs: list[Map], known: list[Known]) -> Map:
    if len({len(shape) for shape in inputs}) > 1:
        raise NoResult(f"{inputs} have other numbers of axes")
    sizes: list[int | None] = []
    for axis in range(len(inputs[0])):
        found = {
            shape[axis]
            for shape, written in zip(inputs, known, strict=True)
            if axis == 0 or shape[axis] != 1 or not written[axis]
        }
        if len(found - {None}) > 1:
            raise (OwnRule if 1 in found and axis else NoResult)(f"sizes {found} along axis {axis}")
        sizes.append(None if None in found else max((size for size in found if size is not None), default=1))
    return tuple(sizes)


def _stacked(inputs: list[Map], chosen: Mapping[str, Any]) -> Map:
    along = chosen.get("axis", 1)
    _alike(inputs, tuple(axis for axis in range(len(inputs[0])) if axis != along))
    parts = [shape[along] for shape in inputs]
    whole = None if None in parts else len([0 for part in parts for _ in range(part or 0)])
    return (*inputs[0][:along], whole, *inputs[0][along + 1 :])


def _slice(inputs: list[Map], chosen: Mapping[str, Any]) -> Map:
    (shape,), axis = inputs, chosen.get("axis", 1)
    size = shape[axis]
    if size is None:
        return shape
    start, stop, step = chosen.get("start", 0), chosen.get("stop"), chosen.get("step", 1)
    places = list(range(size))
    first = start if start >= 0 else size + start
    end = size if stop is None else stop if stop >= 0 else size + stop
    if not 0 <= first < end <= size:
        raise OwnRule(f"{start}:{stop} of {size}")
    return (*shape[:axis], len(places[first:end][::step]), *shape[axis + 1 :])


def _split(inputs: list[Map], chosen: Mapping[str, Any]) -> Map:
    (shape,), axis, parts = inputs, chosen.get("axis", 1), chosen["parts"]
    size = shape[axis]
    if size is None:
        return shape
    sizes = parts if isinstance(parts, list) else [size // parts] * parts
    if sum(sizes) != size:
        raise NoResult(f"{parts} do not fill {size}") if isinstance(parts, list) else OwnRule(f"{size} / {parts}")
    return (*shape[:axis], sizes[chosen["part"]], *shape[axis + 1 :])


def _squares(inputs: list[Map], chosen: Mapping[str, Any], grows: bool) -> Map:
    (shape,), scale = inputs, chosen["scale"]
    channels = shape[1] or 0
    if grows:
        if channels % scale**2:
            raise NoResult(f"{channels} channels in squares of {scale}")
        return (shape[0], channels // scale**2, *(None if size is None else size * scale for size in shape[2:]))
    if any(size is not None and size % scale for size in shape[2:]):
        raise NoResult(f"{shape} in squares of {scale}")
    return (shape[0], channels * scale**2, *(None if size is None else size // scale for size in shape[2:]))


def _same(inputs: list[Map], _chosen: Mapping[str, Any]) -> Map:
    return inputs[0]


def _counted(shape: Map) -> int | None:
    """Return how many numbers an image has, None where an axis is not looked at."""
    numbers = 1
    for size in shape[1:]:
        if size is None:
            return None
        numbers *= size
    return numbers


def _dense(inputs: list[Map], chosen: Mapping[str, Any]) -> Map:
    (shape,) = inputs
    if len(shape) != 2 or _differ(chosen.get("features"), shape[1]):
        raise NoResult(f"{shape} has not the width {chosen.get('features')}")
    return (shape[0], chosen["units"])


def _reshaped(inputs: list[Map], chosen: Mapping[str, Any]) -> Map:
    numbers = _counted(inputs[0])
    wanted = chosen["shape"]
    if numbers is None:
        return (inputs[0][0], *(None for _ in wanted))
    known = math.prod(size for size in wanted if size != -1)
    if numbers % known or (-1 not in wanted and numbers != known):
        raise NoResult(f"{numbers} numbers are not {wanted}")
    return (inputs[0][0], *(numbers // known if size == -1 else size for size in wanted))


RULES: Mapping[str, Callable[[list[Map], Mapping[str, Any]], Map]] = MappingProxyType(
    {
        "convtranspose": _conv_transpose,
        "upsample": _repeated,
        "resize": _resized,
        "pad": _padded,
        "crop": _cropped,
        "concat": _stacked,
        "slice": _slice,
        "split": _split,
        "pixel_shuffle": lambda inputs, chosen: _squares(inputs, chosen, grows=True),
        "pixel_unshuffle": lambda inputs, chosen: _squares(inputs, chosen, grows=False),
        **dict.fromkeys(SAME, _same),
        "gap": lambda inputs, _chosen: (*inputs[0][:2], 1, 1),  # whatever the size, even one not looked at
        "flatten": lambda inputs, _chosen: (inputs[0][0], _counted(inputs[0])),
        "dense": _dense,
        "reshape": _reshaped,
    }
)
"""What every other kind makes of the shapes it reads."""
