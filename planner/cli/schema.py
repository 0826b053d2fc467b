"""`shapeplan schema`."""

from __future__ import annotations

import click

from planner.cli.console import as_json, out


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of specs, for completion and help on every key in editors."""
    from planner.spec.schema import schema

    out(as_json(schema()))
