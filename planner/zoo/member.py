"""One network of the zoo: its builder with settings, its expected parameter count and MACs, and its source."""

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
    """A network included in the package.

    Attributes
    ----------
    name : str
        The name in torchvision, if it has the network.
    title : str
        Name in the literature, and publication.
    build : callable
        Function of the name and settings, as keyword arguments, that returns a spec document.
    parameter_count, macs : int
        Trainable parameters, and multiply-accumulates of one image at the size `at`. They are stored so that they can
        be listed without planning every network; tests plan every network and compare.
    at : Mapping of str to int
        The free sizes of the input for `macs`, as in the publication.
    note : str
        Differences from the publication.
    remarks : Mapping of str to str
        Comments after keys of the spec.
    meant : Mapping of str to str
        Warnings that are intended in this network, by rule, with the reason; the spec suppresses them.
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
        """Settings that can be changed, with the values of this network."""
        found = signature(self.build).parameters.values()
        return MappingProxyType({each.name: each.default for each in found if each.default is not Parameter.empty})

    def document(self, **changes: Any) -> Document:
        """Return the spec document, with some settings changed.

        Raises
        ------
        SpecError
            N101 or N107: there is no such setting, or its value has another type.

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
    """Return a builder with other default settings.

    Examples
    --------
    >>> from planner.zoo.vgg import vgg
    >>> changed(vgg, norm=True)(name="mine")["name"]
    'mine'
    """
    return partial(build, **settings)


def _is_one_of(value: Any, like: Any) -> bool:
    """Return whether a value is a single number instead of a list."""
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
    """Return the value of a setting as text for the command line.

    Examples
    --------
    >>> shown((3, 4, 6, 3)), shown(False), shown(1.0)
    ('3-4-6-3', 'false', '1.0')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return "-".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
