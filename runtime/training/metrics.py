"""Loss and accuracy over some images, output by output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runtime.training.losses import BatchScore


@dataclass
class Metrics:
    """Sums over images, by output.

    Attributes
    ----------
    sums : dict of str to list
        Of each output: its losses, how many positions were right, out of how many.

    Examples
    --------
    >>> scores = Metrics()
    >>> scores.add({"out": BatchScore(0.5, 3, 4), "aux": BatchScore(1.0, 2, 4)}, 4)
    >>> scores.row(4, {"aux": 0.25})
    {'loss': 0.75, 'accuracy': 0.75, 'loss.out': 0.5, 'accuracy.out': 0.75, 'loss.aux': 1.0, 'accuracy.aux': 0.5}
    """

    sums: dict[str, list[float]] = field(default_factory=dict)

    def add(self, found: Mapping[str, BatchScore], images: int) -> None:
        """Add the scores of a batch of that many images."""
        for name, score in found.items():
            kept = self.sums.setdefault(name, [0.0, 0, 0])
            kept[0] += score.loss * images
            kept[1] += score.correct
            kept[2] += score.judged

    def loss(self, images: int, weights: Mapping[str, float]) -> float:
        """Return the mean over the images of the weighted losses; default weight: 1."""
        return _weighted({name: kept[0] for name, kept in self.sums.items()}, weights) / images

    def accuracy(self) -> float | None:
        """Return the accuracy of the first output with classes as targets; None if there is none."""
        return next((kept[1] / kept[2] for kept in self.sums.values() if kept[2]), None)

    def row(self, images: int, weights: Mapping[str, float]) -> dict[str, float]:
        """Return ``loss`` and ``accuracy``, and of each of several outputs ``loss.NAME`` and ``accuracy.NAME``."""
        found = {"loss": self.loss(images, weights)}
        accuracy = self.accuracy()
        if accuracy is not None:
            found["accuracy"] = accuracy
        for name, kept in self.sums.items() if len(self.sums) > 1 else ():
            found[f"loss.{name}"] = kept[0] / images
            if kept[2]:
                found[f"accuracy.{name}"] = kept[1] / kept[2]
        return found


def weighted(found: Mapping[str, BatchScore], weights: Mapping[str, float]) -> float:
    """Return the weighted sum of the losses of a batch; default weight: 1."""
    return _weighted({name: score.loss for name, score in found.items()}, weights)


def _weighted(losses: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Return the weighted sum; losses of weight 0 are left out, even if infinite."""
    return sum(weight * loss for name, loss in losses.items() if (weight := weights.get(name, 1.0)))
