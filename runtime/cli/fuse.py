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
              help="Output file, which must not exist.")  # fmt: skip
def fuse(source: str, output: Path | None) -> None:
    """Fold batch norm into the preceding layers, for inference.

    Dropout is removed too. For a SPEC, print the spec of the fused network; for WEIGHTS (.safetensors), write the
    weights of the fused network, which computes the same outputs in less time.
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
                raise click.UsageError("weights need an output file: add  -o fused.safetensors")
            model = Model.load(source)
            plan, fused, then = model.bound.plan, model.fused(), f"predict {output} IMAGE"
            less = _less(plan, fused.bound.plan)
            fused.save(output)
        else:
            plan, then = load_spec(source).check(), f"check {output}"
            network = make_fused(plan.network)
            less, text = _less(plan, network.check()), write(network)
            if output is None:
                out(text)
            else:
                write_whole(output, text.encode())
        say(less if output is None else f"wrote {output}, {less}; next:  shapeplan {then}")


def _less(plan: Plan, fused: Plan) -> str:
    """Return in words what was removed from a plan."""
    kinds, left = (Counter(node.layer.kind for node in each.nodes) for each in (plan, fused))
    gone = ", ".join(f"{count} {kind}" for kind, count in (kinds - left).items())
    return (
        f"without {gone}; {number(fused.parameter_count)} parameters of {number(plan.parameter_count)}"
        if gone
        else "nothing to fuse"
    )
