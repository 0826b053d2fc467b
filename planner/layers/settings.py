"""Settings of layers: how they are declared, and what each kind of value must be."""

from __future__ import annotations

from dataclasses import field
from typing import Any

import planner.symbols as sy
from planner.findings import SettingError
from planner.symbols import Size


def setting(description: str, default: Any = ..., **limits: Any) -> Any:
    """Return a dataclass field that carries its one-line description (for docs and the JSON Schema).

    A setting of default None says with `unset`, in a few words, what holds then.
    """
    metadata = {"description": description, **limits}
    return field(metadata=metadata) if default is ... else field(default=default, metadata=metadata)


def settle(layer: object, **values: Any) -> None:
    """Give a frozen layer under construction the checked form of its settings."""
    for name, value in values.items():
        object.__setattr__(layer, name, value)


def count(name: str, value: object, *, minimum: int = 1) -> Size:
    """Return a setting that counts something as a size.

    Raises
    ------
    SettingError
        Not an int or a name, below `minimum`, or larger than any machine can hold.
    """
    if isinstance(value, str):
        try:
            return sy.symbol(value, least=min(minimum, 1))
        except ValueError as error:
            raise SettingError(name, f"`{name}`: {error}") from None
    if isinstance(value, sy.Size) and sy.constant(value) is None:
        return value
    known = sy.constant(value) if isinstance(value, sy.Size) else value
    known = sy.whole(known)
    if known is None:
        raise SettingError(name, f"`{name}` must be a whole number or a name, got {value!r}")
    if known < minimum:
        raise SettingError(name, f"`{name}` must be at least {minimum}, got {known}")
    if known > sy.LARGEST:
        raise SettingError(name, f"`{name}` is {known}, larger than any tensor (2^40)")
    return sy.size(known)


def flag(name: str, value: object) -> bool:
    """Return a setting that is true or false; raises SettingError otherwise."""
    if not isinstance(value, bool):
        raise SettingError(name, f"`{name}` must be true or false, got {value!r}")
    return value


def choice(name: str, value: object, allowed: tuple[str, ...]) -> str:
    """Return a setting that is one of a few words; raises SettingError otherwise."""
    if value not in allowed:
        raise SettingError(name, f"`{name}` must be one of {', '.join(allowed)}; got {value!r}")
    return str(value)


def number(name: str, value: object, low: float, high: float) -> float:
    """Return a setting that is a real number with low <= value <= high; raises SettingError otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise SettingError(name, f"`{name}` must be a number from {low:g} to {high:g}, got {value!r}")
    return float(value)
