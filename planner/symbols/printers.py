"""Printers of sympy with floors as divisions and no leading minus. Imported lazily, because it imports sympy."""

from __future__ import annotations

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from planner.symbols.sizes import Size


def _positive_first(terms: list[Size]) -> list[Size]:
    """Return the terms of a sum in an order that avoids a leading minus if possible."""
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


class _Python(_Text):
    def _print_floor(self, expr: Size) -> str:
        top, bottom = sympy.fraction(sympy.together(expr.args[0]))
        return f"(({self._print(top)})//({self._print(bottom)}))"


class _Latex(LatexPrinter):  # type: ignore[misc]  # sympy ships no types
    def _as_ordered_terms(self, expr: Size, order: str | None = None) -> list[Size]:
        return _positive_first(super()._as_ordered_terms(expr, order=order))

    def _print_floor(self, expr: Size, exp: str | None = None) -> str:
        top, bottom = sympy.fraction(sympy.together(expr.args[0]))
        inner = self._print(top) if bottom == 1 else rf"\frac{{{self._print(top)}}}{{{self._print(bottom)}}}"
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\left\lfloor {inner} \right\rfloor{power}"


TEXT = _Text({"order": "lex"})
PYTHON = _Python({"order": "lex"})
LATEX = _Latex()
