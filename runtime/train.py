"""Training, evaluating and predicting with a model, on data that the user gives as N, C, H, W.

Data and settings are checked here, all of them before the first step; the steps are :mod:`runtime.run`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner import optimizers, training
from planner.findings import Finding, SettingError, nearest
from planner.training import TrainSettings, loss_finding
from runtime import losses, weights
from runtime.feeding import Batches, Inputs, Targets
from runtime.history import History
from runtime.images import Feed
from runtime.progress import Silent, chosen
from runtime.run import Run, Trainable, TrainingError, read_settings

Array = NDArray[Any]


def fit(
    model: Trainable,
    images: Inputs,
    labels: Targets,
    *,
    epochs: int | None = None,
    batch: int | None = None,
    validation: tuple[Inputs, Targets] | None = None,
    optimizer: optimizers.Optimizer | Mapping[str, Any] | str | None = None,
    lr: float | None = None,
    loss: str | None = None,
    progress: Silent | bool | None = None,
    seed: int | None = None,
    save: str | os.PathLike[str] | None = None,
    resume: str | os.PathLike[str] | None = None,
) -> History:
    """Return the history of training a model on images and labels.

    What is not given comes from the network's ``train:`` settings, and the batch from the bound plan.
    Ctrl-C ends the run after the step at hand; a second one at once.

    Parameters
    ----------
    images : array (N, C, H, W), Images, or a mapping of them by input name
    labels : array, or a mapping of them by output name
        See :func:`runtime.losses.checked`. Outputs without labels take no part.
    validation : pair of images and labels, optional
        Evaluated after every epoch.
    optimizer : str, Mapping, or planner.optimizers.Optimizer, optional
        ``"adam"``, ``{"sgd": {"lr": 0.1}}``, as in a spec.
    progress : bool, optional
        False shows nothing; by itself a bar on a terminal, a line an epoch elsewhere.
    seed : int, optional
        Starts the model's random numbers (shuffling, dropout) anew.
    save : path, optional
        A checkpoint is written there after every epoch and on Ctrl-C.
    resume : path, optional
        A checkpoint to go on from, with its settings unless others are given.

    Raises
    ------
    TrainingError
        R501: cross-entropy on softmax; R506: the loss is no longer finite; R507: the checkpoint does not
        fit; R510: there is nothing to train.
    planner.PlannerError
        R502, R503: images or labels do not fit the network; N107: a setting is out of range.
    """
    saved = None if resume is None else weights.read(resume)
    stored = None if saved is None else saved.training
    if saved is not None and stored is None:
        fixes = ("name a checkpoint, or load the weights with runtime.Model.load",)
        raise TrainingError.of("R507", f"`{resume}` holds weights only, no run to go on with", fixes=fixes)
    base = replace(model.bound.train, batch=model.bound.batch) if stored is None else read_settings(stored["settings"])
    settings = _settings(base, epochs, batch, optimizer, lr, loss)
    data = _labelled(model, images, labels, settings.loss)
    held_out = validation
    if held_out is not None:
        _labelled(model, *held_out, settings.loss)
    if seed is not None:
        model.rng.bit_generator.state = np.random.default_rng(seed).bit_generator.state

    def validate() -> dict[str, float]:
        return {} if held_out is None else evaluate(model, *held_out, loss=settings.loss)

    run = Run(model, data, settings, validate, chosen(progress), save)
    if saved is not None and resume is not None:
        run.resume(saved, resume)
    return run.go()


def evaluate(model: Trainable, images: Inputs, labels: Targets, *, loss: str | None = None) -> dict[str, float]:
    """Return ``loss`` and, where the labels are classes, ``accuracy`` over a data set, in inference mode.

    Raises
    ------
    planner.PlannerError
        R501, R502, R503: the data does not fit the network or the loss.
    """
    name = loss or model.bound.train.loss
    data = _labelled(model, images, labels, name)
    total, correct, judged = 0.0, 0, 0
    for rows in data.chunks():
        outputs = _infer(model, data, rows)
        for output, targets in data.labelled.items():
            values = np.ascontiguousarray(np.moveaxis(outputs[output], 0, -1))
            judge = losses.bind(name, targets, values)
            Feed(targets, judge.targets)(rows)
            score = judge.step()
            total += score.loss * len(rows)
            correct, judged = correct + score.correct, judged + score.judged
    scores = {"loss": total / len(data)}
    return scores | {"accuracy": correct / judged} if judged else scores


def predict(model: Trainable, images: Inputs) -> Array | dict[str, Array]:
    """Return the outputs for any number of images, batch first; a dict by name for several outputs.

    Raises
    ------
    planner.PlannerError
        R502: the images do not fit the network.
    """
    data = Batches(model.bound, images)
    found: dict[str, Array] = {
        name: np.empty((len(data), *shape[1:]), model.bound.dtype) for name, shape in model.bound.output_shapes.items()
    }
    for rows in data.chunks():
        for name, values in _infer(model, data, rows).items():
            found[name][rows] = values
    return next(iter(found.values())) if len(found) == 1 else found


def _infer(model: Trainable, data: Batches, rows: Array) -> dict[str, Array]:
    given = {name: np.asarray(source[rows], model.bound.dtype) for name, source in data.images.items()}
    outputs = model(given if len(given) > 1 else next(iter(given.values())))
    return outputs if isinstance(outputs, dict) else {next(iter(model.bound.outputs)): outputs}


def _settings(
    base: TrainSettings,
    epochs: int | None,
    batch: int | None,
    optimizer: optimizers.Optimizer | Mapping[str, Any] | str | None,
    lr: float | None,
    loss: str | None,
) -> TrainSettings:
    wanted: dict[str, Any] = {"epochs": epochs, "batch": batch, "loss": loss}
    try:
        if optimizer is not None:
            chosen = optimizer if isinstance(optimizer, optimizers.Optimizer) else optimizers.read_optimizer(optimizer)
            base = replace(base, optimizer=chosen)
        if lr is not None:
            base = base.with_lr(lr)
        return replace(base, **{name: value for name, value in wanted.items() if value is not None})
    except SettingError as error:
        fixes = (error.fix,) if error.fix else ()
        raise TrainingError([Finding(error.code, error.problem, fixes=fixes)]) from None


def _labelled(model: Trainable, images: Inputs, labels: Targets, loss: str) -> Batches:
    """Return the data checked against the network and the loss."""
    if loss not in training.LOSSES:
        close = nearest(loss, training.LOSSES)
        fixes = (f"did you mean `{close}`?",) if close else ()
        raise TrainingError.of("N107", f"`loss` is one of {', '.join(training.LOSSES)}; got {loss!r}", fixes=fixes)
    data = Batches(model.bound, images, labels, loss)
    data.needs_images()
    ends = [model.bound.by_name[model.bound.outputs[name]] for name in data.labelled]
    squashed = [found for node in ends if (found := loss_finding(loss, node.kind, node.name)) is not None]
    if squashed:
        raise TrainingError(squashed)
    return data
