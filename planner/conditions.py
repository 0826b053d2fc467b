"""Conditions on sizes, and the requirements of layers built from them.

A condition is arithmetic only (at least, equal, divides); a requirement adds the message and the rule code of
the layer. The verdict on each is *holds*, *fails* or *depends on the sizes*; :mod:`planner.domain.domain` solves
those that depend on sizes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction

import planner.symbols as sy
from planner.symbols import Size


class Verdict(Enum):
    """The verdict on a condition before any size is known."""

    HOLDS = "holds"
    FAILS = "fails"
    DEPENDS = "depends"


class Condition(ABC):
    """A statement about sizes that is true or false once every size is a number."""

    @abstractmethod
    def verdict(self) -> Verdict:
        """Return the verdict for all positive sizes at once; DEPENDS makes no statement."""

    @abstractmethod
    def holds(self, values: Mapping[str, int]) -> bool:
        """Return whether the condition is true at the given sizes (KeyError if one is missing)."""

    @abstractmethod
    def at(self, values: Mapping[str, int]) -> Condition:
        """Return the condition with some of its names replaced by numbers."""

    @property
    @abstractmethod
    def sizes(self) -> tuple[Size, ...]:
        """The expressions in the condition."""

    @property
    def free(self) -> frozenset[str]:
        """The names the condition depends on."""
        return frozenset().union(*(sy.free(size) for size in self.sizes))

    @abstractmethod
    def text(self) -> str:
        """Return the condition as text."""


@dataclass(frozen=True)
class AtLeast(Condition):
    """``value >= bound``.

    Examples
    --------
    >>> AtLeast(sy.symbol("H") - 5, 0).text()
    'H >= 5'
    >>> AtLeast(3, 5).verdict()
    <Verdict.FAILS: 'fails'>
    """

    value: Size
    bound: int

    def verdict(self) -> Verdict:
        low, high = bounds(self.value)
        if low is not None and low >= self.bound:
            return Verdict.HOLDS
        if high is not None and high < self.bound:
            return Verdict.FAILS
        return Verdict.DEPENDS

    def holds(self, values: Mapping[str, int]) -> bool:
        return sy.exact(self.value, values) >= self.bound

    def at(self, values: Mapping[str, int]) -> AtLeast:
        return AtLeast(sy.substitute(self.value, values), self.bound)

    @property
    def sizes(self) -> tuple[Size, ...]:
        return (self.value,)

    def text(self) -> str:
        moved, rest = sy.split_constant(self.value)
        return f"{sy.text(rest)} >= {self.bound - moved}"


@dataclass(frozen=True)
class Equal(Condition):
    """``left == right``.

    Examples
    --------
    >>> Equal(sy.symbol("H"), sy.symbol("H")).verdict()
    <Verdict.HOLDS: 'holds'>
    """

    left: Size
    right: Size

    def verdict(self) -> Verdict:
        rest = sy.difference(self.left, self.right)
        if rest == 0:
            return Verdict.HOLDS
        low, high = bounds(rest)
        apart = (low is not None and low > 0) or (high is not None and high < 0)
        return Verdict.FAILS if apart else Verdict.DEPENDS

    def holds(self, values: Mapping[str, int]) -> bool:
        return sy.evaluate(self.left, values) == sy.evaluate(self.right, values)

    def at(self, values: Mapping[str, int]) -> Equal:
        return Equal(sy.substitute(self.left, values), sy.substitute(self.right, values))

    @property
    def sizes(self) -> tuple[Size, ...]:
        return (self.left, self.right)

    def text(self) -> str:
        return f"{sy.text(self.left)} = {sy.text(self.right)}"


@dataclass(frozen=True)
class Divides(Condition):
    """``divisor`` divides ``value`` without remainder.

    Examples
    --------
    >>> Divides(2, 6).verdict(), Divides(4, sy.symbol("C")).text()
    (<Verdict.HOLDS: 'holds'>, 'C is a multiple of 4')
    """

    divisor: Size
    value: Size

    def verdict(self) -> Verdict:
        divisor, value = sy.constant(self.divisor), sy.constant(self.value)
        if divisor is not None and value is not None:
            return Verdict.HOLDS if value % divisor == 0 else Verdict.FAILS
        return Verdict.HOLDS if sy.divides(self.divisor, self.value) else Verdict.DEPENDS

    def holds(self, values: Mapping[str, int]) -> bool:
        return sy.evaluate(self.value, values) % sy.evaluate(self.divisor, values) == 0

    def at(self, values: Mapping[str, int]) -> Divides:
        return Divides(sy.substitute(self.divisor, values), sy.substitute(self.value, values))

    @property
    def sizes(self) -> tuple[Size, ...]:
        return (self.divisor, self.value)

    def text(self) -> str:
        return f"{sy.text(self.value)} is a multiple of {sy.text(self.divisor)}"


@dataclass(frozen=True)
class Requirement:
    """A requirement of a layer on its inputs.

    The texts are functions, because most requirements hold and their texts are never needed.

    Attributes
    ----------
    code : str
        Rule code of a violation, such as ``S201``.
    condition : Condition
    say : callable
        Returns the message for a failed condition, to follow the name of the layer.
    point : callable
        Returns the label next to the underlined setting.
    setting : str
        The key to underline, or "" for the whole layer.

    Examples
    --------
    >>> Requirement("S201", AtLeast(4 - 5, 0), lambda: "a 5x5 kernel does not fit its 4x4 input").sentence
    'a 5x5 kernel does not fit its 4x4 input'
    """

    code: str
    condition: Condition
    say: Callable[[], str] = field(compare=False)
    point: Callable[[], str] = field(default=str, compare=False)
    setting: str = ""

    @property
    def sentence(self) -> str:
        """The message after the name of the layer: "a 5x5 kernel does not fit its 4x4 input"."""
        return self.say()

    @property
    def label(self) -> str:
        """The label next to the underlined setting: "output height would be (4 - 5)/1 + 1 = 0"."""
        return self.point()


def bounds(value: Size) -> tuple[Fraction | None, Fraction | None]:
    """Return the smallest and largest value for symbols >= 1; None if unbounded or unknown.

    Uses interval arithmetic: the bounds are never too narrow, but sometimes too wide.

    Examples
    --------
    >>> bounds(sy.floor_div(sy.symbol("H") - 1, 2))
    (Fraction(0, 1), None)
    """
    if isinstance(value, int):
        return Fraction(value), Fraction(value)
    return sy.interval(value)
