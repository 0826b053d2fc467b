"""Look up public names, and report an error if another module shadows one of our packages."""

from __future__ import annotations

import builtins
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

RUNTIME = ("Model",)
"""Names from `runtime`, which imports NumPy; all others are found without NumPy."""

HOME = Path(__file__).resolve().parent.parent
"""The directory in which `planner`, `runtime` and `shapeplan` are installed side by side."""


def find(name: str) -> object:
    """Return the object with a public name.

    Raises
    ------
    AttributeError
        If there is no such name.
    ImportError
        If another module shadows one of our packages.

    Examples
    --------
    >>> find("ShapeError").__name__
    'ShapeError'
    """
    if not name.startswith("_"):
        planner = ours("planner")
        if name in planner.__all__:
            return getattr(planner, name)
        if name in RUNTIME:
            return getattr(ours("runtime"), name)
        constructors = import_module("planner.constructors")
        if name in constructors.__all__:
            return getattr(constructors, name)
    raise AttributeError(f"module 'shapeplan' has no attribute {name!r}{_hint(name)}")


def public() -> list[str]:
    """Return every public name.

    Examples
    --------
    >>> {"Network", "Model", "conv", "slice"} <= set(public())
    True
    """
    return sorted({*ours("planner").__all__, *RUNTIME, *import_module("planner.constructors").__all__})


def starred() -> list[str]:
    """Return the names that ``from shapeplan import *`` imports: all public names except those of builtins.

    Examples
    --------
    >>> "conv" in starred(), "slice" in starred()
    (True, False)
    """
    return [name for name in public() if not hasattr(builtins, name)]


def ours(package: str) -> ModuleType:
    """Import and return one of our packages, never another module of that name.

    Raises
    ------
    ImportError
        If Python finds another module of that name first, such as a ``planner.py`` in the working directory. That
        module is not imported.

    Examples
    --------
    >>> ours("planner").__name__
    'planner'
    """
    spec = getattr(sys.modules.get(package), "__spec__", None) or find_spec(package)
    place = _folder(spec)
    if place is None or place != HOME / package:
        raise ImportError(_shadowed(package, spec), name=package)
    return import_module(package)


def _folder(spec: ModuleSpec | None) -> Path | None:
    """Return the directory of a package; None for a single module."""
    if spec is None or not spec.submodule_search_locations or spec.origin is None:
        return None
    return Path(spec.origin).resolve().parent


def _shadowed(package: str, spec: ModuleSpec | None) -> str:
    if spec is None:
        return f"shapeplan needs its package `{package}`, which is not installed at {HOME / package}"
    found = spec.origin or next(iter(spec.submodule_search_locations or ()), "another module")
    return (
        f"shapeplan needs its own package `{package}`, but Python finds {found} first; "
        f"rename that file or folder, or start Python in another folder"
    )


def _hint(name: str) -> str:
    if name.startswith("_"):
        return ""
    from planner.findings import nearest

    close = nearest(name, public())
    return f"; did you mean `{close}`?" if close else ""
