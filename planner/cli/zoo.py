"""`shapeplan zoo`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from planner.cli.console import as_json as json_text
from planner.cli.console import fail, out
from planner.cli.options import json_option
from planner.explanations.grid import Grid, as_markdown, as_text
from planner.findings import SpecError
from planner.wording import number, plural
from planner.zoo.catalogue import matching, member
from planner.zoo.member import Member, shown

EXAMPLES = "\b\nExamples:\n  shapeplan zoo resnet\n  shapeplan zoo 'regnet_x_*' --json"


@click.command("zoo", epilog=EXAMPLES)
@click.argument("names", nargs=-1)
@click.option(
    "--format",
    "style",
    type=click.Choice(("text", "markdown")),
    default="text",
    show_default=True,
    help="Output format.",
)
@json_option
def command(names: tuple[str, ...], style: str, as_json: bool) -> None:
    """List known networks with their parameters, MACs and publications.

    NAMES are parts of names or patterns; the default is all networks. Every command accepts a network as
    `zoo:NAME`, and `shapeplan init NAME` prints its spec for editing.
    """
    found = matching(names)
    for name in names:
        if not matching((name,)):
            try:
                member(name)
            except SpecError as error:
                fail(error.findings, {}, as_json)
    if as_json:
        out(json_text({"networks": [_facts(each) for each in found]}))
    elif style == "markdown":
        out(as_markdown(listing(found, titles=True)))
    else:
        out(as_text(listing(found)))


def _facts(each: Member) -> dict[str, Any]:
    """Return the facts about a network as JSON values."""
    return {
        "name": each.name,
        "title": each.title,
        "parameters": each.parameter_count,
        "macs": each.macs,
        "at": dict(each.at),
        "settings": dict(each.settings),
        "note": each.note,
    }


def listing(members: Sequence[Member], *, titles: bool = False) -> Grid:
    """Return a table of networks; `titles` adds their publications, a single network also lists its settings.

    Examples
    --------
    >>> from planner.zoo.catalogue import matching
    >>> listing(matching(("nin",))).rows
    (('nin', '966,986', '222,486,528', '32 x 32'),)
    """
    head = ("network", *(["published as"] if titles else []), "parameters", "MACs", "counted at")
    rows = tuple(
        (each.name, *([each.title] if titles else []), number(each.parameter_count), number(each.macs), _size(each))
        for each in members
    )
    after: tuple[str, ...] = ()
    if len(members) == 1:
        (one,) = members
        settings = " ".join(f"{name}={shown(value)}" for name, value in one.settings.items())
        after = (one.title, *([one.note] if one.note else []), f"settings: {settings}")
    return Grid(plural(len(members), "network"), head, rows, left=1 + titles, after=after)


def _size(each: Member) -> str:
    """Return the input size at which the MACs are counted, such as ``224 x 224``."""
    return " x ".join(map(str, each.at.values())) or "its input"
