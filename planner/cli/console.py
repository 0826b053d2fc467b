"""What commands say and where: results on stdout, everything else on stderr.

Colours only where a terminal or FORCE_COLOR asks for them, and never a character the stream cannot
encode: the few signs we use beyond ASCII have a plain form.
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
"""What stands for a sign where it cannot be encoded."""

CLEAN, FINDINGS = 0, 1
"""Exit statuses; those of processes that end otherwise are in :mod:`planner.cli.ending`."""

WIDEST = 160
"""Columns of the widest table."""


def colour(stream: TextIO | None) -> bool:
    """Tell whether to colour what goes to a stream (https://no-color.org, https://force-color.org)."""
    if stream is None or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Return the columns to fill: COLUMNS, the terminal's, or 100 where there is no terminal."""
    return min(shutil.get_terminal_size((100, 24)).columns, WIDEST)


def out(text: str) -> None:
    """Write a result to stdout.

    Raises
    ------
    OSError
        stdout is closed, or takes no more.
    """
    if sys.stdout is None:  # a process started with `>&-` has none
        if text:
            raise OSError(errno.EBADF, "stdout is closed")
        return
    _write(text, sys.stdout)


def message(text: str) -> None:
    """Write anything that is no result to stderr, where there is one that takes it."""
    if sys.stderr is not None:
        with suppress(OSError):
            _write(text, sys.stderr)


def fail(findings: Iterable[Finding], sources: Mapping[str, str], json: bool = False) -> NoReturn:
    """Report findings that leave a command without a result, and end with status 1.

    On stderr, or as JSON on stdout for a reader that waits for JSON there.
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
    """Return text in an ANSI style such as ``1;32`` where the stream has colours."""
    return f"\x1b[{style}m{text}\x1b[0m" if colour(stream or sys.stdout) else text


def encodable(text: str, encoding: str) -> str:
    r"""Return text as far as an encoding has it, with plain forms and then escapes for the rest.

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
