"""`shapeplan check`: the command for people, pre-commit and CI."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

import planner.symbols as sy
from planner.cli.console import FINDINGS, as_json, colour, message, out, painted
from planner.cli.subject import Subject, at_option, placed, read_subject
from planner.domain import Domain
from planner.findings import Finding, PlannerError, Severity, nearest
from planner.fixes import freed_domain
from planner.layers import Input
from planner.plan import Plan
from planner.render import FORMATS, Format, as_dict, render
from planner.report import admit
from planner.rules import RULES
from planner.sizeset import SizeSet
from planner.spec.reader import SUFFIXES
from planner.table import batch_name, number, shape_line

_SPEC_KEY = re.compile(rb"""^\s*[{,]?\s*["']?spec["']?\s*:""", re.MULTILINE)

EXAMPLES = "\b\nshapeplan check nets/ --strict\nshapeplan check net.yaml --at H=224,W=224"


@dataclass(frozen=True)
class Verdict:
    """What the command says of one file: the findings that were asked for, and what is accepted."""

    subject: Subject
    findings: tuple[Finding, ...]
    freed: Domain | None

    @property
    def plan(self) -> Plan | None:
        """The plan, where there is one."""
        return self.subject.plan

    def json(self) -> dict[str, Any]:
        """Return the verdict for machines."""
        return {
            "file": self.subject.file,
            "findings": [as_dict(finding) for finding in self.findings],
            "accepted": None if self.plan is None else self.plan.domain.json(),
            "other_sizes": None if self.freed is None else self.freed.json(),
        }


def _codes(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return codes and beginnings of codes; an unknown one is misuse."""
    found = tuple(code.strip().upper() for value in values for code in value.split(",") if code.strip())
    for code in found:
        if not any(known.startswith(code) for known in RULES):
            close = nearest(code, RULES)
            hint = f"; did you mean {close}?" if close else ""
            raise click.BadParameter(f"there is no rule {code}{hint}", ctx, param)
    return found


@click.command("check", epilog=EXAMPLES)
@click.argument("paths", nargs=-1, required=True)
@click.option("--output-format", "style", type=click.Choice(FORMATS), help="`full`, or `github` under GITHUB_ACTIONS.")
@click.option("--select", multiple=True, callback=_codes, metavar="CODES", help="Only these rules: S201,N1.")
@click.option("--ignore", multiple=True, callback=_codes, metavar="CODES", help="All but these.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@at_option
def command(
    paths: tuple[str, ...],
    style: Format | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    strict: bool,
    sizes: dict[str, int],
) -> None:
    """Check specs: shapes, wiring, accepted sizes.

    PATHS are files, directories to be searched for specs, or `-`. A path that cannot be read is a finding.
    """
    chosen: Format = style or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "full")
    verdicts = []
    for path in _files(paths):
        verdict = judge(read_subject(path), sizes, strict)
        kept = tuple(f for f in verdict.findings if _asked(f.code, select, ignore))
        verdict = replace(verdict, findings=kept)
        verdicts.append(verdict)
        if chosen != "json":
            out(_told(verdict, chosen, sizes))
    if chosen == "json":
        out(as_json(_document(verdicts)))
    elif verdicts:
        summary = _summary(verdicts)
        (message if chosen == "github" else out)(f"{summary}\n")
    else:
        message(f"no specs found under {', '.join(paths)}\n")
    if any(finding.severity is Severity.ERROR for verdict in verdicts for finding in verdict.findings):
        raise click.exceptions.Exit(FINDINGS)


def judge(subject: Subject, sizes: Mapping[str, int], strict: bool = False) -> Verdict:
    """Return what is to be said of a spec, sizes from outside and strictness taken into account."""
    findings = subject.findings
    if subject.plan is not None and sizes:
        try:
            admit(subject.plan, sizes)
        except PlannerError as error:
            findings += placed(error.findings, subject)
    if strict:
        findings = tuple(replace(finding, severity=Severity.ERROR) for finding in findings)
    return Verdict(subject, findings, None if subject.plan is None else _other_sizes(subject.plan))


def accepted(domain: Domain) -> str:
    """Return the accepted sizes in a sentence; sizes that may be anything are named last.

    Examples
    --------
    >>> accepted(Domain({"N": SizeSet.everything(), "H": SizeSet.of(7, 9)}))
    'H in {7, 9}, any N'
    """
    free = [name for name, found in domain.sets.items() if found == SizeSet.everything()]
    parts = [found.text(name) for name, found in domain.sets.items() if name not in free]
    parts += [opened.requirement.condition.text() for opened in domain.assumptions]
    parts += [f"any {', '.join(free)}"] if free else []
    return ", ".join(parts) or "exactly the sizes of the spec"


def _other_sizes(plan: Plan) -> Domain | None:
    """Return which heights and widths the layers would take where the spec fixes them."""
    maps = [shape for shape in plan.input_shapes.values() if len(shape) == 4]
    if not any(sy.constant(size) is not None for shape in maps for size in shape[2:]):
        return None
    domain = freed_domain(plan.network)
    if domain is None:
        return None
    return Domain({name: found for name, found in domain.sets.items() if name not in plan.domain}, domain.assumptions)


def _files(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        if path == "-" or not Path(path).is_dir():
            yield path
            continue
        for found in sorted(Path(path).rglob("*")):
            hidden = any(part.startswith(".") for part in found.relative_to(path).parts)
            if not hidden and found.suffix.lower() in SUFFIXES and _is_spec(found):
                yield str(found)


def _is_spec(path: Path) -> bool:
    """Tell whether a file has the key `spec` near its beginning; one that cannot be opened is looked at later."""
    try:
        with path.open("rb") as file:
            return _SPEC_KEY.search(file.read(65536)) is not None
    except OSError:
        return path.is_file()


def _asked(code: str, select: tuple[str, ...], ignore: tuple[str, ...]) -> bool:
    return (not select or code.startswith(select)) and not code.startswith(ignore or ("-",))


def _told(verdict: Verdict, style: Format, sizes: Mapping[str, int]) -> str:
    """Return the findings of a file and, for people, its verdict."""
    told = render(verdict.findings, verdict.subject.sources, style, colour(sys.stdout))
    if style != "full":
        return told
    name = painted(verdict.subject.file, "1")
    if verdict.plan is None or any(f.severity is Severity.ERROR for f in verdict.findings):
        return f"{told}\n{name}: {painted(_counted(verdict.findings) or 'not planned', '1;31')}\n\n"
    warnings = _counted(verdict.findings)
    head = f"{name}: {painted('ok', '1;32')}{f', {warnings}' if warnings else ''}"
    lines = [head, *(f"  {line}" for line in _facts(verdict.plan, verdict.freed, sizes))]
    return f"{told}\n" * bool(told) + "\n".join(lines) + "\n\n"


def _facts(plan: Plan, freed: Domain | None, sizes: Mapping[str, int]) -> Iterator[str]:
    layers = sum(not isinstance(node.layer, Input) for node in plan.nodes)
    batch = batch_name(plan)
    each = plan.macs if batch is None else sy.substitute(plan.macs, {batch: 1})
    totals = [f"{layers} layers", f"{number(plan.parameters)} parameters"]
    if sy.constant(each) is not None:
        totals.append(f"{number(each)} MACs{'' if batch is None else ' per image'}")
    yield f"{plan.name}: {', '.join(totals)}"
    yield f"{_shapes(plan.input_shapes)} -> {_shapes(plan.output_shapes)}"
    if sizes:
        given = ", ".join(f"{name} = {size}" for name, size in sizes.items())
        outputs = {
            name: tuple(sy.substitute(size, {k: v for k, v in sizes.items() if k in plan.free}) for size in shape)
            for name, shape in plan.output_shapes.items()
        }
        yield f"at {given}: {_shapes(outputs)}"
    yield f"accepted: {accepted(plan.domain)}"
    if freed is not None:
        yield f"with other inputs, the same layers accept: {accepted(freed)}"


def _shapes(shapes: Mapping[str, tuple[sy.Size, ...]]) -> str:
    return ", ".join(f"{name} {' x '.join(shape_line(shape))}" for name, shape in shapes.items())


def _counted(findings: Iterable[Finding]) -> str:
    counts = {severity: sum(f.severity is severity for f in findings) for severity in Severity}
    return ", ".join(f"{n} {severity}{'s' if n > 1 else ''}" for severity, n in counts.items() if n)


def _summary(verdicts: list[Verdict]) -> str:
    found = _counted([finding for verdict in verdicts for finding in verdict.findings])
    files = f"{len(verdicts)} spec{'s' if len(verdicts) > 1 else ''} checked"
    style = "1;31" if "error" in found else "1;33" if found else "1;32"
    return f"{files}: {painted(found or 'no findings', style)}"


def _document(verdicts: list[Verdict]) -> dict[str, Any]:
    """Return the JSON of a run: all findings, and each file by itself where there are several."""
    whole: dict[str, Any] = {"findings": [entry for verdict in verdicts for entry in verdict.json()["findings"]]}
    if len(verdicts) == 1:
        only = verdicts[0].json()
        return whole | {"accepted": only["accepted"], "other_sizes": only["other_sizes"]}
    return whole | {"files": [verdict.json() for verdict in verdicts]}
