"""The state of a run in a weights file: settings, data, random generator, position within an epoch.

If a run is resumed with other settings or data, the differences are reported here. :mod:`runtime.weights` reads and
writes the arrays.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np

from planner.findings import Finding, PlannerError, SettingError
from planner.spec import read as read_spec
from planner.training.settings import TrainSettings
from runtime.training.batches import Batches
from runtime.training.history import History
from runtime.weights import Saved


class CheckpointError(PlannerError):
    """A file that is no checkpoint, is damaged, or belongs to a run with other settings (R507, R508)."""


@dataclass
class Position:
    """The position of a run: the epoch, the step within it, and the sums over its steps so far.

    Attributes
    ----------
    epoch, step : int
        Number of completed epochs, and of completed steps in the current epoch.
    sums : dict
        Sums of the metrics over the current epoch, as kept by :class:`runtime.training.metrics.Metrics`.
    shuffled_from : Mapping, optional
        State of the random generator from which the order of the epoch was drawn.
    """

    epoch: int = 0
    step: int = 0
    sums: dict[str, list[float]] = field(default_factory=dict)
    shuffled_from: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run, without its arrays.

    Attributes
    ----------
    settings : TrainSettings
    images : int
        Number of training images.
    data : str
        Their fingerprint, labels included; see :meth:`runtime.training.batches.Batches.fingerprint`.
    seed : int
        Seed of the run.
    steps : int
        Number of optimizer steps so far.
    rng : Mapping
        State of the random generator.
    position : Position
    history : History
    """

    settings: TrainSettings
    images: int
    data: str
    seed: int
    steps: int
    rng: Mapping[str, Any]
    position: Position
    history: History

    def write(self) -> dict[str, Any]:
        """Return the checkpoint as plain values; :meth:`read` restores an equal one."""
        return {
            "settings": self.settings.write(),
            "images": self.images,
            "data": self.data,
            "seed": self.seed,
            "steps": self.steps,
            "rng": dict(self.rng),
            "position": vars(self.position).copy(),
            "history": self.history.to_dict(),
        }

    @classmethod
    def read(cls, saved: Saved, path: str | os.PathLike[str]) -> Self:
        """Read the checkpoint in a weights file.

        Raises
        ------
        CheckpointError
            R507: the file holds only weights; R508: the state of the run is damaged.
        """
        if saved.training is None:
            fixes = ("give a checkpoint, or load the weights with runtime.Model.load",)
            raise CheckpointError.of("R507", f"`{path}` holds only weights, no run to resume", fixes=fixes)
        stored = saved.training
        try:
            found = cls(
                TrainSettings.read(stored["settings"]),
                int(stored["images"]),
                str(stored["data"]),
                int(stored["seed"]),
                int(stored["steps"]),
                stored["rng"],
                Position(**stored["position"]),
                replace(History.from_dict(stored["history"]), interrupted=False),
            )
            for state in (found.rng, found.position.shuffled_from or found.rng):
                np.random.default_rng(0).bit_generator.state = state
        except SettingError as error:
            raise CheckpointError.of("R508", f"the settings in `{path}` are damaged: {error.problem}") from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            message = f"the state of the run in `{path}` is damaged: {type(error).__name__} {error}"
            raise CheckpointError.of("R508", message, fixes=("start a new run; the weights may still load",)) from None
        return found

    def base(self, spec: str, now: TrainSettings) -> TrainSettings:
        """Return the settings to resume with: those of the checkpoint, with later changes to ``train:`` in the spec.

        Parameters
        ----------
        spec : str
            The spec in the checkpoint.
        now : TrainSettings
            Settings of the current spec.
        """
        network, findings = read_spec(spec, "checkpoint")
        if network is None or findings:
            return self.settings
        then = network.train or TrainSettings()
        names = [item.name for item in fields(TrainSettings)]
        changed = {name: getattr(now, name) for name in names if getattr(now, name) != getattr(then, name)}
        return replace(self.settings, **changed)

    def refuse_misfit(
        self,
        path: str | os.PathLike[str],
        settings: TrainSettings,
        data: Batches,
        seed: int | None,
        allow_changes: bool,
    ) -> None:
        """Raise CheckpointError (R507) if a run cannot be resumed with these settings and data.

        Most changes are accepted if `allow_changes` is true, and another number of epochs always is. A change of the
        optimizer, or of the batch or the images inside an epoch, is always refused: the state in the checkpoint would
        be meaningless.
        """
        impossible = self._impossible(settings, data)
        if impossible:
            message = f"`{path}` cannot be resumed: {'; '.join(impossible)}"
            fixes = ("resume with the settings and the data of the first run", "or start a new run from its weights")
            raise CheckpointError([Finding("R507", message, fixes=fixes)])
        changes = self._changes(settings, data, seed)
        if changes and not allow_changes:
            message = f"the run in `{path}` would be resumed with changes: {'; '.join(changes)}"
            fixes = (
                "remove the changes",
                "or allow them: --allow-changes, in Python allow_changes=True",
            )
            raise CheckpointError([Finding("R507", message, fixes=fixes)])

    def _impossible(self, new: TrainSettings, data: Batches) -> list[str]:
        old, reasons = self.settings, []
        if old.optimizer.kind != new.optimizer.kind or old.optimizer.state_arrays != new.optimizer.state_arrays:
            reasons.append(f"its optimizer is {_optimizer(old)}, not {_optimizer(new)}")
        if self.position.step and (old.batch != new.batch or self.images != len(data)):
            reasons.append(
                f"it stopped inside an epoch of {self.images:,} images in batches of {old.batch}, "
                f"not of {len(data):,} in batches of {new.batch}"
            )
        return reasons

    def _changes(self, new: TrainSettings, data: Batches, seed: int | None) -> list[str]:
        old, names = self.settings, ("loss", "loss_weights", "batch", "schedule", "warmup", "augment")
        pairs = [(name, getattr(old, name), getattr(new, name)) for name in names]
        # Both optimizers are of the same kind: another kind has already been refused.
        pairs += [(name, value, getattr(new.optimizer, name)) for name, value in vars(old.optimizer).items()]
        pairs += [] if seed is None else [("seed", self.seed, seed)]
        changes = [f"{name} is {after}, was {before}" for name, before, after in pairs if before != after]
        if self.images != len(data):
            changes.append(f"{len(data):,} training images, was {self.images:,}")
        elif self.data != data.fingerprint():
            changes.append("the images or labels differ, with the same number of images")
        return changes


def _optimizer(settings: TrainSettings) -> str:
    momentum = getattr(settings.optimizer, "momentum", None)
    return settings.optimizer.kind + (" without momentum" if momentum == 0 else "")
