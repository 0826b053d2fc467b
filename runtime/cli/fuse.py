"""`shapeplan fuse`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.wording import number
from runtime.cli.options import say
from runtime.cli.reporting import reported

if TYPE_CHECKING:
    from planner.plan.plan import Plan


EXAMPLES = """\b
Examples:
  shapeplan fuse net.yaml -o fused.yaml
  shapeplan fuse weights.safetensors -o fused.safetensors"""


@click.command(epilog=EXAMPLES)
@click.argument("source", metavar="SPEC|WEIGHTS")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
              help="File to write to; must not exist.")  # fmt: skip
def fuse(source: str, output: Path | None) -> None:
    """Prepare the network in SPEC or WEIGHTS for inference: fold batch norm into the preceding layers.

    Dropout is removed too. A spec gives a spec; weights (.safetensors) give weights that compute the same outputs in
    less time.
    """
    if output is not None and output.exists():
        raise click.UsageError(f"{output} cannot be written: it exists")
    with reported(source):
        from planner.cli.console import out
        from planner.network.fusion import fuse as make_fused
        from planner.spec import load as load_spec
        from planner.spec import write
        from runtime.files import write_whole
        from runtime.model import Model

        if Path(source).suffix == ".safetensors":
            if output is None:
                raise click.UsageError("weights are written to a file: add  -o fused.safetensors")
            model = Model.load(source)
            plan, fused, then = model.bound.plan, model.fused(), f"predict {output} IMAGE"
            removed = _removed(plan, fused.bound.plan)
            fused.save(output)
        else:
            plan, then = load_spec(source).check(), f"check {output}"
            network = make_fused(plan.network)
            removed, text = _removed(plan, network.check()), write(network)
            if output is None:
                out(text)
            else:
                write_whole(output, text.encode())
        say(removed if output is None else f"wrote {output}, {removed}; next:  shapeplan {then}")


def _removed(plan: Plan, fused: Plan) -> str:
    """Describe which layers and parameters fusing removed."""
    kinds, left = (Counter(node.layer.kind for node in each.nodes) for each in (plan, fused))
    removed = ", ".join(f"{count} {kind}" for kind, count in (kinds - left).items())
    return (
        f"removed {removed}; {number(fused.parameter_count)} of {number(plan.parameter_count)} parameters left"
        if removed
        else "nothing to fuse"
    )
