"""Selection of rules by codes and code prefixes: on the command line, in settings, in comments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner.findings import nearest
from planner.rules import RULES

ALL = "ALL"
"""The code that means every rule."""


@dataclass(frozen=True)
class Selection:
    """The rules to report, as selected in one place.

    Attributes
    ----------
    select : tuple of str or None
        Codes, code prefixes, or ``ALL``; None means that all rules are selected by default.
    ignore : tuple of str
        Codes or code prefixes to leave out.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()

    def selects(self, code: str) -> bool:
        """Return whether a rule is selected: the longest matching prefix decides, and `ignore` in a tie.

        Examples
        --------
        >>> Selection(("S",), ("S3",)).selects("S301"), Selection(("S301",), ("S3",)).selects("S301")
        (False, True)
        """
        wanted = 0 if self.select is None else _closeness(code, self.select)
        return wanted > _closeness(code, self.ignore)

    def selects_with(self, command: Selection, code: str) -> bool:
        """Return whether a rule is selected once the command line is taken into account.

        A selection on the command line replaces this one; its `ignore` is applied in addition.

        Examples
        --------
        >>> project = Selection(ignore=("S301",))
        >>> project.selects_with(Selection(), "S301"), project.selects_with(Selection(("S3",)), "S301")
        (False, True)
        """
        if command.select is not None:
            return command.selects(code)
        return self.selects(code) and _closeness(code, command.ignore) < 0


def known_codes(words: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the codes and code prefixes among the words, and the words that are neither.

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
    """Return the message and the fix for a word that is not a code.

    Examples
    --------
    >>> no_rule("Z301")
    ('there is no rule Z301', 'did you mean S301?')
    """
    close = nearest(word, [rule.lower() for rule in RULES])
    return f"there is no rule {word[:20]}", f"did you mean {close.upper()}?" if close else "a code looks like S301"


def _closeness(code: str, words: Iterable[str]) -> int:
    """Return the length of the longest prefix of a code among the words, 0 for ALL, and -1 if there is none."""
    return max((0 if word == ALL else len(word) for word in words if word == ALL or code.startswith(word)), default=-1)
