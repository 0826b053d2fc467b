"""`shapeplan init`."""

from __future__ import annotations

from pathlib import Path

import click

from planner import zoo
from planner.cli.console import message, out
from planner.findings import nearest


@click.command("init")
@click.argument("name", default="lenet5")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file, which must not exist.")
def command(name: str, output: str | None) -> None:
    """Print the spec of a known network, to begin with.

    NAME is lenet5 unless told.
    """
    if name not in zoo.names():
        close = nearest(name, zoo.names())
        hint = f"did you mean `{close}`?" if close else f"known are {', '.join(zoo.names())}"
        raise click.UsageError(f"there is no `{name}`; {hint}")
    text = zoo.text(name)
    if output is None:
        out(text)
        return
    try:
        with Path(output).open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written: {error.strerror}") from None
    message(f"wrote {output}; next:  shapeplan check {output}\n")
