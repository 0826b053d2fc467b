"""Training, evaluating and predicting with a model on arrays in the order N, C, H, W.

All data and settings are checked here, before the first step; :mod:`runtime.training.loop` runs the steps.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.findings import Finding, PlannerError, SettingError
from planner.training import optimizers
from planner.training.augment import Augment
from planner.training.settings import TrainSettings, loss_finding
from runtime import weights
from runtime.allocation import empty_outputs
from runtime.images import Feed
from runtime.training import losses
from runtime.training.batches import Batches, Inputs, Targets
from runtime.training.checkpoint import Checkpoint
from runtime.training.history import History
from runtime.training.loop import Run, Trainable, TrainingError
from runtime.training.metrics import Metrics
from runtime.training.progress import Silent, chosen

Array = NDArray[Any]
Validation = tuple[Inputs, Targets] | float


def fit(
    model: Trainable,
    images: Inputs,
    labels: Targets,
    *,
    epochs: int | None = None,
    batch: int | None = None,
    validation: Validation | None = None,
    optimizer: optimizers.Optimizer | Mapping[str, Any] | str | None = None,
    lr: float | None = None,
    loss: str | Mapping[str, str] | None = None,
    loss_weights: Mapping[str, float] | None = None,
    schedule: str | None = None,
    warmup: float | None = None,
    augment: Augment | Mapping[str, Any] | None = None,
    progress: Silent | bool | None = None,
    seed: int | None = None,
    save: str | os.PathLike[str] | None = None,
    resume: str | os.PathLike[str] | None = None,
    allow_changes: bool = False,
) -> History:
    """Train the model on images and labels for a number of epochs.

    Arguments that are not given default to the network's ``train:`` settings; `batch` defaults to that of the bound
    plan. Ctrl-C ends the run after the current step; a second Ctrl-C ends it immediately.

    Parameters
    ----------
    images : array (N, C, H, W), Images, or a mapping of them by input name
        Training images.
    labels : array, or a mapping of them by output name
        Training labels, or numbers for ``"mse"``; see :func:`runtime.training.losses.checked`. Outputs without labels
        are not trained.
    epochs : int, optional
        Number of passes over the data.
    batch : int, optional
        Number of images per step, at most the batch of the bound plan.
    validation : pair of images and labels, or float between 0 and 1, optional
        Data to evaluate the model on after every epoch. A float is the share of the data to hold out; it is taken from
        the end of the data, before shuffling.
    optimizer : str, Mapping, or planner.training.optimizers.Optimizer, optional
        For example ``"adam"`` or ``{"sgd": {"lr": 0.1}}``, as in a spec.
    lr : float, optional
        Learning rate; replaces that of the optimizer.
    loss : str or Mapping, optional
        ``"cross_entropy"`` or ``"mse"``, for all outputs or by output name.
    loss_weights : Mapping of str to float, optional
        Weight of each output's loss in the sum that is minimized, for example ``{"aux": 0.3}``. Default: 1.
    schedule : str, optional
        ``"constant"`` or ``"cosine"``: the learning rate over the run.
    warmup : float, optional
        Number of epochs over which the learning rate rises at the start.
    augment : Mapping or planner.training.augment.Augment, optional
        Random moves of the training images, for example ``{"flip": "horizontal", "shift": 2}``; ``{}`` disables them.
    progress : bool, optional
        False shows no progress. Default: a bar on a terminal, otherwise one line per epoch.
    seed : int, optional
        Reseeds the model's random generator (shuffling, dropout).
    save : path, optional
        Path of a checkpoint, written after every epoch and on Ctrl-C. It is checked to be writable before the first
        step.
    resume : path, optional
        Checkpoint to resume from, with its settings. Give `epochs` to train longer.
    allow_changes : bool, default False
        Allow resuming with other settings, data or seed than those of the checkpoint.

    Returns
    -------
    History
        The metrics of each epoch, and whether Ctrl-C ended the run.

    Raises
    ------
    TrainingError
        R501: cross-entropy on softmax; R503: `validation` is neither a pair nor a share; R506: the loss is no
        longer finite; R510: there is nothing to train; R513: the seed is invalid; R514: batch normalisation
        would get only one number per channel.
    planner.PlannerError
        R502, R503: images or labels do not fit the network; R507: the checkpoint does not fit, or changes were not
        allowed; R508: the checkpoint cannot be read or written; R511: there is not enough memory;
        R515: the images cannot be moved; N107: a setting is out of range.

    Examples
    --------
    >>> from planner import Network, layer
    >>> from runtime import Model
    >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("dense", name="y", units=2)])
    >>> images = np.random.default_rng(0).standard_normal((50, 4))
    >>> history = fit(Model(net.check().bind(N=8)), images, (images[:, 0] > 0).astype(int),
    ...               epochs=5, validation=0.2, progress=False)
    >>> len(history), history.columns[:5]
    (5, ('epoch', 'loss', 'accuracy', 'val_loss', 'val_accuracy'))
    """
    saved = None if resume is None else weights.read(resume)
    if saved is None or resume is None:
        base = replace(model.bound.train, batch=model.bound.batch)
    else:
        base = Checkpoint.read(saved, resume).base(saved.spec, model.bound.train)
    settings = _settings(
        base, optimizer, lr, augment,
        epochs=epochs, batch=batch, loss=loss, loss_weights=loss_weights, schedule=schedule, warmup=warmup,
    )  # fmt: skip
    data = _labelled(model, images, labels, settings)
    held_out: Batches | None = None
    if validation is not None:
        data, held_out = _parted(model, data, validation, settings)
    seed = None if seed is None else _seed(seed)

    def validate() -> dict[str, float]:
        return {} if held_out is None else _measure(model, held_out, settings)

    run = Run(model, data, settings, validate, chosen(progress), save, seed)
    if saved is not None and resume is not None:
        run.resume(saved, resume, allow_changes)
    if save is not None:
        weights.refuse_unsavable(save)
    return run.go()


def evaluate(
    model: Trainable,
    images: Inputs,
    labels: Targets,
    *,
    loss: str | Mapping[str, str] | None = None,
    loss_weights: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Compute the loss and the accuracy on images and labels, in inference mode.

    Parameters
    ----------
    images : array (N, C, H, W), Images, or a mapping of them by input name
    labels : array, or a mapping of them by output name
        As for :meth:`runtime.Model.fit`. Outputs without labels are not evaluated.
    loss : str or Mapping, optional
        ``"cross_entropy"`` or ``"mse"``, for all outputs or by output name. Default: from the network.
    loss_weights : Mapping of str to float, optional
        Weight of each output's loss in the sum. Default: from the network, otherwise 1.

    Returns
    -------
    dict of str to float
        ``loss``, and ``accuracy`` if the labels are classes. With labels for several outputs, ``loss`` is the weighted
        sum of their losses, ``accuracy`` is that of the first output, and ``loss.NAME`` and ``accuracy.NAME`` are
        those of each output.

    Raises
    ------
    planner.PlannerError
        R501, R502, R503: the data does not fit the network or the loss; R510: there are no images.

    Examples
    --------
    >>> from planner import Network, layer
    >>> from runtime import Model
    >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("dense", name="y", units=2)])
    >>> sorted(Model(net.check().bind(N=8)).evaluate(np.ones((3, 4)), [0, 1, 1]))
    ['accuracy', 'loss']
    """
    settings = _settings(model.bound.train, None, None, None, loss=loss, loss_weights=loss_weights)
    return _measure(model, _labelled(model, images, labels, settings), settings)


def predict(model: Trainable, images: Inputs) -> Any:  # array or dict: a union would burden every caller
    """Compute the outputs for any number of images, in inference mode.

    Parameters
    ----------
    images : array (N, C, H, W), Images, or a mapping of them by input name

    Returns
    -------
    array, or dict of str to array
        Outputs, batch first; by name if the network has several.

    Raises
    ------
    planner.PlannerError
        R502: the images do not fit the network; R511: there is not enough memory.

    Examples
    --------
    >>> from planner import Network, layer
    >>> from runtime import Model
    >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("dense", name="y", units=2)])
    >>> Model(net.check().bind(N=8)).predict(np.ones((20, 4))).shape
    (20, 2)
    """
    data = Batches(model.bound, images)
    found = empty_outputs(model.bound, len(data))
    for rows in data.chunks():
        for name, values in _infer(model, data, rows).items():
            found[name][rows] = values
    return next(iter(found.values())) if len(found) == 1 else found


def _measure(model: Trainable, data: Batches, settings: TrainSettings) -> dict[str, float]:
    metrics = Metrics()
    for rows in data.chunks():
        outputs = _infer(model, data, rows)
        found = {}
        for name, targets in data.labelled.items():
            values = np.ascontiguousarray(np.moveaxis(outputs[name], 0, -1))
            loss = losses.bind(settings.loss_of(name), targets, values)
            Feed(targets, loss.targets)(rows)
            found[name] = loss.step()
        metrics.add(found, len(rows))
    return metrics.row(len(data), settings.loss_weights)


def _infer(model: Trainable, data: Batches, rows: Array) -> dict[str, Array]:
    given = {name: np.asarray(source[rows], model.bound.dtype) for name, source in data.images.items()}
    outputs = model(given if len(given) > 1 else next(iter(given.values())))
    return outputs if isinstance(outputs, dict) else {next(iter(model.bound.outputs)): outputs}


def _settings(
    base: TrainSettings,
    optimizer: optimizers.Optimizer | Mapping[str, Any] | str | None,
    lr: float | None,
    augment: Augment | Mapping[str, Any] | None,
    **wanted: object,
) -> TrainSettings:
    try:
        if optimizer is not None:
            chosen = optimizer if isinstance(optimizer, optimizers.Optimizer) else optimizers.read_optimizer(optimizer)
            base = replace(base, optimizer=chosen)
        if lr is not None:
            base = base.with_lr(_plain(lr))
        if augment is not None:
            moves = augment if isinstance(augment, Augment) else Augment.read(augment)
            base = replace(base, augment=moves)
        given: dict[str, Any] = {name: _plain(value) for name, value in wanted.items() if value is not None}
        return replace(base, **given)
    except SettingError as error:
        raise _refused(error) from None


def _plain(value: Any) -> Any:
    """Convert NumPy numbers to Python numbers, also in a mapping; return anything else unchanged."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def _refused(error: SettingError) -> TrainingError:
    return TrainingError([Finding(error.code, error.problem, fixes=(error.fix,) if error.fix else ())])


def _seed(value: object) -> int:
    seed = _plain(value)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise TrainingError.of("R513", f"a seed must be a non-negative integer, got {seed!r}", fixes=("seed=0",))
    return seed


def _parted(model: Trainable, data: Batches, validation: object, settings: TrainSettings) -> tuple[Batches, Batches]:
    """Return the training data and the validation data, as given by `validation`."""
    given = _plain(validation)
    fixes = ("give validation=(images, labels)", "or give the share of the data to hold out: validation=0.2")
    if isinstance(given, int | float) and not isinstance(given, bool):
        if not 0.0 < given < 1.0:
            message = f"`validation` as a share must be between 0 and 1, got {given!r}"
            raise TrainingError.of("N107", message, fixes=fixes)
        return data.parted(float(given))
    if not isinstance(given, tuple | list) or len(given) != 2:
        what = f"{len(given)} items" if isinstance(given, tuple | list) else f"a single {type(given).__name__}"
        raise TrainingError.of("R503", f"`validation` must be a pair of images and labels, got {what}", fixes=fixes)
    held_images, held_labels = given
    try:
        return data, _labelled(model, held_images, held_labels, settings)
    except PlannerError as error:
        found = (replace(finding, message=f"in `validation`, {finding.message}") for finding in error.findings)
        raise TrainingError(found) from None


def _labelled(model: Trainable, images: Inputs, labels: Targets | None, settings: TrainSettings) -> Batches:
    """Check images and labels against the network and the loss, and return them."""
    unknown = [finding for _, finding in settings.unknown_outputs(model.bound.outputs)]
    if unknown:
        raise TrainingError(unknown)
    if labels is None:
        fixes = ("give one label for each image", "or compute only the outputs: model.predict(images)")
        raise TrainingError.of("R503", "images were given without labels (None)", fixes=fixes)
    data = Batches(model.bound, images, labels, settings)
    data.refuse_empty()
    ends = {name: model.bound.by_name[model.bound.outputs[name]] for name in data.labelled}
    found = (loss_finding(settings.loss_of(name), node.kind, node.name) for name, node in ends.items())
    unsuitable = [finding for finding in found if finding is not None]
    if unsuitable:
        raise TrainingError(unsuitable)
    return data
