"""Spec documents built in Python, structured like a spec file. :mod:`planner.spec.documents` writes their text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Item: TypeAlias = "dict[str, dict[str, Any]] | str"
"""One entry of a list of layers: its kind, or a mapping of its kind to its settings."""

Document: TypeAlias = dict[str, Any]
"""Contents of a spec as parsed from YAML: mappings, lists and plain values."""


def item(kind: str, /, **settings: Any) -> Item:
    """Return one layer of a list; `from_` and `if_` are the keys `from` and `if`, which are keywords of Python.

    Examples
    --------
    >>> item("conv", from_="in", filters=6, kernel=5), item("gap")
    ({'conv': {'from': 'in', 'filters': 6, 'kernel': 5}}, 'gap')
    """
    return {kind: {key.removesuffix("_"): value for key, value in settings.items()}} if settings else kind


def block(*layers: Item, **params: Any) -> dict[str, Any]:
    """Return a block; a parameter has a default, or a type if required: ``"int"``, ``"bool"``, ``"float"``, ``"str"``.

    Examples
    --------
    >>> block(item("conv", filters="$c", kernel=3), c="int")
    {'params': {'c': 'int'}, 'layers': [{'conv': {'filters': '$c', 'kernel': 3}}]}
    """
    return {**({"params": params} if params else {}), "layers": list(layers)}


def document(
    name: str,
    input: Mapping[str, Sequence[int | str]],
    layers: Iterable[Item],
    *,
    blocks: Mapping[str, Any] | None = None,
    output: Any = None,
    train: Mapping[str, Any] | None = None,
) -> Document:
    """Return a spec document with its keys in the usual order.

    Examples
    --------
    >>> list(document("tiny", {"image": ["N", 3, "H", "W"]}, [item("gap")], output={"gap1": ["N", 3, 1, 1]}))
    ['spec', 'name', 'input', 'layers', 'output']
    """
    shapes = {key: list(shape) for key, shape in input.items()}
    found: Document = {"spec": 1, "name": name, "input": shapes}
    if blocks:
        found["blocks"] = dict(blocks)
    found["layers"] = list(layers)
    if output is not None:
        found["output"] = output
    if train is not None:
        found["train"] = dict(train)
    return found


def scaled(channels: int, width: float, of: int = 1) -> int:
    """Return channels times a factor, rounded to the nearest multiple of `of`, but never reduced by more than 10 %.

    Source: Sandler et al., arXiv:1801.04381, and later networks, in which channels are multiples of 8.

    Examples
    --------
    >>> scaled(32, 0.75, of=8), scaled(24, 0.5, of=8), scaled(64, 0.25)
    (24, 16, 16)
    """
    wanted = channels * width
    found = max(of, int(wanted + of / 2) // of * of)
    return found + of if found < 0.9 * wanted else found
