"""Settings of layers: their declaration, and the checks of their values."""

from __future__ import annotations

from dataclasses import field
from typing import Any

import planner.symbols as sy
from planner.findings import SettingError
from planner.symbols import Size


def setting(description: str, default: Any = ..., **limits: Any) -> Any:
    """Return a dataclass field with a one-line description for the docs and the JSON Schema.

    A setting with default None describes in `unset`, in a few words, what None means. A setting that takes one of a few
    words lists them in `choices`.
    """
    metadata = {"description": description, **limits}
    return field(metadata=metadata) if default is ... else field(default=default, metadata=metadata)


def settle(layer: object, **values: Any) -> None:
    """Set the checked values of settings on a frozen layer under construction."""
    for name, value in values.items():
        object.__setattr__(layer, name, value)


def count(name: str, value: object, *, minimum: int = 1) -> Size:
    """Return the value of a setting that counts something, as a size.

    Raises
    ------
    SettingError
        The value is not an int or a name, is below `minimum`, or is larger than any machine can hold.
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
    """Return the value of a boolean setting; raise SettingError for any other value."""
    if not isinstance(value, bool):
        raise SettingError(name, f"`{name}` must be true or false, got {value!r}")
    return value


def choice(layer: Any, name: str) -> str:
    """Return the value of a setting that is one of its `choices`; raise SettingError otherwise."""
    value, allowed = getattr(layer, name), layer.__dataclass_fields__[name].metadata["choices"]
    if value not in allowed:
        raise SettingError(name, f"`{name}` must be one of {', '.join(allowed)}; got {value!r}")
    return str(value)


def number(name: str, value: object, low: float, high: float) -> float:
    """Return the value of a setting that is a real number in [low, high]; raise SettingError otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise SettingError(name, f"`{name}` must be a number from {low:g} to {high:g}, got {value!r}")
    return float(value)
