"""Optimizers as data: their hyperparameters, checked once and frozen, and the state they need.

``runtime.training.optim`` does the steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

from planner.findings import SettingError, nearest
from planner.layers.settings import flag, number

LARGEST_RATE = 1_000_000
"""Largest learning rate; larger ones are mistakes: no network learns with one."""


WORKSPACE_BYTES = 64 * 1024
"""Workspace of every optimizer: a block that stays in the cache, for networks of any size."""


def workspace_bytes(parameter_bytes: int) -> int:
    """Return the bytes of an optimizer's workspace: one block, or less if the parameters are smaller.

    Examples
    --------
    >>> workspace_bytes(1000), workspace_bytes(1_000_000)
    (1000, 65536)
    """
    return min(WORKSPACE_BYTES, parameter_bytes)


@dataclass(frozen=True)
class Optimizer:
    """Base of the optimizers: their hyperparameters, and the state they need.

    Class facts
    -----------
    kind : str
        The key in a spec.
    summary : str
        One line for listings and the JSON Schema.
    """

    kind: ClassVar[str]
    summary: ClassVar[str]

    lr: float

    @property
    def state_arrays(self) -> int:
        """Number of arrays of the size of all parameters that the optimizer keeps between steps."""
        raise NotImplementedError

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Return the optimizer with these hyperparameters, and defaults for the others.

        Raises
        ------
        SettingError
            A key is unknown (N101), or a value is out of range (N107).
        """
        known = [item.name for item in fields(cls)]
        for key in values:
            refuse_unknown(f"optimizer.{key}", str(key), known, f"a setting of `{cls.kind}`")
        return cls(**values)

    def write(self) -> dict[str, Any]:
        """Return the hyperparameters that differ from their defaults, as written in a spec."""
        return {
            item.name: list(value) if isinstance(value, tuple) else value
            for item in fields(self)
            if (value := getattr(self, item.name)) != item.default
        }


@dataclass(frozen=True)
class Sgd(Optimizer):
    """Stochastic gradient descent with momentum.

    ``v = momentum * v + g + weight_decay * w``; ``w = w - lr * v``, or with `nesterov`
    ``w = w - lr * (g + weight_decay * w + momentum * v)``.

    References
    ----------
    torch.optim.SGD documentation (dampening 0).

    Examples
    --------
    >>> Sgd(lr=0.1).state_arrays, Sgd(lr=0.1, momentum=0.0).state_arrays
    (1, 0)
    """

    lr: float = field(default=0.05, metadata={"description": "learning rate"})
    momentum: float = field(
        default=0.9, metadata={"description": "share of the last step that is kept, at least 0 and below 1"}
    )
    weight_decay: float = field(default=0.0, metadata={"description": "pull of every weight towards 0"})
    nesterov: bool = field(default=False, metadata={"description": "use Nesterov momentum"})

    kind: ClassVar[str] = "sgd"
    summary: ClassVar[str] = "stochastic gradient descent with momentum"

    def __post_init__(self) -> None:
        _positive(self, "lr")
        _below_one(self, "momentum")
        _ranged(self, "weight_decay", 0.0, 1e6)
        _flag(self, "nesterov")
        if self.nesterov and self.momentum == 0:
            raise SettingError("optimizer.nesterov", "`nesterov` needs a momentum above 0", "write momentum: 0.9")

    @property
    def state_arrays(self) -> int:
        return 1 if self.momentum else 0


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam; `weight_decay` is added to the gradient (L2).

    References
    ----------
    Kingma, Ba, arXiv:1412.6980; torch.optim.Adam documentation.

    Examples
    --------
    >>> Adam().state_arrays
    2
    >>> Adam(betas=[0.9, 0.99]).write()
    {'betas': [0.9, 0.99]}
    """

    lr: float = field(default=0.001, metadata={"description": "learning rate"})
    betas: Any = field(
        default=(0.9, 0.999), metadata={"description": "decay rates of the averages of g and g squared, [0.9, 0.999]"}
    )
    eps: float = field(default=1e-8, metadata={"description": "added to the denominator"})
    weight_decay: float = field(default=0.0, metadata={"description": "pull of every weight towards 0"})

    kind: ClassVar[str] = "adam"
    summary: ClassVar[str] = "adaptive moments; weight decay is added to the gradient"

    def __post_init__(self) -> None:
        _positive(self, "lr")
        betas = self.betas
        if not isinstance(betas, (list, tuple)) or len(betas) != 2 or not all(_in_unit(item) for item in betas):
            raise SettingError(
                "optimizer.betas",
                f"`betas` must be two numbers, at least 0 and below 1, got {betas!r}",
                "write [0.9, 0.999]",
            )
        object.__setattr__(self, "betas", (float(betas[0]), float(betas[1])))
        _ranged(self, "eps", 0.0, 1.0)
        _ranged(self, "weight_decay", 0.0, 1e6)

    @property
    def state_arrays(self) -> int:
        return 2


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: ``w = w * (1 - lr * weight_decay)`` before each step.

    References
    ----------
    Loshchilov, Hutter, arXiv:1711.05101; torch.optim.AdamW documentation.

    Examples
    --------
    >>> AdamW().weight_decay
    0.01
    """

    weight_decay: float = field(default=0.01, metadata={"description": "pull of every weight towards 0"})

    kind: ClassVar[str] = "adamw"
    summary: ClassVar[str] = "Adam with decoupled weight decay"


OPTIMIZERS: Mapping[str, type[Optimizer]] = {item.kind: item for item in (Sgd, Adam, AdamW)}
"""Every optimizer by its name in a spec."""


def read_optimizer(value: object) -> Optimizer:
    """Return the optimizer that a spec writes as ``adam`` or ``{adam: {lr: 0.01}}``.

    Raises
    ------
    SettingError
        There is no such optimizer, or its hyperparameters are wrong.

    Examples
    --------
    >>> read_optimizer({"sgd": {"lr": 0.1}})
    Sgd(lr=0.1, momentum=0.9, weight_decay=0.0, nesterov=False)
    """
    if isinstance(value, Mapping):
        if len(value) != 1:
            raise SettingError(
                "optimizer", f"`optimizer` must name one optimizer, got {len(value)}", "{sgd: {lr: 0.05}}"
            )
        ((name, numbers),) = value.items()
    else:
        name, numbers = value, {}
    refuse_other("optimizer", name, OPTIMIZERS)
    if numbers is None:
        numbers = {}
    if not isinstance(numbers, Mapping):
        raise SettingError(
            "optimizer", f"`{name}` takes a mapping of its settings, got {numbers!r}", f"{{{name}: {{lr: 0.01}}}}"
        )
    return OPTIMIZERS[str(name)].read(numbers)


def refuse_unknown(setting: str, key: str, known: Iterable[str], what: str) -> None:
    """Raise SettingError (N101) if a key is not a known one."""
    known = list(known)
    if key in known:
        return
    close = nearest(key, known)
    fix = f"did you mean `{close}`?" if close else f"known: {', '.join(known)}"
    raise SettingError(setting, f"`{key}` is not {what}", fix, "N101")


def refuse_other(setting: str, value: object, allowed: Mapping[str, object]) -> None:
    """Raise SettingError if a value is not one of the allowed words."""
    if isinstance(value, str) and value in allowed:
        return
    close = nearest(value, allowed) if isinstance(value, str) else None
    fix = f"did you mean `{close}`?" if close else ""
    raise SettingError(setting, f"`{setting}` must be one of {', '.join(allowed)}; got {value!r}", fix)


def _in_unit(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1


def _positive(owner: Optimizer, name: str) -> None:
    value = getattr(owner, name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= LARGEST_RATE:
        problem = f"`{name}` must be a number above 0 and at most {LARGEST_RATE:,}, got {value!r}"
        raise SettingError(f"optimizer.{name}", problem, f"{name}: 0.01 is a common starting point")
    object.__setattr__(owner, name, float(value))


def _below_one(owner: Optimizer, name: str) -> None:
    value = getattr(owner, name)
    if not _in_unit(value):
        raise SettingError(f"optimizer.{name}", f"`{name}` must be a number, at least 0 and below 1, got {value!r}")
    object.__setattr__(owner, name, float(value))


def _ranged(owner: Optimizer, name: str, low: float, high: float) -> None:
    try:
        object.__setattr__(owner, name, number(name, getattr(owner, name), low, high))
    except SettingError as error:
        raise SettingError(f"optimizer.{name}", error.problem, error.fix) from None


def _flag(owner: Optimizer, name: str) -> None:
    try:
        flag(name, getattr(owner, name))
    except SettingError as error:
        raise SettingError(f"optimizer.{name}", error.problem, error.fix) from None
