"""Notations of a size: text that evaluates to the same value, Python, LaTeX, and the factored form."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache, reduce
from math import gcd
from typing import TYPE_CHECKING

from planner.symbols.deferred import Deferred, sympy
from planner.symbols.sizes import Shape, Size

if TYPE_CHECKING:
    from planner.symbols import printers
else:
    printers = Deferred("planner.symbols.printers")

MOST_TERMS = 24
"""Maximum number of terms of a sum that is factored; longer sums are only divided by the common factor."""


@lru_cache(maxsize=65536)
def text(value: Size) -> str:
    """Return a size as readable text, which evaluates to the same value.

    Examples
    --------
    >>> from planner.symbols import floor_div, symbol
    >>> text(16 * floor_div(symbol("H") - 1, 2))
    '16*floor((H - 1)/2)'
    """
    return str(value) if isinstance(value, int) else str(printers.TEXT.doprint(value))


def latex(value: Size) -> str:
    r"""Return a size in LaTeX.

    Examples
    --------
    >>> from planner.symbols import floor_div, symbol
    >>> print(latex(floor_div(symbol("H"), 4)))
    \left\lfloor \frac{H}{4} \right\rfloor
    """
    return str(value) if isinstance(value, int) else str(printers.LATEX.doprint(value))


def shape_text(shape: Shape) -> str:
    """Return a shape as ``N x 6 x 28 x 28``.

    Examples
    --------
    >>> from planner.symbols import symbol
    >>> shape_text((symbol("N"), 6, symbol("H") - 4, 28))
    'N x 6 x (H - 4) x 28'
    """
    return " x ".join(f"({text(size)})" if isinstance(size, sympy.Add) else text(size) for size in shape)


def python(value: Size) -> str:
    """Return a size as a Python expression over whole numbers with the same names.

    Examples
    --------
    >>> from planner.symbols import floor_div, symbol
    >>> python(2 * floor_div(symbol("H") - 1, 2) + 1)
    '2*((H - 1)//(2)) + 1'
    """
    return str(value) if isinstance(value, int) else str(printers.PYTHON.doprint(value))


def renamed(value: Size, names: Mapping[Size, Size]) -> Size:
    """Return a size in which complete subexpressions are replaced by other names.

    Examples
    --------
    >>> from planner.symbols import floor_div, symbol
    >>> rows = floor_div(symbol("H"), 2) + 1
    >>> renamed(symbol("N") * rows, {rows: symbol("h1")})
    N*h1
    """
    return value if isinstance(value, int) else value.xreplace(dict(names))


def factored(value: Size) -> Size:
    """Return a size as a product: the common factor of all terms first, then the rest, factored if possible.

    Examples
    --------
    >>> from planner.symbols import symbol, text
    >>> N, H, W = symbol("N"), symbol("H"), symbol("W")
    >>> text(factored(12 * N * H * W - 24 * N * H + 6 * N * W - 12 * N))
    '6*N*(2*H + 1)*(W - 2)'
    """
    if isinstance(value, int) or value.is_Atom:
        return value
    if isinstance(value, (sympy.Max, sympy.Min)):
        return value.func(*map(factored, value.args))
    terms = sympy.Add.make_args(value)
    clamped = [term for term in terms if term.has(sympy.Max, sympy.Min)]
    if len(terms) == 1:
        return value
    if clamped:
        plain = factored(sympy.Add(*(term for term in terms if term not in clamped)))
        cases = (factored(term) if isinstance(term, (sympy.Max, sympy.Min)) else term for term in clamped)
        return sympy.Add(*cases, plain)
    shared = reduce(operator.and_, map(_parts, terms))
    front = sympy.Mul(reduce(gcd, map(_whole, terms)), *shared.elements())
    rest = sympy.Add(*(term / front for term in terms))
    if len(sympy.Add.make_args(sympy.expand(rest))) <= MOST_TERMS:
        rest = sympy.factor(rest)
    number, product = (front * rest if rest.is_Mul else front).as_coeff_Mul()
    parts = [*([number] if number != 1 else []), *sympy.Mul.make_args(product)]
    parts = [part for part in (*parts, *(() if rest.is_Mul else (rest,))) if part != 1]
    return sympy.Mul(*parts, evaluate=False) if len(parts) > 1 else parts[0]


def _parts(term: Size) -> Counter[Size]:
    """Return the factors of a term except its coefficient, with multiplicity."""
    found: Counter[Size] = Counter()
    for factor in sympy.Mul.make_args(term.as_coeff_Mul()[1]):
        base, power = factor.as_base_exp()
        if power.is_Integer and power > 0 and base != 1:
            found[base] += int(power)
    return found


def _whole(term: Size) -> int:
    number = term.as_coeff_Mul()[0]
    return int(number) if number.is_Integer else 1
