"""Deferred import of sympy, so that commands without formulas start faster."""

from __future__ import annotations

import sys
from abc import ABC
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias


class Deferred:
    """A module that is imported on the first access to one of its names.

    Each name is cached, so that later accesses are as fast as in an ordinary module.

    Examples
    --------
    >>> fractions = Deferred("fractions")
    >>> fractions.Fraction(6, 4)
    Fraction(3, 2)
    """

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> object:
        found = getattr(import_module(self.__name__), name)
        setattr(self, name, found)
        return found


if TYPE_CHECKING:
    import sympy as sympy

    Size: TypeAlias = sympy.Expr
else:
    sympy = Deferred("sympy")

    class Size(ABC):  # noqa: B024  # used with isinstance, never instantiated
        """A size: a sympy expression in a :class:`planner.Plan`, a plain int in a :class:`planner.BoundPlan`.

        Expressions of sympy are instances of it; if sympy is not imported, there are none.
        """

        @classmethod
        def __subclasshook__(cls, kind: type) -> bool:
            return "sympy" in sys.modules and issubclass(kind, sympy.Expr)
