"""Settings of a project: the table ``[tool.shapeplan]`` of the nearest pyproject.toml.

Invalid settings are findings with their places, as in specs; the valid ones still apply.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from planner.diagnostics.render import FORMATS, Format
from planner.diagnostics.toml import Places, places, syntax_place
from planner.findings import Finding, Location, Severity, nearest
from planner.rules.selection import Selection, known_codes, no_rule
from planner.spec.source import decode
from planner.spec.tree import clip

FILE = "pyproject.toml"
KEYS = {
    "select": 'rules to report:  select = ["S2", "N106"]',
    "ignore": 'rules to ignore:  ignore = ["S301"]',
    "strict": "treat warnings as errors:  strict = true",
    "output-format": 'as on the command line:  output-format = "concise"',
    "per-file-ignores": 'rules to ignore in some files:  per-file-ignores = {"old/**" = ["S301"]}',
}
"""Keys of the table, with their meaning and an example."""


@dataclass(frozen=True)
class Settings:
    """The settings of a project for checking its specs.

    Attributes
    ----------
    file : str
        Name of the pyproject.toml in messages; "" if there is none.
    text : str
        Text of that file, for code frames.
    root : Path or None
        Directory of that file; file patterns are relative to it.
    selection : Selection
    strict : bool
    output_format : {"full", "concise", "json", "github", "sarif"} or None
    per_file_ignores : tuple of (str, tuple of str)
        Patterns of files with the codes to ignore in them.
    findings : tuple of Finding
        Findings about the settings themselves; no setting hides them.
    """

    file: str = ""
    text: str = ""
    root: Path | None = None
    selection: Selection = field(default_factory=Selection)
    strict: bool = False
    output_format: Format | None = None
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    findings: tuple[Finding, ...] = ()

    def ignored_in(self, path: Path) -> tuple[str, ...]:
        """Return the codes that are ignored in a file.

        Examples
        --------
        >>> here = Path.cwd()
        >>> settings = Settings(root=here, per_file_ignores=(("old/**", ("S3",)), ("net.yaml", ("N106",))))
        >>> settings.ignored_in(here / "old" / "deep" / "net.yaml")
        ('S3', 'N106')
        """
        if self.root is None:
            return ()
        try:
            inside = path.absolute().relative_to(self.root).as_posix()
        except ValueError:
            return ()
        return tuple(code for pattern, codes in self.per_file_ignores if matches(pattern, inside) for code in codes)


def matches(pattern: str, path: str) -> bool:
    """Return whether a pattern matches a file or one of its parent directories.

    ``*`` and ``?`` match characters within one name, ``**`` matches any number of directories; a pattern without
    ``/`` matches at any depth.

    Parameters
    ----------
    pattern : str
    path : str
        Path relative to the directory of the settings, with ``/`` between names.

    Examples
    --------
    >>> [matches(pattern, "nets/old/a.yaml") for pattern in ("a.*", "nets/*", "nets/**/a.yaml", "old", "a", "ets/old")]
    [True, True, True, True, False, False]
    """
    wanted = pattern.removeprefix("./").rstrip("/")
    anywhere = "" if "/" in wanted else "(?:.*/)?"
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", wanted.removeprefix("/"))
    expression = "".join(_PIECES.get(part, re.escape(part)) for part in parts)
    return re.fullmatch(f"{anywhere}{expression}(?:/.*)?", path, re.DOTALL) is not None


_PIECES = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


class Projects:
    """The settings of all projects in one run, each read once."""

    def __init__(self) -> None:
        self._known: dict[Path, Settings] = {}

    def near(self, path: Path) -> Settings:
        """Return the settings for a file or a directory; the defaults if it belongs to no project."""
        start = path.absolute()
        directory = start if start.is_dir() else start.parent
        if directory not in self._known:
            self._known[directory] = self._search(directory)
        return self._known[directory]

    @property
    def all(self) -> tuple[Settings, ...]:
        """The settings read so far, each file once."""
        return tuple({settings.file: settings for settings in self._known.values() if settings.file}.values())

    def _search(self, directory: Path) -> Settings:
        visited: list[Path] = []
        found: Settings | None = None
        for parent in (directory, *directory.parents):
            visited.append(parent)
            found = self._known.get(parent) or read_settings(parent / FILE)
            if found is not None:
                break
        settings = found or Settings()
        self._known.update(dict.fromkeys(visited, settings))
        return settings


def read_settings(path: Path) -> Settings | None:
    """Return the settings of one pyproject.toml; None if it does not exist or has no ``[tool.shapeplan]``.

    A file that is not valid TOML is reported only if it contains the word shapeplan. Raises nothing.

    Examples
    --------
    >>> read_settings(Path("no/such/pyproject.toml")) is None
    True
    """
    file = _shown(path)
    empty = Settings(file, root=path.parent)
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        words = f"{file} cannot be read: {error.strerror or error}; its settings are ignored"
        finding = Finding("P105", words, Severity.WARNING, fixes=("check its permissions",))
        return replace(empty, findings=(finding,))
    if b"shapeplan" not in data:
        return None
    try:
        return _settings(replace(empty, text=decode(data, file)))
    except ValueError as error:  # a SpecError carries the findings about the encoding
        findings = getattr(error, "findings", ())
        return replace(empty, findings=findings)


def _settings(empty: Settings) -> Settings | None:
    file, text = empty.file, empty.text
    try:
        tool = tomllib.loads(text).get("tool")
        if not isinstance(tool, dict) or "shapeplan" not in tool:
            return None
        where = places(text, file)
    except tomllib.TOMLDecodeError as error:
        message = f"not TOML: {re.sub(r' [(]at .*[)]$', '', str(error))}"
        fixes = ("look at this line and the one before",)
        return replace(empty, findings=(Finding("P101", message, where=syntax_place(error, text, file), fixes=fixes),))
    except RecursionError:
        finding = Finding("P103", f"{file} is nested too deeply to be read", where=Location(file, 1, 1, 2))
        return replace(empty, findings=(finding,))
    return _Table(where).settings(empty, tool["shapeplan"])


class _Table:
    """A reader for the values of the table; collects findings about them."""

    def __init__(self, where: Places) -> None:
        self._where = where
        self._findings: list[Finding] = []

    def settings(self, empty: Settings, table: Any) -> Settings:
        if not isinstance(table, dict):
            self._report("P106", "`shapeplan` must be a table", (), "write  [tool.shapeplan]")
            return replace(empty, findings=tuple(self._findings))
        for key in table:
            if key not in KEYS:
                close = nearest(key, KEYS)
                fix = f"did you mean `{close}`?" if close else f"keys are {', '.join(KEYS)}"
                self._report("N101", f"[tool.shapeplan] has no key `{clip(key)}`", (key,), fix, of_key=True)
        selected = self._codes("select", table)
        read = replace(
            empty,
            selection=Selection(selected, self._codes("ignore", table) or ()),
            strict=self._flag("strict", table),
            output_format=self._format("output-format", table),
            per_file_ignores=self._per_file("per-file-ignores", table),
        )
        return replace(read, findings=tuple(self._findings))

    def _codes(self, key: str, table: Mapping[str, Any]) -> tuple[str, ...] | None:
        return self._list_of_codes((key,), table[key]) if key in table else None

    def _list_of_codes(self, path: tuple[str, ...], value: Any) -> tuple[str, ...] | None:
        """Return the valid codes of a list; None if the value is not a list, or is a list without a valid code."""
        if not isinstance(value, list):
            key = path[-1] if len(path) == 1 else f'"{clip(path[-1])}"'
            fix = f'write  {key} = ["{clip(value, 20)}"]' if isinstance(value, str) else _written(path[0])
            self._report("P106", f"`{clip(path[-1])}` must be a list of codes", path, fix)
            return None
        found: list[str] = []
        for number, item in enumerate(value):
            if not isinstance(item, str):
                self._report("P106", "a code must be a string in quotes", (*path, number), _written(path[0]))
                continue
            good, bad = known_codes([item])
            found += good
            for word in bad:
                message, fix = no_rule(word)
                self._report("N107", message, (*path, number), fix)
        # A list of invalid codes only must not mean "no rule at all".
        return tuple(found) if found or not value else None

    def _flag(self, key: str, table: Mapping[str, Any]) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            self._report("P106", f"`{key}` must be true or false", (key,), f"write  {key} = true")
            return False
        return value

    def _format(self, key: str, table: Mapping[str, Any]) -> Format | None:
        value = table.get(key)
        if value is None or value in FORMATS:
            return cast("Format | None", value)
        close = nearest(value, FORMATS) if isinstance(value, str) else None
        fix = f'did you mean "{close}"?' if close else f"formats are {', '.join(FORMATS)}"
        if isinstance(value, str):
            self._report("N107", f"`{key}` cannot be {clip(value, 20)}", (key,), fix)
        else:
            self._report("P106", f"`{key}` must be a string", (key,), fix)
        return None

    def _per_file(self, key: str, table: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            self._report("P106", f"`{key}` must be a table of file patterns with lists of codes", (key,), _written(key))
            return ()
        return tuple((pattern, self._list_of_codes((key, pattern), codes) or ()) for pattern, codes in value.items())

    def _report(
        self, code: str, message: str, path: tuple[str | int, ...], fix: str, of_key: bool = False
    ) -> None:
        full = ("tool", "shapeplan", *path)
        where = self._where.key(*full) if of_key else self._where.value(*full)
        self._findings.append(Finding(code, message, where=where, fixes=(fix,)))


def _written(key: str) -> str:
    return f"write  {KEYS[key].partition(':  ')[2]}"


def _shown(path: Path) -> str:
    """Return a path relative to the working directory, with ``..`` if needed and ``/`` between names."""
    here = Path.cwd()
    for steps, parent in enumerate((here, *here.parents)):
        if path.is_relative_to(parent):
            return "../" * steps + path.relative_to(parent).as_posix()
    return path.as_posix()
