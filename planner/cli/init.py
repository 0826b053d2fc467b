"""`shapeplan init`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from planner.cli.console import fail, message, out
from planner.findings import SpecError
from planner.spec.documents import member_text
from planner.spec.tree import plain_value
from planner.zoo.catalogue import member

_SETTING = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*([^\s=]{1,100})\s*\Z", re.ASCII)
_LIST = re.compile(r"[0-9]{1,6}(-[0-9]{1,6})+\Z")

EXAMPLES = (
    "\b\nExamples:\n  shapeplan init resnet50 > my.yaml\n"
    "  shapeplan init vgg11 --set classes=10,width=0.5 -o small.yaml"
)


def read_settings(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """Return the settings of all ``--set`` options by name; ``3-4-6-3`` is a list."""
    found: dict[str, Any] = {}
    for part in (part for value in values for part in value.split(",")):
        match = _SETTING.match(part)
        if match is None:
            raise click.BadParameter(f"{part!r} is not name=value; write  --set classes=10", ctx, param)
        name, text = match[1], match[2]
        if name in found:
            raise click.BadParameter(f"{name} is given twice", ctx, param)
        try:
            found[name] = tuple(map(int, text.split("-"))) if _LIST.match(text) else plain_value(text)
        except OverflowError:
            raise click.BadParameter(f"{name}: {text[:20]}... is too long a number", ctx, param) from None
    return found


@click.command("init", epilog=EXAMPLES)
@click.argument("name", default="lenet5")
@click.option(
    "--set",
    "settings",
    multiple=True,
    callback=read_settings,
    metavar="NAME=VALUE",
    help="Change a setting of the network.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), help="Write to this new file instead of standard output."
)
def command(name: str, settings: dict[str, Any], output: str | None) -> None:
    """Print the spec of a known network to start from.

    NAME defaults to lenet5. `shapeplan zoo` lists all networks, `shapeplan zoo NAME` the settings of one.
    """
    try:
        text = member_text(member(name), **settings)
    except SpecError as error:
        fail(error.findings, {})
    if output is None:
        out(text)
        return
    try:
        with Path(output).open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written: {error.strerror}") from None
    message(f"wrote {output}; next:  shapeplan check {output}\n")
