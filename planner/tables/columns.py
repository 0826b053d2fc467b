"""Fit tables into the width of a terminal: choose the width of each column and wrap its cells.

Cells are wrapped at blanks and never inside a word; a column that does not fit is hidden as a whole.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

COMFORTABLE = 26
"""Width to which a text column is narrowed before another column is hidden."""

_GLUE = "\N{NO-BREAK SPACE}"

_BETWEEN = 3
"""Characters between two columns; a line also has one character at each end."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    heading : str
    cells : tuple of str
    footer : str
    right : bool
        Whether to align the cells at the right, as for numbers.
    style : str
    """

    heading: str
    cells: tuple[str, ...]
    footer: str = ""
    right: bool = False
    style: str = ""

    @property
    def natural(self) -> int:
        """Width of the longest line, in characters."""
        return max(map(cell_len, (self.heading, self.footer, *self.cells)))

    @property
    def least(self) -> int:
        """Width of the longest word, in characters."""
        words = [word for cell in (self.heading, self.footer, *self.cells) for word in _glued(cell).split(" ")]
        return max(map(cell_len, words), default=0)

    @property
    def comfortable(self) -> int:
        """Width below which the column is hard to read; a column of numbers may have one term of a sum per line."""
        return self.least if self.right else min(self.natural, max(self.least, COMFORTABLE))


def fitted(columns: Sequence[Column], width: int) -> list[Column] | None:
    r"""Return columns with their cells wrapped to fit a width; None if they do not fit.

    Examples
    --------
    >>> column = Column("kind", ("conv filters=64 kernel=7 stride=2 pad=3",))
    >>> fitted([column], 30)[0].cells
    ('conv filters=64 kernel=7\nstride=2 pad=3',)
    >>> fitted([column], 20) is None
    True
    """
    sizes = [column.natural for column in columns]
    available = width - 2 - _BETWEEN * (len(columns) - 1)
    while sum(sizes) > available:
        spare = [size - column.comfortable for size, column in zip(sizes, columns, strict=True)]
        widest = max(range(len(columns)), key=spare.__getitem__)
        if spare[widest] <= 0:
            return None
        sizes[widest] -= min(spare[widest], sum(sizes) - available)
    return [_wrapped(column, size) for column, size in zip(columns, sizes, strict=True)]


def wrapped(text: str, width: int) -> str:
    """Return text wrapped to a width at blanks only; a longer word gets its own line.

    A formula is broken after a plus only.

    Examples
    --------
    >>> print(wrapped("inference at least 12*H*W + 4*(4*H - 16)*(W - 4) + 1216 B", 24))
    inference at least
    12*H*W +
    4*(4*H - 16)*(W - 4) +
    1216 B
    """
    lines = textwrap.wrap(_glued(text), width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace(_GLUE, " ")


def printed(parts: Sequence[Sequence[Column] | Text], width: int, colour: bool) -> str:
    """Return tables and texts one below the other, without trailing blanks."""
    file = io.StringIO()
    console = Console(
        file=file,
        width=100_000,  # everything has been wrapped before
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
        _environ={},
    )
    for part in parts:
        console.print(Text(wrapped(part.plain, width), part.style) if isinstance(part, Text) else _table(part))
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def _glued(text: str) -> str:
    """Return text with no-break spaces where a line must not be broken."""
    return re.sub(r" ([-+=])(?= )", rf"{_GLUE}\1", text).replace(f"{_GLUE}- ", f"{_GLUE}-{_GLUE}")


def _wrapped(column: Column, width: int) -> Column:
    return replace(
        column, cells=tuple(wrapped(cell, width) for cell in column.cells), footer=wrapped(column.footer, width)
    )


def _table(columns: Sequence[Column]) -> Table:
    table = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_footer=any(column.footer for column in columns),
        header_style="bold",
        footer_style="bold",
    )
    for column in columns:
        side: Literal["left", "right"] = "right" if column.right else "left"
        # Text, because rich would read brackets in a str as markup.
        heading, footer = Text(column.heading), Text(column.footer)
        table.add_column(heading, footer, justify=side, style=column.style, no_wrap=True)
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*map(Text, row))
    return table
