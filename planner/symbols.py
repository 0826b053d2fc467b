"""Sizes as formulas: the only module that knows sympy.

A size is a sympy expression over positive integer symbols, kept in closed form: chains of floor
divisions collapse into ``floor((H + a)/S) + c``. The arithmetic here is exact; no float ever enters.
Every function also takes plain ints and then returns plain ints, so that one layer rule serves the
symbolic plan and the bound one.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache, lru_cache, reduce
from math import gcd, lcm
from typing import Any, TypeAlias

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

Size: TypeAlias = sympy.Expr
"""A size: a sympy expression in a :class:`planner.Plan`, a plain int in a :class:`planner.BoundPlan`."""

Shape: TypeAlias = tuple[Size, ...]
"""Sizes in the order N, C, H, W, or N, units after a flatten."""

LARGEST = 2**40
"""Sizes and settings above this are refused: no machine holds such an axis."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}\Z")


@cache
def symbol(name: str) -> Size:
    """Return the positive integer symbol of that name.

    Raises
    ------
    ValueError
        The name is not one letter or underscore followed by up to 31 letters, digits or underscores.

    Examples
    --------
    >>> symbol("H") + 1
    H + 1
    """
    if name == "dtype":
        raise ValueError("'dtype' is taken: it is how a plan is told its number format")
    if not _NAME.match(name):
        raise ValueError(f"{name!r} is not a name for a size: letters, digits and _, beginning with a letter")
    return sympy.Symbol(name, integer=True, positive=True)


def size(value: int | str | Size) -> Size:
    """Return a size from an int, the name of one, or an expression.

    Text is only ever read as one name, never evaluated.

    Examples
    --------
    >>> size(3), size("W")
    (3, W)
    """
    if isinstance(value, str):
        return symbol(value)
    if isinstance(value, sympy.Expr):
        return value
    return sympy.Integer(value)


def constant(value: Size) -> int | None:
    """Return the int a size is, or None while it depends on a symbol.

    Examples
    --------
    >>> constant(size(3)), constant(size("H"))
    (3, None)
    """
    if isinstance(value, int):
        return value
    return int(value) if value.is_Integer else None


def free(value: Size) -> frozenset[str]:
    """Return the names a size depends on.

    Examples
    --------
    >>> sorted(free(size("H") * size("W") + 1))
    ['H', 'W']
    """
    return frozenset() if isinstance(value, int) else frozenset(s.name for s in value.free_symbols)


def floor_div(value: Size, divisor: Size) -> Size:
    """Return ``floor(value/divisor)`` in closed form.

    ``floor((floor(x/m) + c)/s) = floor((x + c*m)/(m*s))`` for positive integers m and s collapses
    nested divisions; the constant inside is brought into ``-divisor < a <= 0`` so that equal sizes
    are equal expressions.

    Source: Graham, Knuth, Patashnik, *Concrete Mathematics*, section 3.2 (3.11).

    Examples
    --------
    >>> H = symbol("H")
    >>> text(floor_div(H - 5, 2) + 1)
    'floor((H - 1)/2) - 1'
    >>> text(floor_div(floor_div(H, 2) - 4, 2))
    'floor(H/4) - 2'
    >>> floor_div(7, 2)
    3
    """
    if isinstance(value, int) and isinstance(divisor, int):
        return value // divisor
    return _floor_div(sympy.sympify(value), sympy.sympify(divisor))


def ceil_div(value: Size, divisor: Size) -> Size:
    """Return ``ceil(value/divisor)``, as a floor.

    Examples
    --------
    >>> text(ceil_div(symbol("H"), 2))
    'floor((H - 1)/2) + 1'
    """
    return floor_div(value - 1, divisor) + 1


@lru_cache(maxsize=65536)
def _floor_div(value: Size, divisor: Size) -> Size:
    atoms, rest = _split_floor(value)
    if len(atoms) == 1 and rest.is_Integer:  # floor(x) + c: one division inside another
        value = atoms[0].args[0] + rest
    return _floor(sympy.expand(value / divisor))


def _split_floor(value: Size) -> tuple[list[Size], Size]:
    """Return the floors that are whole terms of a sum, and everything else."""
    terms = sympy.Add.make_args(value)
    atoms = [t for t in terms if isinstance(t, sympy.floor)]
    return atoms, sympy.Add(*(t for t in terms if not isinstance(t, sympy.floor)))


def _floor(inner: Size) -> Size:
    """Return floor(inner) with the fraction in lowest terms and its constant in (-denominator, 0]."""
    number, rest = inner.as_coeff_Add()
    if not rest.free_symbols:
        return sympy.floor(inner)
    coefficients = [term.as_coeff_Mul()[0] for term in sympy.Add.make_args(rest)]
    if not (number.is_Rational and all(c.is_Rational for c in coefficients) and _is_integral(rest)):
        return sympy.floor(inner)
    denominator = reduce(lcm, (int(c.q) for c in coefficients), int(number.q))
    common = reduce(gcd, (int(c.p) * (denominator // int(c.q)) for c in coefficients), denominator)
    offset = int(number * denominator) // common
    denominator //= common
    rest = sympy.expand(rest * denominator)
    shift = -((-offset) // denominator)
    offset -= shift * denominator
    if denominator == 1:
        return rest + offset + shift
    # Unevaluated: it is in lowest terms already, and sympy 1.14 takes Min(2*H, 4)/6 for an integer.
    return sympy.floor(sympy.expand((rest + offset) / denominator), evaluate=False) + shift


def _is_integral(value: Size) -> bool:
    """Tell whether every term is a rational times a product of integer symbols, floors, Min and Max."""
    return all(
        factor.is_integer is True
        for term in sympy.Add.make_args(value)
        for factor in sympy.Mul.make_args(term.as_coeff_Mul()[1])
    )


def minimum(left: Size, right: Size) -> Size:
    """Return the smaller of two sizes, as a formula where that depends on symbols."""
    if isinstance(left, int) and isinstance(right, int):
        return min(left, right)
    return sympy.Min(left, right)


def maximum(left: Size, right: Size) -> Size:
    """Return the larger of two sizes, as a formula where that depends on symbols."""
    if isinstance(left, int) and isinstance(right, int):
        return max(left, right)
    return sympy.Max(left, right)


def product(sizes: Iterable[Size]) -> Size:
    """Return the product of sizes; 1 for none.

    Examples
    --------
    >>> product([2, 3, 7])
    42
    """
    return reduce(lambda a, b: a * b, sizes, 1)


def total(sizes: Iterable[Size]) -> Size:
    """Return the sum of sizes, expanded, as a plain int where nothing is free.

    Examples
    --------
    >>> total([symbol("N") * 2, 3, symbol("N")]), total([1, 2])
    (3*N + 3, 3)
    """
    result = sympy.Add(*(sympy.expand(s) for s in sizes))
    known = constant(result)
    return result if known is None else known


def difference(left: Size, right: Size) -> Size:
    """Return left - right, expanded, so that equal sizes give the int 0."""
    result = sympy.expand(left - right)
    known = constant(result)
    return result if known is None else known


def substitute(value: Size, values: Mapping[str, int]) -> Size:
    """Return the size with some names replaced by numbers, in closed form again.

    Examples
    --------
    >>> substitute(symbol("H") * symbol("W"), {"H": 3})
    3*W
    """
    return value if isinstance(value, int) else value.subs({symbol(k): v for k, v in values.items()})


def evaluate(value: Size, values: Mapping[str, int]) -> int:
    """Return the int a size has when every free name has that value.

    Exact rational arithmetic over the expression tree; much faster than substitution.

    Raises
    ------
    KeyError
        A free name has no value.

    Examples
    --------
    >>> evaluate(floor_div(symbol("H") - 5, 2) + 1, {"H": 32})
    14
    """
    if isinstance(value, int):
        return value
    result = Fraction(fold(value, lambda name: Fraction(values[name])))
    if result.denominator != 1:
        raise ArithmeticError(f"{text(value)} is {result} at {dict(values)}, not an integer")
    return int(result)


def fold(value: Size, leaf: Callable[[str], Any]) -> Any:
    """Return the value of an expression tree in any arithmetic: ``leaf(name)`` is asked for every symbol.

    The numbers `leaf` returns must support ``+``, ``*``, ``**``, ``<`` and ``__floor__``; constants are Fractions.

    Raises
    ------
    TypeError
        The expression holds a function that does not occur in sizes.
    """
    if value.is_Rational:
        return Fraction(int(value.p), int(value.q))
    if value.is_Symbol:
        return leaf(value.name)
    parts = [fold(argument, leaf) for argument in value.args]
    if value.is_Add:
        return reduce(operator.add, parts)
    if value.is_Mul:
        return reduce(operator.mul, parts)
    if value.is_Pow:
        return parts[0] ** int(parts[1])
    if isinstance(value, sympy.floor):
        return parts[0].__floor__()
    if isinstance(value, (sympy.Min, sympy.Max)):
        return (min if isinstance(value, sympy.Min) else max)(parts)
    raise TypeError(f"{value.func.__name__} does not occur in sizes")


def period(value: Size) -> int:
    """Return an L such that for n = L*k + r the value is linear in k for each r (one free name).

    Every floor divides by the product of the denominators inside it, so that it meets only multiples.

    Examples
    --------
    >>> period(floor_div(3 * floor_div(symbol("H"), 4) + 1, 2))
    8
    """
    if isinstance(value, int) or value.is_Atom:
        return 1
    if isinstance(value, sympy.floor):
        inner = sympy.expand(value.args[0])
        denominators = (int(term.as_coeff_Mul()[0].q) for term in sympy.Add.make_args(inner))
        return reduce(lcm, denominators, 1) * period(inner)
    return reduce(lcm, map(period, value.args), 1)


def interval(value: Size) -> tuple[Fraction | None, Fraction | None]:
    """Return bounds of an expression for symbols from 1 upwards; None where it has none.

    Examples
    --------
    >>> interval(3 - symbol("H"))
    (None, Fraction(2, 1))
    """
    if value.is_Rational:
        exact = Fraction(int(value.p), int(value.q))
        return exact, exact
    if value.is_Symbol:
        return Fraction(1), None
    parts = [interval(argument) for argument in value.args]
    lows, highs = [low for low, _ in parts], [high for _, high in parts]
    if value.is_Add:
        return _sum(lows), _sum(highs)
    if value.is_Mul:
        return reduce(_times, parts)
    if isinstance(value, sympy.floor):
        return tuple(None if end is None else Fraction(end.__floor__()) for end in parts[0])  # type: ignore[return-value]  # two ends
    known_lows, known_highs = [x for x in lows if x is not None], [x for x in highs if x is not None]
    if isinstance(value, sympy.Min):
        low = min(known_lows) if len(known_lows) == len(parts) else None
        return low, min(known_highs, default=None)
    if isinstance(value, sympy.Max):
        high = max(known_highs) if len(known_highs) == len(parts) else None
        return max(known_lows, default=None), high
    if value.is_Pow and value.args[1].is_Integer and int(value.args[1]) > 0:
        return reduce(_times, [parts[0]] * int(value.args[1]))
    return None, None


def _sum(ends: list[Fraction | None]) -> Fraction | None:
    known = [end for end in ends if end is not None]
    return sum(known, Fraction(0)) if len(known) == len(ends) else None


def _times(
    left: tuple[Fraction | None, Fraction | None], right: tuple[Fraction | None, Fraction | None]
) -> tuple[Fraction | None, Fraction | None]:
    (a, b), (c, d) = left, right
    if a is not None and c is not None and a >= 0 and c >= 0:
        return a * c, None if b is None or d is None else b * d
    if a is not None and a == b:
        ends = [None if end is None else a * end for end in (c, d)]
        return (ends[0], ends[1]) if a >= 0 else (ends[1], ends[0])
    if c is not None and c == d:
        return _times(right, left)
    if None in (a, b, c, d):
        return None, None
    corners = [x * y for x in (a, b) for y in (c, d) if x is not None and y is not None]
    return min(corners), max(corners)


def split_constant(value: Size) -> tuple[int, Size]:
    """Return the integer part of a sum and the rest.

    Examples
    --------
    >>> split_constant(symbol("H") - 5)
    (-5, H)
    """
    known = constant(value)
    if known is not None:
        return 0, value
    number, rest = sympy.expand(value).as_coeff_Add()
    return (int(number), rest) if number.is_Integer else (0, value)


def divides(divisor: Size, value: Size) -> bool:
    """Tell whether divisor divides value for every value of their names (False where that is unknown).

    Examples
    --------
    >>> divides(4, 8 * symbol("C")), divides(3, symbol("C"))
    (True, False)
    """
    quotient = sympy.expand(sympy.sympify(value) / divisor)
    return all(term.as_coeff_Mul()[0].is_Integer and _is_integral(term) for term in sympy.Add.make_args(quotient))


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
    >>> text(16 * floor_div(symbol("H") - 1, 2))
    '16*floor((H - 1)/2)'
    """
    return str(value) if isinstance(value, int) else str(_TEXT.doprint(value))


def latex(value: Size) -> str:
    r"""Return a size in LaTeX.

    Examples
    --------
    >>> print(latex(floor_div(symbol("H"), 4)))
    \left\lfloor \frac{H}{4} \right\rfloor
    """
    return str(value) if isinstance(value, int) else str(_LATEX.doprint(value))


def shape_text(shape: Shape) -> str:
    """Return a shape as ``N x 6 x 28 x 28``.

    Examples
    --------
    >>> shape_text((symbol("N"), 6, 28, 28))
    'N x 6 x 28 x 28'
    """
    return " x ".join(map(text, shape))
