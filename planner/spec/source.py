"""Parse the text of a spec, YAML 1.2 or JSON, into a tree of located values.

This module does not interpret layers. YAML is read as events of PyYAML's scanner, so that no objects are constructed,
tags are ignored, and limits apply while reading. :func:`planner.spec.tree.plain_value` interprets words and
numbers. :mod:`planner.spec.jsontext` reads files ending in ``.json``.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from typing import Any

import yaml

from planner.findings import Finding, Location, Related, SpecError
from planner.spec.jsontext import compose_json
from planner.spec.tree import DEEPEST, LONGEST_TEXT, Composer, Scalar, Tree, clip, plain_value

_BREAK = re.compile(r"\r\n|\r|\n")
# This lists the rejected characters: the complementary set takes ten times as long to compile.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_COMMENT = re.compile(r"(?<!\S)#[^\r\n]*")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_OPENING = (
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)

_ADVICE = (
    (
        "mapping values are not allowed",
        "quote values that contain `: `, or start a new line for each key",
    ),
    ("cannot start any token", "indent with spaces instead of tabs, and quote values that begin with @, %, ` or *"),
    ("',' or '}'", "close the `{` with `}`, and put a comma between its entries"),
    ("',' or ']'", "close the `[` with `]`, and put a comma between its items"),
    ("end of stream", "close the quotes"),
    ("Unicode character escape", "write \\U and eight digits"),
    ("expected <block end>", "align the line with those of the same level"),
    ("block mapping", "align the line with those of the same level, and quote a whole value or nothing"),
    ("block collection", "begin each list item with `- ` at the same column"),
    ("could not find expected ':'", "write `key: value`, with a space after the colon"),
)


def read_tree(text: str, file: str) -> Tree:
    """Return the values of a spec with their locations; columns count characters from 1.

    Parameters
    ----------
    text : str
        YAML, or JSON if `file` ends in ``.json``.
    file : str
        Name for locations; the file is not opened.

    Raises
    ------
    SpecError
        Contains every finding of the family P1xx: unreadable text, duplicate keys, tags, merge keys, several
        documents, an empty text, or more than 1,000,000 characters, 64 levels or 100,000 values.

    Examples
    --------
    >>> tree = read_tree("name: lenet5", "net.yaml")
    >>> tree.get("name").where
    Location(file='net.yaml', line=1, column=7, end_column=13)
    """
    tree, findings = compose(text, file)
    if findings or tree is None:
        raise SpecError(findings)
    return tree


def compose(text: str, file: str, loader: Any = _LOADER) -> tuple[Tree | None, tuple[Finding, ...]]:
    r"""Return the tree and every finding; the tree is None if reading was aborted.

    Examples
    --------
    >>> tree, findings = compose("a: 1\na: 2", "net.yaml")
    >>> [f.code for f in findings], tree.get("a").value
    (['P102'], 1)
    """
    composer = Composer(file)
    try:
        text = _checked(text.removeprefix("\ufeff"), composer)
        if file.lower().endswith(".json"):
            compose_json(text, composer)
        else:
            _compose_yaml(text, composer, loader)
    except SpecError:
        return None, tuple(composer.findings)
    return composer.root, tuple(composer.findings)


def decode(data: bytes, file: str) -> str:
    r"""Return the text of a file.

    Raises
    ------
    SpecError
        P101: not UTF-8, with the location of the first invalid byte.

    Examples
    --------
    >>> decode(b"name: \xc3\xa9", "net.yaml")
    'name: é'
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        lines = split_lines(before)
        where = Location(file, len(lines), len(lines[-1]) + 1, len(lines[-1]) + 2)
        message = f"not UTF-8 text: byte 0x{data[error.start]:02x} cannot be read"
        raise SpecError([Finding("P101", message, where=where, fixes=("save the file as UTF-8",))]) from None


def comments(text: str, file: str) -> tuple[tuple[Location, str], ...]:
    r"""Return the comments of a YAML spec with their locations, up to the first error; JSON has none.

    Examples
    --------
    >>> comments("a: 'b # c'  # d", "net.yaml")
    ((Location(file='net.yaml', line=1, column=13, end_column=16), '# d'),)
    """
    text = text.removeprefix("\ufeff")
    if file.lower().endswith(".json") or len(text) > LONGEST_TEXT:
        return ()
    found: list[tuple[Location, str]] = []
    starts = [0, *(match.end() for match in _BREAK.finditer(text))]
    end = depth = 0
    try:
        for token in yaml.scan(text, Loader=_LOADER):
            for match in _COMMENT.finditer(text, end, token.start_mark.index):
                line = bisect.bisect_right(starts, match.start())
                column = match.start() - starts[line - 1] + 1
                found.append((Location(file, line, column, column + len(match[0])), match[0]))
            end = token.end_mark.index
            depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
            if depth > DEEPEST:
                break
    except yaml.YAMLError:
        pass  # the reader reports it
    return tuple(found)


def split_lines(text: str) -> list[str]:
    r"""Return the lines of a text as counted in locations: only LF, CR LF and CR end a line.

    Examples
    --------
    >>> split_lines("a\r\nb\x0bc")
    ['a', 'b\x0bc']
    """
    return _BREAK.split(text)


def _checked(text: str, composer: Composer) -> str:
    """Return the text; raise SpecError if it is too long or contains characters that are not allowed."""
    if len(text) > LONGEST_TEXT:
        where = Location(composer.file, 1, 1, 2)
        raise composer.refuse(
            "P103",
            f"longer than {LONGEST_TEXT:,} characters",
            where,
            "use `blocks:` to repeat layers, or check the file name",
        )
    bad = _UNPRINTABLE.search(text)
    if bad is not None:
        lines = split_lines(text[: bad.start()])
        column = len(lines[-1]) + 1
        where = Location(composer.file, len(lines), column, column + 1)
        raise composer.refuse(
            "P101",
            f"character U+{ord(bad[0]):04X} is not allowed in a spec",
            where,
            "remove it, or write it as an escape",
        )
    return text


def _compose_yaml(text: str, composer: Composer, loader: Any) -> None:
    lines = split_lines(text)
    documents = 0
    try:
        events: Iterator[Any] = yaml.parse(text, Loader=loader)
        for event in events:
            where = _place(event.start_mark, event.end_mark, composer.file, lines)
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise composer.refuse(
                        "P104", "a second document begins here", where, "keep one network in each file"
                    )
            elif isinstance(event, yaml.AliasEvent):
                composer.alias(str(event.anchor), where)
            elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                # The end event of a block collection is empty and located at the following token.
                composer.close(where if _has_characters(event) else None)
            elif isinstance(event, (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent)):
                _node(event, where, composer, lines)
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, composer, lines) from None
    if not composer.findings and (composer.root is None or _is_nothing(composer.root)):
        where = Location(composer.file, 1, 1, 2)
        raise composer.refuse("P101", "the spec is empty", where, "begin with  spec: 1")


def _node(event: Any, where: Location, composer: Composer, lines: list[str]) -> None:
    # The event begins at an anchor or tag, if there is one before the value.
    if event.tag is not None:
        composer.report("P104", f"tags (`{clip(event.tag)}`) are not part of a spec", where, "remove the tag")
    if not isinstance(event, yaml.ScalarEvent):
        if not event.flow_style:
            where = Location(where.file, where.line, where.column, _end_of_words(lines[where.line - 1], where.column))
        composer.open(isinstance(event, yaml.MappingStartEvent), where, event.anchor)
        return
    if event.style in ("'", '"', "|", ">"):
        if any("\ud800" <= char <= "\udfff" for char in event.value):
            raise composer.refuse(
                "P101", "half of a surrogate pair is not a character", where, "write \\U and eight digits"
            )
        composer.scalar(Scalar(event.value, event.value, where, quoted=True), event.anchor)
        return
    try:
        value = plain_value(event.value)
    except OverflowError:
        composer.report(
            "P103", f"a number of {len(event.value):,} characters is larger than any tensor", where, "check the number"
        )
        value = 1  # a placeholder, to avoid follow-up findings
    composer.scalar(Scalar(value, event.value, where), event.anchor)


def _has_characters(event: Any) -> bool:
    return bool(event.end_mark.index > event.start_mark.index)


def _place(start: Any, end: Any, file: str, lines: list[str]) -> Location:
    if end.line == start.line:
        last = end.column + 1
    else:
        last = len(lines[start.line]) + 1 if start.line < len(lines) else start.column + 2
    return Location(file, start.line + 1, start.column + 1, max(last, start.column + 2))


def _end_of_words(line: str, column: int) -> int:
    """Return the column after the last character of a line, without trailing blanks and comments."""
    code = re.sub(r"\s#.*", "", line)
    return max(len(code.rstrip()) + 1, column + 1)


def _is_nothing(tree: Tree) -> bool:
    return isinstance(tree, Scalar) and tree.value is None


def _not_yaml(error: Any, composer: Composer, lines: list[str]) -> SpecError:
    mark, begun = error.problem_mark, error.context_mark
    problem = str(error.problem or "cannot be read")
    if "nesting depth" in problem:  # newer libyaml has a lower limit
        return composer.too_deep(_point(mark, composer.file, lines))
    context = f" {error.context}" if error.context and begun else ""
    words = f"{problem}{context}"
    at_end = mark is None or mark.index >= sum(map(len, lines)) or "end of stream" in problem or "stream end" in problem
    # Show an unclosed collection where it was opened; libyaml gives no useful location for it.
    if begun is not None and (at_end or (mark.line, mark.column) < (begun.line, begun.column)):
        mark, begun = begun, None
    where = _point(mark, composer.file, lines)
    related: tuple[Related, ...] = ()
    if context and begun is not None and begun.line != mark.line:
        related = (Related(_point(begun, composer.file, lines), "begins here"),)
    fixes = (*(advice for sign, advice in _ADVICE if sign in words), "look at this line and the one before")[:1]
    composer.findings.append(Finding("P101", f"not YAML: {words}", where=where, related=related, fixes=fixes))
    return SpecError(())


def _point(mark: Any, file: str, lines: list[str]) -> Location:
    line = min(mark.line, len(lines) - 1)
    column = min(mark.column, len(lines[line])) + 1
    return Location(file, line + 1, column, column + 1)
