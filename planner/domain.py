"""Which input sizes a network accepts, exactly, for all sizes at once.

Every requirement that depends on one free size n is solved by residues: with n = L*k + r every size is
``alpha*k + beta`` for integers alpha and beta, because L holds every divisor it meets; what is then left
is linear in k. Requirements that couple several sizes are kept as assumptions and judged when the
sizes are known; they are never dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Any

import planner.symbols as sy
from planner.conditions import AtLeast, Condition, Divides, Equal, Requirement, Verdict
from planner.sizeset import Run, SizeSet, solve_residues
from planner.symbols import Size

LARGEST_PERIOD = 100_000
"""Conditions with a longer period stay assumptions."""


@dataclass(frozen=True)
class Open:
    """A requirement that depends on the sizes, and the node that makes it."""

    node: str
    requirement: Requirement


@dataclass(frozen=True)
class Domain(Mapping[str, SizeSet]):
    """The accepted sizes by name, and what could not be solved.

    Attributes
    ----------
    sets : Mapping of str to SizeSet
        For every free size. Exact together with `assumptions`: a network accepts sizes that are in
        every set and meet every assumption, and no others.
    assumptions : tuple of Open
        Requirements that couple several sizes.

    Examples
    --------
    >>> H = sy.symbol("H")
    >>> fits = Open("c", Requirement("S201", AtLeast(H - 5, 0), lambda: "does not fit"))
    >>> solve(["H"], [fits])["H"].text("H")
    'H >= 5'
    """

    sets: Mapping[str, SizeSet]
    assumptions: tuple[Open, ...] = ()

    def __getitem__(self, name: str) -> SizeSet:
        return self.sets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.sets)

    def __len__(self) -> int:
        return len(self.sets)

    def accepts(self, values: Mapping[str, int]) -> bool:
        """Tell whether these sizes are accepted; with some missing, whether the others can be chosen so.

        An assumption that couples sizes still unknown counts as one that can be met.
        """
        if any(size not in self.sets[name] for name, size in values.items() if name in self.sets):
            return False
        rest = [Open(o.node, _at(o.requirement, values)) for o in self.assumptions]
        if any(o.requirement.condition.verdict() is Verdict.FAILS for o in rest):
            return False
        left = solve([n for n in self.sets if n not in values], rest)
        return all(left.sets[name] & self.sets[name] for name in left.sets)

    def text(self) -> str:
        """Return the accepted sizes in a sentence."""
        parts = [found.text(name) for name, found in self.sets.items()]
        parts += [opened.requirement.condition.text() for opened in self.assumptions]
        return ", ".join(parts)

    def json(self) -> dict[str, Any]:
        """Return every set by name, and the assumptions under ``assumptions`` where there are any."""
        found: dict[str, Any] = {name: sizes.json(name) for name, sizes in self.sets.items()}
        if self.assumptions:
            found["assumptions"] = [o.requirement.condition.text() for o in self.assumptions]
        return found


def solve(names: Sequence[str], requirements: Sequence[Open]) -> Domain:
    """Return the domain of the requirements over these free names."""
    sets = {name: SizeSet.everything() for name in names}
    assumptions = []
    seen: set[Condition] = set()
    for opened in requirements:
        condition = opened.requirement.condition
        if condition in seen:
            continue
        seen.add(condition)
        if condition.verdict() is Verdict.HOLDS:
            continue
        free = condition.free
        solved = solve_condition(condition, *free) if len(free) == 1 else None
        if solved is None:
            assumptions.append(opened)
        else:
            (name,) = free
            sets[name] = sets.get(name, SizeSet.everything()) & solved
    return Domain(sets, tuple(assumptions))


@lru_cache(maxsize=4096)
def solve_condition(condition: Condition, name: str) -> SizeSet | None:
    """Return all n >= 1 that meet a condition on one free size; None where it is not quasi-affine in n."""
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
        runs = _runs(condition, lambda _: Affine(Fraction(modulus), Fraction(residue), thresholds), thresholds)
        return runs, max(thresholds)

    try:
        return solve_residues(modulus, at, lambda n: condition.holds({name: n}))
    except NotAffine:
        return None


def _runs(condition: Condition, leaf: Any, thresholds: list[int]) -> tuple[Run, ...]:
    """Return the runs of k in which a condition holds for one residue."""

    def affine(value: Size) -> Affine:
        return _lift(value if isinstance(value, int) else sy.fold(value, leaf), thresholds)

    if isinstance(condition, AtLeast):
        found = affine(condition.value) + Fraction(-condition.bound)
        if found.alpha == 0:
            return ((0, None),) if found.beta >= 0 else ()
        edge = -found.beta / found.alpha
        if found.alpha > 0:
            return ((max(0, -((-edge).__floor__())), None),)
        return ((0, edge.__floor__()),) if edge >= 0 else ()
    if isinstance(condition, Equal):
        found = affine(condition.left) + affine(condition.right) * Fraction(-1)
        if found.alpha == 0:
            return ((0, None),) if found.beta == 0 else ()
        root = -found.beta / found.alpha
        return ((int(root), int(root)),) if root.denominator == 1 and root >= 0 else ()
    if isinstance(condition, Divides):
        found, divisor = affine(condition.value), sy.constant(condition.divisor)
        if divisor is None or found.alpha % divisor:
            raise NotAffine
        return ((0, None),) if found.beta % divisor == 0 else ()
    raise NotAffine


class NotAffine(ArithmeticError):
    """A product of two sizes that both depend on n: not linear, not solved here."""


@dataclass(frozen=True)
class Affine:
    """``alpha*k + beta``, the value of a size for n = L*k + r.

    Where two of them are compared, the smaller one is the one that stays smaller; the k from which that
    is so is noted in `thresholds`.
    """

    alpha: Fraction
    beta: Fraction
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
        return Affine(self.alpha, Fraction(self.beta.__floor__()), self.thresholds)

    def __lt__(self, other: Affine | Fraction | int) -> bool:
        right = _lift(other, self.thresholds)
        if self.alpha == right.alpha:
            return self.beta < right.beta
        crossing = (right.beta - self.beta) / (self.alpha - right.alpha)
        self.thresholds.append(max(0, crossing.__floor__() + 1))
        return self.alpha < right.alpha

    def __gt__(self, other: Affine | Fraction | int) -> bool:
        return _lift(other, self.thresholds) < self


def _lift(value: Affine | Fraction | int, thresholds: list[int]) -> Affine:
    return value if isinstance(value, Affine) else Affine(Fraction(0), Fraction(value), thresholds)


def _at(requirement: Requirement, values: Mapping[str, int]) -> Requirement:
    return replace(requirement, condition=requirement.condition.at(values))
