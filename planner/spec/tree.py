"""Located values: the contents of a spec before interpretation.

There are three immutable kinds of value, each with its location in the file, and limits that keep reading any text
cheap. This module does not read text (see :mod:`planner.spec.source`) and does not depend on layers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from planner.findings import Finding, Location, Related, SpecError

LONGEST_TEXT = 1_000_000
"""Maximum number of characters in a spec."""

DEEPEST = 64
"""Maximum depth of nesting."""

MOST_NODES = 100_000
"""Maximum number of values in a spec, with aliases expanded."""

MOST_FINDINGS = 100
"""Number of findings after which reading stops."""

LONGEST_NUMBER = 40
"""Maximum number of characters in a number; far above 2^40, and far below the limit of Python for int conversion."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number, word, truth value or null.

    Attributes
    ----------
    value : None, bool, int, float or str
    text : str
        As written, without quotes.
    where : Location
    quoted : bool
        Written between quotes, and therefore always a str.
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
    """Unique keys with their values, in the order of the file."""

    pairs: tuple[tuple[Scalar, Tree], ...]
    where: Location

    def __iter__(self) -> Iterator[tuple[Scalar, Tree]]:
        return iter(self.pairs)

    def get(self, key: str) -> Tree | None:
        """Return the value of a key, or None."""
        return next((value for name, value in self.pairs if name.text == key), None)

    def key(self, key: str) -> Scalar | None:
        """Return the key itself, with its location, or None."""
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
    """Return the value of an unquoted scalar in the core schema of YAML.

    ``no``, ``3:2`` and ``1_000`` are text, ``1e-3`` is a float, ``010`` is ten and ``0o10`` eight.

    Raises
    ------
    OverflowError
        A number has more than 40 characters.

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
    """Return a value without locations: dicts, lists and scalars.

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
    """Return the location from the start of one location to the end of another, on the line of the first.

    Examples
    --------
    >>> span(Location("a", 1, 3, 5), Location("a", 1, 7, 9))
    Location(file='a', line=1, column=3, end_column=9)
    """
    end = last.end_column if last.line == first.line else first.end_column
    return Location(first.file, first.line, first.column, max(end, first.end_column))


def clip(text: str, most: int = 60) -> str:
    """Return text, shortened for a message.

    Examples
    --------
    >>> clip("x" * 100, most=8)
    'xxxxx...'
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."


@dataclass(slots=True)
class _Open:
    """A collection that has not been closed yet."""

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
    """Composer of a tree from events, within limits.

    Faults are added to :attr:`findings`; a fault that prevents further reading raises SpecError.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.root: Tree | None = None
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Tree, int]] = {}
        self._count = 0

    def report(self, code: str, message: str, where: Location, *fixes: str, related: tuple[Related, ...] = ()) -> None:
        """Keep a finding and continue; stop if there are too many.

        Raises
        ------
        SpecError
            There are 100 findings.
        """
        self.findings.append(Finding(code, message, where=where, related=related, fixes=fixes))
        if len(self.findings) >= MOST_FINDINGS:
            raise SpecError(())

    def refuse(self, code: str, message: str, where: Location, *fixes: str) -> SpecError:
        """Keep a finding that prevents further reading; return the error to raise."""
        self.findings.append(Finding(code, message, where=where, fixes=fixes))
        return SpecError(())

    def scalar(self, value: Scalar, anchor: str | None = None) -> None:
        """Add a scalar or a key."""
        self._add(value, 1, anchor)

    def open(self, is_mapping: bool, where: Location, anchor: str | None = None) -> None:
        """Begin a collection.

        Raises
        ------
        SpecError
            The collection is nested too deeply.
        """
        self._no_key(where)
        if len(self._stack) >= DEEPEST:
            raise self.too_deep(where)
        self._stack.append(_Open(is_mapping, where, anchor, [], [], {}))

    def too_deep(self, where: Location) -> SpecError:
        """Return the error for a text that is nested too deeply."""
        return self.refuse("P103", f"nested more than {DEEPEST} levels deep", where, "flatten the spec")

    def close(self, end: Location | None) -> None:
        """End the innermost collection; `end` is its last character if known."""
        top = self._stack.pop()
        where = top.where if end is None else span(top.where, end)
        tree: Tree
        if top.is_mapping:
            # Values of duplicate keys were left out, so both lists have the same length.
            tree = Mapping(tuple(zip(top.keys, top.items, strict=True)), where)
        else:
            tree = Sequence(tuple(top.items), where)
        self._add(tree, top.size, top.anchor)

    def alias(self, name: str, where: Location) -> None:
        """Add the value of an anchor again.

        Raises
        ------
        SpecError
            The aliases expand to too many values, or the anchor is not defined.
        """
        if name in self._anchors:
            tree, size = self._anchors[name]
            self._count += size
            if self._count > MOST_NODES:
                raise self.refuse(
                    "P103",
                    f"aliases expand to more than {MOST_NODES:,} values",
                    where,
                    "use `blocks:` to repeat layers",
                )
            self._no_key(where)
            self._attach(tree, size)
            return
        inside = any(item.anchor == name for item in self._stack)
        why = "is inside the value that it refers to" if inside else "refers to an anchor that is not defined above"
        raise self.refuse("P104", f"alias `*{clip(name)}` {why}", where, "write the value in full")

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
            f"key `{clip(key.text)}` occurs twice in one mapping, first in line {first.where.line}, "
            f"column {first.where.column}",
            key.where,
            "remove one of them",
            related=(Related(first.where, "first here"),),
        )
        return None
