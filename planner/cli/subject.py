"""Specs as commands meet them: read, diagnosed, with everything that was found."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from planner.diagnostics.suppress import apply_suppressions
from planner.findings import Finding, PlannerError
from planner.fixes import with_fixes
from planner.plan.diagnose import Diagnosis, diagnose
from planner.plan.plan import Plan
from planner.spec import read, read_file


@dataclass(frozen=True)
class Subject:
    """One spec and what is known of it.

    Attributes
    ----------
    file : str
        Its name in messages.
    text : str or None
        None where it could not be read.
    diagnosis : Diagnosis or None
        None where there is no network in it.
    findings : tuple of Finding
        All of them that no comment silences: reading, wiring, sizes, comments.
    """

    file: str
    text: str | None
    diagnosis: Diagnosis | None
    findings: tuple[Finding, ...]

    @property
    def plan(self) -> Plan | None:
        """The plan, where the spec has no errors."""
        return None if self.diagnosis is None else self.diagnosis.plan

    @property
    def sources(self) -> Mapping[str, str]:
        """Text by file, for code frames."""
        return {} if self.text is None else {self.file: self.text}


def read_subject(path: str) -> Subject:
    """Return a spec with everything that was found in it; ``-`` reads standard input. Raises nothing."""
    if path == "-" and sys.stdin is None:  # a process started with `<&-` has none
        message = "standard input is closed, so there is no spec on it"
        return Subject("<stdin>", None, None, (Finding("P105", message, fixes=("name a file instead of `-`",)),))
    try:
        text, file = read_file(path)
    except PlannerError as error:
        return Subject(path, None, None, error.findings)
    network, findings = read(text, file)
    if network is None:
        return Subject(file, text, None, apply_suppressions(findings, text, file, planned=False))
    found = with_fixes(diagnose(network))
    if findings:
        found = replace(found, plan=None)
    told = apply_suppressions((*findings, *found.findings), text, file, planned=found.plan is not None)
    return Subject(file, text, found, told)


def placed(findings: tuple[Finding, ...], subject: Subject) -> tuple[Finding, ...]:
    """Return findings about sizes given from outside, at the input of the spec that names those sizes."""
    where = None if subject.diagnosis is None else subject.diagnosis.network.marks.get("input")
    return tuple(finding if finding.where else replace(finding, where=where) for finding in findings)
