"""Several derivations as one text: plain, Markdown or LaTeX, with a list of the letters at its end."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

from planner.explanations.steps import Derivation, as_latex, as_markdown, as_text, glossary

Style = Literal["text", "markdown", "latex"]
STYLES: tuple[Style, ...] = get_args(Style)

_PRINTERS: Mapping[Style, Callable[[Derivation], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "latex": as_latex,
}


def document(derived: Sequence[Derivation], style: Style = "text", width: int = 100) -> str:
    """Return derivations as one text.

    Parameters
    ----------
    derived : sequence of Derivation
    style : {"text", "markdown", "latex"}
    width : int
        Columns at which the list of letters is wrapped.

    Examples
    --------
    >>> from planner import Network, diagnose, layer
    >>> from planner.explanations.layer import derivations
    >>> net = Network(name="n", input={"x": ("N", 3, 8, 8)}, layers=[layer("gap", name="g")])
    >>> print(document(list(derivations(diagnose(net), ["g"]))).splitlines()[0])
    g: gap, mean of each channel's whole map
    """
    parts = ["\n".join(map(_PRINTERS[style], derived))]
    letters = glossary(derived)
    if letters:
        comment = "% " if style == "latex" else ""
        parts.append("".join(f"{comment}{line}\n" for line in textwrap.wrap(letters, width)))
    return "\n".join(parts)
