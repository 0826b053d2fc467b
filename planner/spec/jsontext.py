"""Parse JSON text (RFC 8259) into events of a tree composer, with locations and JSON-specific messages.

The YAML scanner would read most JSON, but not surrogate pairs, and its messages about a missing comma would be
about YAML.
"""

from __future__ import annotations

import json
import re

from planner.findings import Location, SpecError
from planner.spec.tree import LONGEST_NUMBER, Composer, Scalar

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?(?![\w.+-])")
_WORD = re.compile(r"[A-Za-z_]+")
_WORDS = {"true": True, "false": False, "null": None}
_LINE = re.compile(r"\r\n|\r|\n")


class _Reader:
    def __init__(self, text: str, composer: Composer) -> None:
        self.text, self.composer = text, composer
        self.position = 0
        self.line, self.line_start = 1, 0

    def where(self, start: int, end: int) -> Location:
        first = start - self.line_start + 1
        return Location(self.composer.file, self.line, first, max(first + end - start, first + 1))

    def skip(self) -> str:
        """Skip white space and return the next character, or "" at the end."""
        space = _SPACE.match(self.text, self.position)
        assert space is not None
        for found in _LINE.finditer(self.text, self.position, space.end()):
            self.line += 1
            self.line_start = found.end()
        self.position = space.end()
        return self.text[self.position : self.position + 1]

    def stop(self, problem: str, fix: str = "", length: int = 1) -> SpecError:
        where = self.where(self.position, self.position + length)
        return self.composer.refuse(
            "P101", f"not JSON: {problem}", where, fix or "look at this line and the one before"
        )

    def string(self) -> Scalar:
        found = _STRING.match(self.text, self.position)
        if found is None:
            raise self._bad_string()
        where = self.where(found.start(), found.end())
        value = json.loads(found[0])
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise self.stop("half of a surrogate pair is not a character", "write both halves", len(found[0]))
        self.position = found.end()
        return Scalar(value, value, where, quoted=True)

    def _bad_string(self) -> SpecError:
        end = re.compile(r'[^"\\\x00-\x1f]*').match(self.text, self.position + 1)
        assert end is not None
        if self.text[end.end() : end.end() + 1] == "\\":
            return self.stop(
                "a string contains an escape that JSON does not have",
                'JSON has \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX',
            )
        return self.stop("a string is not closed on its line", 'end it with `"`; write line breaks as \\n')

    def value(self) -> None:
        """Read one scalar; for anything else, raise an error that names what was found."""
        number = _NUMBER.match(self.text, self.position)
        if number is not None:
            where = self.where(number.start(), number.end())
            self.position = number.end()
            if len(number[0]) > LONGEST_NUMBER:
                length = len(number[0])
                self.composer.report(
                    "P103", f"a number of {length:,} characters is larger than any tensor", where, "check the number"
                )
                self.composer.scalar(Scalar(1, number[0], where))  # a placeholder, to avoid follow-up findings
                return
            whole = number[1] is None and number[2] is None
            self.composer.scalar(Scalar(int(number[0]) if whole else float(number[0]), number[0], where))
            return
        char = self.text[self.position : self.position + 1]
        word = _WORD.match(self.text, self.position)
        if word is not None and word[0] in _WORDS:
            where = self.where(word.start(), word.end())
            self.position = word.end()
            self.composer.scalar(Scalar(_WORDS[word[0]], word[0], where))
        elif char == '"':
            self.composer.scalar(self.string())
        elif word is not None:
            raise self.stop(f"the word `{word[0][:40]}` needs quotes", f'write  "{word[0][:40]}"', len(word[0]))
        elif char in ("'", "/", "#"):
            fix = 'write strings between `"`' if char == "'" else "JSON has no comments; YAML has"
            raise self.stop(f"unexpected `{char}`", fix)
        else:
            raise self.stop(f"expected a value, found {_named(char)}")


def compose_json(text: str, composer: Composer) -> None:
    """Pass the values of a JSON text to a composer.

    Raises
    ------
    SpecError
        The text is not JSON (the composer has the finding).

    Examples
    --------
    >>> composer = Composer("net.json")
    >>> compose_json('{"spec": 1}', composer)
    >>> composer.root.get("spec").value
    1
    """
    reader = _Reader(text, composer)
    closers: list[str] = []
    if reader.skip() == "":
        raise composer.refuse(
            "P101", "the spec is empty", Location(composer.file, 1, 1, 2), 'begin with  {"spec": 1, ...}'
        )
    while True:
        char = reader.skip()
        if char in ("{", "[") and char:
            composer.open(char == "{", reader.where(reader.position, reader.position + 1))
            closers.append("}" if char == "{" else "]")
            reader.position += 1
            if reader.skip() != closers[-1]:
                _key(reader, closers)
                continue
        else:
            reader.value()
        if not _after_value(reader, closers):
            return


def _key(reader: _Reader, closers: list[str]) -> None:
    """Read `"key":` if the current collection is an object."""
    if closers[-1] != "}":
        return
    char = reader.skip()
    if char != '"':
        raise reader.stop(f'expected a key between `"`, found {_named(char)}')
    reader.composer.scalar(reader.string())
    char = reader.skip()
    if char != ":":
        raise reader.stop(f"expected `:` after a key, found {_named(char)}")
    reader.position += 1


def _after_value(reader: _Reader, closers: list[str]) -> bool:
    """Read the separators after a value; return whether another value follows."""
    while closers:
        char = reader.skip()
        if char == closers[-1]:
            reader.composer.close(reader.where(reader.position, reader.position + 1))
            closers.pop()
            reader.position += 1
            continue
        if char != ",":
            raise reader.stop(f"expected `,` or `{closers[-1]}`, found {_named(char)}")
        reader.position += 1
        if reader.skip() == closers[-1]:
            raise reader.stop("a comma before the closing bracket", "remove the comma before it")
        _key(reader, closers)
        return True
    char = reader.skip()
    if char:
        raise reader.stop(f"expected the end of the text, found {_named(char)}", "keep one network in each file")
    return False


def _named(char: str) -> str:
    return f"`{char}`" if char else "the end of the text"
