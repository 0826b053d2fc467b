"""The networks of the zoo as a table."""

from __future__ import annotations

from collections.abc import Sequence

from planner.explanations.grid import Grid
from planner.wording import number, plural
from planner.zoo.member import Member, shown


def listing(members: Sequence[Member], *, titles: bool = False) -> Grid:
    """Return a table of networks, with `titles` where they were published; of a single one also its settings.

    Examples
    --------
    >>> from planner.zoo.catalogue import matching
    >>> listing(matching(("nin",))).rows
    (('nin', '966,986', '222,486,528', '32 x 32'),)
    """
    head = ("network", *(["published as"] if titles else []), "parameters", "MACs", "counted at")
    rows = tuple(
        (each.name, *([each.title] if titles else []), number(each.parameters), number(each.macs), _size(each))
        for each in members
    )
    after: tuple[str, ...] = ()
    if len(members) == 1:
        (one,) = members
        settings = " ".join(f"{name}={shown(value)}" for name, value in one.settings.items())
        after = (one.title, *([one.note] if one.note else []), f"settings: {settings}")
    return Grid(plural(len(members), "network"), head, rows, left=1 + titles, after=after)


def _size(each: Member) -> str:
    """Return the input the MACs are counted at, as people write it."""
    return " x ".join(map(str, each.at.values())) or "its input"
