"""Charts of characters: how much of something there is at every moment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

EIGHTHS = " ▁▂▃▄▅▆▇█"
"""Bars of no to eight eighths of a line."""


def chart(amounts: Sequence[int], width: int, lines: int = 4) -> list[str]:
    """Return a bar chart, the largest amount as high as all lines, an amount above 0 never invisible.

    Neighbours share a bar, which is as high as the larger of them, where there are more amounts than characters.

    Parameters
    ----------
    amounts : sequence of int
        From 0 upwards.
    width : int
        Characters there is room for.
    lines : int
        How high the chart is.

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
    made = []
    for line in reversed(range(lines)):
        made.append("".join(EIGHTHS[min(max(height - 8 * line, 0), 8)] for height in heights).rstrip())
    return made
