"""`shapeplan draw`."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from planner.cli.console import FINDINGS, colour, fail, message
from planner.cli.options import at_option
from planner.cli.subject import placed, read_subject
from planner.findings import PlannerError, SizeError

if TYPE_CHECKING:
    from planner.diagrams import Heat, Level

LEVELS = ("overview", "blocks", "full")
HEATS = ("macs", "params", "memory")

EXAMPLES = (
    "\b\nExamples:\n  shapeplan draw net.yaml -o net.svg\n"
    "  shapeplan draw net.yaml -o net.png --at H=224,W=224 --heat macs"
)


@click.command("draw", epilog=EXAMPLES)
@click.argument("spec")
@click.option(
    "-o", "--output", required=True, metavar="FILE", help="Output file; its suffix selects svg, png, pdf or dot."
)
@click.option("--level", type=click.Choice(LEVELS), help="Level of detail. Default: by the number of layers.")
@click.option("--heat", type=click.Choice(HEATS), help="Tint layers by their share of the total.")
@at_option
def command(spec: str, output: str, level: str | None, heat: str | None, sizes: dict[str, int]) -> None:
    """Draw the network of SPEC. A network with errors is drawn up to the first faulty layer."""
    from planner.diagrams import MissingCharacters, draw

    subject = read_subject(spec)
    if subject.diagnosis is None:
        fail(subject.findings, subject.sources)
    whole = subject.plan is not None
    try:
        with warnings.catch_warnings(record=True) as missing:
            warnings.simplefilter("always", MissingCharacters)
            draw(
                subject.plan or subject.diagnosis,
                Path(output),
                level=cast("Level | None", level),
                heat=cast("Heat | None", heat),
                at=sizes or None,
            )
    except SizeError as error:
        fail(placed(error.findings, subject), subject.sources)
    except PlannerError as error:
        fail(error.findings, subject.sources)
    for each in missing:
        message(f"warning: {each.message}\n")
    message(f"wrote {output}\n")
    if not whole:
        from planner.diagnostics.render import render

        message(render(subject.findings, subject.sources, "full", colour(sys.stderr)))
        raise click.exceptions.Exit(FINDINGS)
