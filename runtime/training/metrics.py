"""Metrics of the outputs of a network over several batches: loss and accuracy by output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runtime.training.losses import BatchMetrics


@dataclass
class Metrics:
    """Sums of metrics over images, by output.

    Attributes
    ----------
    sums : dict of str to list
        For each output: the sum of the losses, the number of correct positions and of classified positions.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.add({"out": BatchMetrics(0.5, 3, 4), "aux": BatchMetrics(1.0, 2, 4)}, 4)
    >>> metrics.row(4, {"aux": 0.25})
    {'loss': 0.75, 'accuracy': 0.75, 'loss.out': 0.5, 'accuracy.out': 0.75, 'loss.aux': 1.0, 'accuracy.aux': 0.5}
    """

    sums: dict[str, list[float]] = field(default_factory=dict)

    def add(self, found: Mapping[str, BatchMetrics], images: int) -> None:
        """Add the metrics of a batch of `images` images."""
        for name, each in found.items():
            kept = self.sums.setdefault(name, [0.0, 0, 0])
            kept[0] += each.loss * images
            kept[1] += each.correct
            kept[2] += each.classified

    def loss(self, images: int, weights: Mapping[str, float]) -> float:
        """Return the mean over the images of the weighted sum of the losses (default weight: 1)."""
        return _weighted({name: kept[0] for name, kept in self.sums.items()}, weights) / images

    def accuracy(self) -> float | None:
        """Return the accuracy of the first output that has classes as targets; None if there is no such output."""
        return next((kept[1] / kept[2] for kept in self.sums.values() if kept[2]), None)

    def row(self, images: int, weights: Mapping[str, float]) -> dict[str, float]:
        """Return ``loss`` and ``accuracy``; for several outputs, also ``loss.NAME`` and ``accuracy.NAME`` of each."""
        found = {"loss": self.loss(images, weights)}
        accuracy = self.accuracy()
        if accuracy is not None:
            found["accuracy"] = accuracy
        for name, kept in self.sums.items() if len(self.sums) > 1 else ():
            found[f"loss.{name}"] = kept[0] / images
            if kept[2]:
                found[f"accuracy.{name}"] = kept[1] / kept[2]
        return found


def weighted(found: Mapping[str, BatchMetrics], weights: Mapping[str, float]) -> float:
    """Return the weighted sum of the losses of a batch (default weight: 1)."""
    return _weighted({name: each.loss for name, each in found.items()}, weights)


def _weighted(losses: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Return the weighted sum; losses with weight 0 are skipped, even if they are infinite."""
    return sum(weight * loss for name, loss in losses.items() if (weight := weights.get(name, 1.0)))
