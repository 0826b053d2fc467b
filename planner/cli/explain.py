"""`shapeplan explain`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from planner.cli.console import CLEAN, FINDINGS, fail, out, width
from planner.cli.console import as_json as json_text
from planner.cli.options import at_option, json_option
from planner.cli.subject import Subject, placed, read_subject
from planner.findings import PlannerError, nearest
from planner.wording import listed

if TYPE_CHECKING:
    from planner.explanations.counting import Tool
    from planner.explanations.document import Style
    from planner.explanations.grid import Grid
    from planner.plan.diagnose import Diagnosis

COUNTS = ("mac", "flop", "torchinfo", "thop", "fvcore", "torch")
CODE = re.compile(r"[A-Z][0-9]{3}\Z")

EXAMPLES = "\n".join(
    (
        "\b",
        "Examples:",
        "  shapeplan explain net.yaml c3",
        "  shapeplan explain net.yaml --count thop --at N=1,H=224,W=224",
        "  shapeplan explain net.yaml add1 --paths",
        "  shapeplan explain net.yaml --tiling --at H=4000,W=3000",
        "  shapeplan explain S201",
    )
)


@click.command("explain", epilog=EXAMPLES)
@click.argument("what", metavar="SPEC|CODE")
@click.argument("layer", required=False)
@at_option
@click.option("--count", "tools", multiple=True, type=click.Choice(COUNTS), help="Count MACs as another tool does.")
@click.option(
    "--paths", "by_path", is_flag=True, help="Show the receptive field of each path to LAYER, and if they align."
)
@click.option("--tiling", "by_tile", is_flag=True, help="Show tile sizes, halo and stride.")
@click.option("--tile", type=click.IntRange(1), metavar="SIZE", help="With --tiling: use tiles of this size.")
@click.option(
    "--format",
    "style",
    type=click.Choice(("text", "markdown", "latex")),
    default="text",
    show_default=True,
    help="Output format.",
)
@json_option
def command(
    what: str,
    layer: str | None,
    sizes: dict[str, int],
    tools: tuple[Tool, ...],
    by_path: bool,
    by_tile: bool,
    tile: int | None,
    style: Style,
    as_json: bool,
) -> None:
    """Explain how the sizes of a layer are computed, or what a rule means.

    With SPEC, derive the numbers of LAYER, or of every layer by default. With CODE, explain that rule.
    """
    by_tile = by_tile or tile is not None
    if bool(tools) + by_path + by_tile > 1:
        raise click.UsageError("--count, --paths and --tiling cannot be combined; use one of them")
    if CODE.match(what.upper()):
        if layer is not None or tools or by_path or by_tile:
            raise click.UsageError(f"{what} is a rule; LAYER, --count, --paths and --tiling need a spec")
        _explain_rule(what.upper(), as_json)
        return
    subject = read_subject(what)
    found = subject.diagnosis
    if found is None:
        fail(subject.findings, subject.sources, as_json)
    if layer is not None:
        layer = _known(layer, subject, found.network.by_name)
    try:
        if tools or by_path or by_tile:
            survey = _survey(subject, layer, sizes, tools, by_path, tile, as_json)
            out(json_text(survey) if isinstance(survey, dict) else _printed(survey, style))
        else:
            _derive(subject, found, layer, sizes, style, as_json)
    except PlannerError as error:
        fail(placed(error.findings, subject), subject.sources, as_json)


def _derive(
    subject: Subject, found: Diagnosis, layer: str | None, sizes: dict[str, int], style: Style, as_json: bool
) -> None:
    from planner.explanations import steps
    from planner.explanations.document import document
    from planner.explanations.layer import derivations, worth_explaining
    from planner.tables.facts import admit

    if found.plan is not None and sizes:
        admit(found.plan, sizes)
    names = [layer] if layer is not None else list(worth_explaining(found))
    derived = list(derivations(found, names, sizes))
    if as_json:
        out(json_text({"name": found.network.name, "layers": [steps.as_json(item) for item in derived]}))
        raise click.exceptions.Exit(CLEAN if subject.plan is not None else FINDINGS)
    out(document(derived, style, width()))
    if subject.plan is None:
        fail(subject.findings, subject.sources)


def _survey(
    subject: Subject,
    layer: str | None,
    sizes: dict[str, int],
    tools: tuple[Tool, ...],
    by_path: bool,
    tile: int | None,
    as_json: bool,
) -> Grid | dict[str, Any]:
    from planner.explanations import surveys
    from planner.explanations.counting import tally
    from planner.explanations.tiling import image_sizes, tiling
    from planner.tables.facts import admit, batch_name

    found, plan = subject.diagnosis, subject.plan
    if found is None or plan is None:
        fail(subject.findings, subject.sources, as_json)
    if tools:
        admit(plan, sizes)
        batch = batch_name(plan)
        alone = batch is not None and batch not in sizes
        values = {batch: 1, **sizes} if alone and batch is not None else sizes
        title = f"{layer or plan.name}: {'one image' if alone else 'the whole batch'}, evaluation mode"
        counted = tally(plan, tuple(dict.fromkeys(tools)), values, None if layer is None else [layer])
        return (
            surveys.count_json(counted) if as_json else surveys.count_grid(title, counted, tuple(dict.fromkeys(tools)))
        )
    if by_path:
        name = layer or next(iter(plan.outputs.values()))
        return surveys.path_json(found, name) if as_json else surveys.path_grid(found, name)
    image, tiles = image_sizes(plan.network, sizes), tiling(plan.network, layer, sizes)
    return surveys.tile_json(tiles, image, tile) if as_json else surveys.tile_grid(tiles, image, tile)


def _printed(survey: Grid, style: str) -> str:
    from planner.explanations import grid

    printers = {"text": grid.as_text, "markdown": grid.as_markdown, "latex": grid.as_latex}
    return printers[style](survey)


def _known(layer: str, subject: Subject, layers: Mapping[str, object]) -> str:
    """Return the name of a layer; the name of a block means its last layer."""
    if layer in layers:
        return layer
    inside = [name for name in layers if name.startswith(f"{layer}.")]
    if inside:
        return inside[-1]
    close = nearest(layer, layers)
    hint = f"did you mean `{close}`?" if close else f"layers are {listed(layers)}"
    raise click.UsageError(f"{subject.file} has no layer `{layer}`; {hint}")


def _explain_rule(code: str, as_json: bool) -> None:
    from planner.rules import RULES

    rule = RULES.get(code)
    if rule is None:
        close = nearest(code, RULES)
        hint = f"did you mean {close}?" if close else f"rules are {', '.join(RULES)}"
        raise click.UsageError(f"there is no rule {code}; {hint}")
    if as_json:
        keys = ("code", "title", "text", "example", "fixed")
        out(json_text({key: getattr(rule, key) for key in keys}))
        return
    out(rule.document(width()))
