"""One training run: epochs of steps, checkpoints, Ctrl-C, and going on where an earlier run stopped.

A run can stop after any step and go on later with bit for bit the same result: weights, optimizer
state, random numbers and the place within the epoch are saved together. What is trained, on what and
how is settled by :mod:`runtime.train`.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from planner.findings import Finding, PlannerError, SettingError
from planner.training import TrainSettings
from runtime import losses, optim, weights
from runtime.feeding import Batches
from runtime.history import History, Row
from runtime.images import Feed
from runtime.progress import Silent

Array = NDArray[Any]


class TrainingError(PlannerError):
    """A network cannot be trained as asked (R501, R506, R507, R510)."""


class Program(Protocol):
    """What a training step needs of ``runtime.program.Program``."""

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
    """What training needs of :class:`runtime.Model`."""

    @property
    def flat_parameters(self) -> Array: ...
    @property
    def flat_gradients(self) -> Array: ...
    @property
    def rng(self) -> np.random.Generator: ...
    def training_program(self, batch: int) -> Program: ...
    def __call__(self, images: Any, /) -> Any: ...


@dataclass
class _Position:
    """Where a run stands: inside an epoch, with the sums over its steps so far."""

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    correct: int = 0
    judged: int = 0
    shuffled_from: Mapping[str, Any] | None = None


class Run:
    """A run of one model over checked data, by fixed settings.

    Parameters
    ----------
    model : Trainable
    data : Batches
    settings : TrainSettings
    validate : callable, optional
        Returns scores to be added to the history after each epoch.
    shown : Silent
        Where progress is shown.
    path : path, optional
        Where checkpoints go.
    """

    def __init__(
        self,
        model: Trainable,
        data: Batches,
        settings: TrainSettings,
        validate: Callable[[], Mapping[str, float]] | None = None,
        shown: Silent | None = None,
        path: str | os.PathLike[str] | None = None,
    ) -> None:
        if model.flat_parameters.size == 0:
            raise TrainingError.of("R510", f"`{model.bound.name}` has no parameters: there is nothing to train")
        self.model, self.data, self.settings = model, data, settings
        self.validate, self.shown, self.path = validate, shown or Silent(), path
        self.history, self.at = History(), _Position()
        self.steps = -(-len(data) // settings.batch)
        self.optimizer = optim.optimizer(settings.optimizer, model.flat_parameters, model.flat_gradients)
        self._bound_steps: dict[int, _Step] = {}
        self._stop = False

    def resume(self, saved: weights.Saved, path: str | os.PathLike[str]) -> None:
        """Take over weights, optimizer state, random numbers and the place within the epoch."""
        stored: Mapping[str, Any] = saved.training or {}
        old = read_settings(stored["settings"])
        self._refuse_other_run(stored, old, path)
        weights.restore(self.model, path, saved)
        self.optimizer.restore(saved.state, int(stored["steps"]))
        self.model.rng.bit_generator.state = stored["rng"]
        self.at = _Position(**stored["position"])
        self.history = replace(History.from_dict(stored["history"]), interrupted=False)

    def go(self) -> History:
        """Train until the last epoch, or until Ctrl-C."""
        try:
            with _stopping_after_the_step(self):
                while self.at.epoch < self.settings.epochs and not self.history.interrupted:
                    self._epoch()
        finally:
            self.shown.stop()
        return self.history

    def stop(self) -> None:
        """Ask the run to end after the step at hand."""
        self._stop = True

    def _epoch(self) -> None:
        at, count, settings = self.at, len(self.data), self.settings
        order = self._order()
        self.shown.start_epoch(at.epoch + 1, settings.epochs, count, min(at.step * settings.batch, count))
        began, first = time.perf_counter(), at.step
        rate = settings.optimizer.lr
        while at.step < self.steps:
            rate = settings.rate(at.epoch * self.steps + at.step, self.steps)
            self._step(order[at.step * settings.batch : (at.step + 1) * settings.batch], rate)
            if self._stop:
                self._interrupt()
                return
        seconds = time.perf_counter() - began
        done = count - first * settings.batch
        row: dict[str, float] = {"epoch": at.epoch + 1, "loss": at.loss / count}
        if at.judged:
            row["accuracy"] = at.correct / at.judged
        if self.validate is not None:
            row |= {f"val_{name}": value for name, value in self.validate().items()}
        row |= {"lr": rate, "seconds": seconds, "images_per_second": done / max(seconds, 1e-9)}
        self._finish(row)

    def _order(self) -> Array:
        """Return the epoch's order of the images; after a resume, the same as before it."""
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
        program, step = self.model.training_program(size), self._bound_steps.get(size)
        # The model may have made its programs anew, in larger memory.
        if step is None or step.program is not program:
            step = self._bound_steps[size] = _Step(program, self.data, self.settings.loss)
        score = step.run(rows)
        if not math.isfinite(score.loss):
            raise TrainingError([self._diverged(rows, score.loss, rate)])
        self.optimizer.step(rate)
        at.step += 1
        at.loss += score.loss * size
        at.correct, at.judged = at.correct + score.correct, at.judged + score.judged
        seen = min(at.step * self.settings.batch, len(self.data))
        self.shown.step(size, at.loss / seen, at.correct / at.judged if at.judged else None)

    def _finish(self, row: Row) -> None:
        self.history.rows.append(row)
        self.shown.end_epoch(row)
        self.at = _Position(self.at.epoch + 1)
        # Ctrl-C during validation: the epoch is whole, the next one does not begin.
        if self._stop and self.at.epoch < self.settings.epochs:
            self._interrupt()
        else:
            self._save()

    def _interrupt(self) -> None:
        self.history.interrupted = True
        self._save()
        place = f"epoch {self.at.epoch + 1}, step {self.at.step} of {self.steps}"
        self.shown.stop()
        self.shown.say(f"stopped in {place}" + (f"; go on with what is in {self.path}" if self.path else ""))

    def _save(self) -> None:
        if self.path is None:
            return
        stored = {
            "settings": self.settings.write(),
            "images": len(self.data),
            "steps": self.optimizer.steps,
            "rng": self.model.rng.bit_generator.state,
            "position": vars(self.at),
            "history": self.history.to_dict(),
        }
        weights.save(self.model, self.path, state=self.optimizer.state, training=stored)

    def _refuse_other_run(self, stored: Mapping[str, Any], old: TrainSettings, path: str | os.PathLike[str]) -> None:
        new = self.settings
        reasons = []
        if old.optimizer.kind != new.optimizer.kind or old.optimizer.state_arrays != new.optimizer.state_arrays:
            reasons.append(f"its optimizer is {old.optimizer.kind}, not {new.optimizer.kind}")
        if stored["position"]["step"] and (old.batch != new.batch or stored["images"] != len(self.data)):
            reasons.append(
                f"it stopped inside an epoch of {stored['images']} images in batches of {old.batch}, "
                f"not of {len(self.data)} in batches of {new.batch}"
            )
        if reasons:
            message = f"`{path}` cannot be resumed: {'; '.join(reasons)}"
            fixes = ("resume with the settings and the data of the first run", "or start anew from its weights")
            raise TrainingError([Finding("R507", message, fixes=fixes)])

    def _diverged(self, rows: Array, loss: float, rate: float) -> Finding:
        place = f"in epoch {self.at.epoch + 1}, step {self.at.step + 1}"
        bad = self.data.first_not_finite(rows)
        if bad is not None:
            return Finding(
                "R506", f"the loss became {loss} {place}: image {bad} holds numbers that are not finite",
                fixes=("remove it, or replace them: numpy.nan_to_num(images)",),
            )  # fmt: skip
        fixes = [f"lower the learning rate, now {rate:g}: try {rate / 10:g}"]
        if self.path is not None and self.history.rows:
            fixes.append(f"the weights of epoch {len(self.history)} are in {self.path}")
        return Finding("R506", f"the loss became {loss} {place}; training has diverged", fixes=tuple(fixes))


class _Step:
    """One training step at one batch size: data in, forward, losses, backward."""

    def __init__(self, program: Program, data: Batches, loss: str) -> None:
        self.program = program
        self._inputs = [Feed(source, program.inputs[name]) for name, source in data.images.items()]
        self._losses = []
        for name, targets in data.labelled.items():
            judge = losses.bind(
                loss, targets, program.outputs[name], program.grad_outputs[name], program.loss_workspace
            )
            self._losses.append((Feed(targets, judge.targets), judge))
        self._unused = [array for name, array in program.grad_outputs.items() if name not in data.labelled]

    def run(self, rows: Array) -> losses.Score:
        for feed in self._inputs:
            feed(rows)
        self.program.forward()
        loss, correct, judged = 0.0, 0, 0
        # The losses take turns with one workspace, so each is fed just before its step.
        for feed, judge in self._losses:
            feed(rows)
            score = judge.step()
            loss, correct, judged = loss + score.loss, correct + score.correct, judged + score.judged
        for array in self._unused:
            array.fill(0.0)
        self.program.backward()
        return losses.Score(loss, correct, judged)


def read_settings(stored: Mapping[str, Any]) -> TrainSettings:
    """Return the settings in a checkpoint; raises TrainingError (R508) where they are damaged."""
    try:
        return TrainSettings.read(stored)
    except SettingError as error:
        raise TrainingError.of("R508", f"the checkpoint's settings are damaged: {error.problem}") from None


@contextmanager
def _stopping_after_the_step(run: Run) -> Iterator[None]:
    """Turn the first Ctrl-C into a wish to stop; the second one, and those of other handlers, stay what they are."""
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
