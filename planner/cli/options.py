"""Options that several commands share. Imports nothing that reads specs, so that `--help` does not import sympy."""

from __future__ import annotations

import re

import click

_SIZE = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(-?[0-9]{1,18})\s*\Z", re.ASCII)


def read_sizes(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    """Return the sizes of all ``--at`` options by name; any form but ``N=1,H=224`` is a usage error."""
    found: dict[str, int] = {}
    for part in (part for value in values for part in value.split(",")):
        match = _SIZE.match(part)
        if match is None:
            raise click.BadParameter(f"{part!r} is not name=number; write  --at N=1,H=224", ctx, param)
        if match[1] in found:
            raise click.BadParameter(f"{match[1]} is given twice", ctx, param)
        found[match[1]] = int(match[2])
    return found


at_option = click.option(
    "--at", "sizes", multiple=True, callback=read_sizes, metavar="N=1,H=224", help="Set free sizes."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
