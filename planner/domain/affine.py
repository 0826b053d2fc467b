"""Solve a condition on one size for all sizes at once, by residues.

With n = L*k + r every size of a network is ``alpha*k + beta`` for integers alpha and beta, because L is a multiple of
every divisor in it (:func:`planner.symbols.period`). If sizes are compared (min, max), that holds only from some k
on; smaller sizes are tried one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Any

import planner.symbols as sy
from planner.conditions import AtLeast, Condition, Divides, Equal
from planner.domain.sizeset import LARGEST_PERIOD, Run, SizeSet, solve_residues
from planner.symbols import Size


@lru_cache(maxsize=4096)
def solve_condition(condition: Condition, name: str) -> SizeSet | None:
    """Return all n that meet a condition on one free size; None if the condition is not quasi-affine in n."""
    least = 0 if any(name in sy.zeros(size) for size in condition.sizes) else 1
    if least and isinstance(condition, AtLeast) and (direction := sy.direction(condition.value)):
        return _half(condition, name, direction)
    modulus = 1
    for size in condition.sizes:
        modulus = lcm(modulus, sy.period(size))
    if isinstance(condition, Divides):
        divisor = sy.constant(condition.divisor)
        if divisor is None:
            return None
        modulus *= divisor
    if modulus > LARGEST_PERIOD:
        return None

    def at(residue: int) -> tuple[tuple[Run, ...], int]:
        thresholds = [0]
        runs = _runs(condition, lambda _: Affine(modulus, residue, thresholds), thresholds)
        return runs, max(thresholds)

    try:
        return solve_residues(modulus, at, lambda n: condition.holds({name: n}), least)
    except NotAffine:
        return _periodic(condition, name, modulus) if least and isinstance(condition, Divides) else None


def _periodic(condition: Divides, name: str, modulus: int) -> SizeSet | None:
    """Return the sizes at which a polynomial in sizes is a multiple; its remainder repeats with the period."""
    if any(sy.compares(size) for size in condition.sizes):
        return None
    held = (condition.holds({name: residue or modulus}) for residue in range(modulus))
    runs = ((((0 if residue else 1), None),) if true else () for residue, true in enumerate(held))
    return SizeSet(modulus, tuple(runs))


def _half(condition: AtLeast, name: str, direction: int) -> SizeSet:
    """Return the sizes that meet a bound on a value that is monotonic in the size.

    The set has one limit, below or above, which is found by doubling and bisection. Sizes above 2^40 do
    not exist.
    """
    rising = direction > 0
    if condition.holds({name: 1}) == condition.holds({name: sy.LARGEST}):
        return SizeSet.everything() if condition.holds({name: 1}) else SizeSet.of()
    low = 1
    while condition.holds({name: 2 * low}) != rising:
        low *= 2
    high = 2 * low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if condition.holds({name: middle}) == rising else (middle, high)
    return SizeSet(1, (((high, None),),)) if rising else SizeSet(1, (((1, low),),))


def _runs(condition: Condition, leaf: Any, thresholds: list[int]) -> tuple[Run, ...]:
    """Return the runs of k for which a condition holds at one residue."""

    def affine(value: Size) -> Affine:
        return _lift(value if isinstance(value, int) else sy.fold(value, leaf), thresholds)

    if isinstance(condition, AtLeast):
        found = affine(condition.value) + -condition.bound
        if found.alpha == 0:
            return ((0, None),) if found.beta >= 0 else ()
        edge = -Fraction(found.beta) / found.alpha
        if found.alpha > 0:
            return ((max(0, -((-edge).__floor__())), None),)
        return ((0, edge.__floor__()),) if edge >= 0 else ()
    if isinstance(condition, Equal):
        found = affine(condition.left) + affine(condition.right) * -1
        if found.alpha == 0:
            return ((0, None),) if found.beta == 0 else ()
        root = -Fraction(found.beta) / found.alpha
        return ((int(root), int(root)),) if root.denominator == 1 and root >= 0 else ()
    if isinstance(condition, Divides):
        found, divisor = affine(condition.value), sy.constant(condition.divisor)
        if divisor is None or found.alpha % divisor:
            raise NotAffine
        return ((0, None),) if found.beta % divisor == 0 else ()
    raise NotAffine


class NotAffine(ArithmeticError):
    """Error for a product of two sizes that both depend on n: it is not linear and cannot be solved here."""


@dataclass(frozen=True)
class Affine:
    """``alpha*k + beta``, the value of a size for n = L*k + r.

    In a comparison of two values, the smaller one is the one that is smaller for all large k. The k from which
    that holds is added to `thresholds`.
    """

    alpha: Fraction | int
    beta: Fraction | int
    thresholds: list[int]

    def __add__(self, other: Affine | Fraction | int) -> Affine:
        right = _lift(other, self.thresholds)
        return Affine(self.alpha + right.alpha, self.beta + right.beta, self.thresholds)

    __radd__ = __add__

    def __mul__(self, other: Affine | Fraction | int) -> Affine:
        right = _lift(other, self.thresholds)
        if self.alpha and right.alpha:
            raise NotAffine
        return Affine(self.alpha * right.beta + self.beta * right.alpha, self.beta * right.beta, self.thresholds)

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Affine:
        if self.alpha and exponent != 1:
            raise NotAffine
        return Affine(self.alpha, self.beta if self.alpha else self.beta**exponent, self.thresholds)

    def __floor__(self) -> Affine:
        if self.alpha.denominator != 1:
            raise NotAffine
        return Affine(self.alpha, self.beta.__floor__(), self.thresholds)

    def __lt__(self, other: Affine | Fraction | int) -> bool:
        right = _lift(other, self.thresholds)
        if self.alpha == right.alpha:
            return self.beta < right.beta
        crossing = Fraction(right.beta - self.beta) / (self.alpha - right.alpha)
        self.thresholds.append(max(0, crossing.__floor__() + 1))
        return self.alpha < right.alpha

    def __gt__(self, other: Affine | Fraction | int) -> bool:
        return _lift(other, self.thresholds) < self


def _lift(value: Affine | Fraction | int, thresholds: list[int]) -> Affine:
    return value if isinstance(value, Affine) else Affine(0, value, thresholds)
