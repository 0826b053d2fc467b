"""Which rules are asked for, by codes and beginnings of codes: on the command line, in settings, in comments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner.findings import nearest
from planner.rules import RULES

ALL = "ALL"
"""Stands for every rule."""


@dataclass(frozen=True)
class Selection:
    """Which rules to tell of, as said in one place.

    Attributes
    ----------
    select : tuple of str or None
        Codes, beginnings of codes, or ``ALL``; None where nothing was said, which means all.
    ignore : tuple of str
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()

    def asks(self, code: str) -> bool:
        """Tell whether a rule is asked for: the longest beginning decides, and of two as long, `ignore`.

        Examples
        --------
        >>> Selection(("S",), ("S3",)).asks("S301"), Selection(("S301",), ("S3",)).asks("S301")
        (False, True)
        """
        wanted = 0 if self.select is None else _closeness(code, self.select)
        return wanted > _closeness(code, self.ignore)

    def under(self, command: Selection, code: str) -> bool:
        """Tell whether a rule is asked for where the command line has its say as well.

        What the command line selects replaces what was said before; what it ignores is taken away besides.

        Examples
        --------
        >>> project = Selection(ignore=("S301",))
        >>> project.under(Selection(), "S301"), project.under(Selection(("S3",)), "S301")
        (False, True)
        """
        if command.select is not None:
            return command.asks(code)
        return self.asks(code) and _closeness(code, command.ignore) < 0


def known_codes(words: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the codes and beginnings of codes among some words, and the words that are neither.

    Examples
    --------
    >>> known_codes(["s2", "N106", "all", "S999", ""])
    (('S2', 'N106', 'ALL'), ('S999', ''))
    """
    good: list[str] = []
    bad: list[str] = []
    for word in words:
        code = word.strip().upper()
        if code == ALL or (code and any(rule.startswith(code) for rule in RULES)):
            good.append(code)
        else:
            bad.append(word)
    return tuple(good), tuple(bad)


def no_rule(word: str) -> tuple[str, str]:
    """Return what to say of a word that is no code, and the way out.

    Examples
    --------
    >>> no_rule("Z301")
    ('there is no rule Z301', 'did you mean S301?')
    """
    close = nearest(word, [rule.lower() for rule in RULES])
    return f"there is no rule {word[:20]}", f"did you mean {close.upper()}?" if close else "codes are such as S301"


def _closeness(code: str, words: Iterable[str]) -> int:
    """Return how many characters the longest beginning of a code has, 0 for ALL, and -1 where there is none."""
    return max((0 if word == ALL else len(word) for word in words if word == ALL or code.startswith(word)), default=-1)
