"""Training settings as data: loss, optimizer with its hyperparameters, epochs, batch and schedule.

These are the values of a spec's ``train:`` mapping, checked once and frozen. Their memory is computed
here, so that a plan can count it; ``runtime`` does the training.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from planner.findings import Finding, SettingError, nearest
from planner.layers.settings import number
from planner.mappings import FrozenMapping
from planner.training.augment import Augment
from planner.training.optimizers import Optimizer, Sgd, read_optimizer, refuse_other, refuse_unknown

LOSSES: Mapping[str, str] = {
    "cross_entropy": "mean over the batch of -log(softmax(output)[label]); the output is logits",
    "mse": "mean of the squared differences; whole-number labels are converted to one-hot targets",
}
"""Every loss by its name in a spec, with a one-line description."""

SCHEDULES: Mapping[str, str] = {
    "constant": "the same learning rate in every step",
    "cosine": "falls along half a cosine from the given learning rate to 0 at the last step",
}
"""Every learning-rate schedule by its name in a spec, with a one-line description."""

INDEX_BYTES = 8
"""Bytes of one label or position in the runtime's losses."""

LARGEST_COUNT = 2**40

LARGEST_WEIGHT = 1e6
"""Largest weight of a loss; a larger one is a mistake and would soon overflow float32."""


@dataclass(frozen=True)
class TrainSettings:
    """The settings of a spec's ``train:`` mapping, with defaults filled in.

    Attributes
    ----------
    loss : str, or Mapping of str to str
        ``cross_entropy`` or ``mse``, or one of them per output (default: ``cross_entropy``).
    loss_weights : Mapping of str to float
        Weight of each output's loss in the sum that training minimises (default: 1).
    optimizer : Optimizer
    epochs : int
        Passes over the training data.
    batch : int
        Images per step.
    schedule : str
        ``constant`` or ``cosine``.
    warmup : float
        Epochs over which the learning rate rises from 0 at the beginning; may be a fraction.
    augment : Augment
        How training images are moved.

    Examples
    --------
    >>> TrainSettings.read({"optimizer": {"adam": {"lr": 0.01}}, "epochs": 3})
    TrainSettings(loss='cross_entropy', optimizer=Adam(lr=0.01, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0), \
epochs=3, batch=64, schedule='constant', warmup=0.0, augment=Augment(flip='none', shift=0), loss_weights={})
    """

    loss: Any = field(
        default="cross_entropy", metadata={"description": "loss that training minimises; may be given per output"}
    )
    optimizer: Optimizer = field(default_factory=Sgd, metadata={"description": "how the weights are updated"})
    epochs: int = field(default=10, metadata={"description": "passes over the training data"})
    batch: int = field(default=64, metadata={"description": "images per step"})
    schedule: str = field(default="constant", metadata={"description": "how the learning rate changes over the run"})
    warmup: float = field(
        default=0.0, metadata={"description": "epochs over which the learning rate rises at the beginning"}
    )
    augment: Augment = field(
        default_factory=Augment, metadata={"description": "how images are moved at random, anew in each epoch"}
    )
    loss_weights: Mapping[str, float] = field(
        default_factory=lambda: FrozenMapping[str, float]({}),
        metadata={"description": "weight of each output's loss in the sum; default: 1"},
    )

    def __post_init__(self) -> None:
        if isinstance(self.loss, Mapping):
            for output, loss in self.loss.items():
                refuse_other(f"loss.{output}", loss, LOSSES)
            object.__setattr__(self, "loss", FrozenMapping(self.loss))
        else:
            refuse_other("loss", self.loss, LOSSES)
        object.__setattr__(self, "loss_weights", _weights(self.loss_weights))
        _whole("epochs", self.epochs)
        _whole("batch", self.batch)
        refuse_other("schedule", self.schedule, SCHEDULES)
        object.__setattr__(self, "warmup", number("warmup", self.warmup, 0.0, float(LARGEST_COUNT)))

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Return the settings of a ``train:`` mapping of plain values.

        Raises
        ------
        SettingError
            A key is unknown (N101), or a value is out of range (N107); `setting` is the path below
            ``train``, such as ``optimizer.lr``.

        Examples
        --------
        >>> TrainSettings.read({"optimizer": "adamw"}).optimizer.kind
        'adamw'
        """
        if not isinstance(values, Mapping):
            raise SettingError("", f"`train` must be a mapping such as {{epochs: 10}}, got {values!r}")
        known = [item.name for item in fields(cls)]
        for key in values:
            refuse_unknown(str(key), str(key), known, "a setting of `train`")
        if "optimizer" in values and not isinstance(values["optimizer"], Optimizer):
            values = {**values, "optimizer": read_optimizer(values["optimizer"])}
        if "augment" in values and not isinstance(values["augment"], Augment):
            values = {**values, "augment": Augment.read(values["augment"])}
        return cls(**values)

    def write(self) -> dict[str, Any]:
        """Return the mapping that :meth:`read` turns into equal settings.

        Examples
        --------
        >>> TrainSettings().write()
        {'loss': 'cross_entropy', 'optimizer': {'sgd': {'lr': 0.05}}, 'epochs': 10, 'batch': 64}
        """
        numbers = {"lr": self.optimizer.lr, **self.optimizer.write()}
        written: dict[str, Any] = {
            "loss": dict(self.loss) if isinstance(self.loss, Mapping) else self.loss,
            "optimizer": {self.optimizer.kind: numbers},
            "epochs": self.epochs,
            "batch": self.batch,
        }
        if self.schedule != "constant":
            written["schedule"] = self.schedule
        if self.warmup:
            written["warmup"] = self.warmup
        if self.augment:
            written["augment"] = self.augment.write()
        if self.loss_weights:
            written["loss_weights"] = dict(self.loss_weights)
        return written

    def loss_of(self, output: str) -> str:
        """Return the name of the loss of an output.

        Examples
        --------
        >>> settings = TrainSettings(loss={"box": "mse"})
        >>> settings.loss_of("box"), settings.loss_of("out")
        ('mse', 'cross_entropy')
        """
        return self.loss if isinstance(self.loss, str) else str(self.loss.get(output, "cross_entropy"))

    def unknown_outputs(self, known: Iterable[str]) -> Iterator[tuple[str, Finding]]:
        """Yield, with the path of the setting, a finding (N111) for every named output that does not exist.

        Examples
        --------
        >>> [path for path, _ in TrainSettings(loss_weights={"aux": 0.3}).unknown_outputs(["out"])]
        ['loss_weights.aux']
        """
        names = list(known)
        for setting in ("loss", "loss_weights"):
            given = getattr(self, setting)
            for name in given if isinstance(given, Mapping) else ():
                if name not in names:
                    close = nearest(str(name), names)
                    fix = f"did you mean `{close}`?" if close else f"outputs are {', '.join(f'`{n}`' for n in names)}"
                    message = f"train: `{setting}` names `{name}`, which is not a network output"
                    yield f"{setting}.{name}", Finding("N111", message, fixes=(fix,))

    def with_lr(self, lr: float) -> TrainSettings:
        """Return the same settings with another learning rate; raise SettingError if it is invalid."""
        return replace(self, optimizer=replace(self.optimizer, lr=lr))

    def rate(self, step: int, steps_per_epoch: int) -> float:
        """Return the learning rate of a step, counted from 0 over the whole run.

        Examples
        --------
        >>> settings = TrainSettings(epochs=10, schedule="cosine", warmup=1)
        >>> [round(settings.rate(step, 100), 4) for step in (0, 99, 550, 999)]
        [0.0005, 0.05, 0.025, 0.0]
        """
        rising = self.warmup * steps_per_epoch
        if step + 1 < rising:
            return self.optimizer.lr * (step + 1) / rising
        if self.schedule == "constant":
            return self.optimizer.lr
        falling = max(1.0, self.epochs * steps_per_epoch - rising)
        done = min(1.0, max(0.0, (step - rising) / falling))
        return self.optimizer.lr * 0.5 * (1.0 + math.cos(math.pi * done))


def read_settings(values: object) -> tuple[TrainSettings | None, tuple[SettingError, ...]]:
    """Return the settings of a ``train:`` mapping without its invalid values, and an error for each of these.

    The settings are None if nothing valid is left.

    Examples
    --------
    >>> [error.setting for error in read_settings({"epochs": 0, "batch": 8, "optimizer": {"sgd": {"lr": -1}}})[1]]
    ['optimizer.lr', 'epochs']
    """
    if not isinstance(values, Mapping):
        return None, (SettingError("", f"`train` must be a mapping such as {{epochs: 10}}, got {values!r:.60}"),)
    left = {k: dict(v) if isinstance(v, Mapping) else v for k, v in values.items()}
    faults: list[SettingError] = []
    while True:
        try:
            return TrainSettings.read(left), tuple(faults)
        except SettingError as error:
            faults.append(error)
            if not _without(left, error.setting.split(".")):
                return None, tuple(faults)


def loss_workspace(output_shapes: Iterable[Sequence[int]], item_bytes: int) -> int:
    """Return how many elements of workspace the losses of a training step need, for the loss that needs most.

    Every loss needs two numbers and one label for every position of every image; the outputs of a
    network share the workspace in turn.

    Parameters
    ----------
    output_shapes
        Bound shapes N, C, H, W or N, features of the network's outputs.
    item_bytes : int
        4 for float32, 8 for float64.

    Examples
    --------
    >>> loss_workspace([(64, 10)], item_bytes=4)
    256
    """
    positions = [shape[0] * math.prod(shape[2:]) for shape in output_shapes]
    return max(positions, default=0) * (2 + INDEX_BYTES // item_bytes)


def loss_finding(loss: str, last_kind: str, layer: str) -> Finding | None:
    """Return a finding if `loss` does not suit an output that ends in a layer of `last_kind`, or None.

    Cross-entropy applies softmax itself; probabilities instead of logits train slowly and badly,
    and nothing else reports it.

    Examples
    --------
    >>> loss_finding("cross_entropy", "softmax", "prob").code
    'R501'
    >>> loss_finding("cross_entropy", "dense", "out") is None
    True
    """
    if loss != "cross_entropy" or last_kind not in ("softmax", "sigmoid"):
        return None
    return Finding(
        "R501",
        f"`cross_entropy` takes logits, but `{layer}` ends the network with {last_kind}; softmax would be "
        "applied to probabilities",
        layer=layer,
        fixes=(f"remove `{layer}`: the classes with the largest logits are the same", "or train with loss: mse"),
    )


def _weights(given: object) -> FrozenMapping[str, float]:
    """Return the weights of losses; raise SettingError if one is not a number of at least 0."""
    if not isinstance(given, Mapping):
        problem = f"`loss_weights` must map outputs to numbers, got {given!r:.60}"
        raise SettingError("loss_weights", problem, "write  loss_weights: {aux: 0.3}")
    found = {}
    for name, value in given.items():
        found[str(name)] = number(f"loss_weights.{name}", value, 0.0, LARGEST_WEIGHT)
    return FrozenMapping(found)


def _whole(setting: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_COUNT:
        raise SettingError(setting, f"`{setting}` must be a whole number of at least 1, got {value!r}")


def _without(settings: dict[str, Any], path: list[str]) -> bool:
    """Remove the setting at a path, which may lead through an optimizer's name; return whether it existed."""
    key = path[-1]
    if len(path) == 1:
        return settings.pop(key, _without) is not _without
    inner = settings.get(path[0])
    if not isinstance(inner, dict):
        return settings.pop(path[0], _without) is not _without
    for name, numbers in inner.items():
        if isinstance(numbers, Mapping) and key in numbers:
            inner[name] = {k: v for k, v in numbers.items() if k != key}
            return True
    return settings.pop(path[0]) is not None
