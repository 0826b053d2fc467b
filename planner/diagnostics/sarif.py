"""Render findings as SARIF 2.1.0, the format of code-scanning services.

Opens no files. Paths are relative to the working directory, so run the command at the root of the repository.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from planner.findings import Finding, Location, Severity
from planner.rules import RULES, Rule
from planner.spec.source import split_lines

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

FINGERPRINT = "shapeplanFinding/v1"
"""Key of the fingerprints. They hash rule, file and text of the line, so that inserting lines keeps them."""

ROOT = "%SRCROOT%"
"""The root of the repository, by convention of the services."""


def as_sarif(findings: Iterable[Finding], sources: Mapping[str, str]) -> str:
    """Return a SARIF log with one run, as JSON text that ends in a line break.

    Parameters
    ----------
    findings : iterable of Finding
        Findings; those without a place become results without a location.
    sources : Mapping of str to str
        Text by file name, for the fingerprints.

    Source: SARIF 2.1.0, https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; GitHub documentation,
    "SARIF support for code scanning".

    Examples
    --------
    >>> found = Finding("S301", "drops a row", Severity.WARNING, where=Location("nets/a b.yaml", 2, 1, 5))
    >>> (run,) = json.loads(as_sarif([found], {}))["runs"]
    >>> run["results"][0]["level"], run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    ('warning', 'nets/a%20b.yaml')
    """
    found = list(findings)
    codes = sorted({finding.code for finding in found})
    prints = _fingerprints(found, sources)
    run = {
        "tool": {"driver": _driver(codes)},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, codes.index(each.code), mark) for each, mark in zip(found, prints, strict=True)],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _driver(codes: Sequence[str]) -> dict[str, Any]:
    driver: dict[str, Any] = {"name": "shapeplan", "rules": [_rule(code) for code in codes]}
    with suppress(PackageNotFoundError):  # not installed, so there is no version
        driver["version"] = version("shapeplan")
    return driver


def _rule(code: str) -> dict[str, Any]:
    rule = RULES.get(code)
    if rule is None:
        return {"id": code}
    parts = [("Example", rule.example)] + ([("Fix", rule.fixed)] if rule.fixed else [])
    plain = [rule.text, *(f"{title}:\n\n{example.rstrip()}" for title, example in parts)]
    marked = [rule.text, *(f"{title}:\n\n```{_language(rule)}\n{example.rstrip()}\n```" for title, example in parts)]
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in re.findall(r"[A-Za-z]+", rule.title.replace("'", ""))),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.text},
        "help": {"text": "\n\n".join(plain), "markdown": "\n\n".join(marked)},
        "properties": {"tags": [_FAMILIES.get(code[0], "other")]},
    }


_FAMILIES = {"P": "reading", "N": "wiring", "S": "sizes", "C": "cost", "R": "running", "D": "drawing"}


def _language(rule: Rule) -> str:
    return "sh" if rule.example.startswith("$") else "yaml" if "\n" in rule.example else "python"


def _result(finding: Finding, index: int, fingerprint: str) -> dict[str, Any]:
    words = [finding.message, *(f"note: {note}" for note in finding.notes), *(f"help: {fix}" for fix in finding.fixes)]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": "error" if finding.severity is Severity.ERROR else "warning",
        "message": {"text": "\n".join(words)},
        "locations": [],
        "partialFingerprints": {FINGERPRINT: fingerprint},
    }
    if finding.where is not None:
        location: dict[str, Any] = {"physicalLocation": _place(finding.where)}
        if finding.layer is not None:
            location["logicalLocations"] = [{"name": finding.layer, "kind": "layer"}]
        result["locations"] = [location]
    if finding.related:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _place(related.where), "message": {"text": related.text}}
            for number, related in enumerate(finding.related)
        ]
    return result


def _place(where: Location) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _artifact(where.file)}
    # An empty place means the whole file.
    if where.end_column > where.column:
        place["region"] = {
            "startLine": where.line,
            "startColumn": where.column,
            "endLine": where.line,
            "endColumn": where.end_column,
        }
    return place


def _artifact(file: str) -> dict[str, str]:
    here = Path.cwd()
    path = here / file
    # Path keeps "..", which services do not resolve.
    if ".." in path.parts:
        path = path.resolve()
    if path.is_relative_to(here):
        return {"uri": quote(path.relative_to(here).as_posix()), "uriBaseId": ROOT}
    return {"uri": path.as_uri()}


def _fingerprints(findings: Iterable[Finding], sources: Mapping[str, str]) -> list[str]:
    lines = {file: split_lines(text) for file, text in sources.items()}
    seen: Counter[str] = Counter()
    marks = []
    for finding in findings:
        parts = [finding.code, finding.layer or ""]
        if finding.where is None:
            parts.append(finding.message)
        else:
            source = lines.get(finding.where.file, [])
            known = finding.where.line <= len(source)
            line = source[finding.where.line - 1].strip() if known else finding.message
            parts += [_artifact(finding.where.file)["uri"], line]
        mark = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        seen[mark] += 1
        marks.append(f"{mark}:{seen[mark]}")
    return marks
