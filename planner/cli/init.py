"""`shapeplan init`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from planner.cli.console import message, out
from planner.findings import nearest


def names() -> list[str]:
    """Return the networks that come with the package.

    Examples
    --------
    >>> names()
    ['lenet5']
    """
    found = [item.name for item in (files("planner") / "zoo").iterdir()]
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml"))


@click.command("init")
@click.argument("name", default="lenet5")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file, which must not exist.")
def command(name: str, output: str | None) -> None:
    """Print the spec of a known network, to begin with.

    NAME is lenet5 unless told.
    """
    if name not in names():
        close = nearest(name, names())
        hint = f"did you mean `{close}`?" if close else f"known are {', '.join(names())}"
        raise click.UsageError(f"there is no `{name}`; {hint}")
    text = (files("planner") / "zoo" / f"{name}.yaml").read_text("utf-8")
    if output is None:
        out(text)
        return
    try:
        with Path(output).open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written: {error.strerror}") from None
    message(f"wrote {output}; next:  shapeplan check {output}\n")
