"""Arithmetic of sizes in closed form.

A size is a sympy expression over positive integer symbols in closed form: chains of floor
divisions collapse into ``floor((H + a)/S) + c``. The arithmetic is exact and uses no floats.
Every function also takes plain ints and then returns plain ints, so that one layer rule is enough for
symbolic and bound plans.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache, lru_cache, reduce
from math import gcd, lcm
from typing import SupportsIndex, TypeAlias

from planner.symbols.deferred import Size as Size
from planner.symbols.deferred import sympy

Shape: TypeAlias = tuple[Size, ...]
"""Sizes in the order N, C, H, W, or N, units after a flatten."""

LARGEST = 2**40
"""Largest accepted size or setting: no machine holds a larger axis."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}\Z")


@cache
def symbol(name: str, *, least: int = 1) -> Size:
    """Return the symbol of the size with the given name: a whole number of at least 1, or at least 0 with `least` 0.

    It is the plain ``sympy.Symbol(name)``, so that ``subs({"H": 224})`` on a formula finds it. This module assumes
    that sizes are whole and positive. Only a symbol that may be 0 has a sympy assumption.

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
        raise ValueError("'dtype' is reserved: it is the argument of a plan for its number format")
    if not _NAME.match(name):
        raise ValueError(f"{name!r} is not a name for a size: use letters, digits and _, beginning with a letter")
    return sympy.Symbol(name) if least else sympy.Symbol(name, nonnegative=True)


def size(value: int | str | Size) -> Size:
    """Return a size from an int, a name, or an expression.

    Text is always a single name; it is never evaluated.

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
    """Return a size as an int, or None if it depends on a symbol.

    Examples
    --------
    >>> constant(size(3)), constant(size("H"))
    (3, None)
    """
    if isinstance(value, int):
        return value
    return int(value) if value.is_Integer else None


@lru_cache(maxsize=65536)
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
    nested divisions. The constant inside is normalized to ``-divisor < a <= 0``, so that equal sizes
    are equal expressions.

    Source: Graham, Knuth, Patashnik, *Concrete Mathematics*, section 3.2 (3.11).

    Examples
    --------
    >>> from planner.symbols import text
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
    if divisor == 1:
        return value
    return _floor_div(sympy.sympify(value), sympy.sympify(divisor))


def quotient(value: Size, divisor: Size) -> Size:
    """Return ``value/divisor`` exactly: an int if it is whole, otherwise a fraction or a formula.

    Sizes are whole; this function is for steps between positions, which upsampling makes smaller than one.

    Examples
    --------
    >>> quotient(8, 2), quotient(1, 2), quotient(symbol("H"), 2)
    (4, 1/2, H/2)
    """
    result = sympy.expand(sympy.sympify(value) / divisor)
    known = constant(result)
    return result if known is None else known


def ceil_div(value: Size, divisor: Size) -> Size:
    """Return ``ceil(value/divisor)``, expressed with a floor.

    Examples
    --------
    >>> from planner.symbols import text
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
    """Return the terms of a sum that are floors, and the sum of all other terms."""
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
        return _floor_of_fraction(inner)
    denominator = reduce(lcm, (int(c.q) for c in coefficients), int(number.q))
    common = reduce(gcd, (int(c.p) * (denominator // int(c.q)) for c in coefficients), denominator)
    offset = int(number * denominator) // common
    denominator //= common
    rest = sympy.expand(rest * denominator)
    shift = -((-offset) // denominator)
    offset -= shift * denominator
    if denominator == 1:
        return rest + offset + shift
    # Do not evaluate: it is in lowest terms already, and sympy 1.14 treats Min(2*H, 4)/6 as an integer.
    return sympy.floor(sympy.expand((rest + offset) / denominator), evaluate=False) + shift


def _floor_of_fraction(inner: Size) -> Size:
    """Return floor(inner) if a name is a divisor: the integral terms, plus one floor of the rest."""
    terms = sympy.Add.make_args(inner)
    whole = sympy.Add(*(t for t in terms if t.as_coeff_Mul()[0].is_Integer and _is_integral(t)))
    rest = inner - whole
    return whole + (sympy.floor(rest, evaluate=False) if rest.free_symbols else sympy.floor(rest))


def _is_integral(value: Size) -> bool:
    """Return whether every term is a rational times a product of sizes, floors, minima and maxima."""
    return all(
        _is_whole(factor)
        for term in sympy.Add.make_args(value)
        for factor in sympy.Mul.make_args(term.as_coeff_Mul()[1])
    )


def _is_whole(factor: Size) -> bool:
    if factor.is_Symbol or factor.is_Integer or isinstance(factor, sympy.floor):
        return True
    if factor.is_Pow:
        return bool(factor.args[1].is_Integer and factor.args[1] > 0) and _is_whole(factor.args[0])
    if isinstance(factor, (sympy.Min, sympy.Max, sympy.Add)):
        return all(a.as_coeff_Mul()[0].is_Integer and _is_integral(a) for a in factor.args)
    return False


def rebuild(value: Size, values: Mapping[Size, Size]) -> Size:
    """Return a size with some symbols replaced and every floor in closed form."""
    if value.is_Symbol:
        return values.get(value, value)
    if value.is_Atom or not value.free_symbols & values.keys():
        return value
    parts = [rebuild(argument, values) for argument in value.args]
    return _floor(sympy.expand(parts[0])) if isinstance(value, sympy.floor) else value.func(*parts)


def minimum(left: Size, right: Size) -> Size:
    """Return the smaller of two sizes, as a formula if it depends on symbols."""
    if isinstance(left, int) and isinstance(right, int):
        return min(left, right)
    return sympy.Min(left, right)


def maximum(left: Size, right: Size) -> Size:
    """Return the larger of two sizes, as a formula if it depends on symbols."""
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
    """Return the sum of sizes, expanded, as a plain int if no size is free.

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
    """Return whether `divisor` divides `value` for every value of their names (False if that is unknown).

    Examples
    --------
    >>> divides(4, 8 * symbol("C")), divides(3, symbol("C"))
    (True, False)
    """
    quotient = sympy.expand(sympy.sympify(value) / divisor)
    return all(term.as_coeff_Mul()[0].is_Integer and _is_integral(term) for term in sympy.Add.make_args(quotient))


def divisors(value: int) -> list[int]:
    """Return the positive divisors of a positive whole number, ascending.

    Examples
    --------
    >>> divisors(12)
    [1, 2, 3, 4, 6, 12]
    """
    return [int(divisor) for divisor in sympy.divisors(value)]


def factors(value: Size) -> tuple[int, list[tuple[str, Size]]] | None:
    """Return the coefficient and the other factors of a product, each with the one name it depends on.

    Return None if a factor depends on several names, or if the coefficient is not a positive whole number.

    Examples
    --------
    >>> factors(16 * symbol("W") * (symbol("H") - 3) ** 2)
    (16, [('H', H - 3), ('H', H - 3), ('W', W)])
    """
    for form in (value, sympy.factor(value)):
        number, rest = form.as_coeff_Mul()
        parts = [p for f in sympy.Mul.make_args(rest) for p in _repeated(f)]
        names = [free(part) for part in parts]
        if number.is_Integer and number >= 1 and all(len(n) == 1 for n in names):
            pairs = [(*n, part) for n, part in zip(names, parts, strict=True)]
            return int(number), sorted(pairs, key=lambda pair: pair[0])
    return None


def _repeated(factor: Size) -> list[Size]:
    if factor.is_Pow and factor.args[1].is_Integer and factor.args[1] > 0:
        return [factor.args[0]] * int(factor.args[1])
    return [factor]


def weight(value: Size) -> int:
    """Return the number of parts of a formula; a number of more than 64 bits counts as several.

    Examples
    --------
    >>> weight(3), weight(symbol("H") + 1), weight(symbol("H") + 2**640)
    (1, 3, 13)
    """
    return 1 if isinstance(value, int) else _weight(value)


@lru_cache(maxsize=65536)
def _weight(value: Size) -> int:
    if value.is_Rational:
        return 1 + (int(value.p).bit_length() + int(value.q).bit_length()) // 64
    return 1 + sum(map(_weight, value.args))


def whole(value: object) -> int | None:
    """Return a whole number of any integer type as an int; None for anything else, including True and 2.0.

    Examples
    --------
    >>> whole(3), whole(True), whole(2.0)
    (3, None, None)
    """
    if type(value) is int:  # the common case; the protocol check below is slow
        return value
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        return None
    try:
        return operator.index(value)
    except TypeError:  # an array of several numbers has the method but raises
        return None


def counts(value: Size) -> frozenset[str]:
    """Return the names in a size that cannot be 0.

    Examples
    --------
    >>> counts(symbol("H") + symbol("P", least=0))
    frozenset({'H'})
    """
    if isinstance(value, int):
        return frozenset()
    return frozenset(s.name for s in value.free_symbols if not s.is_nonnegative)


def zeros(value: Size) -> frozenset[str]:
    """Return the names in a size that may be 0.

    Examples
    --------
    >>> zeros(symbol("H") + symbol("P", least=0))
    frozenset({'P'})
    """
    return frozenset() if isinstance(value, int) else frozenset(s.name for s in value.free_symbols if s.is_nonnegative)


def counting(value: Size, names: Collection[str]) -> Size:
    """Return a size in which the given names are at least 1, never 0."""
    return rebuild(value, {s: symbol(s.name) for s in value.free_symbols if s.is_nonnegative and s.name in names})
