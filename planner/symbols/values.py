"""Values of a size: at given numbers, in other arithmetics, and as bounds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache, lru_cache, partial, reduce
from math import lcm
from typing import Any, TypeAlias

from planner.symbols.deferred import sympy
from planner.symbols.notation import text
from planner.symbols.sizes import Size, rebuild


def substitute(value: Size, values: Mapping[str, int]) -> Size:
    """Return the size with some names replaced by numbers, in closed form.

    Examples
    --------
    >>> from planner.symbols import symbol
    >>> substitute(symbol("H") * symbol("W"), {"H": 3})
    3*W
    """
    if isinstance(value, int):
        return value
    return rebuild(value, {s: sympy.Integer(values[s.name]) for s in value.free_symbols if s.name in values})


def evaluate(value: Size, values: Mapping[str, int]) -> int:
    """Return the value of a size at the given values of its free names.

    This uses exact rational arithmetic over the expression tree; it is much faster than substitution.

    Raises
    ------
    KeyError
        A free name has no value.

    Examples
    --------
    >>> from planner.symbols import floor_div, symbol
    >>> evaluate(floor_div(symbol("H") - 5, 2) + 1, {"H": 32})
    14
    """
    if isinstance(value, int):
        return value
    result = exact(value, values)
    if result.denominator != 1:
        raise ArithmeticError(f"{text(value)} is {result} at {dict(values)}, not an integer")
    return int(result)


def exact(value: Size, values: Mapping[str, int]) -> Fraction:
    """Return the exact value of a formula, such as a position, at the given values; it need not be whole.

    Raises
    ------
    KeyError
        A free name has no value.

    Examples
    --------
    >>> from planner.symbols import symbol
    >>> exact(symbol("H") / 2, {"H": 3})
    Fraction(3, 2)
    """
    return Fraction(value if isinstance(value, int) else fold(value, lambda name: Fraction(values[name])))


def fold(value: Size, leaf: Callable[[str], Any]) -> Any:
    """Return the value of an expression tree in any arithmetic; ``leaf(name)`` gives the value of a symbol.

    The numbers `leaf` returns must support ``+``, ``*``, ``**``, ``<`` and ``__floor__``; constants are ints and
    Fractions.

    Raises
    ------
    TypeError
        The expression contains a function that does not occur in sizes.
    """
    stack: list[Any] = []
    for function, given in _program(value):
        if function is None:
            stack.append(leaf(given) if isinstance(given, str) else given)
        else:
            parts = stack[-given:]
            del stack[-given:]
            stack.append(function(parts))
    return stack.pop()


Step: TypeAlias = tuple[Callable[[list[Any]], Any] | None, Any]
"""A function and the number of operands it pops, or None and the operand to push: a number or a name."""


@lru_cache(maxsize=4096)
def _program(value: Size) -> tuple[Step, ...]:
    """Return an expression tree as steps in postfix order; cached, because it is folded often."""
    if value.is_Integer:
        return ((None, int(value)),)
    if value.is_Rational:
        return ((None, Fraction(int(value.p), int(value.q))),)
    if value.is_Symbol:
        return ((None, value.name),)
    function = next((made for kind, made in _functions().items() if isinstance(value, kind)), None)
    if function is None:
        raise TypeError(f"{value.func.__name__} does not occur in sizes")
    return (*(step for argument in value.args for step in _program(argument)), (function, len(value.args)))


@cache
def _functions() -> Mapping[type, Callable[[list[Any]], Any]]:
    """Return the functions that combine the values of the parts, by class of expression."""
    return {
        sympy.Add: partial(reduce, operator.add),
        sympy.Mul: partial(reduce, operator.mul),
        sympy.Pow: lambda parts: parts[0] ** int(parts[1]),
        sympy.floor: lambda parts: parts[0].__floor__(),
        sympy.Min: min,
        sympy.Max: max,
    }


def period(value: Size) -> int:
    """Return an L such that for n = L*k + r the value is linear in k for each r (one free name).

    L contains the denominators inside every floor as factors, so that each division has a fixed remainder.

    Examples
    --------
    >>> from planner.symbols import floor_div, symbol
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


def compares(value: Size) -> bool:
    """Return whether a formula contains a minimum or a maximum of sizes."""
    return not isinstance(value, int) and bool(value.has(sympy.Min, sympy.Max))


def direction(value: Size) -> int | None:
    """Return 1 for a value that never decreases as its names grow, -1 if it never increases, 0 for a number.

    Return None if that is unknown.

    Examples
    --------
    >>> from planner.symbols import floor_div, symbol
    >>> direction(floor_div(symbol("H") - 5, 2)), direction(3 - symbol("H")), direction(symbol("H") - symbol("W"))
    (1, -1, None)
    """
    if isinstance(value, int) or value.is_Rational:
        return 0
    if value.is_Symbol:
        return 1
    parts = [direction(argument) for argument in value.args]
    moving = set(parts) - {0}
    if value.is_Add or isinstance(value, (sympy.floor, sympy.Min, sympy.Max)):
        return moving.pop() if len(moving) == 1 else None if moving else 0
    if value.is_Mul and value.args[0].is_Rational and len(value.args) == 2:
        return None if parts[1] is None else parts[1] * (1 if value.args[0] > 0 else -1)
    if (value.is_Mul or (value.is_Pow and value.args[1].is_Integer and value.args[1] > 0)) and moving == {1}:
        lows = [interval(argument)[0] for argument in value.args]
        return 1 if all(low is not None and low >= 0 for low in lows) else None
    return None


def interval(value: Size) -> tuple[Fraction | None, Fraction | None]:
    """Return the bounds of an expression for symbols of at least 1; a bound is None if unknown.

    Examples
    --------
    >>> from planner.symbols import symbol
    >>> interval(3 - symbol("H"))
    (None, Fraction(2, 1))
    """
    if value.is_Rational:
        exact = Fraction(int(value.p), int(value.q))
        return exact, exact
    if value.is_Symbol:
        return Fraction(0 if value.is_nonnegative else 1), None
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
