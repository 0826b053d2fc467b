"""Places of the keys and values in TOML text, which :mod:`tomllib` does not keep.

Does not check values: :mod:`tomllib` has already read the text, so that it is well formed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from planner.findings import Location
from planner.spec.source import split_lines
from planner.spec.tree import span

Path = tuple[str | int, ...]
"""Keys from the top of the file, with indices for items of lists."""

_TOKEN = re.compile(
    r"""
    (?P<comment> \#[^\n]* )
  | (?P<text> \"\"\" (?: \\. | [^\\] )*? \"{3,5} | ''' .*? '{3,5} | "(?: \\. | [^"\\\n] )*" | '[^'\n]*' )
  | (?P<line> \n )
  | (?P<sign> [\[\]{},=.] )
  | (?P<space> [ \t\r\ufeff]+ )
  | (?P<word> [^\s\[\]{},=."'\#]+ )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Places:
    """The places of keys and values in a TOML file.

    Attributes
    ----------
    keys : Mapping of tuple to Location
        First occurrence of a key: alone, in a dotted key or in the header of a table.
    values : Mapping of tuple to Location
        The text after the ``=`` of a key, and each item of a list under its index.
    """

    keys: Mapping[Path, Location]
    values: Mapping[Path, Location]

    def key(self, *path: str | int) -> Location | None:
        """Return the place of a key, or of the nearest enclosing key."""
        return next((self.keys[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.keys), None)

    def value(self, *path: str | int) -> Location | None:
        """Return the place of a value, or of its key if the value is a whole table."""
        return self.values.get(path) or self.key(*path)


def places(text: str, file: str) -> Places:
    r"""Return the places of the keys and values in TOML text; columns count characters from 1.

    Parameters
    ----------
    text : str
        Text that :func:`tomllib.loads` accepts.
    file : str
        Name of the file for the places; not opened.

    Source: TOML 1.0.0, https://toml.io/en/v1.0.0.

    Examples
    --------
    >>> found = places('[tool.x]\nselect = ["S2", "S9"]', "pyproject.toml")
    >>> found.key("tool", "x", "select")
    Location(file='pyproject.toml', line=2, column=1, end_column=7)
    >>> found.value("tool", "x", "select", 1)
    Location(file='pyproject.toml', line=2, column=17, end_column=21)
    """
    return _Scan(text, file).places()


def syntax_place(error: tomllib.TOMLDecodeError, text: str, file: str) -> Location:
    r"""Return the place of a TOML syntax error; the end of the text if the error has no place.

    Examples
    --------
    >>> try:
    ...     tomllib.loads("a = 1\nb ==")
    ... except tomllib.TOMLDecodeError as error:
    ...     print(syntax_place(error, "a = 1\nb ==", "x.toml"))
    Location(file='x.toml', line=2, column=4, end_column=5)
    """
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    if found is not None:
        return Location(file, int(found[1]), int(found[2]), int(found[2]) + 1)
    lines = split_lines(text.rstrip()) or [""]
    return Location(file, len(lines), len(lines[-1]) + 1, len(lines[-1]) + 2)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    where: Location


class _Scan:
    """A pass over the tokens of a text."""

    def __init__(self, text: str, file: str) -> None:
        self._tokens = list(_tokens(text.replace("\r\n", "\n"), file))
        self._at = 0
        self._keys: dict[Path, Location] = {}
        self._values: dict[Path, Location] = {}
        self._tables: dict[Path, int] = {}

    def places(self) -> Places:
        table: Path = ()
        while (token := self._peek()) is not None:
            if token.kind == "line":
                self._at += 1
            elif token.text == "[":
                table = self._header()
            else:
                self._pair(table)
        return Places(self._keys, self._values)

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _sign(self, *signs: str) -> bool:
        token = self._peek()
        return token is not None and token.kind == "sign" and token.text in signs

    def _header(self) -> Path:
        brackets = 0
        while self._sign("["):
            self._at += 1
            brackets += 1
        path = self._key(())
        while self._sign("]"):
            self._at += 1
        if brackets == 1:
            return path
        number = self._tables.get(path, -1) + 1
        self._tables[path] = number
        return (*path, number)

    def _key(self, table: Path) -> Path:
        """Read a key, dotted or not, and record the place of every part."""
        path = table
        while (token := self._peek()) is not None and not (token.kind == "sign" and token.text in "=]"):
            self._at += 1
            if token.kind in ("word", "text"):
                # A header below an array of tables refers to the last of them.
                inside = (*path, self._tables[path]) if path in self._tables else path
                path = (*inside, _plain(token))
                self._keys.setdefault(path, token.where)
        return path

    def _pair(self, table: Path) -> None:
        path = self._key(table)
        self._at += 1
        self._value(path)

    def _value(self, path: Path) -> None:
        first = last = self._take()
        if first.text == "[" and first.kind == "sign":
            last = self._items(path)
        elif first.text == "{":
            last = self._inline(path)
        else:
            while (token := self._peek()) is not None and token.kind != "line" and not self._sign(",", "]", "}"):
                last = self._take()
        self._values.setdefault(path, span(first.where, last.where))

    def _items(self, path: Path) -> _Token:
        number = 0
        while not self._sign("]"):
            if self._sign(",") or self._tokens[self._at].kind == "line":
                self._at += 1
                continue
            self._value((*path, number))
            number += 1
        return self._take()

    def _inline(self, path: Path) -> _Token:
        while not self._sign("}"):
            if self._sign(",") or self._tokens[self._at].kind == "line":
                self._at += 1
                continue
            self._pair(path)
        return self._take()


def _plain(token: _Token) -> str:
    if token.kind == "word":
        return token.text
    return str(tomllib.loads(f"key = {token.text}")["key"])


def _tokens(text: str, file: str) -> list[_Token]:
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    line, found = 0, []
    for match in _TOKEN.finditer(text):
        while starts[line + 1] <= match.start():
            line += 1
        kind = str(match.lastgroup)
        if kind not in ("space", "comment"):
            column = match.start() - starts[line] + 1
            words = match[0].partition("\n")[0] if kind == "text" else match[0]
            where = Location(file, line + 1, column, column + len(words))
            found.append(_Token(kind, match[0], where))
    return found
