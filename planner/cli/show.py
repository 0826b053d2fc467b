"""`shapeplan show`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import click

from planner.cli.console import as_json as json_text
from planner.cli.console import colour, fail, message, out, width
from planner.cli.options import at_option, json_option
from planner.cli.subject import placed, read_subject
from planner.findings import Finding, PlannerError, SizeError
from planner.plan.plan import Plan

if TYPE_CHECKING:
    from planner.plan.plan import BoundPlan
    from planner.tables.table import SortKey

SORT_KEYS = ("params", "macs", "output", "memory")

EXAMPLES = (
    "\b\nExamples:\n  shapeplan show net.yaml --at H=224,W=224\n"
    "  shapeplan show net.yaml --at N=8 --memory-picture memory.svg"
)


@click.command("show", epilog=EXAMPLES)
@click.argument("spec")
@at_option
@click.option("--sort", type=click.Choice(SORT_KEYS), help="Sort the layers, largest first.")
@click.option("--memory", is_flag=True, help="Also print the memory layout over time.")
@click.option(
    "--memory-picture", metavar="FILE", help="Draw memory over time; the suffix of FILE selects svg, png or pdf."
)
@json_option
def command(
    spec: str, sizes: dict[str, int], sort: str | None, memory: bool, memory_picture: str | None, as_json: bool
) -> None:
    """Print the layers of SPEC: output, parameters, MACs, receptive field, memory.

    Free sizes without a value are shown as letters. A free batch size is counted as one image.
    """
    subject = read_subject(spec)
    plan = subject.plan
    if plan is None:
        fail(subject.findings, subject.sources, as_json)
    from planner.tables import facts as report
    from planner.tables import table

    try:
        if memory_picture is not None:
            _paint(_known(plan, sizes), memory_picture, as_json)
        if as_json:
            facts = report.as_json(report.report(plan, sizes))
            if memory:
                facts["memory"] |= report.memory_as_json(_known(plan, sizes))
            out(json_text(facts))
            return
        out(table.show(plan, sizes, sort=cast("SortKey | None", sort), width=width(), colour=colour(sys.stdout)))
        if memory:
            bound = _known(plan, sizes)
            for training in (False, True):
                out("\n" + table.memory_table(bound, training=training, width=width(), colour=colour(sys.stdout)))
    except PlannerError as error:
        fail(placed(error.findings, subject), subject.sources, as_json)
    count = len(subject.findings)
    if count:
        message(f"{count} warning{'s' if count > 1 else ''}; see  shapeplan check {subject.file}\n")


def _paint(bound: BoundPlan, path: str, as_json: bool) -> None:
    from planner.diagrams.arena import memory_scene
    from planner.diagrams.drawing import save
    from planner.diagrams.fault import DrawError

    try:
        save(memory_scene(bound), path)
    except DrawError as error:  # about the output file, not about a place in the spec
        fail(error.findings, {}, as_json)
    message(f"wrote {path}\n")


def _known(plan: Plan, sizes: dict[str, int]) -> BoundPlan:
    """Return the plan at known sizes, for one image if only the batch is free."""
    from planner.tables.facts import admit

    bound = admit(plan, _for_one_image(plan, sizes))
    if bound is None:
        names = ",".join(f"{name}=..." for name in plan.free)
        raise SizeError([Finding("S209", "the memory layout needs a value for every size", fixes=(f"--at {names}",))])
    return bound


def _for_one_image(plan: Plan, sizes: dict[str, int]) -> dict[str, int]:
    from planner.tables.facts import batch_name

    batch = batch_name(plan)
    return sizes if batch is None else {batch: 1, **sizes}
