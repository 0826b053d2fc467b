"""`shapeplan explain`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping

import click

from planner.cli.console import CLEAN, FINDINGS, fail, out, width
from planner.cli.console import as_json as json_text
from planner.cli.subject import Subject, at_option, json_option, placed, read_subject
from planner.findings import PlannerError, nearest

CODE = re.compile(r"[A-Z][0-9]{3}\Z")

EXAMPLES = "\b\nshapeplan explain net.yaml c3\nshapeplan explain S201"


@click.command("explain", epilog=EXAMPLES)
@click.argument("what", metavar="SPEC|CODE")
@click.argument("layer", required=False)
@at_option
@click.option("--format", "style", type=click.Choice(("text", "markdown", "latex")), default="text", show_default=True)
@json_option
def command(what: str, layer: str | None, sizes: dict[str, int], style: str, as_json: bool) -> None:
    """Derive the numbers of a LAYER of a spec, or of all of them; or tell what the rule CODE means."""
    if CODE.match(what.upper()):
        _explain_rule(what.upper(), as_json)
        return
    from planner import steps
    from planner.explain import derivations, worth_explaining
    from planner.report import admit

    subject = read_subject(what)
    found = subject.diagnosis
    if found is None:
        fail(subject.findings, subject.sources, as_json)
    if found.plan is not None and sizes:
        try:
            admit(found.plan, sizes)
        except PlannerError as error:
            fail(placed(error.findings, subject), subject.sources, as_json)
    names = [_known(layer, subject, found.network.by_name)] if layer is not None else list(worth_explaining(found))
    derived = list(derivations(found, names, sizes))
    if as_json:
        out(json_text({"name": found.network.name, "layers": [steps.as_json(item) for item in derived]}))
        raise click.exceptions.Exit(CLEAN if subject.plan is not None else FINDINGS)
    printers: Mapping[str, Callable[[steps.Derivation], str]] = {
        "text": steps.as_text,
        "markdown": steps.as_markdown,
        "latex": steps.as_latex,
    }
    out("\n".join(map(printers[style], derived)))
    if subject.plan is None:
        fail(subject.findings, subject.sources)


def _known(layer: str, subject: Subject, layers: Mapping[str, object]) -> str:
    if layer not in layers:
        close = nearest(layer, layers)
        hint = f"did you mean `{close}`?" if close else f"layers are {', '.join(layers)}"
        raise click.UsageError(f"{subject.file} has no layer `{layer}`; {hint}")
    return layer


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
    words = textwrap.fill(rule.text, min(width(), 100))
    parts = [f"{rule.code}: {rule.title}", words, f"for example\n\n{_indented(rule.example)}"]
    parts += [f"put right\n\n{_indented(rule.fixed)}"] if rule.fixed else []
    out("\n\n".join(parts) + "\n")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.rstrip().splitlines())
