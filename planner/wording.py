"""Format counts, names, shapes and networks as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import planner.symbols as sy
from planner.symbols import Size


def number(value: Size) -> str:
    """Return a count with thousands separators, or a formula as text.

    Examples
    --------
    >>> number(61706), number(sy.symbol("K") * 25)
    ('61,706', '25*K')
    """
    known = sy.constant(value)
    return sy.text(value) if known is None else f"{known:,}"


def plural(count: Size, noun: str, several: str = "") -> str:
    """Return a count with its noun, in the singular after 1; `several` is an irregular plural.

    Examples
    --------
    >>> plural(1, "layer"), plural(61706, "parameter"), plural(sy.symbol("K"), "channel")
    ('1 layer', '61,706 parameters', 'K channels')
    """
    return (
        f"{number(count)} {several}" if several and sy.constant(count) != 1 else f"{number(count)} {many(count, noun)}"
    )


def many(count: Size, noun: str) -> str:
    """Return a noun in the singular or plural, to follow a count.

    Examples
    --------
    >>> many(1, "filter"), many(3, "filter"), many(sy.symbol("K"), "filter")
    ('filter', 'filters', 'filters')
    """
    return noun if sy.constant(count) == 1 else f"{noun}s"


def listed(names: Iterable[str], most: int = 12) -> str:
    """Return names in backquotes, at most `most` of them."""
    found = list(names)
    shown = ", ".join(f"`{name}`" for name in found[:most])
    return f"{shown}, ... ({len(found)} in all)" if len(found) > most else shown


def outline(
    title: str,
    layers: int,
    parameters: Size | None,
    inputs: Mapping[str, Sequence[Size]],
    outputs: Mapping[str, Sequence[Size]],
) -> str:
    """Return a summary of a network on one line, for `repr`.

    Parameters
    ----------
    title : str
        The type and name of the object.
    layers : int
        Number of layers without the inputs.
    parameters : Size or None
        Number of parameters; None if unknown.
    inputs, outputs : Mapping of str to shape
        Shapes by name; an empty shape if unknown.

    Examples
    --------
    >>> outline("Plan n", 1, 456, {"x": (1, 3, 32, 32)}, {"c1": (1, 6, 28, 28)})
    '<Plan n: 1 layer, 456 parameters, x 1 x 3 x 32 x 32 -> c1 1 x 6 x 28 x 28>'
    """
    counts = [plural(layers, "layer"), *([] if parameters is None else [plural(parameters, "parameter")])]
    return f"<{title}: {', '.join(counts)}, {shapes_line(inputs)} -> {shapes_line(outputs)}>"


def shapes_line(shapes: Mapping[str, Sequence[Size]]) -> str:
    """Return named shapes on one line.

    Examples
    --------
    >>> shapes_line({"image": (sy.symbol("N"), 1, sy.symbol("H") - 4, 28), "mask": ()})
    'image N x 1 x (H - 4) x 28, mask'
    """
    return ", ".join(f"{name} {' x '.join(shape_line(shape))}".rstrip() for name, shape in shapes.items())


def shape_line(shape: Sequence[Size]) -> list[str]:
    """Return sizes as texts that can be joined by a sign; sums are in parentheses.

    Examples
    --------
    >>> shape_line((6, sy.symbol("H") - 4))
    ['6', '(H - 4)']
    """
    texts = [sy.text(size) for size in shape]
    return [f"({text})" if " " in text and len(texts) > 1 else text for text in texts]
