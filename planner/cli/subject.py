"""Specs as commands use them: read and diagnosed, with all findings."""

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
    """One spec with its diagnosis and findings.

    Attributes
    ----------
    file : str
        The name of the file in messages.
    text : str or None
        The text of the spec; None if it could not be read.
    diagnosis : Diagnosis or None
        None if the text describes no network.
    findings : tuple of Finding
        All findings about reading, wiring, sizes and comments, except those silenced by comments.
    """

    file: str
    text: str | None
    diagnosis: Diagnosis | None
    findings: tuple[Finding, ...]

    @property
    def plan(self) -> Plan | None:
        """The plan; None if the spec has errors."""
        return None if self.diagnosis is None else self.diagnosis.plan

    @property
    def sources(self) -> Mapping[str, str]:
        """The text by file name, for code frames."""
        return {} if self.text is None else {self.file: self.text}


def read_subject(path: str) -> Subject:
    """Read and diagnose a spec; ``-`` reads standard input. Raises nothing."""
    if path == "-" and sys.stdin is None:  # started with `<&-`
        message = "standard input is closed, so no spec can be read from it"
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
    kept = apply_suppressions((*findings, *found.findings), text, file, planned=found.plan is not None)
    return Subject(file, text, found, kept)


def placed(findings: tuple[Finding, ...], subject: Subject) -> tuple[Finding, ...]:
    """Return findings about sizes from the command line, placed at the input of the spec, which names those sizes."""
    where = None if subject.diagnosis is None else subject.diagnosis.network.marks.get("input")
    return tuple(finding if finding.where else replace(finding, where=where) for finding in findings)
