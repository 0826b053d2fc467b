"""The commands that compute: `train`, `evaluate`, `predict`, `fuse` and `demo`.

Results go to stdout, progress and findings to stderr. Exit status 0, 1 for findings, 2 for misuse, 130 after
Ctrl-C.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from planner.findings import PlannerError, SizeError
from planner.wording import number
from runtime.cli.reporting import SMALLER_BATCH, reported

if TYPE_CHECKING:
    from planner.plan.bound import BoundPlan
    from planner.plan.plan import Plan
    from runtime.data import Dataset
    from runtime.training.history import History

CHECKPOINT, WEIGHTS = "checkpoint.safetensors", "weights.safetensors"
INTERRUPTED = 130
MISSING_CURVES = "matplotlib is not installed; it comes with  pip install 'shapeplan[train]'"

data_option = click.option(
    "--data", "source", default="digits", show_default=True, metavar="NAME|PATH",
    help="digits, mnist, fashion_mnist, a folder of IDX files, or an .npz file.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
quiet_option = click.option("--quiet", is_flag=True, help="Show no progress.")


@click.command()
@click.argument("spec", type=click.Path(dir_okay=False, allow_dash=True))
@data_option
@click.option("--epochs", type=click.IntRange(1), help="Passes over the data; the spec's unless told.")
@click.option("--batch", type=click.IntRange(1), help="Images a step; the spec's unless told.")
@click.option("--lr", type=float, help="Learning rate; the spec's unless told.")
@click.option("--optimizer", metavar="NAME", help="sgd, adam or adamw with its default numbers.")
@click.option("--schedule", metavar="NAME", help="constant or cosine: the learning rate over the run.")
@click.option("--warmup", type=float, metavar="EPOCHS", help="Epochs over which the learning rate first rises.")
@click.option("--loss", metavar="NAME", help="cross_entropy or mse.")
@click.option("--seed", type=click.IntRange(0), help="Same seed, same weights; 0 unless told.")
@click.option("--at", "sizes", multiple=True, metavar="NAME=N", help="A free size that the data does not settle.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Folder for what the run leaves.")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on from a checkpoint, or the folder of one.")
@click.option("--allow-changes", is_flag=True, help="With --resume: other settings or data than it began with.")
@json_option
@quiet_option
def train(
    spec: str,
    source: str,
    epochs: int | None,
    batch: int | None,
    lr: float | None,
    optimizer: str | None,
    schedule: str | None,
    warmup: float | None,
    loss: str | None,
    seed: int | None,
    sizes: tuple[str, ...],
    output: Path | None,
    resume: Path | None,
    allow_changes: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train the network of SPEC, and keep its weights, curves and history.

    The held-out images are measured after every epoch. Ctrl-C stops after the step and saves; --resume
    goes on with bit for bit the result of a run that was never stopped.
    """
    if allow_changes and resume is None:
        raise click.UsageError("--allow-changes goes with --resume")
    with reported(spec):
        from planner.spec import load as load_spec
        from runtime import data
        from runtime.images import fitted
        from runtime.model import Model
        from runtime.training.checkpoint import Checkpoint
        from runtime.training.progress import Sentences
        from runtime.training.train import evaluate as measure
        from runtime.training.train import fit
        from runtime.weights import read

        plan = load_spec(spec).check()
        given = _sizes(sizes)
        found = data.load(source)
        checkpoint = None if resume is None else resume / CHECKPOINT if resume.is_dir() else resume
        settings = plan.train
        if checkpoint is not None:
            saved = read(checkpoint)
            settings = Checkpoint.read(saved, checkpoint).base(saved.spec, plan.train)
        pictures = found.train_images.of_axes(len(_only_input(plan)[1]))
        bound = bound_for(plan, pictures.shape, batch or settings.batch, given)
        name, shape = next(iter(bound.input_shapes.items()))
        learn = fitted(found.train_images, shape[1:], None if quiet else _say, name)
        judge = fitted(found.test_images, shape[1:], name=name)
        folder = output or (checkpoint.parent if checkpoint else _new_folder(plan.name))
        model, held = Model(bound, seed=seed or 0), _for_each(bound, found.test_labels)
        if not draws():
            _say(f"no curves will be drawn: {MISSING_CURVES}")
        history = fit(
            model, learn, _for_each(bound, found.train_labels), validation=(judge, held), epochs=epochs, batch=batch,
            optimizer=optimizer, lr=lr, loss=loss, schedule=schedule, warmup=warmup,
            progress=Sentences() if quiet else None, seed=seed if checkpoint else None,
            save=folder / CHECKPOINT, resume=checkpoint, allow_changes=allow_changes,
        )  # fmt: skip
        files = leave(model, history, folder, f"{plan.name} on {found.name}")
        last = dict(history.last)
        if history.interrupted:
            # The last epoch's row is older than the weights that were saved.
            scores = measure(model, judge, held, loss=loss or settings.loss, loss_weights=settings.loss_weights)
            last = {f"val_{name}": value for name, value in scores.items()}
        result = {"network": plan.name, "data": found.name, **last, **history.to_dict(), "files": files}
        _print(result if as_json else _summary(plan.name, found, history, last, files), as_json)
    if history.interrupted:
        sys.exit(INTERRUPTED)


@click.command()
@click.argument("weights", type=click.Path(dir_okay=False, path_type=Path))
@data_option
@click.option("--loss", metavar="NAME", help="cross_entropy or mse; the spec's unless told.")
@json_option
def evaluate(weights: Path, source: str, loss: str | None, as_json: bool) -> None:
    """Measure the network in WEIGHTS on the held-out images of a data set."""
    with reported():
        from runtime import data
        from runtime.images import fitted
        from runtime.model import Model
        from runtime.training.train import evaluate as judge

        model = Model.load(weights)
        found = data.load(source)
        name, shape = _only_input(model.bound)
        images = fitted(found.test_images, shape[1:], _say, name)
        scores = judge(model, images, _for_each(model.bound, found.test_labels), loss=loss)
        result = {"network": model.bound.name, "data": found.name, "images": len(images), **scores}
        lines = [f"{model.bound.name} on {len(images):,} held-out images of {found.name}"]
        lines += [f"  {key} {_number(key, value)}" for key, value in scores.items()]
        _print(result if as_json else "\n".join(lines), as_json)


@click.command()
@click.argument("weights", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("images", type=click.Path(dir_okay=False, path_type=Path), nargs=-1, required=True)
@click.option("--top", type=click.IntRange(1), default=1, show_default=True, help="Classes to show for an image.")
@json_option
def predict(weights: Path, images: tuple[Path, ...], top: int, as_json: bool) -> None:
    """Say what the network in WEIGHTS sees in IMAGES: pictures, or .npy, .npz and IDX files of many.

    Outputs of a network trained with cross-entropy are shown as probabilities, others as they are.
    """
    with reported():
        from runtime import data
        from runtime.images import fitted
        from runtime.model import Model
        from runtime.training.train import predict as answer

        model = Model.load(weights)
        name, shape = _only_input(model.bound)
        found: list[dict[str, Any]] = []
        for path in images:
            outputs = answer(model, fitted(data.read_images(path), shape[1:], name=name))
            found += _predictions(model, str(path), outputs, top)
        _print(found if as_json else "\n".join(map(_prediction, found)), as_json)


@click.command()
@click.argument("source", metavar="SPEC|WEIGHTS")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
              help="Write to this file, which must not exist.")  # fmt: skip
def fuse(source: str, output: Path | None) -> None:
    """Make the network of SPEC, or of WEIGHTS, one for inference: batch norm within the layers before it.

    Dropout goes too. Of a spec comes a spec; of weights (.safetensors), weights that compute the same in less time.
    """
    if output is not None and output.exists():
        raise click.UsageError(f"{output} cannot be written: it exists")
    with reported(source):
        from planner.cli.console import out
        from planner.spec import load as load_spec
        from planner.spec import write
        from runtime.files import write_whole
        from runtime.model import Model

        if Path(source).suffix == ".safetensors":
            if output is None:
                raise click.UsageError("weights go to a file: add  -o fused.safetensors")
            model = Model.load(source)
            plan, fused, then = model.bound.plan, model.fused(), f"predict {output} IMAGE"
            less = _less(plan, fused.bound.plan)
            fused.save(output)
        else:
            plan, then = load_spec(source).check(), f"check {output}"
            network = plan.network.fused()
            less, text = _less(plan, network.check()), write(network)
            if output is None:
                out(text)
            else:
                write_whole(output, text.encode())
        _say(less if output is None else f"wrote {output}, {less}; next:  shapeplan {then}")


def _less(plan: Plan, fused: Plan) -> str:
    """Return in words what a fused plan has less."""
    kinds, left = (Counter(node.layer.kind for node in each.nodes) for each in (plan, fused))
    gone = ", ".join(f"{count} {kind}" for kind, count in (kinds - left).items())
    return (
        f"without {gone}; {number(fused.parameters)} parameters of {number(plan.parameters)}"
        if gone
        else "nothing to fuse"
    )


@click.command()
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), default=Path("shapeplan-demo"),
              show_default=True, help="Folder for what the tour leaves.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed, same weights.")
def demo(output: Path, seed: int) -> None:
    """The tour: check, break, draw and train LeNet-5 on handwritten digits, in under a minute."""
    with reported():
        from runtime.cli.demo import tour

        tour(output, seed)


def draws() -> bool:
    """Return whether curves can be drawn here."""
    return find_spec("matplotlib") is not None


def listed(files: Mapping[str, str]) -> list[str]:
    """Return one line for each file, or pair of files, under the name of what is in it.

    Examples
    --------
    >>> listed({"weights": "a/w.safetensors", "history_json": "a/history.json", "history_csv": "a/history.csv"})
    ['  weights  a/w.safetensors', '  history  a/history.json, history.csv']
    """
    by_name: dict[str, str] = {}
    for key, path in files.items():
        name = key.partition("_")[0]
        by_name[name] = f"{by_name[name]}, {Path(path).name}" if name in by_name else path
    width = max(map(len, by_name))
    return [f"  {name:<{width}}  {path}" for name, path in by_name.items()]


def leave(model: Any, history: Any, folder: Path, title: str) -> dict[str, str]:
    """Return the files a run leaves in a folder, by what they are: weights, curves, history."""
    from runtime import weights
    from runtime.files import write_whole
    from runtime.training import curves

    files = {"weights": str(weights.save(model, folder / WEIGHTS))}
    if (folder / CHECKPOINT).exists():
        files["checkpoint"] = str(folder / CHECKPOINT)
    if history.rows:
        if draws():
            files["curves"] = str(curves.draw(history, folder / "curves.svg", title))
        for kind, text in (("json", history.to_json()), ("csv", history.to_csv())):
            write_whole(folder / f"history.{kind}", text.encode())
            files[f"history_{kind}"] = str(folder / f"history.{kind}")
    return files


def bound_for(plan: Plan, images: tuple[int, ...], batch: int, given: dict[str, int]) -> BoundPlan:
    """Return the plan bound to the shape of a data set: names in its input take the sizes of the images.

    Raises
    ------
    PlannerError
        R502: the network has several inputs; SizeError: a size is not accepted, or still missing.
    """
    _, shape = _only_input(plan)
    values: dict[str, Any] = dict(given)  # bind has one keyword of another type, dtype
    # what cannot be fed at all is told where images are fitted; the batch is one whatever they are
    for size, value in zip(shape, (batch, *images[1:]) if len(shape) == len(images) else (batch,), strict=False):
        if str(size) in plan.free:
            values.setdefault(str(size), value)
    try:
        return plan.bind(**values)
    except SizeError as error:
        first = str(shape[0])
        if values.get(first, 1) == 1 or not _runs(plan, {**values, first: 1}):
            raise
        # Sizes that no machine holds (S214) are the batch's doing here, and the planner cannot know that.
        smaller = (SMALLER_BATCH,)
        found = [replace(each, fixes=smaller) if each.code == "S214" else each for each in error.findings]
        raise SizeError(found) from None


def _runs(plan: Plan, values: dict[str, Any]) -> bool:
    try:
        plan.bind(**values)
    except SizeError:
        return False
    return True


def _sizes(given: tuple[str, ...]) -> dict[str, int]:
    sizes = {}
    for item in ",".join(given).split(",") if given else ():
        name, _, value = item.partition("=")
        if not name.strip() or not value.strip().isascii() or not value.strip().isdigit():
            raise click.BadParameter(f"{item!r} is not NAME=NUMBER", param_hint="--at")
        sizes[name.strip()] = int(value)
    return sizes


def _only_input(plan: Plan | BoundPlan) -> tuple[str, tuple[Any, ...]]:
    shapes = plan.input_shapes
    if len(shapes) != 1:
        raise PlannerError.of(
            "R502", f"`{plan.name}` has {len(shapes)} inputs, and a data set holds one",
            fixes=("use model.fit and model.predict from Python, with a dict of arrays",),
        )  # fmt: skip
    return next(iter(shapes.items()))


def _new_folder(name: str) -> Path:
    plain = "".join(char if char.isalnum() or char in "-_." else "-" for char in name).strip(".") or "network"
    folder, number = Path("runs") / plain, 1
    while folder.exists():
        number += 1
        folder = Path("runs") / f"{plain}-{number}"
    return folder


def _for_each(bound: BoundPlan, labels: Any) -> Any:
    """Return the labels of a data set for every output: each learns the same, as auxiliary heads do."""
    return labels if len(bound.outputs) == 1 else dict.fromkeys(bound.outputs, labels)


def _predictions(model: Any, path: str, outputs: Any, top: int) -> list[dict[str, Any]]:
    """Return what each image of a file is taken for, by each output where there are several."""
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


def _summary(name: str, found: Dataset, history: History, last: Mapping[str, float], files: Mapping[str, str]) -> str:
    counts = f"{len(found.train_images):,} images to learn from, {len(found.test_images):,} held out"
    lines = [f"{name} on {found.name}: {counts}"]
    if "val_loss" in last:
        scores = f"loss {last['val_loss']:.4f}"
        if "val_accuracy" in last:
            scores = f"accuracy {last['val_accuracy']:.2%}, {scores}"
        lines.append(f"held-out {scores}" + (", with the weights saved when it stopped" * history.interrupted))
    return "\n".join([*lines, *listed(files)])


def _say(text: str) -> None:
    click.echo(text, err=True)


def _number(key: str, value: float) -> str:
    return f"{value:.2%}" if key.partition(".")[0] == "accuracy" else f"{value:.4f}"


def _print(result: Any, as_json: bool) -> None:
    click.echo(json.dumps(result, indent=2) if as_json else result)
