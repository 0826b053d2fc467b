"""`shapeplan train`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from planner.cli.ending import INTERRUPTED
from runtime.cli.artifacts import CHECKPOINT, MISSING_CURVES, can_draw_curves, file_list, new_folder, write_artifacts
from runtime.cli.options import data_option, fit_options, json_option, print_result, say
from runtime.cli.reporting import reported

if TYPE_CHECKING:
    from runtime.data import Dataset
    from runtime.training.history import History

EXAMPLES = """\b
Examples:
  shapeplan train net.yaml --data mnist
  shapeplan train net.yaml --epochs 20 --lr 0.01 --output runs/slow
  shapeplan train net.yaml --resume runs/slow"""


@click.command(epilog=EXAMPLES)
@click.argument("spec", type=click.Path(dir_okay=False, allow_dash=True))
@data_option
@fit_options
@click.option("--seed", type=click.IntRange(0), help="Random seed; the same seed gives the same weights. Default: 0.")
@click.option("--at", "sizes", multiple=True, metavar="NAME=N", help="Free size that the data does not determine.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Folder for the output files.")
@click.option("--resume", type=click.Path(path_type=Path), help="Checkpoint to resume from, or its folder.")
@click.option("--allow-changes", is_flag=True, help="With --resume: allow changed settings or data.")
@json_option
@click.option("--quiet", is_flag=True, help="Show no progress.")
def train(
    spec: str,
    source: str,
    seed: int | None,
    sizes: tuple[str, ...],
    output: Path | None,
    resume: Path | None,
    allow_changes: bool,
    as_json: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Train the network in SPEC, and save its weights, curves and history.

    The network is evaluated on the held-out images after every epoch. Ctrl-C stops after the current step and saves
    a checkpoint; --resume continues, with bit for bit the result of an uninterrupted run.
    """
    if allow_changes and resume is None:
        raise click.UsageError("--allow-changes needs --resume")
    with reported(spec):
        from planner.spec import load as load_spec
        from runtime import data
        from runtime.cli.binding import bound_for, for_each_output, given_sizes, only_input
        from runtime.images import fitted
        from runtime.model import Model
        from runtime.training.checkpoint import Checkpoint
        from runtime.training.progress import Sentences
        from runtime.training.train import evaluate as measure
        from runtime.training.train import fit
        from runtime.weights import read

        plan = load_spec(spec).check()
        given = given_sizes(sizes)
        found = data.load(source)
        checkpoint = None if resume is None else resume / CHECKPOINT if resume.is_dir() else resume
        defaults = plan.train
        if checkpoint is not None:
            saved = read(checkpoint)
            defaults = Checkpoint.read(saved, checkpoint).base(saved.spec, plan.train)
        pictures = found.train_images.of_axes(len(only_input(plan)[1]))
        bound = bound_for(plan, pictures.shape, settings["batch"] or defaults.batch, given)
        name, shape = next(iter(bound.input_shapes.items()))
        train_images = fitted(found.train_images, shape[1:], None if quiet else say, name)
        test_images = fitted(found.test_images, shape[1:], name=name)
        folder = output or (checkpoint.parent if checkpoint else new_folder(plan.name))
        model, held = Model(bound, seed=seed or 0), for_each_output(bound, found.test_labels)
        if not can_draw_curves():
            say(f"curves will not be drawn: {MISSING_CURVES}")
        history = fit(
            model, train_images, for_each_output(bound, found.train_labels), validation=(test_images, held), **settings,
            progress=Sentences() if quiet else None, seed=seed if checkpoint else None,
            save=folder / CHECKPOINT, resume=checkpoint, allow_changes=allow_changes,
        )  # fmt: skip
        files = write_artifacts(model, history, folder, f"{plan.name} on {found.name}")
        last = dict(history.last)
        if history.interrupted:
            # The row of the last epoch is older than the saved weights.
            loss = settings["loss"] or defaults.loss
            scores = measure(model, test_images, held, loss=loss, loss_weights=defaults.loss_weights)
            last = {f"val_{name}": value for name, value in scores.items()}
        result = {"network": plan.name, "data": found.name, **last, **history.to_dict(), "files": files}
        print_result(result if as_json else _summary(plan.name, found, history, last, files), as_json)
    if history.interrupted:
        sys.exit(INTERRUPTED)


def _summary(name: str, found: Dataset, history: History, last: Mapping[str, float], files: Mapping[str, str]) -> str:
    counts = f"{len(found.train_images):,} training images, {len(found.test_images):,} held out"
    lines = [f"{name} on {found.name}: {counts}"]
    if "val_loss" in last:
        scores = f"loss {last['val_loss']:.4f}"
        if "val_accuracy" in last:
            scores = f"accuracy {last['val_accuracy']:.2%}, {scores}"
        lines.append(f"held-out {scores}" + (", with the weights saved at the interruption" * history.interrupted))
    return "\n".join([*lines, *file_list(files)])
