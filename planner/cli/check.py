"""`shapeplan check`, for the terminal, pre-commit and CI."""

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
from planner.cli.options import at_option
from planner.cli.subject import Subject, placed, read_subject
from planner.diagnostics.config import Projects, Settings
from planner.diagnostics.render import FORMATS, Format, as_dict, render
from planner.diagnostics.suppress import ERRORS_STAY
from planner.domain.domain import Domain, Reason
from planner.domain.joint import boxes_text
from planner.domain.sizeset import SizeSet
from planner.findings import Finding, Location, PlannerError, Severity
from planner.fixes import free_domain
from planner.layers import Input
from planner.layers.spatial import is_map
from planner.plan.plan import Plan
from planner.rules.selection import Selection, known_codes, no_rule
from planner.spec.reader import SUFFIXES
from planner.tables.facts import admit, batch_name
from planner.wording import number, plural, shape_line

MOST_REASONS = 6
"""Reasons shown for the limits of sizes; the JSON output has all of them."""

_SPEC_KEY = re.compile(rb"""^\s*[{,]?\s*["']?spec["']?\s*:""", re.MULTILINE)

WHOLE: tuple[Format, ...] = ("json", "sarif")
"""Formats that write one document for all files."""

EXAMPLES = "\b\nExamples:\n  shapeplan check nets/ --strict\n  shapeplan check net.yaml --at H=224,W=224"


@dataclass(frozen=True)
class Verdict:
    """The result for one file: the selected findings and the accepted sizes."""

    subject: Subject
    findings: tuple[Finding, ...]
    other: Domain | None

    @property
    def plan(self) -> Plan | None:
        """The plan; None if the spec has errors."""
        return self.subject.plan

    def json(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return {
            "file": self.subject.file,
            "findings": [as_dict(finding) for finding in self.findings],
            "accepted": None if self.plan is None else self.plan.domain.json(),
            "loses_nothing": None if self.plan is None else self.plan.lossless.json(),
            "other_sizes": None if self.other is None else self.other.json(),
        }


def _codes(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes and code prefixes of an option; an unknown one is a usage error."""
    good, bad = known_codes(word for value in values for word in value.split(",") if word.strip())
    if bad:
        message, fix = no_rule(bad[0])
        raise click.BadParameter(f"{message}; {fix}", ctx, param)
    return good


@click.command("check", epilog=EXAMPLES)
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--output-format", "style", type=click.Choice(FORMATS), help="Default: full; github under GitHub Actions."
)
@click.option(
    "--select",
    multiple=True,
    callback=_codes,
    metavar="CODES",
    help="Rules to report, as codes or prefixes: S301,N1, or ALL.",
)
@click.option("--ignore", multiple=True, callback=_codes, metavar="CODES", help="Rules to ignore.")
@click.option("--strict/--no-strict", default=None, help="Treat warnings as errors.")
@at_option
def command(
    paths: tuple[str, ...],
    style: Format | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    strict: bool | None,
    sizes: dict[str, int],
) -> None:
    """Check specs: shapes, wiring and accepted sizes.

    PATHS are files, directories to search for specs, or `-` for standard input. A path that cannot be read
    is reported as a finding. Errors are always reported, whatever is selected or ignored. The same options can
    be set under [tool.shapeplan] in the nearest pyproject.toml; the command line takes precedence.
    """
    projects = Projects()
    command_line = Selection(select or None, ignore)
    chosen: Format = style or projects.near(Path.cwd()).output_format or _default_format()
    verdicts: list[Verdict] = []
    reported: list[Settings] = []
    for path in _files(paths):
        project = projects.near(Path.cwd() if path == "-" else Path(path))
        verdict = judge(read_subject(path), sizes, strict, project, command_line)
        verdicts.append(verdict)
        if chosen not in WHOLE:
            out("".join(_settings_report(each, chosen) for each in projects.all if each not in reported))
            out(_report(verdict, chosen, sizes))
            reported = list(projects.all)
    in_settings = [finding for each in projects.all for finding in each.findings]
    if chosen == "json":
        out(as_json(_document(verdicts, in_settings)))
    elif chosen == "sarif":
        out(_sarif(verdicts, projects.all))
    elif not verdicts:
        out("".join(_settings_report(each, chosen) for each in projects.all))
    if verdicts and chosen != "json":
        summary = _summary(verdicts, in_settings)
        (message if chosen in ("github", "sarif") else out)(f"{summary}\n")
    elif not verdicts:
        message(f"no specs found under {', '.join(paths)}\n")
    every = [*in_settings, *(finding for verdict in verdicts for finding in verdict.findings)]
    if any(finding.severity is Severity.ERROR for finding in every):
        raise click.exceptions.Exit(FINDINGS)


def judge(
    subject: Subject,
    sizes: Mapping[str, int],
    strict: bool | None = None,
    project: Settings | None = None,
    command_line: Selection | None = None,
) -> Verdict:
    """Return the verdict on a spec.

    Parameters
    ----------
    subject : Subject
    sizes : Mapping of str to int
        Values for free sizes, from the command line.
    strict : bool or None
        Whether warnings count as errors; None takes the setting of the project.
    project : Settings, optional
        Settings of the pyproject.toml nearest to the spec.
    command_line : Selection, optional
        Selection of the command line.
    """
    project = project or Settings()
    findings = subject.findings
    if subject.plan is not None and sizes:
        try:
            admit(subject.plan, sizes)
        except PlannerError as error:
            findings += placed(error.findings, subject)
    findings = tuple(_chosen(findings, subject.file, project, command_line or Selection()))
    if project.strict if strict is None else strict:
        findings = tuple(replace(finding, severity=Severity.ERROR) for finding in findings)
    return Verdict(subject, findings, None if subject.plan is None else _other_sizes(subject.plan))


def _chosen(findings: Iterable[Finding], file: str, project: Settings, command_line: Selection) -> Iterator[Finding]:
    """Yield the selected findings, and every error; an error that is not selected gets a note that says why."""
    in_file = Selection(ignore=project.ignored_in(Path(file)))
    for finding in findings:
        counts_here = in_file.selects(finding.code)
        if counts_here and project.selection.selects_with(command_line, finding.code):
            yield finding
        elif finding.severity is Severity.ERROR:
            why = "this rule is not selected" if counts_here else f"{project.file} ignores this rule in this file"
            yield replace(finding, notes=(*finding.notes, f"{why}, but {ERRORS_STAY}"))


def _default_format() -> Format:
    return "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "full"


def accepted(domain: Domain) -> str:
    """Return the accepted sizes in a sentence; unlimited sizes come last.

    Examples
    --------
    >>> accepted(Domain({"N": SizeSet.everything(), "H": SizeSet.of(7, 9)}))
    'H in {7, 9}, any N'
    """
    joint = frozenset().union(*domain.boxes)
    coupled = joint.union(*(opened.requirement.condition.free for opened in domain.assumptions))
    unlimited = (SizeSet.everything(), SizeSet.everything(0))
    free = [name for name, found in domain.sets.items() if found in unlimited and name not in coupled]
    parts = [
        found.text(name)
        for name, found in domain.sets.items()
        if name not in free and name not in joint and not (name in coupled and found in unlimited)
    ]
    parts += [boxes_text(domain.boxes)] if domain.boxes else []
    parts += [opened.requirement.condition.text() for opened in domain.assumptions]
    parts += [f"any {', '.join(free)}"] if free else []
    return ", ".join(parts) or "exactly the sizes of the spec"


def lossless_line(plan: Plan) -> str:
    """Return the sizes at which no layer drops border rows or columns, in a sentence.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 1, 7, 7)}, layers=[layer("conv", filters=8, kernel=3, stride=3)])
    >>> lossless_line(net.check())
    'every batch size drops border pixels'
    """
    if plan.lossless.empty:
        only_batch = set(plan.lossless) == {batch_name(plan)}
        return f"every {'batch size' if only_batch else 'accepted size'} drops border pixels"
    return f"no border dropped: {accepted(plan.lossless)}"


def _distinct(domain: Domain) -> list[Reason]:
    """Return the reasons of each limit once: if W has the same limits as H, only those of H."""
    first = {found: name for name, found in reversed(list(domain.sets.items()))}
    return [reason for reason in domain.reasons if first[domain.sets[reason.name]] == reason.name]


def _other_sizes(plan: Plan) -> Domain | None:
    """Return the heights and widths that the layers accept, if the spec fixes some; else None."""
    maps = [shape for shape in plan.input_shapes.values() if is_map(shape)]
    if not any(sy.constant(size) is not None for shape in maps for size in shape[2:]):
        return None
    domain = free_domain(plan.network)
    if domain is None:
        return None
    return replace(domain, sets={name: found for name, found in domain.sets.items() if name not in plan.domain})


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
    """Return whether a file has the key `spec` near its beginning, or cannot be opened, which is reported later."""
    try:
        with path.open("rb") as file:
            return _SPEC_KEY.search(file.read(65536)) is not None
    except OSError:
        return path.is_file()


def _settings_report(project: Settings, style: Format) -> str:
    """Return the findings about the settings of a project."""
    text = render(project.findings, {project.file: project.text}, style, colour(sys.stdout))
    return f"{text}\n" if text and style == "full" else text


def _report(verdict: Verdict, style: Format, sizes: Mapping[str, int]) -> str:
    """Return the findings of a file and, in the format `full`, its verdict."""
    text = render(verdict.findings, verdict.subject.sources, style, colour(sys.stdout))
    if style != "full":
        return text
    name = painted(verdict.subject.file, "1")
    if verdict.plan is None or any(f.severity is Severity.ERROR for f in verdict.findings):
        return f"{text}\n{name}: {painted(_counted(verdict.findings) or 'not planned', '1;31')}\n\n"
    warnings = _counted(verdict.findings)
    head = f"{name}: {painted('ok', '1;32')}{f', {warnings}' if warnings else ''}"
    lines = [head, *(f"  {line}" for line in _facts(verdict.plan, verdict.other, sizes))]
    return f"{text}\n" * bool(text) + "\n".join(lines) + "\n\n"


def _facts(plan: Plan, other: Domain | None, sizes: Mapping[str, int]) -> Iterator[str]:
    layers = sum(not isinstance(node.layer, Input) for node in plan.nodes)
    batch = batch_name(plan)
    each = plan.macs if batch is None else sy.substitute(plan.macs, {batch: 1})
    totals = [plural(layers, "layer"), plural(plan.parameter_count, "parameter")]
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
    yield from (f"  {reason.text}" for reason in _distinct(plan.domain)[:MOST_REASONS])
    if plan.lossless != plan.domain and plan.lossless.assumptions == plan.domain.assumptions:
        yield lossless_line(plan)
    if other is not None:
        yield f"with other inputs, the same layers accept: {accepted(other)}"


def _shapes(shapes: Mapping[str, tuple[sy.Size, ...]]) -> str:
    return ", ".join(f"{name} {' x '.join(shape_line(shape))}" for name, shape in shapes.items())


def _counted(findings: Iterable[Finding]) -> str:
    counts = {severity: sum(f.severity is severity for f in findings) for severity in Severity}
    return ", ".join(f"{n} {severity}{'s' if n > 1 else ''}" for severity, n in counts.items() if n)


def _summary(verdicts: list[Verdict], in_settings: list[Finding]) -> str:
    found = _counted([*in_settings, *(finding for verdict in verdicts for finding in verdict.findings)])
    files = f"{len(verdicts)} spec{'s' if len(verdicts) > 1 else ''} checked"
    style = "1;31" if "error" in found else "1;33" if found else "1;32"
    return f"{files}: {painted(found or 'no findings', style)}"


def _document(verdicts: list[Verdict], in_settings: list[Finding]) -> dict[str, Any]:
    """Return the JSON of a run: all findings and, if there are several files, one entry per file."""
    files = [verdict.json() for verdict in verdicts]
    found = [as_dict(finding) for finding in in_settings]
    whole: dict[str, Any] = {"findings": found + [each for file in files for each in file["findings"]]}
    if len(files) == 1:
        return whole | {key: files[0][key] for key in ("accepted", "loses_nothing", "other_sizes")}
    return whole | {"files": files}


def _sarif(verdicts: list[Verdict], projects: Iterable[Settings]) -> str:
    """Return one log of a run; a finding without a place is put at its file, because services drop it otherwise."""
    sources: dict[str, str] = {}
    found: list[Finding] = []
    for project in projects:
        sources[project.file] = project.text
        found += (_at_file(finding, project.file) for finding in project.findings)
    for verdict in verdicts:
        sources.update(verdict.subject.sources)
        found += (_at_file(finding, verdict.subject.file) for finding in verdict.findings)
    return render(found, sources, "sarif")


def _at_file(finding: Finding, file: str) -> Finding:
    return finding if finding.where else replace(finding, where=Location(file, 1, 1, 1))
