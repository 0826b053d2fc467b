"""`shapeplan demo`."""

from __future__ import annotations

from pathlib import Path

import click

from runtime.cli.reporting import reported

EXAMPLES = "\b\nExamples:\n  shapeplan demo\n  shapeplan demo --output tour --seed 1"


@click.command(epilog=EXAMPLES)
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), default=Path("shapeplan-demo"),
              show_default=True, help="Folder for the output files.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
              help="Random seed; the same seed gives the same weights.")  # fmt: skip
def demo(output: Path, seed: int) -> None:
    """Take the tour: check, break, draw and train LeNet-5 on handwritten digits, in under a minute."""
    with reported():
        from runtime.cli.tour import tour

        tour(output, seed)
