"""`shapeplan evaluate`."""

from __future__ import annotations

from pathlib import Path

import click

from runtime.cli.options import data_option, json_option, print_result, say, score_text
from runtime.cli.reporting import reported

EXAMPLES = "\b\nExamples:\n  shapeplan evaluate runs/lenet5/weights.safetensors --data mnist"


@click.command(epilog=EXAMPLES)
@click.argument("weights", type=click.Path(dir_okay=False, path_type=Path))
@data_option
@click.option("--loss", metavar="NAME", help="cross_entropy or mse; default: from the spec.")
@json_option
def evaluate(weights: Path, source: str, loss: str | None, as_json: bool) -> None:
    """Evaluate the network in WEIGHTS on the held-out images of a data set."""
    with reported():
        from runtime import data
        from runtime.cli.binding import for_each_output, only_input
        from runtime.images import fitted
        from runtime.model import Model
        from runtime.training.train import evaluate as measure

        model = Model.load(weights)
        found = data.load(source)
        name, shape = only_input(model.bound)
        images = fitted(found.test_images, shape[1:], say, name)
        scores = measure(model, images, for_each_output(model.bound, found.test_labels), loss=loss)
        result = {"network": model.bound.name, "data": found.name, "images": len(images), **scores}
        lines = [f"{model.bound.name} on {len(images):,} held-out images of {found.name}"]
        lines += [f"  {key} {score_text(key, value)}" for key, value in scores.items()]
        print_result(result if as_json else "\n".join(lines), as_json)
