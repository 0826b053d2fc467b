r"""Text in Markdown and LaTeX: names come from files, so nothing in them may be read as markup.

>>> print(markdown("<script>`x`"), latex(r"\input{a}"))
&lt;script>\`x\` \textbackslash{}input\{a\}
"""

from __future__ import annotations

import re

_ENTITY = re.compile(r"&(?=[#\w])")
_MARKDOWN = str.maketrans({"<": "&lt;", "\n": " "} | {char: f"\\{char}" for char in "\\`|*["})
_CODE = str.maketrans({"|": "\\|", "`": "", "\n": " "})
_LATEX = str.maketrans(
    {char: f"\\{char}" for char in "#$%&_{}"}
    | {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\n": " "}
)


def markdown(text: str) -> str:
    r"""Return text that Markdown shows as it is, also in a cell of a table.

    Examples
    --------
    >>> print(markdown("conv*<b>"))
    conv\*&lt;b>
    """
    return _ENTITY.sub("&amp;", text).translate(_MARKDOWN)


def markdown_code(text: str) -> str:
    r"""Return text for a code span in a cell of a Markdown table: a span has no escapes, so backquotes are left out.

    Examples
    --------
    >>> print(markdown_code("a | `b`"))
    a \| b
    """
    return text.translate(_CODE)


def latex(text: str) -> str:
    r"""Return text that LaTeX prints as it is.

    Examples
    --------
    >>> print(latex(r"50 % of c_1\x"))
    50 \% of c\_1\textbackslash{}x
    """
    return text.translate(_LATEX)


def latex_comment(text: str) -> str:
    """Return a LaTeX comment of one line.

    Examples
    --------
    >>> latex_comment("c1: conv")
    '% c1: conv'
    """
    return f"% {' '.join(text.splitlines())}"
