"""Specs as commands meet them: read, diagnosed, with everything that was found."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

import click

from planner.diagnostics.suppress import apply_suppressions
from planner.findings import Finding, PlannerError
from planner.fixes import with_fixes
from planner.plan.diagnose import Diagnosis, diagnose
from planner.plan.plan import Plan
from planner.spec import read, read_file

_SIZE = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(-?[0-9]{1,18})\s*\Z", re.ASCII)


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


def read_sizes(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    """Return the sizes of all ``--at`` options by name; anything but ``N=1,H=224`` is misuse."""
    found: dict[str, int] = {}
    for part in (part for value in values for part in value.split(",")):
        match = _SIZE.match(part)
        if match is None:
            raise click.BadParameter(f"{part!r} is not name=number; write  --at N=1,H=224", ctx, param)
        if match[1] in found:
            raise click.BadParameter(f"{match[1]} is given twice", ctx, param)
        found[match[1]] = int(match[2])
    return found


at_option = click.option(
    "--at", "sizes", multiple=True, callback=read_sizes, metavar="N=1,H=224", help="Numbers for free sizes."
)
json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")
