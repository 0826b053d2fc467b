"""Formulas of every kind of layer with its numbers substituted: output size, parameters, MACs.

The derivation of a kind is a function registered for its class; kinds without one get the default derivation.
:mod:`planner.explanations.layer` chooses the layers and adds the context of a derivation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import singledispatch

import planner.symbols as sy
from planner.explanations.steps import Step, bracketed, rule, shape_step, stated
from planner.layers import BatchNorm, Concat, Conv, ConvTranspose, Dense, Flatten, Layer, Reshape, Resize, Upsample
from planner.layers.adaptive import AdaptivePool
from planner.layers.axes import position, word
from planner.layers.border import Crop, Pad
from planner.layers.reshape import COMPUTED
from planner.layers.shuffle import PixelShuffle, PixelUnshuffle
from planner.layers.slicing import Cut, Split
from planner.layers.spatial import LETTERS, along, is_map, names, rank, together
from planner.layers.window import Window, WindowLayer
from planner.symbols import Shape, Size


@singledispatch
def derive(layer: Layer, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    """Yield the derivation steps of a layer.

    Implementations are registered by class; this default applies to all other kinds.

    Examples
    --------
    >>> from planner.layers import Relu
    >>> [step.quantity for step in derive(Relu(), ((8, 3, 4, 4),), (8, 3, 4, 4))]
    ['output']
    """
    yield shape_step("output", output)
    arrays = layer.params(inputs)
    if arrays:
        parts = [f"{array.name} {'*'.join(bracketed(sy.text(size)) for size in array.shape)}" for array in arrays]
        counts = sy.total(array.count for array in arrays)
        yield stated("parameters", " + ".join(parts), sy.text(counts))
    macs = layer.macs(inputs, output)
    if macs != 0:
        yield stated("MACs", sy.text(macs))


@derive.register(WindowLayer)
def _(layer: WindowLayer, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    yield from window_steps(layer, inputs[0])
    yield from derive.dispatch(Layer)(layer, inputs, output)


@derive.register(Conv)
def _(layer: Conv, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    taps, text, math = _taps(layer.windows(inputs[0]))
    values = {"filters": layer.filters, "channels": inputs[0][1], "groups": layer.groups, **taps}
    share, latex_share = "({channels}/{groups})", r"\frac{{{channels}}}{{{groups}}}"
    if layer.groups == 1:
        values.pop("groups")
        share = latex_share = "{channels}"
    bias, latex_bias = (" + {filters}", " + {filters}") if layer.bias else ("", "")
    yield from window_steps(layer, inputs[0])
    yield shape_step("output", output)
    yield rule(
        "parameters",
        f"{{filters}}*{share}*{text}{bias}",
        rf"{{filters}} \cdot {latex_share} \cdot {math}{latex_bias}",
        values,
        sy.total(array.count for array in layer.params(inputs)),
    )
    sizes = {f"{letter}'": size for letter, size in zip(LETTERS[rank(output)], output[2:], strict=True)}
    yield rule(
        "MACs",
        f"{{N}}*{{filters}}*{_times(sizes)}*{share}*{text}",
        rf"{{N}} \cdot {{filters}} \cdot {_times(sizes, latex=True)} \cdot {latex_share} \cdot {math}",
        {**values, "N": output[0], **sizes},
        layer.macs(inputs, output),
    )


@derive.register(ConvTranspose)
def _(layer: ConvTranspose, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    found = []
    (shape,) = inputs
    for axis, (name, window) in enumerate(zip(names(shape), layer.windows(shape), strict=True)):
        values = {"n": shape[2 + axis], "s": window.stride, "a": window.before, "b": window.after}
        values |= {"e": window.extent, "o": layer.added(shape)[axis]}
        shown = [letter for letter in "abo" if values[letter] != 0]
        less = "".join(f" - {{{letter}}}" for letter in shown if letter != "o") + " + {e}" + " + {o}" * ("o" in shown)
        values = {letter: value for letter, value in values.items() if letter in {*"nse", *shown}}
        latex = rf"({{n}} - 1) \cdot {{s}}{less}"
        found.append([rule(name, f"({{n}} - 1)*{{s}}{less}", latex, values, output[2 + axis])])
    yield from _once(shape, found)
    yield shape_step("output", output)
    taps, text, math = _taps(layer.windows(shape))
    values = {"filters": layer.filters, "channels": shape[1], "groups": layer.groups, **taps}
    share, latex_share = "({filters}/{groups})", r"\frac{{{filters}}}{{{groups}}}"
    if layer.groups == 1:
        values.pop("groups")
        share = latex_share = "{filters}"
    bias = " + {filters}" if layer.bias else ""
    text, math = f"{share}*{text}", rf"{latex_share} \cdot {math}"
    owned = sy.total(array.count for array in layer.params(inputs))
    yield rule("parameters", f"{{channels}}*{text}{bias}", rf"{{channels}} \cdot {math}{bias}", values, owned)
    sizes = dict(zip(LETTERS[rank(shape)], shape[2:], strict=True))
    yield rule(
        "MACs",
        f"{{N}}*{{channels}}*{_times(sizes)}*{text}",
        rf"{{N}} \cdot {{channels}} \cdot {_times(sizes, latex=True)} \cdot {math}",
        {**values, "N": shape[0], **sizes},
        layer.macs(inputs, output),
    )


@derive.register(AdaptivePool)
def _(layer: AdaptivePool, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    latex = r"\left\lceil \frac{{{n}}}{{{shares}}} \right\rceil"
    given = [{"n": size, "shares": count} for size, count in zip(inputs[0][2:], layer.shares(inputs[0]), strict=True)]
    firsts = [sy.ceil_div(each["n"], each["shares"]) for each in given]
    found = zip(names(output), given, firsts, strict=True)
    yield from _once(
        output, [[rule(f"first window, {axis}", "ceil({n}/{shares})", latex, each, it)] for axis, each, it in found]
    )
    yield shape_step("output", output)


@derive.register(Resize)
@derive.register(Upsample)
def _(layer: Upsample | Resize, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    if layer.scale is None:
        yield from derive.dispatch(Layer)(layer, inputs, output)
        return
    axes, found = rank(output), []
    fractions = layer.fractions(axes) if isinstance(layer, Resize) else (None,) * axes
    every = zip(names(output), inputs[0][2:], along(layer.scale, axes), fractions, output[2:], strict=True)
    for axis, size, scale, fraction, made in every:
        if fraction is None:
            found.append([rule(axis, "{n}*{s}", r"{n} \cdot {s}", {"n": size, "s": scale}, made)])
        else:
            values = {"n": size, "s": sy.quotient(fraction.numerator, fraction.denominator)}
            found.append([rule(axis, "floor({n}*{s})", r"\left\lfloor {n} \cdot {s} \right\rfloor", values, made)])
    yield from _once(output, found)
    yield shape_step("output", output)


@derive.register(Pad)
def _(layer: Pad, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    around = zip(inputs[0][2:], layer.sides(inputs[0]), strict=True)
    given = [{"n": size, "a": before, "b": after} for size, (before, after) in around]
    sizes = zip(names(output), given, output[2:], strict=True)
    yield from _once(
        output, [[rule(axis, "{n} + {a} + {b}", "{n} + {a} + {b}", each, size)] for axis, each, size in sizes]
    )
    yield shape_step("output", output)


@derive.register(Crop)
def _(layer: Crop, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    latex = r"\left\lfloor \frac{{{n} - {m}}}{{2}} \right\rfloor"
    words = {1: ("start",), 2: ("top", "left"), 3: ("front", "top", "left")}[rank(output)]
    ends = zip(words, inputs[0][2:], output[2:], layer.offsets(inputs), strict=True)
    for end, size, kept, cut in ends:
        yield rule(f"cropped at the {end}", "floor(({n} - {m})/2)", latex, {"n": size, "m": kept}, cut)
    yield shape_step("output", output)


@derive.register(Cut)
def _(layer: Cut, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    place = position(layer.axis, len(output))
    size, made, name = inputs[0][place], output[place], word(len(output), place)
    start, stop, step = layer.kept(size)
    if isinstance(layer, Split) and not isinstance(layer.parts, tuple):
        yield rule(name, "{n}/{parts}", r"\frac{{{n}}}{{{parts}}}", {"n": size, "parts": layer.parts}, made)
    elif step == 1:
        yield rule(name, "{stop} - {start}", "{stop} - {start}", {"stop": stop, "start": start}, made)
    else:
        latex = r"\left\lceil \frac{{{stop} - {start}}}{{{step}}} \right\rceil"
        yield rule(name, "ceil(({stop} - {start})/{step})", latex, {"stop": stop, "start": start, "step": step}, made)
    yield shape_step("output", output)


@derive.register(PixelShuffle)
@derive.register(PixelUnshuffle)
def _(layer: PixelShuffle | PixelUnshuffle, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    axes = rank(output)
    more, less = ("{n}*{s}", r"{n} \cdot {s}"), ("{n}/{s}", r"\frac{{{n}}}{{{s}}}")
    channels, sizes = (less, more) if isinstance(layer, PixelShuffle) else (more, less)
    square = sy.product([layer.scale] * axes)
    yield rule("channels", *channels, {"n": inputs[0][1], "s": square}, output[1])
    for place in range(2, len(output)):
        yield rule(word(len(output), place), *sizes, {"n": inputs[0][place], "s": layer.scale}, output[place])
    yield shape_step("output", output)


@derive.register(Reshape)
def _(layer: Reshape, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    numbers = sy.product(inputs[0][1:])
    yield stated("elements", "*".join(bracketed(sy.text(size)) for size in inputs[0][1:]), sy.text(numbers))
    for given, made in zip(layer.shape, output[1:], strict=True):
        if given == COMPUTED:
            values = {"elements": numbers, "known": layer.known}
            yield rule("-1", "{elements}/{known}", r"\frac{{{elements}}}{{{known}}}", values, made)
    yield shape_step("output", output)


@derive.register(Dense)
def _(layer: Dense, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    values = {"units": layer.units, "features": inputs[0][1]}
    bias = " + {units}" if layer.bias else ""
    parameters = sy.total(array.count for array in layer.params(inputs))
    yield shape_step("output", output)
    yield rule("parameters", "{units}*{features}" + bias, r"{units} \cdot {features}" + bias, values, parameters)
    yield rule(
        "MACs",
        "{N}*{units}*{features}",
        r"{N} \cdot {units} \cdot {features}",
        {**values, "N": output[0]},
        layer.macs(inputs, output),
    )


@derive.register(Flatten)
def _(_: Flatten, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    letters = ("channels", *names(inputs[0])) if is_map(inputs[0]) else ("features",)
    text = "*".join(f"{{{letter}}}" for letter in letters)
    values = dict(zip(letters, inputs[0][1:], strict=True))
    yield rule("features", text, text.replace("*", r" \cdot "), values, output[1])
    yield shape_step("output", output)


@derive.register(Concat)
def _(layer: Concat, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    place = position(layer.axis, len(output))
    parts = " + ".join(sy.text(shape[place]) for shape in inputs)
    yield stated(word(len(output), place), parts, sy.text(output[place]))
    yield shape_step("output", output)


@derive.register(BatchNorm)
def _(layer: BatchNorm, inputs: tuple[Shape, ...], output: Shape) -> Iterator[Step]:
    values = {"channels": inputs[0][1]}
    yield shape_step("output", output)
    for quantity, arrays in (("parameters", layer.params(inputs)), ("buffers", layer.buffers(inputs))):
        if arrays:
            total = sy.total(array.count for array in arrays)
            yield rule(quantity, "2*{channels}", r"2 \cdot {channels}", values, total)


def window_steps(layer: WindowLayer, shape: Shape) -> list[Step]:
    """Return the derivation of the output size from the window rule; one step if all axes are equal.

    Examples
    --------
    >>> F, S, N = map(sy.symbol, "FSN")
    >>> [step.text for step in window_steps(Conv(filters=1, kernel=F, stride=S), (1, 3, N, N))]
    ['floor((n - k)/s) + 1 = floor((N - F)/S) + 1']
    >>> [step.text for step in window_steps(Conv(filters=1, kernel=3, stride=3), (1, 3, 7, 7))]
    ['floor((n - k)/s) + 1 = floor((7 - 3)/3) + 1 = 2']
    """
    _, pad, _, _ = layer.window_settings()
    found = []
    axes = zip(names(shape), layer.windows(shape), shape[2:], layer.map_size(shape), strict=True)
    for name, window, size, count in axes:
        if isinstance(pad, str):
            values = {"n": size, "s": window.stride}
            found.append([rule(name, "ceil({n}/{s})", r"\left\lceil \frac{{{n}}}{{{s}}} \right\rceil", values, count)])
        else:
            found.append(_axis_steps(name, window, size))
    return _once(shape, found)


def _once(shape: Shape, found: list[list[Step]]) -> list[Step]:
    """Return the steps of all axes, or those of one axis if all axes have the same steps."""
    first, *others = found
    if all([step.terms for step in first] == [step.terms for step in other] for other in others):
        words = names(shape)
        return [replace(step, quantity=step.quantity.replace(words[0], together(words))) for step in first]
    return [step for steps in found for step in steps]


def _taps(windows: Sequence[Window]) -> tuple[dict[str, Size], str, str]:
    """Return the kernel size along each axis by letter, and the product as text and in LaTeX."""
    letters = {1: ("k",), 2: ("kh", "kw"), 3: ("kd", "kh", "kw")}[len(windows)]
    taps = {letter: window.kernel for letter, window in zip(letters, windows, strict=True)}
    return taps, _times(taps), _times(taps, latex=True)


def _times(letters: Iterable[str], *, latex: bool = False) -> str:
    return (r" \cdot " if latex else "*").join(f"{{{letter}}}" for letter in letters)


def _axis_steps(name: str, window: Window, size: Size) -> list[Step]:
    """Return the steps along one axis: the extent of a dilated window, then the number of positions."""
    steps = []
    reach, values = "k", {"n": size, "k": window.kernel, "s": window.stride}
    if window.dilation != 1:
        spread = {"d": window.dilation, "k": window.kernel}
        steps.append(rule(f"window {name} e", "{d}*({k} - 1) + 1", r"{d} \cdot ({k} - 1) + 1", spread, window.extent))
        reach, values = "e", {"n": size, "e": window.extent, "s": window.stride}
    if sy.difference(window.before, window.after) != 0:
        padding = " + {a} + {b}"
        values |= {"a": window.before, "b": window.after}
    elif window.before != 0:
        padding = " + 2*{p}"
        values |= {"p": window.before}
    else:
        padding = ""
    inside = f"({{n}}{padding} - {{{reach}}})/{{s}}"
    top = f"{{n}}{padding.replace('*', ' ')} - {{{reach}}}"
    fraction = rf"\frac{{{{{top}}}}}{{{{{{s}}}}}}"
    text, latex = f"{inside} + 1", f"{fraction} + 1"
    # omit rounding that changes nothing, as textbooks do
    if window.rounding == "ceil":
        text, latex = f"ceil({inside}) + 1", rf"\left\lceil {fraction} \right\rceil + 1"
    elif window.rounding == "floor" and window.remainder(size) != 0:
        text, latex = f"floor({inside}) + 1", rf"\left\lfloor {fraction} \right\rfloor + 1"
    plain = sy.constant(window.stride) is not None and sy.constant(window.extent) is not None
    positions = window.positions(size)
    steps.append(rule(name, text, latex, values, positions if plain or sy.constant(positions) is not None else None))
    if window.rounding == "ceil":
        straight = sy.ceil_div(sy.total([size, window.before, window.after, -window.extent]), window.stride) + 1
        if sy.difference(straight, positions) != 0:
            less = stated(f"{name}, without windows that begin in the padding", sy.text(positions))
            steps[-1] = replace(steps[-1], terms=(*steps[-1].terms[:2], sy.text(straight)))
            steps.append(less)
    return steps
