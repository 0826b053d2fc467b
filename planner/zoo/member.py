"""One network of the zoo: its builder with its settings, the figures it must have, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Any

from planner.findings import SpecError, nearest
from planner.zoo.document import Document


@dataclass(frozen=True)
class Member:
    """A network that comes with the package.

    Attributes
    ----------
    name : str
        torchvision's where it has the network.
    title : str
        What it is called in print, and where it was published.
    build : callable
        Takes the name and settings by keyword; returns a spec document.
    parameter_count, macs : int
        Trainable parameters, and multiply-accumulates of one image at the size `at`. Stated here so that they can be
        listed without planning every network; the tests plan every network and compare.
    at : Mapping of str to int
        The free sizes of the input at which `macs` are counted, as the network was published.
    note : str
        What differs from the publication.
    remarks : Mapping of str to str
        Comments at the end of lines of the spec, by key.
    meant : Mapping of str to str
        Warnings that do not matter for this network, by rule, and why; the spec silences them.
    """

    name: str
    title: str
    build: Callable[..., Document]
    parameter_count: int
    macs: int
    at: Mapping[str, int] = field(default_factory=lambda: {"H": 224, "W": 224})
    note: str = ""
    remarks: Mapping[str, str] = field(default_factory=dict)
    meant: Mapping[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings that can be changed, with the values this network has."""
        found = signature(self.build).parameters.values()
        return MappingProxyType({each.name: each.default for each in found if each.default is not Parameter.empty})

    def document(self, **changes: Any) -> Document:
        """Return the spec document, with other settings where some are given.

        Raises
        ------
        SpecError
            N101 or N107: there is no such setting, or its value is of another type.

        Examples
        --------
        >>> from planner.zoo.catalogue import member
        >>> member("resnet18").document(classes=10)["output"]
        {'classes': ['N', 10]}
        """
        known = self.settings
        given = {key: (value,) if _is_one_of(value, known.get(key)) else value for key, value in changes.items()}
        for key, value in given.items():
            if key not in known:
                close = nearest(key, known)
                fix = f"did you mean `{close}`?" if close else f"settings are {', '.join(known)}"
                raise SpecError.of("N101", f"{self.name} has no setting `{key}`", fixes=[fix])
            if not _fits(value, known[key]):
                fix = f"write  {key}={shown(known[key])}"
                raise SpecError.of("N107", f"{self.name}: `{key}` cannot be {value!r}", fixes=[fix])
        return self.build(name=self.name, **given)


def changed(build: Callable[..., Document], **settings: Any) -> Callable[..., Document]:
    """Return a builder with other settings of its own.

    Examples
    --------
    >>> from planner.zoo.vgg import vgg
    >>> changed(vgg, norm=True)(name="mine")["name"]
    'mine'
    """
    return partial(build, **settings)


def _is_one_of(value: Any, like: Any) -> bool:
    """Return whether a value is one number where a list of them is meant."""
    return isinstance(like, tuple) and isinstance(value, int) and not isinstance(value, bool)


def _fits(value: Any, like: Any) -> bool:
    if isinstance(like, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(like, bool)
    if isinstance(like, tuple):
        return isinstance(value, (tuple, list)) and len(value) > 0 and all(_fits(each, like[0]) for each in value)
    if isinstance(like, float):
        return isinstance(value, (int, float)) and 0 <= value < 1e6
    if isinstance(like, int):
        return isinstance(value, int) and 1 <= value <= 1_000_000
    return isinstance(value, type(like))


def shown(value: Any) -> str:
    """Return the value of a setting as people type it.

    Examples
    --------
    >>> shown((3, 4, 6, 3)), shown(False), shown(1.0)
    ('3-4-6-3', 'false', '1.0')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return "-".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
