"""Spec documents made in Python: the structure a spec file has, its parts, and its text.

Knows how specs are written down, and no network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from planner.spec.write import flow

Item: TypeAlias = "dict[str, dict[str, Any]] | str"
"""One entry of a list of layers: its kind, with its settings if it has any."""

Document: TypeAlias = dict[str, Any]
"""What reading a spec's YAML gives: keys, lists and plain values."""

WIDEST = 120
"""Characters of a line, beyond which the settings of a layer go on in the next one."""

LONGEST_LIST = 60
"""Characters of a setting, beyond which it is broken at its commas where need be."""

REMARK_COLUMN = 40


def item(kind: str, /, **settings: Any) -> Item:
    """Return one layer of a list; `from_` and `if_` stand for the words Python keeps for itself.

    Examples
    --------
    >>> item("conv", from_="in", filters=6, kernel=5), item("gap")
    ({'conv': {'from': 'in', 'filters': 6, 'kernel': 5}}, 'gap')
    """
    return {kind: {key.removesuffix("_"): value for key, value in settings.items()}} if settings else kind


def block(*layers: Item, **params: Any) -> dict[str, Any]:
    """Return a block; a parameter is its default, or ``"int"``, ``"bool"``, ``"float"``, ``"str"`` where it has none.

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
    """Return a spec document with its keys in the order people read them.

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


def text(document: Document, head: Iterable[str] = (), remarks: Mapping[str, str] | None = None) -> str:
    r"""Return a document as a spec file that people edit: one layer a line, kinds aligned.

    Parameters
    ----------
    document : dict
    head : iterable of str
        Lines of the comment above it.
    remarks : mapping of str to str, optional
        Comments behind the line of a key at the top.

    Examples
    --------
    >>> net = document("tiny", {"image": ["N", 3, "H", "W"]}, [item("conv", filters=8, kernel=3), item("gap")])
    >>> print(text(net, ["Two layers."], {"input": "any size"}), end="")
    # Two layers.
    spec: 1
    name: tiny
    input: {image: [N, 3, H, W]}            # any size
    layers:
      - conv: {filters: 8, kernel: 3}
      - gap
    """
    lines = [f"# {line}" for line in head]
    for key, value in document.items():
        found = list(_section(key, value))
        if key in (remarks or {}):
            found[0] = f"{found[0]:<{REMARK_COLUMN}}# {(remarks or {})[key]}"
        lines += found
    return "\n".join(lines) + "\n"


def scaled(channels: int, width: float, of: int = 1) -> int:
    """Return a number of channels times a factor, as the nearest multiple of `of`, but never more than 10 % less.

    Source: Sandler et al., arXiv:1801.04381, and the networks after it, whose channels are multiples of 8.

    Examples
    --------
    >>> scaled(32, 0.75, of=8), scaled(24, 0.5, of=8), scaled(64, 0.25)
    (24, 16, 16)
    """
    wanted = channels * width
    found = max(of, int(wanted + of / 2) // of * of)
    return found + of if found < 0.9 * wanted else found


def _section(key: str, value: Any) -> Iterator[str]:
    if key == "blocks":
        yield "blocks:"
        for name, body in value.items():
            yield f"  {name}:"
            if "params" in body:
                yield f"    params: {flow(body['params'])}"
            yield "    layers:"
            yield from _list(body["layers"], "      ")
    elif key == "layers":
        yield "layers:"
        yield from _list(value, "  ")
    elif key == "train":
        yield "train:"
        yield from (f"  {name}: {flow(setting)}" for name, setting in value.items())
    else:
        yield f"{key}: {flow(value)}"


def _list(layers: Sequence[Item], indent: str) -> Iterator[str]:
    """Yield the lines of a list of layers, settings below each other."""
    widest = max((len(kind) for layer in layers if isinstance(layer, dict) for kind in layer), default=0)
    for layer in layers:
        if isinstance(layer, str):
            yield f"{indent}- {layer}"
            continue
        ((kind, settings),) = layer.items()
        yield from _filled(f"{indent}- {kind + ':':<{widest + 1}} ", [f"{k}: {flow(v)}" for k, v in settings.items()])


def _filled(start: str, pairs: Sequence[str]) -> Iterator[str]:
    """Yield a mapping in brackets, over several lines where one would be too long; a long list may be broken too."""
    pieces = [piece for pair in pairs for piece in (pair.split(", ") if len(pair) > LONGEST_LIST else [pair])]
    line = f"{start}{{{pieces[0]}"
    for piece in pieces[1:]:
        if len(line) + len(piece) + 3 > WIDEST:
            yield f"{line},"
            line = " " * (len(start) + 1) + piece
        else:
            line += f", {piece}"
    yield f"{line}}}"
