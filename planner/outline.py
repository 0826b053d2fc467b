"""Networks and plans in one line: name, layers, parameters, shapes. Tables are :mod:`planner.tables.table`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import planner.symbols as sy
from planner.symbols import Size
from planner.wording import plural


def outline(
    title: str,
    layers: int,
    parameters: Size | None,
    inputs: Mapping[str, Sequence[Size]],
    outputs: Mapping[str, Sequence[Size]],
) -> str:
    """Return one line about a network, for `repr`.

    Parameters
    ----------
    title : str
        What it is, with its name.
    layers : int
        Inputs not counted.
    parameters : Size or None
        None where they are not known.
    inputs, outputs : Mapping of str to shape
        An empty shape where it is not known.

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
    """Return sizes as texts that can be joined by a sign: sums stand in brackets.

    Examples
    --------
    >>> shape_line((6, sy.symbol("H") - 4))
    ['6', '(H - 4)']
    """
    texts = [sy.text(size) for size in shape]
    return [f"({text})" if " " in text and len(texts) > 1 else text for text in texts]
