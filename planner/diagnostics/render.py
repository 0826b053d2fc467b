"""Render findings as code frames, one-line messages, JSON or CI annotations.

Opens no files; the caller passes the text of the sources. Control characters in a spec never reach the terminal.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from planner.findings import Finding, Location, Severity
from planner.rules import RULES
from planner.spec.source import split_lines
from planner.wording import plural

_lines = lru_cache(maxsize=4)(split_lines)

Format = Literal["full", "concise", "json", "github", "sarif"]
FORMATS: tuple[Format, ...] = ("full", "concise", "json", "github", "sarif")

TAB = 4
"""Width of a tab in a code frame."""

MOST_FRAMES = 200
"""Largest number of findings shown in full; further ones are only counted, and listed by the other formats."""

WIDEST = 160
"""Largest width of a source line; a longer line is cut around the place."""

_COLOURS = {"error": "1;31", "warning": "1;33", "bold": "1", "frame": "1;34", "help": "1;36"}


def render(
    findings: Iterable[Finding], sources: Mapping[str, str], format: Format = "full", colour: bool = False
) -> str:
    r"""Return findings as text that ends with a line break; "" if there are none (``[]`` as JSON, a log as SARIF).

    Parameters
    ----------
    findings : iterable of Finding
    sources : Mapping of str to str
        Text by file name. Findings in other files are printed without a code frame.
    format : {"full", "concise", "json", "github", "sarif"}
    colour : bool
        Whether to use ANSI colours, in `full` and `concise`.

    Examples
    --------
    >>> place = Location("net.yaml", 2, 9, 10)
    >>> found = [Finding("N107", "`kernel` must be at least 1, got 0", where=place, fixes=("write 1",))]
    >>> print(render(found, {"net.yaml": "a: 1\nkernel: 0"}), end="")
    error[N107]: `kernel` must be at least 1, got 0
     --> net.yaml:2:9
      |
    2 | kernel: 0
      |         ^
      |
      = help: write 1
    >>> print(render(found, {}, "concise"), end="")
    net.yaml:2:9: error[N107]: `kernel` must be at least 1, got 0
    """
    paint: Paint = _coloured if colour else _plain
    if format == "json":
        return json.dumps([as_dict(finding) for finding in findings], indent=2) + "\n"
    if format == "sarif":
        from planner.diagnostics.sarif import as_sarif  # imported here, because few runs need it

        return as_sarif(findings, sources)
    if format == "github":
        return "".join(f"{_annotation(finding)}\n" for finding in findings)
    if format == "concise":
        return "".join(f"{_one_line(finding, paint)}\n" for finding in findings)
    found = list(findings)
    texts = [_full(finding, sources, paint) for finding in found[:MOST_FRAMES]]
    if len(found) > MOST_FRAMES:
        rest = plural(len(found) - MOST_FRAMES, "more finding")
        texts.append(f"... and {rest}: `--output-format concise` lists them all\n")
    return "\n".join(texts)


def as_dict(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON values; the place is None if it has none.

    Examples
    --------
    >>> as_dict(Finding("P105", "there is no file a.yaml"))["line"] is None
    True
    """
    where = finding.where
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "message": finding.message,
        "file": where.file if where else None,
        "line": where.line if where else None,
        "column": where.column if where else None,
        "end_column": where.end_column if where else None,
        "layer": finding.layer,
        "label": finding.label,
        "related": [
            {"file": r.where.file, "line": r.where.line, "column": r.where.column,
             "end_column": r.where.end_column, "text": r.text}
            for r in finding.related
        ],
        "notes": list(finding.notes),
        "fixes": list(finding.fixes),
    }  # fmt: skip


Paint = Callable[[str, str], str]
"""``paint(style, text)`` returns the text in a style."""


def _plain(_style: str, text: str) -> str:
    return text


def _coloured(style: str, text: str) -> str:
    return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if text else text


def safe(text: str) -> str:
    r"""Return text with escapes for control characters and other characters that cannot be printed.

    Examples
    --------
    >>> safe("a\x1b[31m")
    'a\\x1b[31m'
    """
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _head(finding: Finding, paint: Paint) -> str:
    return paint(str(finding.severity), f"{finding.severity}[{finding.code}]")


def _place(where: Location) -> str:
    return f"{safe(where.file)}:{where.line}:{where.column}"


def _one_line(finding: Finding, paint: Paint) -> str:
    place = f"{_place(finding.where)}: " if finding.where else ""
    return f"{place}{_head(finding, paint)}: {safe(finding.message)}"


def _annotation(finding: Finding) -> str:
    """Return a finding as a workflow command (GitHub documentation, "Workflow commands")."""
    level = "error" if finding.severity is Severity.ERROR else "warning"
    title = f"{finding.code} {RULES[finding.code].title}" if finding.code in RULES else finding.code
    values = {"title": title}
    if finding.where:
        where = finding.where
        values = {"file": where.file, "line": str(where.line), "endLine": str(where.line), "col": str(where.column),
                  "endColumn": str(where.end_column), **values}  # fmt: skip
    pairs = ",".join(f"{key}={_property(value)}" for key, value in values.items())
    words = [finding.message, *(f"{_place(cause.where)}: {cause.text}" for cause in finding.related)]
    words += [*(f"note: {note}" for note in finding.notes), *(f"help: {fix}" for fix in finding.fixes)]
    return f"::{level} {pairs}::" + "%0A".join(_data(word) for word in words)


def _data(text: str) -> str:
    kept = "".join(char if char.isprintable() or char in "\r\n" else _escape(char) for char in text)
    return kept.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


@dataclass(frozen=True)
class _Mark:
    """Characters to underline, and the label next to them."""

    where: Location
    text: str
    is_cause: bool


def _full(finding: Finding, sources: Mapping[str, str], paint: Paint) -> str:
    lines = [f"{_head(finding, paint)}{paint('bold', ': ' + safe(finding.message))}"]
    files = _frames(finding, sources)
    numbers = [mark.where.line for _, marks in files for mark in marks]
    width = len(str(max(numbers, default=1)))
    bar = paint("frame", f"{' ' * width} |")
    for index, (place, marks) in enumerate(files):
        arrow = "-->" if index == 0 else ":::"
        lines.append(f"{' ' * width}{paint('frame', arrow)} {place}")
        if marks:
            source = _lines(sources[marks[0].where.file])
            lines.append(bar)
            lines.extend(_frame(marks, source, width, paint))
            lines.append(bar)
    tail = [("note", note, "bold") for note in finding.notes] + [("help", fix, "help") for fix in finding.fixes]
    for word, text, style in tail:
        lines.append(f"{' ' * width} {paint('frame', '=')} {paint(style, word)}: {safe(text)}")
    if lines[-1] == bar:
        lines.pop()
    return "\n".join(lines) + "\n"


def _frames(finding: Finding, sources: Mapping[str, str]) -> list[tuple[str, list[_Mark]]]:
    """Return a frame for each file, that of the finding first: the place, and the marks to underline."""
    marks = [_Mark(finding.where, finding.label, False)] if finding.where else []
    marks += [_Mark(related.where, related.text, True) for related in finding.related]
    frames: dict[str, tuple[str, list[_Mark]]] = {}
    for mark in marks:
        file = mark.where.file
        _, known = frames.setdefault(file, (_place(mark.where), []))
        if file in sources and mark.where.line <= len(_lines(sources[file])):
            known.append(mark)
    return list(frames.values())


def _frame(marks: Sequence[_Mark], source: Sequence[str], width: int, paint: Paint) -> Iterable[str]:
    previous = None
    for number in sorted({mark.where.line for mark in marks}):
        if previous is not None and number == previous + 2:
            yield from _line(number - 1, source[number - 2], (), width, paint)
        elif previous is not None and number > previous + 2:
            yield paint("frame", "...")
        here = sorted((m for m in marks if m.where.line == number), key=lambda m: (m.where.column, m.where.end_column))
        yield from _line(number, source[number - 1], here, width, paint)
        previous = number


def _line(number: int, text: str, marks: Sequence[_Mark], width: int, paint: Paint) -> Iterable[str]:
    cells = [_shown(char) for char in text.rstrip()]
    first, last = _window(cells, marks)
    head, end = "..." if first else "", "..." if last < len(cells) else ""
    shown = head + "".join(cells[first:last]) + end
    yield f"{paint('frame', f'{number:>{width}} |')} {shown}".rstrip()
    for mark in marks:
        start = min(mark.where.column - 1, len(cells))
        stop = max(min(mark.where.end_column - 1, last), start + 1)
        before = len(head) + _columns(cells[first:start])
        under = max(_columns(cells[max(start, first) : stop]), 1)
        style = "frame" if mark.is_cause else "error"
        line = ("-" if mark.is_cause else "^") * under
        words = f" {safe(mark.text)}" if mark.text else ""
        yield f"{paint('frame', ' ' * width + ' |')} {' ' * before}{paint(style, line + words)}"


def _window(cells: Sequence[str], marks: Sequence[_Mark]) -> tuple[int, int]:
    """Return the range of cells to show: all of them, or WIDEST columns around the first mark."""
    if _columns(cells) <= WIDEST or not marks:
        return 0, len(cells) if _columns(cells) <= WIDEST else WIDEST // 2
    wanted = next((mark for mark in marks if not mark.is_cause), marks[0]).where
    first = max(wanted.column - 1 - WIDEST // 4, 0)
    last = first
    available = WIDEST
    while last < len(cells) and available >= len(cells[last]):
        available -= _columns(cells[last : last + 1])
        last += 1
    return first, last


def _shown(char: str) -> str:
    """Return how a character of a source line is shown in a frame."""
    if char == "\t":
        return " " * TAB
    return char if char.isprintable() else _escape(char)


def _columns(cells: Iterable[str]) -> int:
    """Return the width of cells in columns of a terminal."""
    return sum(_char_columns(char) for cell in cells for char in cell)


def _char_columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
