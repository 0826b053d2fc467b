"""One training run: epochs of steps, checkpoints, Ctrl-C, and resuming an earlier run.

A run can stop after any step and continue later with bit for bit the same result: weights, optimizer state, random
generator and the position within the epoch are saved together. :mod:`runtime.training.train` prepares the model, the
data and the settings.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from planner.findings import Finding, PlannerError
from planner.plan.plan import BoundPlan
from planner.training.settings import TrainSettings
from runtime import weights
from runtime.allocation import allocation_guard
from runtime.images import Feed
from runtime.training import losses, optim
from runtime.training.augment import MovingFeed, refuse_unmovable
from runtime.training.batches import Batches, steps
from runtime.training.checkpoint import Checkpoint, Position
from runtime.training.history import History, Row
from runtime.training.metrics import Metrics, weighted
from runtime.training.progress import Silent

Array = NDArray[Any]


class TrainingError(PlannerError):
    """A network that cannot be trained as requested (R501, R503, R506, R510, R513, R514)."""


class Program(Protocol):
    """The parts of ``runtime.program.Program`` that a training step needs."""

    @property
    def inputs(self) -> Mapping[str, Array]: ...
    @property
    def outputs(self) -> Mapping[str, Array]: ...
    @property
    def grad_outputs(self) -> Mapping[str, Array]: ...
    @property
    def loss_workspace(self) -> Array: ...
    def forward(self) -> None: ...
    def backward(self) -> None: ...


class Trainable(weights.Stored, Protocol):
    """The parts of :class:`runtime.Model` that training needs."""

    seed: int

    @property
    def lock(self) -> AbstractContextManager[Any]: ...
    @property
    def flat_parameters(self) -> Array: ...
    @property
    def flat_gradients(self) -> Array: ...
    @property
    def rng(self) -> np.random.Generator: ...
    def training_program(self, batch: int) -> Program: ...
    def __call__(self, images: Any, /) -> Any: ...


class Run:
    """A training run of one model on checked data, with fixed settings.

    Parameters
    ----------
    model : Trainable
    data : Batches
    settings : TrainSettings
    validate : callable, optional
        Called after each epoch; returns metrics to add to the history.
    shown : Silent
        Shows the progress.
    path : path, optional
        File of the checkpoints.
    seed : int, optional
        Seed of the random numbers; default: the current random numbers of the model.

    Raises
    ------
    TrainingError
        R510: there is nothing to train; R514: batch normalisation would get only one number per channel.
    AugmentError
        R515: the images cannot be moved.
    SizeError
        R511: there is not enough memory for the gradients or the optimizer state.
    """

    def __init__(
        self,
        model: Trainable,
        data: Batches,
        settings: TrainSettings,
        validate: Callable[[], Mapping[str, float]] | None = None,
        shown: Silent | None = None,
        path: str | os.PathLike[str] | None = None,
        seed: int | None = None,
    ) -> None:
        if model.flat_parameters.size == 0:
            raise TrainingError.of("R510", f"`{model.bound.name}` has no parameters: there is nothing to train")
        lone = _lone_norms(model.bound)
        if lone and min(settings.batch, len(data)) == 1:
            raise TrainingError([_lone_finding(lone, len(data))])
        refuse_unmovable(data, settings.augment)
        self.model, self.data, self.settings = model, data, settings
        self.validate, self.shown, self.path = validate, shown or Silent(), path
        self.history, self.at = History(), Position()
        self.ends = steps(len(data), settings.batch, least=2 if lone else 1)
        self.optimizer = _optimizer(model, settings)
        self.seed, self._given_seed = model.seed if seed is None else seed, seed
        if seed is not None:
            _reseed(model, seed)
        self._bound_steps: dict[int, _Step] = {}
        self._fingerprint = ""
        self._stop = False

    def resume(self, saved: weights.Saved, path: str | os.PathLike[str], allow_changes: bool = False) -> None:
        """Restore weights, optimizer state, random generator and the position within the epoch.

        Raises
        ------
        planner.PlannerError
            R507: the checkpoint belongs to another network, or to other settings or data and `allow_changes` is false.
        """
        found = Checkpoint.read(saved, path)
        found.refuse_misfit(path, self.settings, self.data, self._given_seed, allow_changes)
        weights.restore(self.model, path, saved)
        self.optimizer.restore(saved.state, found.steps)
        if self._given_seed in (None, found.seed):
            self.seed = found.seed
            self.model.rng.bit_generator.state = found.rng
        self.at, self.history = found.position, found.history
        self._say_epochs(found.settings.epochs)

    def go(self) -> History:
        """Train until the last epoch or Ctrl-C, and return the history."""
        left_out = len(self.data) - self.ends[-1]
        if left_out and self.at.epoch < self.settings.epochs:
            self.shown.say(
                f"each epoch skips one of the {len(self.data):,} images, a different one each time: "
                "batch normalisation needs at least two per step"
            )
        try:
            with _stopping_after_the_step(self):
                while self.at.epoch < self.settings.epochs and not self.history.interrupted:
                    self._epoch()
        finally:
            self.shown.stop()
        return self.history

    def stop(self) -> None:
        """Request the run to end after the current step."""
        self._stop = True

    def _epoch(self) -> None:
        at, count, order = self.at, len(self.ends), self._order()
        starts, images = [0, *self.ends], self.ends[-1]
        done = starts[at.step]
        self.shown.start_epoch(at.epoch + 1, self.settings.epochs, images, done)
        began = time.perf_counter()
        rate = self.settings.rate(at.epoch * count, count)
        row: dict[str, float] = {"epoch": at.epoch + 1, "lr_first": rate}
        while at.step < count:
            rate = self.settings.rate(at.epoch * count + at.step, count)
            self._step(order[starts[at.step] : starts[at.step + 1]], rate)
            if self._stop:
                self._interrupt()
                return
        seconds = time.perf_counter() - began
        row |= Metrics(at.sums).row(images, self.settings.loss_weights)
        if self.validate is not None:
            row |= {f"val_{name}": value for name, value in self.validate().items()}
        row |= {"lr_last": rate, "seconds": seconds, "images_per_second": (images - done) / max(seconds, 1e-9)}
        self._finish(row)

    def _order(self) -> Array:
        """Return the order of the images in this epoch; after resuming, the same order as before."""
        rng, at = self.model.rng, self.at
        if at.shuffled_from is None:
            at.shuffled_from = rng.bit_generator.state
            return rng.permutation(len(self.data))
        now = rng.bit_generator.state
        rng.bit_generator.state = at.shuffled_from
        order = rng.permutation(len(self.data))
        rng.bit_generator.state = now
        return order

    def _step(self, rows: Array, rate: float) -> None:
        at, size = self.at, len(rows)
        with self.model.lock:  # other threads may predict between two steps, in the same arena
            program, step = self.model.training_program(size), self._bound_steps.get(size)
            # The model may have made its programs anew, in larger memory.
            if step is None or step.program is not program:
                step = self._bound_steps[size] = _Step(program, self.data, self.settings, self.model.rng)
            found = step.run(rows)
            loss = weighted(found, self.settings.loss_weights)
            if not math.isfinite(loss):
                raise TrainingError([self._diverged(rows, loss, rate)])
            self.optimizer.step(rate)
        at.step += 1
        scores = Metrics(at.sums)
        scores.add(found, size)
        self.shown.step(size, scores.loss(self.ends[at.step - 1], self.settings.loss_weights), scores.accuracy())

    def _finish(self, row: Row) -> None:
        self.history.rows.append(row)
        self.shown.end_epoch(row)
        self.at = Position(self.at.epoch + 1)
        # Ctrl-C during validation: the epoch is complete, and the next one does not start.
        if self._stop and self.at.epoch < self.settings.epochs:
            self._interrupt()
        else:
            self._save()

    def _interrupt(self) -> None:
        self.history.interrupted = True
        self._save()
        at = self.at
        place = f"in epoch {at.epoch + 1}, step {at.step} of {len(self.ends)}" if at.step else f"after epoch {at.epoch}"
        self.shown.stop()
        self.shown.say(f"stopped {place}" + (f"; resume from {self.path}" if self.path else ""))

    def _save(self) -> None:
        if self.path is None:
            return
        self._fingerprint = self._fingerprint or self.data.fingerprint()
        stored = Checkpoint(
            self.settings, len(self.data), self._fingerprint, self.seed, self.optimizer.steps,
            self.model.rng.bit_generator.state, self.at, self.history,
        )  # fmt: skip
        weights.save(self.model, self.path, state=self.optimizer.state, training=stored.write())

    def _say_epochs(self, planned: int) -> None:
        """Report what a different number of epochs than in the checkpoint means."""
        epochs, at = self.settings.epochs, self.at
        if at.epoch >= epochs:
            self.shown.say(
                f"already at epoch {at.epoch} of {epochs}, nothing left to train: use more epochs to continue"
            )
        elif epochs != planned and self.settings.schedule == "cosine" and (at.epoch or at.step):
            self.shown.say(
                f"the learning rate was falling to 0 over {planned} epochs and continues as in a run of {epochs}; "
                f"{epochs} epochs from the start would give different weights"
            )

    def _diverged(self, rows: Array, loss: float, rate: float) -> Finding:
        place = f"in epoch {self.at.epoch + 1}, step {self.at.step + 1}"
        bad = self.data.first_not_finite(rows)
        if bad is not None:
            return Finding(
                "R506", f"the loss became {loss} {place}: image {bad} contains numbers that are not finite",
                fixes=("remove the image, or replace the numbers: numpy.nan_to_num(images)",),
            )  # fmt: skip
        fixes = [f"lower the learning rate from {rate:g}: try {rate / 10:g}"]
        if self.path is not None and self.history.rows:
            fixes.append(f"the weights of epoch {len(self.history)} are in {self.path}")
        return Finding("R506", f"the loss became {loss} {place}; training has diverged", fixes=tuple(fixes))


class _Step:
    """One training step at one batch size: copy the data, forward pass, losses, backward pass."""

    def __init__(self, program: Program, data: Batches, settings: TrainSettings, rng: np.random.Generator) -> None:
        self.program = program
        self._inputs: list[Feed | MovingFeed] = [
            MovingFeed(source, program.inputs[name], settings.augment, rng) if settings.augment
            else Feed(source, program.inputs[name])
            for name, source in data.images.items()
        ]  # fmt: skip
        self._losses: dict[str, tuple[Feed, losses.Loss]] = {}
        self._weights: list[tuple[Array, float]] = []
        for name, targets in data.labelled.items():
            gradient, loss = program.grad_outputs[name], settings.loss_of(name)
            bound_loss = losses.bind(loss, targets, program.outputs[name], gradient, program.loss_workspace)
            self._losses[name] = Feed(targets, bound_loss.targets), bound_loss
            if settings.loss_weights.get(name, 1.0) != 1.0:
                self._weights.append((gradient, settings.loss_weights[name]))
        self._unused = [array for name, array in program.grad_outputs.items() if name not in data.labelled]

    def run(self, rows: Array) -> dict[str, losses.BatchMetrics]:
        """Run the step on these rows and return the metrics of each output with labels."""
        for feed in self._inputs:
            feed(rows)
        self.program.forward()
        found = {}
        # The losses share one workspace, so the targets of each are copied just before its step.
        for name, (feed, loss) in self._losses.items():
            feed(rows)
            found[name] = loss.step()
        for gradient, weight in self._weights:
            if weight:
                np.multiply(gradient, weight, out=gradient)
            else:  # unlike a product with 0, this also clears infinite values
                gradient.fill(0.0)
        for array in self._unused:
            array.fill(0.0)
        self.program.backward()
        return found


def _optimizer(model: Trainable, settings: TrainSettings) -> optim.Sgd | optim.Adam:
    bound, chosen = model.bound, settings.optimizer
    nbytes = bound.parameter_count * bound.item_bytes * chosen.state_arrays
    with allocation_guard(bound, f"the state of {chosen.kind}", nbytes, "parameters"):
        return optim.optimizer(chosen, model.flat_parameters, model.flat_gradients)


def _reseed(model: Trainable, seed: int) -> None:
    model.rng.bit_generator.state = np.random.default_rng(seed).bit_generator.state


def _lone_norms(bound: BoundPlan) -> list[str]:
    """Return the batch normalisations that get a single number per channel from each image."""
    return [node.name for node in bound.nodes if node.kind == "batchnorm" and math.prod(node.output_shape[2:]) == 1]


def _lone_finding(norms: list[str], count: int) -> Finding:
    message = f"`{norms[0]}` would get one number per channel: one image per step, and one position in its feature map"
    fix = "give at least two images" if count == 1 else "train with a batch of 2 or more"
    return Finding("R514", message, layer=norms[0], fixes=(fix, f"or remove `{norms[0]}`"))


@contextmanager
def _stopping_after_the_step(run: Run) -> Iterator[None]:
    """Turn the first Ctrl-C into a request to stop; the second one, and other handlers, work as usual."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return

    def stop(*_: object) -> None:
        run.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
