"""Located values: what a spec's text consists of, before any of it is understood.

Three immutable kinds of value, each with its place in the file, and the limits that keep any text
cheap to read. Nothing here reads text (:mod:`planner.spec.source`) or knows layers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from planner.findings import Finding, Location, Related, SpecError

LONGEST_TEXT = 1_000_000
"""Characters in one spec."""

DEEPEST = 64
"""Levels of nesting."""

MOST_NODES = 100_000
"""Values in one spec, aliases written out."""

MOST_FINDINGS = 100
"""Findings after which reading stops."""

LONGEST_NUMBER = 40
"""Characters of one number; far above 2^40, far below the length at which Python refuses to convert."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number, word, truth value or nothing.

    Attributes
    ----------
    value : None, bool, int, float or str
    text : str
        As written, without quotes.
    where : Location
    quoted : bool
        Written between quotes, and so a str in any case.
    """

    value: bool | int | float | str | None
    text: str
    where: Location
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """Values in order."""

    items: tuple[Tree, ...]
    where: Location


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys, each once, with their values, in the order of the file."""

    pairs: tuple[tuple[Scalar, Tree], ...]
    where: Location

    def __iter__(self) -> Iterator[tuple[Scalar, Tree]]:
        return iter(self.pairs)

    def get(self, key: str) -> Tree | None:
        """Return the value of a key, or None."""
        return next((value for name, value in self.pairs if name.text == key), None)

    def key(self, key: str) -> Scalar | None:
        """Return the key itself, with its place, or None."""
        return next((name for name, _ in self.pairs if name.text == key), None)


Tree: TypeAlias = Scalar | Sequence | Mapping

_INT = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)\Z")
_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


def plain_value(text: str) -> bool | int | float | str | None:
    """Return what an unquoted scalar means in YAML's core schema.

    So ``no``, ``3:2`` and ``1_000`` are text, ``1e-3`` is a float, ``010`` is ten and ``0o10`` eight.

    Raises
    ------
    OverflowError
        A number of more than 40 characters.

    Source: YAML 1.2.2, section 10.3.2.

    Examples
    --------
    >>> [plain_value(text) for text in ("1e-3", "no", "3:2", "010", "0o10", "~")]
    [0.001, 'no', '3:2', 10, 8, None]
    """
    if text in _WORDS:
        return _WORDS[text]
    for pattern, base in ((_INT, 10), (_OCTAL, 0), (_HEX, 0)):
        if pattern.match(text):
            if len(text) > LONGEST_NUMBER:
                raise OverflowError
            return int(text, base)
    if _FLOAT.match(text):
        if len(text) > LONGEST_NUMBER:
            raise OverflowError
        return float(text)
    infinite = _INFINITE.match(text)
    return float(f"{infinite[1]}inf") if infinite else text


def plain(tree: Tree) -> Any:
    """Return a value without its places: dicts, lists and scalars.

    Examples
    --------
    >>> here = Location("a.yaml", 1, 1, 2)
    >>> plain(Sequence((Scalar(1, "1", here),), here))
    [1]
    """
    if isinstance(tree, Scalar):
        return tree.value
    if isinstance(tree, Sequence):
        return [plain(item) for item in tree.items]
    return {key.text: plain(value) for key, value in tree}


def span(first: Location, last: Location) -> Location:
    """Return the characters from the start of one place to the end of another, on the first one's line.

    Examples
    --------
    >>> span(Location("a", 1, 3, 5), Location("a", 1, 7, 9))
    Location(file='a', line=1, column=3, end_column=9)
    """
    end = last.end_column if last.line == first.line else first.end_column
    return Location(first.file, first.line, first.column, max(end, first.end_column))


def clip(text: str, most: int = 60) -> str:
    """Return text short enough for a message.

    Examples
    --------
    >>> clip("x" * 100, most=8)
    'xxxxx...'
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."


@dataclass(slots=True)
class _Open:
    """A collection that has not been read to its end yet."""

    is_mapping: bool
    where: Location
    anchor: str | None
    items: list[Tree]
    keys: list[Scalar]
    seen: dict[str, Scalar]
    key: Scalar | None = None
    wants_key: bool = True
    size: int = 1


class Composer:
    """Puts values together into a tree, one event after the other, within the limits.

    Everything wrong goes to :attr:`findings`; what cannot be read past is raised as SpecError.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.root: Tree | None = None
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Tree, int]] = {}
        self._count = 0

    def report(self, code: str, message: str, where: Location, *fixes: str, related: tuple[Related, ...] = ()) -> None:
        """Keep a finding and read on; stop where there are too many.

        Raises
        ------
        SpecError
            There are more than 100.
        """
        self.findings.append(Finding(code, message, where=where, related=related, fixes=fixes))
        if len(self.findings) >= MOST_FINDINGS:
            raise SpecError(())

    def refuse(self, code: str, message: str, where: Location, *fixes: str) -> SpecError:
        """Keep a finding after which nothing can be read; return the error to raise."""
        self.findings.append(Finding(code, message, where=where, fixes=fixes))
        return SpecError(())

    def scalar(self, value: Scalar, anchor: str | None = None) -> None:
        """Take one scalar, or a key."""
        self._add(value, 1, anchor)

    def open(self, is_mapping: bool, where: Location, anchor: str | None = None) -> None:
        """Begin a collection.

        Raises
        ------
        SpecError
            It is nested too deeply.
        """
        self._no_key(where)
        if len(self._stack) >= DEEPEST:
            raise self.too_deep(where)
        self._stack.append(_Open(is_mapping, where, anchor, [], [], {}))

    def too_deep(self, where: Location) -> SpecError:
        """Return the error that a text is nested too deeply, with everything found before."""
        return self.refuse("P103", f"nested more than {DEEPEST} levels deep", where, "flatten the spec")

    def close(self, end: Location | None) -> None:
        """End the innermost collection; `end` is its last character where that is known."""
        top = self._stack.pop()
        where = top.where if end is None else span(top.where, end)
        tree: Tree
        if top.is_mapping:
            # Values of duplicate keys were left out, so both lists are as long as each other.
            tree = Mapping(tuple(zip(top.keys, top.items, strict=True)), where)
        else:
            tree = Sequence(tuple(top.items), where)
        self._add(tree, top.size, top.anchor)

    def alias(self, name: str, where: Location) -> None:
        """Take what stands under an anchor once more.

        Raises
        ------
        SpecError
            The aliases write out to too many values, or there is nothing to write out.
        """
        if name in self._anchors:
            tree, size = self._anchors[name]
            self._count += size
            if self._count > MOST_NODES:
                raise self.refuse(
                    "P103",
                    f"aliases write out to more than {MOST_NODES:,} values",
                    where,
                    "use `blocks:` to repeat layers",
                )
            self._no_key(where)
            self._attach(tree, size)
            return
        inside = any(item.anchor == name for item in self._stack)
        why = "stands inside the value it refers to" if inside else "refers to no anchor above it"
        raise self.refuse("P104", f"alias `*{clip(name)}` {why}", where, "write the value out")

    def _no_key(self, where: Location) -> None:
        if self._stack and self._stack[-1].is_mapping and self._stack[-1].wants_key:
            raise self.refuse("P106", "a key must be a word, not a list, mapping or alias", where, "write  key: value")

    def _add(self, tree: Tree, size: int, anchor: str | None) -> None:
        self._count += 1
        if self._count > MOST_NODES:
            raise self.refuse("P103", f"more than {MOST_NODES:,} values", tree.where, "use `blocks:` to repeat layers")
        if anchor is not None:
            self._anchors[anchor] = (tree, size)
        self._attach(tree, size)

    def _attach(self, tree: Tree, size: int) -> None:
        if not self._stack:
            self.root = tree
            return
        top = self._stack[-1]
        top.size += size
        if not top.is_mapping:
            top.items.append(tree)
        elif top.wants_key:
            assert isinstance(tree, Scalar)
            top.key, top.wants_key = self._fresh_key(top, tree), False
        else:
            if top.key is not None:
                top.keys.append(top.key)
                top.items.append(tree)
            top.wants_key = True

    def _fresh_key(self, top: _Open, key: Scalar) -> Scalar | None:
        if key.text == "<<" and not key.quoted:
            self.report(
                "P104", "merge keys (`<<`) are not part of a spec", key.where, "write the keys out, or use `blocks:`"
            )
            return None
        first = top.seen.setdefault(key.text, key)
        if first is key:
            return key
        self.report(
            "P102",
            f"key `{clip(key.text)}` stands twice in one mapping, first in line {first.where.line}, "
            f"column {first.where.column}",
            key.where,
            "remove one of them",
            related=(Related(first.where, "first here"),),
        )
        return None
