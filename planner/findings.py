"""Findings about a network as data, their places, and the errors that carry them.

A finding holds names, numbers and places. :mod:`planner.diagnostics.render` turns it into a coloured code
frame, JSON or a CI annotation. Nothing here reads files or prints.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Severity(StrEnum):
    """Severity of a finding: an error sets the exit status to 1, a warning only with ``--strict``."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Location:
    """A range of characters on one line of a file; lines and columns count from 1, `end_column` is exclusive."""

    file: str
    line: int
    column: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that explains a finding, with the label to print next to it."""

    where: Location
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause, reported once.

    Attributes
    ----------
    code : str
        Code of the rule, such as ``S201``; described in :mod:`planner.rules`.
    message : str
        One sentence with names and numbers; layer names are in backquotes.
    severity : Severity
    layer : str or None
        Name of the layer concerned, if any.
    where : Location or None
        The characters to underline; None for networks built in Python.
    label : str
        Text next to the underlined characters.
    related : tuple of Related
        Places that explain the cause.
    notes : tuple of str
        The derivation, the accepted sizes.
    fixes : tuple of str
        Suggested fixes; each has been verified by planning the network again with it.

    Examples
    --------
    >>> Finding("N103", "`add1` reads `stm`, which is not a layer", fixes=("did you mean `stem`?",)).code
    'N103'
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    layer: str | None = None
    where: Location | None = None
    label: str = ""
    related: tuple[Related, ...] = ()
    notes: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()


class PlannerError(ValueError):
    """Base class of the errors that the planner raises on bad input; carries all findings, not only the first.

    Examples
    --------
    >>> try:
    ...     raise SpecError([Finding("P101", "line 3 is not YAML")])
    ... except PlannerError as error:
    ...     print(error, [finding.code for finding in error.findings])
    error[P101]: line 3 is not YAML ['P101']
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = tuple(findings)
        super().__init__("\n".join(map(_one_line, self.findings)))

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[Finding, ...]]]:
        """Return what a copy or a pickle is made from: exceptions would pass the text on instead of the findings."""
        return type(self), (self.findings,)

    @classmethod
    def of(cls, code: str, message: str, *, fixes: Sequence[str] = ()) -> Self:
        """Return an error with a single finding that has no place in a file."""
        return cls([Finding(code, message, fixes=tuple(fixes))])


class SpecError(PlannerError):
    """The text of a spec cannot be read as a network (families P1xx and N1xx)."""


class GraphError(PlannerError):
    """Names, wiring or settings of a network are wrong (family N1xx)."""


class ShapeError(PlannerError):
    """A size of a network is impossible (families S2xx and S3xx)."""


class SizeError(PlannerError):
    """The sizes given to :meth:`planner.Plan.bind` are not accepted by the network."""


class SettingError(ValueError):
    """A setting of a layer has an invalid value; becomes a finding N107 or N108 at the place of the value.

    Parameters
    ----------
    setting : str
        The key as written in the spec.
    problem : str
        The message, to follow the name of the layer: "`kernel` must be at least 1, got 0".
    fix : str
        A suggested fix, or "".
    code : str
        The code of the rule.
    """

    def __init__(self, setting: str, problem: str, fix: str = "", code: str = "N107") -> None:
        self.setting, self.problem, self.fix, self.code = setting, problem, fix, code
        super().__init__(problem)

    def __reduce__(self) -> tuple[type[Self], tuple[str, str, str, str]]:
        return type(self), (self.setting, self.problem, self.fix, self.code)


def printable(text: str) -> str:
    r"""Return text on one line, with escapes for characters that cannot be printed.

    Examples
    --------
    >>> printable("a\nb\x1b[31m"), printable("naïve 層")
    ('a\\nb\\x1b[31m', 'naïve 層')
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most similar to `word`, or None if none is close.

    Examples
    --------
    >>> nearest("kernal", ["kernel", "stride"])
    'kernel'
    >>> nearest("xyzzy", ["kernel", "stride"]) is None
    True
    """
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def _one_line(finding: Finding) -> str:
    place = f"{finding.where.file}:{finding.where.line}:{finding.where.column}: " if finding.where else ""
    fixes = "".join(f"; {fix}" for fix in finding.fixes[:1])
    return printable(f"{place}{finding.severity}[{finding.code}]: {finding.message}{fixes}")
