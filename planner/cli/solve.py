"""`shapeplan solve`: accepted sizes, and the sizes or settings that reach a goal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from planner.cli.console import as_json as json_text
from planner.cli.console import fail, out
from planner.cli.options import at_option, json_option, read_sizes
from planner.cli.subject import placed, read_subject
from planner.findings import PlannerError
from planner.plan.plan import Plan

if TYPE_CHECKING:
    from planner.domain.domain import Domain
    from planner.notations import Notation
    from planner.solver import Knob, Near, Want

NOTATIONS = ("torch", "jax", "onnx", "bioimageio", "python")
NEAR = {"accepted": ("accepted", "not accepted"), "loses_nothing": ("no border dropped", "drops border pixels")}
"""What to print about a size that meets a rule, and about one that does not, by the key in the JSON."""

SHOWN = 12
"""Settings listed as text; the JSON output has all of them."""

EXAMPLES = """\b
Examples:
  shapeplan solve net.yaml --near 30
  shapeplan solve net.yaml --as torch
  shapeplan solve net.yaml --want out.H=7 --free conv1.pad
  shapeplan solve net.yaml --memory 2GiB --training --at H=224,W=224"""

_WHOLE = re.compile(r"[0-9]{1,12}\Z")
Read = TypeVar("Read")


def _near(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> int | dict[str, int] | None:
    """Return a single size for every height and width, or sizes by name."""
    if not values:
        return None
    if len(values) == 1 and _WHOLE.match(values[0].strip()):
        return int(values[0])
    return read_sizes(ctx, param, values)


@click.command("solve", epilog=EXAMPLES)
@click.argument("spec")
@click.option("--near", callback=_near, multiple=True, metavar="30|H=30,W=40", help="Find the nearest accepted sizes.")
@click.option("--as", "notation", type=click.Choice(NOTATIONS), help="Print the accepted sizes in this notation.")
@click.option("--lossless", is_flag=True, help="With --as: drop no border pixels.")
@click.option(
    "--want",
    "wants",
    multiple=True,
    metavar="out.H=1|out=N,10,7,7",
    help="Reach this shape. Can be repeated.",
)
@click.option("--free", "knobs", multiple=True, metavar="conv1.pad", help="With --want: solve for this setting.")
@click.option("--memory", metavar="2GiB", help="Find the largest batch that fits; with --at N=1, the largest image.")
@click.option("--training", is_flag=True, help="With --memory: plan a training step.")
@click.option("--macs", metavar="600M", help="Find the largest image or width that fits.")
@at_option
@click.option("--format", "style", type=click.Choice(("text", "latex")), default="text", help="Format of the formulas.")
@json_option
def command(
    spec: str,
    near: int | dict[str, int] | None,
    notation: str | None,
    lossless: bool,
    wants: tuple[str, ...],
    knobs: tuple[str, ...],
    memory: str | None,
    training: bool,
    macs: str | None,
    sizes: dict[str, int],
    style: str,
    as_json: bool,
) -> None:
    """Find the accepted sizes of SPEC, or sizes and settings that reach a goal."""
    goals = {"--as": notation, "--want": wants, "--memory": memory, "--macs": macs, "--near": near}
    _refuse_mixed({name for name, given in goals.items() if given not in (None, ())}, lossless, knobs, training)
    subject = read_subject(spec)
    if subject.plan is None:
        fail(subject.findings, subject.sources, as_json)
    try:
        if notation is not None:
            document, text = _rule(subject.plan, notation, lossless)
        elif wants:
            document, text = _wanted(subject.plan, wants, knobs, sizes)
        elif memory is not None or macs is not None:
            document, text = _largest(subject.plan, memory, macs, training, sizes)
        else:
            document, text = _accepted(subject.plan, near, sizes, style)
    except PlannerError as error:
        fail(placed(error.findings, subject), subject.sources, as_json)
    out(json_text({"name": subject.plan.name, **document}) if as_json else text + "\n")


def _refuse_mixed(goals: set[str], lossless: bool, knobs: tuple[str, ...], training: bool) -> None:
    if len(goals) > 1:
        raise click.UsageError(f"{' and '.join(sorted(goals))} cannot be combined; use one of them")
    for given, name, needed in ((lossless, "--lossless", "--as"), (knobs, "--free", "--want")):
        if given and needed not in goals:
            raise click.UsageError(f"{name} needs {needed}")
    if training and "--memory" not in goals:
        raise click.UsageError("--training needs --memory")


def _rule(plan: Plan, notation: str, lossless: bool) -> tuple[dict[str, Any], str]:
    from planner.notations import written

    text = written(plan, cast("Notation", notation), lossless=lossless)
    return {"notation": notation, "rule": "lossless" if lossless else "runs", "text": text}, text


def _wanted(
    plan: Plan, texts: tuple[str, ...], knobs: tuple[str, ...], sizes: Mapping[str, int]
) -> tuple[dict[str, Any], str]:
    from planner.solver import Knob, Want, loosened, sizes_giving

    wants = [_read(Want.read, text, "--want") for text in texts]
    free_settings = list(dict.fromkeys(_read(Knob.read, text, "--free") for text in knobs))
    loose = loosened(plan)
    if free_settings:
        return _solve_settings(
            loose if loose is not None and not sizes.keys() <= set(plan.free) else plan, wants, free_settings, sizes
        )
    answer = sizes_giving(_at(loose or plan, sizes), wants, sizes)
    lines = [_sentence(answer.plan.domain)]
    if answer.example is not None:
        shapes = ", ".join(f"{name} is {' x '.join(map(str, shape))}" for name, shape in answer.shapes.items())
        lines.append(f"for example at {_values(answer.example)}: {shapes}")
    return answer.json(), "\n".join(lines)


def _solve_settings(
    plan: Plan, wants: Sequence[Want], knobs: Sequence[Knob], sizes: Mapping[str, int]
) -> tuple[dict[str, Any], str]:
    from planner.solver import settings_giving
    from planner.solver.settings import range_text

    plan.accepts(**sizes)
    found = settings_giving(plan, knobs, wants, sizes)
    tried = {knob.text: range_text(knob.setting) for knob in knobs}
    lines = [f"tried: {', '.join(f'{name} = {values}' for name, values in tried.items())}", ""]
    width = max(len(answer.text) for answer in found[:SHOWN])
    for answer in found[:SHOWN]:
        where = "at every accepted size" if answer.always else f"at {_sentence(answer.domain)}"
        warnings = f"; {'; '.join(answer.warnings)}" if answer.warnings else ""
        lines.append(f"{answer.text:<{width}}  {where}{warnings}")
    lines += [f"... {len(found) - SHOWN} more with --json"] if len(found) > SHOWN else []
    document = {
        "want": [want.text for want in wants],
        "at": dict(sizes),
        "tried": tried,
        "solutions": [answer.json() for answer in found],
    }
    return document, "\n".join(lines)


def _largest(
    plan: Plan, memory: str | None, macs: str | None, training: bool, sizes: Mapping[str, int]
) -> tuple[dict[str, Any], str]:
    from planner.solver import Budget, largest
    from planner.solver.budgets import PROBES, Kind
    from planner.tables.table import size

    def counted(used: int) -> str:
        return f"{used:,} MACs" if memory is None else f"{size(used)} ({used:,} bytes) of {kind}"

    kind: Kind = "MACs" if memory is None else "training memory" if training else "inference memory"
    option = "--macs" if memory is None else "--memory"
    found = largest(plan, _read(lambda text: Budget.read(text, kind), memory or macs or "", option), sizes)
    at = f" at {_values(found.at)}" if found.at else ""
    lines = [f"{' = '.join(found.names)} = {found.value}{at}: {counted(found.used)}"]
    if found.next_value is not None and found.next_used is not None:
        lines.append(f"{' = '.join(found.names)} = {found.next_value} would take {counted(found.next_used)}")
    if not found.proved:
        lines.append(f"the next {PROBES} sizes do not fit either; larger ones probably do not, but this is not proved")
    return found.json(), "\n".join(lines)


def _accepted(
    plan: Plan, given: int | dict[str, int] | None, sizes: Mapping[str, int], style: str
) -> tuple[dict[str, Any], str]:
    from planner.solver import formulas, loosened
    from planner.solver import near as near_sizes

    loose = loosened(plan)
    plan = _at(loose or plan, sizes)
    costs = formulas(plan, sizes)
    document: dict[str, Any] = {
        "with_free_sizes": loose is not None,
        "accepted": plan.domain.json(),
        "lossless": plan.lossless.json(),
        "reasons": [reason.text for reason in plan.domain.reasons],
        "formulas": costs.json(),
    }
    if style == "latex":
        return document, costs.latex()
    other = "with other inputs, the same layers accept: " if loose is not None else "accepted: "
    lines = [other + _sentence(plan.domain), *(f"  {reason.text}" for reason in plan.domain.reasons)]
    lines.append(_lossless(plan))
    if given is not None:
        wanted = _spatial(plan, given) if isinstance(given, int) else given
        for key, domain in (("accepted", plan.domain), ("loses_nothing", plan.lossless)):
            found = near_sizes(domain, wanted)
            document.setdefault("near", {})[key] = found.json()
            lines += ["", *_near_lines(*NEAR[key], found)]
        return document, "\n".join(lines)
    return document, "\n".join([*lines, "", costs.text()])


def _near_lines(yes: str, no: str, found: Near) -> list[str]:
    lines = [f"{_values(found.given)}: {yes if found.accepted else no}"]
    if found.accepted:
        return lines
    lines += [f"  below: {_values(found.below)}"] if found.below is not None else ["  below: none"]
    if found.above is None:
        return [*lines, "  above: none"]
    sides = ", ".join(f"{name} by {a} before and {b} after" for name, (a, b) in found.padding.items() if a + b)
    return [*lines, f"  above: {_values(found.above)}, reached by padding {sides}"]


def _spatial(plan: Plan, size: int) -> dict[str, int]:
    """Return one size for every free height and width of the inputs."""
    import planner.symbols as sy
    from planner.layers.spatial import is_map

    maps = [shape for shape in plan.input_shapes.values() if is_map(shape)]
    names = sorted(frozenset().union(*(sy.free(axis) for shape in maps for axis in shape[2:])))
    if not names:
        raise click.UsageError("no input of the network has a free height or width; name the size:  --near N=30")
    return dict.fromkeys(names, size)


def _at(plan: Plan, sizes: Mapping[str, int]) -> Plan:
    """Return the plan after checking that it accepts the given sizes."""
    from planner.tables.facts import admit

    admit(plan, sizes)
    return plan


def _sentence(domain: Domain) -> str:
    from planner.cli.check import accepted
    from planner.conditions import Verdict

    if any(opened.requirement.condition.verdict() is Verdict.FAILS for opened in domain.assumptions):
        return "no size"
    return accepted(domain)


def _lossless(plan: Plan) -> str:
    from planner.cli.check import lossless_line
    from planner.conditions import Verdict

    if any(opened.requirement.condition.verdict() is Verdict.FAILS for opened in plan.lossless.assumptions):
        return "every accepted size drops border pixels"
    return lossless_line(plan)


def _values(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())


def _read(reader: Callable[[str], Read], text: str, option: str) -> Read:
    """Return the parsed value of an option; text of another form is a usage error."""
    try:
        return reader(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None
