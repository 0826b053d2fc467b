"""`shapeplan predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runtime.cli.options import json_option, print_result
from runtime.cli.reporting import reported

EXAMPLES = "\b\nExamples:\n  shapeplan predict runs/lenet5/weights.safetensors seven.png --top 3"


@click.command(epilog=EXAMPLES)
@click.argument("weights", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("images", type=click.Path(dir_okay=False, path_type=Path), nargs=-1, required=True)
@click.option("--top", type=click.IntRange(1), default=1, show_default=True, help="Classes to show for each image.")
@json_option
def predict(weights: Path, images: tuple[Path, ...], top: int, as_json: bool) -> None:
    """Classify IMAGES with the network in WEIGHTS: pictures, or .npy, .npz and IDX files with many images.

    Outputs of a network trained with cross-entropy are shown as probabilities, others unchanged.
    """
    with reported():
        from runtime import data
        from runtime.cli.binding import only_input
        from runtime.images import fitted
        from runtime.model import Model
        from runtime.training.train import predict as compute

        model = Model.load(weights)
        name, shape = only_input(model.bound)
        found: list[dict[str, Any]] = []
        for path in images:
            outputs = compute(model, fitted(data.read_images(path), shape[1:], name=name))
            found += _predictions(model, str(path), outputs, top)
        print_result(found if as_json else "\n".join(map(_prediction, found)), as_json)


def _predictions(model: Any, path: str, outputs: Any, top: int) -> list[dict[str, Any]]:
    """Return the best classes for each image of a file; if there are several outputs, for each of them."""
    several = isinstance(outputs, dict)
    by_name = outputs if several else {next(iter(model.bound.outputs)): outputs}
    found: list[dict[str, Any]] = []
    for name, values in by_name.items():
        for row, scores in enumerate(_probabilities(values, model.bound.train.loss_of(name))):
            classes = (-scores).argsort(kind="stable")[:top]
            best = [{"class": int(c), "score": float(scores[c])} for c in classes]
            found.append({"file": path, "image": row, **({"output": name} if several else {}), "predictions": best})
    return sorted(found, key=lambda row: int(row["image"]))


def _probabilities(outputs: Any, loss: str) -> Any:
    import numpy as np

    flat = outputs.reshape(len(outputs), -1).astype(np.float64)
    if loss != "cross_entropy":
        return flat
    powers = np.exp(flat - flat.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _prediction(row: dict[str, Any]) -> str:
    best = "  ".join(f"{item['class']} ({item['score']:.4f})" for item in row["predictions"])
    output = f" {row['output']}" if "output" in row else ""
    return f"{row['file']}[{row['image']}]{output}  {best}"
