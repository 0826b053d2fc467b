"""Small tables as text, Markdown and LaTeX.

They do not adapt to a width; the tables of :mod:`planner.tables.table` are for terminals and fit their width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.explanations.escape import latex, latex_comment, markdown


@dataclass(frozen=True)
class Grid:
    """A table with its title and the sentences above and below it.

    Attributes
    ----------
    title : str
    head : tuple of str
    rows : tuple of tuple of str
        Rows as long as `head`.
    left : int
        Number of leading columns that are left-aligned; all others are right-aligned.
    before, after : tuple of str
        Sentences above and below the table.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def as_text(grid: Grid) -> str:
    """Return a grid as plain text.

    Examples
    --------
    >>> print(as_text(Grid("costs", ("layer", "MACs"), (("c1", "1,024"), ("total", "1,024")))), end="")
    costs
      layer   MACs
      c1     1,024
      total  1,024
    """
    lines = [grid.title, *(f"  {line}" for line in grid.before)]
    if grid.rows:
        table = (grid.head, *grid.rows)
        widths = [max(len(row[column]) for row in table) for column in range(len(grid.head))]
        lines += [f"  {_line(row, widths, grid.left)}".rstrip() for row in table]
    return "".join(f"{line}\n" for line in [*lines, *(f"  {line}" for line in grid.after)])


def as_markdown(grid: Grid) -> str:
    """Return a grid as a Markdown table.

    Examples
    --------
    >>> print(as_markdown(Grid("costs", ("layer", "MACs"), (("c1", "1,024"),))), end="")
    ### costs
    <BLANKLINE>
    | layer | MACs |
    |---|---:|
    | c1 | 1,024 |
    """
    parts = [f"### {markdown(grid.title)}\n", *(f"{markdown(line)}\n" for line in grid.before)]
    if grid.rows:
        rule = "".join("---|" if column < grid.left else "---:|" for column in range(len(grid.head)))
        rows = [f"| {' | '.join(map(markdown, row))} |\n" for row in grid.rows]
        parts.append(f"| {' | '.join(map(markdown, grid.head))} |\n|{rule}\n{''.join(rows)}")
    return "\n".join([*parts, *(f"{markdown(line)}\n" for line in grid.after)])


def as_latex(grid: Grid) -> str:
    r"""Return a grid as a ``tabular`` environment, with the sentences around it as comments.

    Examples
    --------
    >>> print(as_latex(Grid("costs", ("layer", "MACs"), (("c_1", "1,024"),))), end="")
    % costs
    \begin{tabular}{lr}
      layer & MACs \\
      \hline
      c\_1 & 1,024 \\
    \end{tabular}
    """
    comments = "".join(f"{latex_comment(line)}\n" for line in (grid.title, *grid.before, *grid.after))
    columns = "l" * min(grid.left, len(grid.head)) + "r" * (len(grid.head) - grid.left)
    head, *rows = (f"  {' & '.join(map(latex, row))} \\\\\n" for row in (grid.head, *grid.rows))
    return f"{comments}\\begin{{tabular}}{{{columns}}}\n{head}  \\hline\n{''.join(rows)}\\end{{tabular}}\n"


def _line(row: Sequence[str], widths: Sequence[int], left: int) -> str:
    aligned = (
        f"{text:<{width}}" if column < left else f"{text:>{width}}"
        for column, (text, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(aligned)
