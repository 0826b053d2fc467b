"""Counts and their nouns in sentences."""

from __future__ import annotations

import planner.symbols as sy
from planner.symbols import Size


def number(value: Size) -> str:
    """Return a count with thousands apart, a formula as it is.

    Examples
    --------
    >>> number(61706), number(sy.symbol("K") * 25)
    ('61,706', '25*K')
    """
    known = sy.constant(value)
    return sy.text(value) if known is None else f"{known:,}"


def plural(count: Size, noun: str, several: str = "") -> str:
    """Return a count with its noun, in the singular after 1; `several` is the plural where it is no noun with an s.

    Examples
    --------
    >>> plural(1, "layer"), plural(61706, "parameter"), plural(sy.symbol("K"), "channel")
    ('1 layer', '61,706 parameters', 'K channels')
    """
    return (
        f"{number(count)} {several}" if several and sy.constant(count) != 1 else f"{number(count)} {many(count, noun)}"
    )


def many(count: Size, noun: str) -> str:
    """Return a noun as it reads after a count.

    Examples
    --------
    >>> many(1, "filter"), many(3, "filter"), many(sy.symbol("K"), "filter")
    ('filter', 'filters', 'filters')
    """
    return noun if sy.constant(count) == 1 else f"{noun}s"
