"""How a size is written: as text that evaluates back to the same value, and in LaTeX."""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from planner.symbols.sizes import Shape, Size


def _positive_first(terms: list[Size]) -> list[Size]:
    """Return the terms of a sum so that no leading minus is printed where one can be avoided."""
    return sorted(terms, key=lambda term: bool(term.could_extract_minus_sign()))


class _Text(StrPrinter):  # type: ignore[misc]  # sympy ships no types
    def _as_ordered_terms(self, expr: Size, order: str | None = None) -> list[Size]:
        return _positive_first(super()._as_ordered_terms(expr, order=order))

    def _print_floor(self, expr: Size) -> str:
        top, bottom = sympy.fraction(sympy.together(expr.args[0]))
        upper, lower = self._print(top), self._print(bottom)
        upper = f"({upper})" if top.is_Add else upper
        lower = f"({lower})" if bottom.is_Add or bottom.is_Mul else lower
        return f"floor({upper})" if bottom == 1 else f"floor({upper}/{lower})"

    def _print_Min(self, expr: Size) -> str:
        return f"min({', '.join(sorted(map(self._print, expr.args)))})"

    def _print_Max(self, expr: Size) -> str:
        return f"max({', '.join(sorted(map(self._print, expr.args)))})"


class _Latex(LatexPrinter):  # type: ignore[misc]  # sympy ships no types
    def _as_ordered_terms(self, expr: Size, order: str | None = None) -> list[Size]:
        return _positive_first(super()._as_ordered_terms(expr, order=order))

    def _print_floor(self, expr: Size, exp: str | None = None) -> str:
        top, bottom = sympy.fraction(sympy.together(expr.args[0]))
        inner = self._print(top) if bottom == 1 else rf"\frac{{{self._print(top)}}}{{{self._print(bottom)}}}"
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\left\lfloor {inner} \right\rfloor{power}"


_TEXT = _Text({"order": "lex"})
_LATEX = _Latex()


@lru_cache(maxsize=65536)
def text(value: Size) -> str:
    """Return a size as people write it; the text evaluates back to the same value.

    Examples
    --------
    >>> from planner.symbols import floor_div, symbol
    >>> text(16 * floor_div(symbol("H") - 1, 2))
    '16*floor((H - 1)/2)'
    """
    return str(value) if isinstance(value, int) else str(_TEXT.doprint(value))


def latex(value: Size) -> str:
    r"""Return a size in LaTeX.

    Examples
    --------
    >>> from planner.symbols import floor_div, symbol
    >>> print(latex(floor_div(symbol("H"), 4)))
    \left\lfloor \frac{H}{4} \right\rfloor
    """
    return str(value) if isinstance(value, int) else str(_LATEX.doprint(value))


def shape_text(shape: Shape) -> str:
    """Return a shape as ``N x 6 x 28 x 28``.

    Examples
    --------
    >>> from planner.symbols import symbol
    >>> shape_text((symbol("N"), 6, 28, 28))
    'N x 6 x 28 x 28'
    """
    return " x ".join(map(text, shape))
