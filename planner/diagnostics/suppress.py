"""Comments in a spec that silence rules: ``# shapeplan: ignore[S301]``.

A comment at the end of a line applies to that line; a comment on a separate line above ``layers`` and ``blocks``
applies to the whole file. Only warnings can be silenced: an error is still reported, with a note about the comment.
A comment that has no effect is reported as a warning, N113.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from planner.findings import Finding, Location, Severity, nearest
from planner.rules import RULES
from planner.rules.selection import no_rule
from planner.spec.source import comments, split_lines
from planner.spec.tree import MOST_FINDINGS, clip

UNUSED = "N113"

ERRORS_STAY = "only warnings can be silenced: an error leaves no plan"
"""Why an error is reported although its rule is ignored."""

_SIGN = re.compile(r"#\s*shapeplan\s*:\s*", re.IGNORECASE)
_IGNORE = re.compile(r"ignore\s*\[([^\]]*)\]", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+")
_CODE = re.compile(r"[^\s,](?:[^,]*[^\s,])?")
_BODY = re.compile(r"""\s*[{,]?\s*["']?(layers|blocks)["']?\s*:""")


@dataclass(frozen=True, slots=True)
class Suppression:
    """A rule that a comment silences.

    Attributes
    ----------
    code : str
        A rule of :data:`planner.rules.RULES`.
    where : Location
        Place of the code in the comment.
    whole_file : bool
        Whether the comment is on a separate line above the layers.
    alone : bool
        Whether the comment is on a separate line anywhere.
    """

    code: str
    where: Location
    whole_file: bool
    alone: bool

    @property
    def scope(self) -> tuple[str, int | None]:
        """The rule and the line on which it is silenced, None for the whole file."""
        return self.code, None if self.whole_file else self.where.line


def suppressions(text: str, file: str) -> tuple[tuple[Suppression, ...], tuple[Finding, ...]]:
    r"""Return the suppressions in the comments of a spec, and a warning N113 for each invalid comment.

    Parameters
    ----------
    text : str
        Text of the spec as YAML; a file ending in ``.json`` has no comments.
    file : str
        Name of the file for the places; not opened.

    Examples
    --------
    >>> found, wrong = suppressions("spec: 1  # shapeplan: ignore[S301, S999]", "net.yaml")
    >>> [(each.code, each.where.column) for each in found], wrong[0].message
    ([('S301', 30)], '`# shapeplan: ignore[S999]`: there is no rule S999')
    """
    found: list[Suppression] = []
    wrong: list[Finding] = []
    if "shapeplan" not in text.lower():
        return (), ()
    lines = split_lines(text.removeprefix("\ufeff"))
    body = next((number for number, line in enumerate(lines, 1) if _BODY.match(line)), len(lines) + 1)
    for where, comment in comments(text, file):
        sign = _SIGN.search(comment)
        if sign is None or len(wrong) >= MOST_FINDINGS:
            continue
        alone = not lines[where.line - 1][: where.column - 1].strip()
        for place, words in _codes(where, comment, sign.end()):
            code = words.upper()
            if code in RULES:
                found.append(Suppression(code, place, alone and where.line < body, alone))
            elif len(wrong) < MOST_FINDINGS:
                wrong.append(_no_rule(words, place))
        if not _IGNORE.match(comment, sign.end()) and _looks_meant(comment[sign.end() :]):
            here = _within(where, sign.start(), len(comment))
            message = f"`{clip(comment[sign.start() :].rstrip())}` is not a valid suppression comment"
            wrong.append(_warning(message, here, "write  # shapeplan: ignore[S301]"))
    return tuple(found), tuple(wrong)


def apply_suppressions(findings: Sequence[Finding], text: str, file: str, planned: bool) -> tuple[Finding, ...]:
    r"""Return the findings that the comments of a spec do not silence, and N113 for comments without effect.

    Parameters
    ----------
    findings : sequence of Finding
        All findings about the spec.
    text, file : str
        The spec and the name of its file.
    planned : bool
        Whether there is a plan. Without one, warnings may be missing, so unused comments are not reported.

    Examples
    --------
    >>> drops = Finding("S301", "drops a row", Severity.WARNING, where=Location("a.yaml", 2, 1, 5))
    >>> apply_suppressions([drops], "spec: 1\nname: a  # shapeplan: ignore[S301]", "a.yaml", planned=True)
    ()
    """
    requested, wrong = suppressions(text, file)
    if not requested and not wrong:
        return tuple(findings)
    silencing = {each.scope: each for each in reversed(requested)}
    used: set[tuple[str, int | None]] = set()
    kept: list[Finding] = []
    for finding in findings:
        covering = [silencing[scope] for scope in _scopes(finding, file) if scope in silencing]
        used.update(each.scope for each in covering)
        if not covering:
            kept.append(finding)
        elif finding.severity is Severity.ERROR:
            line = covering[0].where.line
            note = f"a comment in line {line} ignores this rule, but {ERRORS_STAY}"
            kept.append(replace(finding, notes=(*finding.notes, note)))
    unused = [each for each in silencing.values() if each.scope not in used and each.code != UNUSED] if planned else []
    unused = sorted(unused, key=lambda each: _position(each.where))[:MOST_FINDINGS]
    warnings = sorted([*wrong, *(_unused(each, findings) for each in unused)], key=lambda each: _position(each.where))
    kept += [each for each in warnings if not any(scope in silencing for scope in _scopes(each, file))]
    return tuple(kept)


def _position(where: Location | None) -> tuple[int, int]:
    return (where.line, where.column) if where is not None else (0, 0)


def _scopes(finding: Finding, file: str) -> tuple[tuple[str, int | None], ...]:
    """Return the scopes of comments that would silence a finding."""
    where = finding.where
    on_line = ((finding.code, where.line),) if where is not None and where.file == file else ()
    return (*on_line, (finding.code, None))


def _codes(where: Location, comment: str, start: int) -> Iterator[tuple[Location, str]]:
    """Yield the codes in a comment with their places."""
    while (match := _IGNORE.match(comment, start)) is not None:
        for code in _CODE.finditer(comment, match.start(1), match.end(1)):
            yield _within(where, code.start(), code.end()), code[0]
        sign = _SIGN.search(comment, match.end())
        if sign is None:
            return
        start = sign.end()


def _looks_meant(words: str) -> bool:
    """Return whether text after ``shapeplan:`` is a misspelt suppression rather than prose."""
    first = _WORD.match(words)
    return "[" in words or (first is not None and nearest(first[0], ["ignore", "noqa", "disable"]) is not None)


def _within(where: Location, start: int, end: int) -> Location:
    return Location(where.file, where.line, where.column + start, where.column + end)


def _warning(message: str, where: Location, fix: str) -> Finding:
    return Finding(UNUSED, message, Severity.WARNING, where=where, fixes=(fix,))


def _no_rule(words: str, where: Location) -> Finding:
    family = sorted(known for known in RULES if known.startswith(words.upper()))
    what, fix = no_rule(words)
    if family:
        what, fix = "a comment needs full codes", f"write each code: {', '.join(family)}"
    return _warning(f"`# shapeplan: ignore[{clip(words, 20)}]`: {what}", where, fix)


def _unused(unused: Suppression, findings: Iterable[Finding]) -> Finding:
    """Return the warning for a comment that silences nothing, with a line where it would."""
    lines = sorted({f.where.line for f in findings if f.code == unused.code and f.where is not None})
    scope = "this file" if unused.whole_file else "this line"
    if lines and unused.alone:
        fix = f"put it at the end of line {lines[0]}, or on a separate line above `layers`"
    elif lines:
        fix = f"move it to line {lines[0]}, where {unused.code} is"
    else:
        fix = "remove it"
    return _warning(
        f"`# shapeplan: ignore[{unused.code}]` silences nothing: {scope} has no {unused.code}", unused.where, fix
    )
