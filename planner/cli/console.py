"""Output of commands: results on stdout, everything else on stderr.

Colours are used only on a terminal or with FORCE_COLOR. No character is written that the stream cannot
encode: the few characters beyond ASCII have a plain form.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

if TYPE_CHECKING:
    from planner.findings import Finding

PLAIN = str.maketrans(
    {"─": "-", "×": "x", "−": "-", "→": "->", "…": "...", "≥": ">=", "·": "*"}
    | dict(zip("▁▂▃▄▅▆▇█", "..::||##", strict=True))
)
"""ASCII replacements for characters that cannot be encoded."""

CLEAN, FINDINGS = 0, 1
"""Exit statuses; for interrupted runs and output errors, see :mod:`planner.cli.ending`."""

WIDEST = 160
"""Largest width of a table, in columns."""


def colour(stream: TextIO | None) -> bool:
    """Return whether to colour the output to a stream (https://no-color.org, https://force-color.org)."""
    if stream is None or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Return the width of output: COLUMNS, the width of the terminal, or 100 without a terminal."""
    return min(shutil.get_terminal_size((100, 24)).columns, WIDEST)


def out(text: str) -> None:
    """Write a result to stdout.

    Raises
    ------
    OSError
        stdout is closed or cannot be written to.
    """
    if sys.stdout is None:  # a process started with `>&-` has none
        if text:
            raise OSError(errno.EBADF, "stdout is closed")
        return
    _write(text, sys.stdout)


def message(text: str) -> None:
    """Write a message to stderr; ignore a stderr that is missing or closed."""
    if sys.stderr is not None:
        with suppress(OSError):
            _write(text, sys.stderr)


def fail(findings: Iterable[Finding], sources: Mapping[str, str], json: bool = False) -> NoReturn:
    """Report findings that prevent a result, and exit with status 1.

    The findings go to stderr, or as JSON to stdout if the caller asked for JSON.
    """
    found = tuple(findings)
    if json:
        from planner.diagnostics.render import as_dict

        out(as_json({"findings": [as_dict(finding) for finding in found]}))
    else:
        from planner.diagnostics.render import render

        message(render(found, sources, "full", colour(sys.stderr)))
    raise click.exceptions.Exit(FINDINGS)


def as_json(value: Any) -> str:
    """Return a value as JSON text that ends in a line break."""
    import json

    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def painted(text: str, style: str, stream: TextIO | None = None) -> str:
    """Return text in an ANSI style such as ``1;32`` if the stream has colours."""
    return f"\x1b[{style}m{text}\x1b[0m" if colour(stream or sys.stdout) else text


def encodable(text: str, encoding: str) -> str:
    r"""Return text with plain forms, then escapes, for the characters that an encoding does not have.

    Examples
    --------
    >>> encodable("3 × 5 ─ é", "ascii")
    '3 x 5 - \\xe9'
    >>> encodable("3 × 5", "utf-8")
    '3 × 5'
    """
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text


def _write(text: str, stream: TextIO) -> None:
    click.echo(encodable(text, stream.encoding or "ascii"), file=stream, nl=False, color=colour(stream))
