"""Steps of a derivation, and how they read as text, Markdown, LaTeX and JSON.

What is derived, and how, is the business of :mod:`planner.explanations.layer`
and :mod:`planner.explanations.formulas`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import planner.symbols as sy
from planner.symbols import Shape, Size

LETTERS = {"kd": "k_d", "kh": "k_h", "kw": "k_w", **{letter: letter for letter in ("L'", "D'", "H'", "W'")}}
"""Letters of formulas that LaTeX writes otherwise; other words stand as text."""

MEANINGS = {
    "n": "input size",
    "m": "size kept",
    "k": "kernel",
    "s": "stride or scale",
    "p": "padding on each side",
    "a": "padding before",
    "b": "padding after",
    "o": "output_pad",
    "d": "dilation",
    "e": "reach of the window",
    "kd": "kernel depth",
    "kh": "kernel height",
    "kw": "kernel width",
    "N": "images",
    "L": "input length",
    "D": "input depth",
    "H": "input height",
    "W": "input width",
    "L'": "output length",
    "D'": "output depth",
    "H'": "output height",
    "W'": "output width",
    "r": "receptive field of what is read",
    "j": "step of that field",
    "t": "start of that field",
    "q": "positions read that one output can meet",
    "c": "how many of them lie before the first",
}
"""What the letters of formulas stand for."""


@dataclass(frozen=True)
class Step:
    """One quantity as a chain of equal terms, from the formula to the number.

    Attributes
    ----------
    quantity : str
    terms, latex : tuple of str
        The same terms as people type them and in LaTeX.
    letters : tuple of str
        What stands in the formula, the first of the terms.
    """

    quantity: str
    terms: tuple[str, ...]
    latex: tuple[str, ...]
    letters: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The terms with equal signs between them."""
        return " = ".join(self.terms)


@dataclass(frozen=True)
class Derivation:
    """How every number of one layer comes about.

    Attributes
    ----------
    name, kind, summary : str
    settings : tuple of str
    reads : Mapping of str to str
        Shape of every input, "unknown" behind a fault.
    steps : tuple of Step
    chains : Mapping of str to str
        From the network's input to this layer, by axis.
    fault : str
        Why the layer cannot work, or "".
    """

    name: str
    kind: str
    summary: str
    settings: tuple[str, ...]
    reads: Mapping[str, str]
    steps: tuple[Step, ...]
    chains: Mapping[str, str]
    fault: str = ""


def rule(quantity: str, text: str, latex: str, values: Mapping[str, Size], result: Size | None) -> Step:
    r"""Return a step: the formula with its letters, with the values in their place, and what comes out.

    Parameters
    ----------
    text, latex : str
        The formula with letters in braces, for :meth:`str.format`.
    values : Mapping
        What the letters stand for.
    result : Size or None
        None where nothing simpler comes out.

    Examples
    --------
    >>> rule("MACs", "{units}*{features}", r"{units} \cdot {features}", {"units": 10, "features": 84}, 840).text
    'units*features = 10*84 = 840'
    """
    given = {letter: bracketed(sy.text(value)) for letter, value in values.items()}
    math = {letter: bracketed(sy.latex(value)) for letter, value in values.items()}
    letters = {letter: LETTERS.get(letter, letter if len(letter) == 1 else rf"\text{{{letter}}}") for letter in values}
    terms = [text.format_map({letter: letter for letter in values}), text.format_map(given)]
    maths = [latex.format_map(letters), latex.format_map(math)]
    if result is not None:
        terms.append(sy.text(result))
        maths.append(sy.latex(result))
    return Step(quantity, tuple(dict.fromkeys(terms)), tuple(dict.fromkeys(maths)), tuple(values))


def stated(quantity: str, *terms: str) -> Step:
    """Return a step of ready-made texts, none of them twice.

    Examples
    --------
    >>> stated("channels", "4 + 4", "8").text
    '4 + 4 = 8'
    """
    return Step(quantity, tuple(dict.fromkeys(terms)), tuple(f"\\text{{{escaped(t)}}}" for t in dict.fromkeys(terms)))


def glossary(derivations: Iterable[Derivation]) -> str:
    """Return what the letters of some derivations stand for, in the order they appear; "" where there are none.

    Examples
    --------
    >>> step = rule("height", "{n} - {k}", "{n} - {k}", {"n": 7, "k": 3}, 4)
    >>> glossary([Derivation("c", "conv", "", (), {}, (step,), {})])
    'n input size, k kernel'
    """
    letters = dict.fromkeys(letter for each in derivations for step in each.steps for letter in step.letters)
    return ", ".join(f"{letter} {MEANINGS[letter]}" for letter in letters if letter in MEANINGS)


def shape_step(quantity: str, shape: Shape) -> Step:
    """Return a step that states a shape.

    Examples
    --------
    >>> shape_step("output", (sy.symbol("N"), 6, sy.symbol("H") - 4)).text
    'N x 6 x (H - 4)'
    """
    latex = r" \times ".join(bracketed(sy.latex(size)) for size in shape)
    return Step(quantity, (shape_text(shape),), (latex,))


def shape_text(shape: Shape) -> str:
    """Return a shape with sums in brackets."""
    return " x ".join(bracketed(sy.text(size)) for size in shape)


def as_text(derivation: Derivation) -> str:
    """Return a derivation for a terminal.

    Examples
    --------
    >>> steps = (stated("output", "N x 3"),)
    >>> print(as_text(Derivation("r", "relu", "max(x, 0)", (), {"x": "N x 3"}, steps, {})), end="")
    r: relu, max(x, 0)
      reads   x: N x 3
      output  N x 3
    """
    lines = [("reads", f"{name}: {shape}") for name, shape in derivation.reads.items()]
    lines += [("settings", " ".join(derivation.settings))] if derivation.settings else []
    lines += [(step.quantity, step.text) for step in derivation.steps]
    lines += [(f"{axis}, all along", text) for axis, text in derivation.chains.items()]
    lines += [("but", derivation.fault)] if derivation.fault else []
    widest = max((len(name) for name, _ in lines), default=0)
    return f"{_title(derivation)}\n" + "".join(f"  {name:<{widest}}  {text}\n" for name, text in lines)


def as_markdown(derivation: Derivation) -> str:
    """Return a derivation as a Markdown table.

    Examples
    --------
    >>> print(as_markdown(Derivation("r", "relu", "max(x, 0)", (), {}, (stated("output", "N x 3"),), {})), end="")
    ### r: relu, max(x, 0)
    <BLANKLINE>
    | quantity | derivation |
    |---|---|
    | output | `N x 3` |
    """
    rows = [(f"reads {name}", shape) for name, shape in derivation.reads.items()]
    rows += [(step.quantity, step.text) for step in derivation.steps]
    rows += [(f"{axis}, all along", text) for axis, text in derivation.chains.items()]
    rows += [("but", derivation.fault)] if derivation.fault else []
    table = "".join(f"| {cell(name)} | `{cell(text.replace('`', ''))}` |\n" for name, text in rows)
    return f"### {_title(derivation)}\n\n| quantity | derivation |\n|---|---|\n{table}"


def as_latex(derivation: Derivation) -> str:
    r"""Return a derivation as an ``align*`` environment.

    Examples
    --------
    >>> steps = (rule("width", "{n} - {k}", "{n} - {k}", {"n": 7, "k": 3}, 4),)
    >>> print(as_latex(Derivation("c", "conv", "", (), {}, steps, {})), end="")
    % c: conv
    \begin{align*}
      \text{width} &= n - k = 7 - 3 = 4
    \end{align*}
    """
    lines = [f"  \\text{{{escaped(step.quantity)}}} &= {' = '.join(step.latex)}" for step in derivation.steps]
    body = " \\\\\n".join(lines)
    return f"% {_title(derivation)}\n\\begin{{align*}}\n{body}\n\\end{{align*}}\n"


def as_json(derivation: Derivation) -> dict[str, Any]:
    """Return a derivation for machines."""
    return {
        "name": derivation.name,
        "kind": derivation.kind,
        "settings": list(derivation.settings),
        "reads": dict(derivation.reads),
        "steps": [
            {"quantity": step.quantity, "terms": list(step.terms), "latex": list(step.latex)}
            for step in derivation.steps
        ],
        "chains": dict(derivation.chains),
        "fault": derivation.fault or None,
    }


def _title(derivation: Derivation) -> str:
    return f"{derivation.name}: {derivation.kind or 'unknown'}" + (
        f", {derivation.summary}" if derivation.summary else ""
    )


def bracketed(text: str) -> str:
    """Return a text that can stand anywhere in a product or difference.

    Examples
    --------
    >>> bracketed("H - 4"), bracketed("floor(H/2 - 1)"), bracketed("-P")
    ('(H - 4)', 'floor(H/2 - 1)', '(-P)')
    """
    depth = 0
    for index, char in enumerate(text):
        depth += (char in "({") - (char in ")}")
        if depth == 0 and char in "+-" and (index == 0 or text[index - 1] == " "):
            return f"({text})"
    return text


def cell(text: str) -> str:
    """Return a text that can stand in a cell of a Markdown table."""
    return text.replace("|", "\\|")


def escaped(text: str) -> str:
    """Return a text with what LaTeX would take for commands escaped."""
    return "".join(f"\\{char}" if char in "#$%&_{}" else char for char in text)
