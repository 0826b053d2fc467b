"""The tour of ``shapeplan demo``: a network is checked, broken, drawn, trained and evaluated.

The spec is included here as text, so that the tour also works without the examples in the repository.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from pathlib import Path

import click

from planner.findings import PlannerError
from planner.network.network import Network

LENET = """\
# LeNet-5 (LeCun et al. 1998) in its usual modern form.
spec: 1
name: lenet5
input: {image: [N, 1, 32, 32]}          # N, C, H, W; any of them may be a name
layers:
  - conv:    {name: c1, filters: 6, kernel: 5, act: tanh}
  - avgpool: {name: s2, size: 2}
  - conv:    {name: c3, filters: 16, kernel: 5, act: tanh}
  - avgpool: {name: s4, size: 2}
  - conv:    {name: c5, filters: 120, kernel: 5, act: tanh}
  - flatten
  - dense:   {name: f6, units: 84, act: tanh}
  - dense:   {name: out, units: 10}
output: {out: [N, 10]}                  # checked
train:
  loss: cross_entropy
  optimizer: {sgd: {lr: 0.05, momentum: 0.9}}
  schedule: cosine
  epochs: 8
  batch: 16
"""
"""The network of the tour; the 8x8 digits are enlarged by a factor of four to fit it."""

ARROW = re.compile(r" (?=-\w)")
ORDER = ("curves", "weights", "checkpoint", "history_json", "history_csv")
SPEC, BROKEN, DIAGRAM = "lenet5.yaml", "lenet5_28.yaml", "lenet5.svg"


def tour(folder: Path, seed: int = 0) -> None:
    """Check, break, draw, train and evaluate LeNet-5, and write all files to a folder.

    Raises
    ------
    planner.PlannerError
        A file cannot be written.
    """
    from runtime.cli.artifacts import file_list
    from runtime.files import write_whole

    began = time.perf_counter()
    write_whole(folder / SPEC, LENET.encode())
    _title(1, f"Check it: every size as a formula, before anything runs  ({folder / SPEC})")
    network = _read(folder / SPEC)
    _check(network)
    _title(2, f"Break it: the same network with 28x28 images  ({folder / BROKEN})")
    _break(folder / BROKEN)
    _title(3, "Draw it")
    drawn = _draw(network, folder / DIAGRAM)
    _title(4, "Train it: on scikit-learn's handwritten digits, with a fifth held out")
    count, accuracy, files = _train(network, folder, seed)
    _title(5, f"Done in {time.perf_counter() - began:.0f} seconds")
    click.echo(f"Accuracy on {count} unseen digits: {accuracy:.2%}\n")
    written = {"spec": str(folder / SPEC)}
    if drawn:
        written["diagram"] = str(folder / DIAGRAM)
    written |= {name: files[name] for name in ORDER if name in files}
    click.echo("\n".join(file_list(written)))
    click.echo("\nNext, for example:")
    click.echo(f"  shapeplan explain {folder / SPEC} c3")
    click.echo(f"  shapeplan evaluate {files['weights']}")
    click.echo("  shapeplan init lenet5")


def _title(number: int, text: str) -> None:
    click.echo(("\n" if number > 1 else "") + click.style(f"{number}. {text}", bold=_colour()))


def _read(path: Path) -> Network:
    from planner.spec import load

    return load(path)


def _check(network: Network) -> None:
    from planner.plan.derivation import chain
    from planner.tables.table import show

    plan = network.check()
    width = min(shutil.get_terminal_size((100, 24)).columns, 110)
    click.echo(show(plan, width=width, colour=_colour()))
    free = network.with_input(image=("N", 1, "H", "W")).check()
    shapes = {node.name: node.output_shape for node in free.nodes}
    click.echo("With a free image size:")
    height = chain(free.network, shapes, "flatten1", 2)
    for name, text in (("height", height), ("accepted", free.domain.text())):
        click.echo(_folded(f"  {name:<8}  ", text, width))


def _folded(head: str, text: str, width: int) -> str:
    """Wrap a derivation at a width; continuation lines start with an arrow."""
    first, *steps = ARROW.split(text)
    lines = [head + first]
    for step in steps:
        if len(lines[-1]) + 1 + len(step) <= width:
            lines[-1] += f" {step}"
        else:
            lines.append(" " * len(head) + step)
    return "\n".join(lines)


def _break(path: Path) -> None:
    from planner.diagnostics.render import render
    from runtime.files import write_whole

    text = LENET.replace("[N, 1, 32, 32]", "[N, 1, 28, 28]")
    write_whole(path, text.encode())
    try:
        _read(path).check()
    except PlannerError as error:
        click.echo(render(error.findings, {str(path): text}, colour=_colour()), nl=False)


def _draw(network: Network, path: Path) -> bool:
    from planner.diagrams import DrawError, draw

    try:
        draw(network.check(), path)
        click.echo(f"{path}: open it in a browser")
        return True
    except DrawError as error:
        # The tour continues: training does not need the picture.
        for finding in error.findings:
            click.echo("\n  ".join((f"not drawn: {finding.message}", *finding.fixes)))
        return False


def _train(network: Network, folder: Path, seed: int) -> tuple[int, float, dict[str, str]]:
    from runtime import data
    from runtime.cli.artifacts import CHECKPOINT, write_artifacts
    from runtime.images import fitted
    from runtime.model import Model
    from runtime.training.train import fit

    digits = data.load("digits")
    plan = network.check()
    bound = plan.bind(N=plan.train.batch)
    (shape,) = bound.input_shapes.values()
    train, test = fitted(digits.train_images, shape[1:], click.echo), fitted(digits.test_images, shape[1:])
    model = Model(bound, seed=seed)
    held_out = (test, digits.test_labels)
    history = fit(model, train, digits.train_labels, validation=held_out, save=folder / CHECKPOINT)
    files = write_artifacts(model, history, folder, "LeNet-5 on handwritten digits")
    return len(test), model.evaluate(test, digits.test_labels)["accuracy"], files


def _colour() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()
