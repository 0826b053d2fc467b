"""One function for each kind of layer, generated from the vocabulary: ``conv(filters=6, kernel=5)``.

``conv(filters=6, kernel=5)`` returns the same as ``layer("conv", filters=6, kernel=5)``. A function is created on first
use; type checkers and editors read the stub next to this file, which ``make stubs`` generates.
"""

from planner.constructors.functions import NAMES, make

__all__ = sorted(NAMES)


def __getattr__(name: str) -> object:
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = make(name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *NAMES})
