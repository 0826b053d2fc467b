"""Text of spec documents: one layer per line, aligned kinds, and comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from planner.spec.write import flow
from planner.wording import number
from planner.zoo.document import Document, Item
from planner.zoo.member import Member, shown

WIDEST = 120
"""Maximum length of a line; the settings of a layer are wrapped to the next line."""

LONGEST_LIST = 60
"""Length from which a setting may be wrapped at its commas."""

REMARK_COLUMN = 40


def member_text(member: Member, **changes: Any) -> str:
    """Return the spec of a known network as text for editing: the document with a comment above it.

    Raises
    ------
    SpecError
        See :meth:`planner.zoo.Member.document`.

    Examples
    --------
    >>> from planner.zoo import member
    >>> member_text(member("lenet5")).splitlines()[0]
    '# LeNet-5 (LeCun et al. 1998) in its usual modern form: full connections, plain pooling, a plain dense output.'
    """
    head = [f"{member.title}."]
    if changes:
        head.append(f"With {', '.join(f'{key}={shown(value)}' for key, value in changes.items())}.")
    else:
        sizes = ", ".join(f"{name} = {size}" for name, size in member.at.items())
        where = f" at {sizes}" if sizes else ""
        head.append(f"{number(member.parameter_count)} parameters, {number(member.macs)} multiply-accumulates{where}.")
    head += [member.note] if member.note else []
    head += [f"shapeplan: ignore[{code}] {why}" for code, why in member.meant.items()]
    lines = [line for each in head for line in wrap(each, WIDEST - 2)]
    return document_text(member.document(**changes), lines, member.remarks)


def document_text(document: Document, head: Iterable[str] = (), remarks: Mapping[str, str] | None = None) -> str:
    r"""Return a document as the text of a spec file: one layer per line, aligned kinds.

    Parameters
    ----------
    document : dict
    head : iterable of str
        Lines of the comment above it.
    remarks : mapping of str to str, optional
        Comments at the end of the line of a top-level key.

    Examples
    --------
    >>> from planner.zoo.document import document, item
    >>> net = document("tiny", {"image": ["N", 3, "H", "W"]}, [item("conv", filters=8, kernel=3), item("gap")])
    >>> print(document_text(net, ["Two layers."], {"input": "any size"}), end="")
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
    """Yield the lines of a list of layers with aligned settings."""
    widest = max((len(kind) for layer in layers if isinstance(layer, dict) for kind in layer), default=0)
    for layer in layers:
        if isinstance(layer, str):
            yield f"{indent}- {layer}"
            continue
        ((kind, settings),) = layer.items()
        yield from _filled(f"{indent}- {kind + ':':<{widest + 1}} ", [f"{k}: {flow(v)}" for k, v in settings.items()])


def _filled(start: str, pairs: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a mapping in brackets, wrapped if it is too long; long lists may be wrapped too."""
    pieces = [piece for pair in pairs for piece in (pair.split(", ") if len(pair) > LONGEST_LIST else [pair])]
    line = f"{start}{{{pieces[0]}"
    for piece in pieces[1:]:
        if len(line) + len(piece) + 3 > WIDEST:
            yield f"{line},"
            line = " " * (len(start) + 1) + piece
        else:
            line += f", {piece}"
    yield f"{line}}}"
