"""Steps of a derivation, and their output as text, Markdown, LaTeX and JSON.

See :mod:`planner.explanations.layer` and :mod:`planner.explanations.formulas` for the derivations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import planner.symbols as sy
from planner.explanations.escape import latex, latex_comment, markdown, markdown_code
from planner.symbols import Shape, Size

LETTERS = {"kd": "k_d", "kh": "k_h", "kw": "k_w", **{letter: letter for letter in ("L'", "D'", "H'", "W'")}}
"""LaTeX symbols for letters of formulas; longer names that are missing here are set as text."""

MEANINGS = {
    "n": "input size",
    "m": "size after cropping",
    "k": "kernel",
    "s": "stride or scale",
    "p": "padding on each side",
    "a": "padding before",
    "b": "padding after",
    "o": "output_pad",
    "d": "dilation",
    "e": "extent of the window",
    "kd": "kernel depth",
    "kh": "kernel height",
    "kw": "kernel width",
    "N": "batch size",
    "L": "input length",
    "D": "input depth",
    "H": "input height",
    "W": "input width",
    "L'": "output length",
    "D'": "output depth",
    "H'": "output height",
    "W'": "output width",
    "r": "receptive field of the input",
    "j": "step of the input's field",
    "t": "start of the input's field",
    "q": "most input positions that one output reads",
    "c": "how many of them precede the first position",
}
"""Meanings of the letters in formulas."""


@dataclass(frozen=True)
class Step:
    """A quantity as a chain of equal terms, from the formula to the number.

    Attributes
    ----------
    quantity : str
    terms, latex : tuple of str
        The same terms as plain text and in LaTeX.
    letters : tuple of str
        Letters in the formula, which is the first term.
    """

    quantity: str
    terms: tuple[str, ...]
    latex: tuple[str, ...]
    letters: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The terms joined by equal signs."""
        return " = ".join(self.terms)


@dataclass(frozen=True)
class Derivation:
    """Derivation of all numbers of one layer.

    Attributes
    ----------
    name, kind, summary : str
    settings : tuple of str
    reads : Mapping of str to str
        Shape of every input; "unknown" after a fault.
    steps : tuple of Step
    chains : Mapping of str to str
        Sizes from the network's input to this layer, by axis.
    fault : str
        Reason why the layer is invalid, or "".
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
    r"""Return a step: the formula with its letters, the formula with values, and the result.

    Parameters
    ----------
    text, latex : str
        The formula with letters in braces, for :meth:`str.format`.
    values : Mapping
        Values of the letters.
    result : Size or None
        None if the result is not simpler than the formula with values.

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
    """Return a step of the given texts, without duplicates.

    Examples
    --------
    >>> stated("channels", "4 + 4", "8").text
    '4 + 4 = 8'
    """
    return Step(quantity, tuple(dict.fromkeys(terms)), tuple(f"\\text{{{latex(t)}}}" for t in dict.fromkeys(terms)))


def glossary(derivations: Iterable[Derivation]) -> str:
    """Return the meanings of the letters in derivations, in order of appearance; "" if there are none.

    Examples
    --------
    >>> step = rule("height", "{n} - {k}", "{n} - {k}", {"n": 7, "k": 3}, 4)
    >>> glossary([Derivation("c", "conv", "", (), {}, (step,), {})])
    'n input size, k kernel'
    """
    letters = dict.fromkeys(letter for each in derivations for step in each.steps for letter in step.letters)
    return ", ".join(f"{letter} {MEANINGS[letter]}" for letter in letters if letter in MEANINGS)


def shape_step(quantity: str, shape: Shape) -> Step:
    """Return a step that consists of a shape.

    Examples
    --------
    >>> shape_step("output", (sy.symbol("N"), 6, sy.symbol("H") - 4)).text
    'N x 6 x (H - 4)'
    """
    latex = r" \times ".join(bracketed(sy.latex(size)) for size in shape)
    return Step(quantity, (shape_text(shape),), (latex,))


def shape_text(shape: Shape) -> str:
    """Return a shape as text, with sums in brackets."""
    return " x ".join(bracketed(sy.text(size)) for size in shape)


def as_text(derivation: Derivation) -> str:
    """Return a derivation as plain text.

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
    lines += [(f"{axis}, from the input", text) for axis, text in derivation.chains.items()]
    lines += [("fault", derivation.fault)] if derivation.fault else []
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
    rows += [(f"{axis}, from the input", text) for axis, text in derivation.chains.items()]
    rows += [("fault", derivation.fault)] if derivation.fault else []
    table = "".join(f"| {markdown(name)} | `{markdown_code(text)}` |\n" for name, text in rows)
    return f"### {markdown(_title(derivation))}\n\n| quantity | derivation |\n|---|---|\n{table}"


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
    lines = [f"  \\text{{{latex(step.quantity)}}} &= {' = '.join(step.latex)}" for step in derivation.steps]
    body = " \\\\\n".join(lines)
    return f"{latex_comment(_title(derivation))}\n\\begin{{align*}}\n{body}\n\\end{{align*}}\n"


def as_json(derivation: Derivation) -> dict[str, Any]:
    """Return a derivation as JSON-compatible data."""
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
    """Return a formula, in brackets if a product or difference needs them.

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
