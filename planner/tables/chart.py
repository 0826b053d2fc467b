"""Bar charts in text, for amounts over time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

EIGHTHS = " ▁▂▃▄▅▆▇█"
"""Bars from zero to eight eighths of a line."""


def chart(amounts: Sequence[int], width: int, lines: int = 4) -> list[str]:
    """Return a bar chart as lines of text.

    The largest amount is as high as all lines together; an amount above 0 is always visible. If there are more
    amounts than characters, neighbours share a bar as high as the largest of them.

    Parameters
    ----------
    amounts : sequence of int
        Amounts, at least 0.
    width : int
        Largest number of characters in a line.
    lines : int
        Height of the chart in lines.

    Examples
    --------
    >>> for line in chart([0, 1, 4, 8, 16], width=10, lines=2):
    ...     print(line)
        █
     ▁▄██
    """
    bars = min(len(amounts), max(width, 1))
    if not bars:
        return [""] * lines
    ends = [len(amounts) * index // bars for index in range(bars + 1)]
    shown = [max(amounts[low:high]) for low, high in pairwise(ends)]
    most = max(shown) or 1
    heights = [-(-amount * 8 * lines // most) for amount in shown]
    chart_lines = []
    for line in reversed(range(lines)):
        chart_lines.append("".join(EIGHTHS[min(max(height - 8 * line, 0), 8)] for height in heights).rstrip())
    return chart_lines
