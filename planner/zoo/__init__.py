"""Known networks that come with the package, as spec files to check, run or begin with."""

from __future__ import annotations

from importlib.resources import files

PREFIX = "zoo:"
"""Says that a name is one of these networks, where a file might be meant."""


def names() -> list[str]:
    """Return the networks that come with the package.

    Examples
    --------
    >>> names()
    ['lenet5']
    """
    found = [item.name for item in files(__name__).iterdir()]
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml"))


def text(name: str) -> str:
    """Return the spec of a network.

    Raises
    ------
    FileNotFoundError
        There is none of that name.
    """
    return (files(__name__) / f"{name}.yaml").read_text("utf-8")
