"""What a conformance case is, and what a family of layer kinds brings to the suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from tests.harness.naive import Array

Template = tuple[int | str, ...]
Settings = Mapping[str, Any]
Arrays = Mapping[str, Array]

MAP: Template = ("N", 4, "H", "W")
LINE: Template = ("N", 4, "L")
VOLUME: Template = ("N", 4, "D", "H", "W")
ROW: Template = ("N", 6)
COMFORTABLE: Mapping[str, int] = MappingProxyType({"N": 2, "H": 9, "W": 8, "L": 11, "D": 5})
"""Sizes at which every case runs."""


@dataclass(frozen=True)
class Partner:
    """A layer that the one under test names in a setting, and that reads the last of the case's inputs.

    Attributes
    ----------
    key : str
        The setting.
    kind : str
    settings : Mapping
    """

    key: str
    kind: str
    settings: Settings


@dataclass(frozen=True)
class Case:
    """One layer under test.

    Attributes
    ----------
    kind : str
    settings : Mapping
        As a spec would give them.
    inputs : tuple of templates
        Shapes of what the layer reads.
    at : Mapping of str to int
        Values of further names, on top of `COMFORTABLE`.
    partner : Partner, optional
        Another layer of the network that one of the settings names.
    least : Mapping of str to int
        Names whose smaller values, written as numbers, would be another network.
    """

    kind: str
    settings: Settings = field(default_factory=dict)
    inputs: tuple[Template, ...] = (MAP,)
    at: Mapping[str, int] = field(default_factory=dict)
    partner: Partner | None = None
    least: Mapping[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The case as one line of text."""
        settings = ",".join(f"{key}={value}" for key, value in self.settings.items())
        ranks = "" if self.inputs == (MAP,) else " of " + " ".join("x".join(map(str, shape)) for shape in self.inputs)
        beside = "" if self.partner is None else " beside " + str(dict(self.partner.settings))
        return f"{self.kind}({settings}){ranks}{beside}".replace("[", "<").replace("]", ">")

    @property
    def sizes(self) -> dict[str, int]:
        """Values of every name of the case at which it runs."""
        used = {size for shape in self.inputs for size in shape if isinstance(size, str)}
        settings = {**self.settings, **({} if self.partner is None else self.partner.settings)}
        used |= {value for key, value in settings.items() if isinstance(value, str) and key in SIZES}
        return {name: value for name, value in {**COMFORTABLE, **self.at}.items() if name in used and name != "same"}

    def shapes(self, sizes: Mapping[str, int]) -> list[tuple[int, ...]]:
        """Return the input shapes at these sizes."""
        return [tuple(size if isinstance(size, int) else sizes[size] for size in shape) for shape in self.inputs]

    def numbers(self, sizes: Mapping[str, int]) -> dict[str, Any]:
        """Return the settings with every name of a size replaced by its value."""
        return bound_settings(self.settings, sizes)

    def bound(self, sizes: Mapping[str, int]) -> Case:
        """Return the case with every name of a size replaced by its value."""
        partner = self.partner
        if partner is not None:
            partner = replace(partner, settings=bound_settings(partner.settings, sizes))
        return replace(self, settings=self.numbers(sizes), inputs=tuple(self.shapes(sizes)), at={}, partner=partner)

    def defined(self, sizes: Mapping[str, int]) -> dict[str, Any]:
        """Return the settings as an oracle takes them: those of the partner stand where it is named."""
        known = {} if self.partner is None else {self.partner.key: bound_settings(self.partner.settings, sizes)}
        return {**self.numbers(sizes), **known}


SIZES = frozenset(
    {
        "filters",
        "kernel",
        "start",
        "stop",
        "stride",
        "pad",
        "output_pad",
        "dilation",
        "groups",
        "size",
        "units",
        "scale",
    }
)
"""Settings in which a str is the name of a size."""


def bound_settings(settings: Settings, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Return settings with names of sizes replaced by their values.

    Examples
    --------
    >>> bound_settings({"kernel": "F", "pad": "same", "rounding": "floor"}, {"F": 3})
    {'kernel': 3, 'pad': 'same', 'rounding': 'floor'}
    """
    return {
        key: sizes[value] if key in SIZES and isinstance(value, str) and value in sizes else value
        for key, value in settings.items()
    }


Oracle = Callable[[Sequence[Array], Settings, Arrays], Array]
"""What a layer computes: from its inputs, settings and arrays."""

Shapes = Sequence[tuple[int, ...]]
ArraysOf = Callable[[Shapes, Settings, np.random.Generator], Arrays]
"""Random parameters and statistics of the shapes the definition of a layer asks for."""


@dataclass(frozen=True)
class Family:
    """The conformance cases of some layer kinds, and what judges them.

    Attributes
    ----------
    cases : tuple of Case
        One line for each kind and variant.
    refused : tuple of (str, Case, Case)
        A rule that can refuse a network outright, a case that breaks it, the nearest case that does not.
    oracles : mapping of str to Oracle
        By kind, a function of :mod:`tests.harness.naive`, as at inference.
    arrays : mapping of str to ArraysOf
        Kinds that own arrays.
    training : mapping of str to Oracle
        Kinds that compute something else while training.
    """

    cases: tuple[Case, ...]
    refused: tuple[tuple[str, Case, Case], ...]
    oracles: Mapping[str, Oracle]
    arrays: Mapping[str, ArraysOf] = field(default_factory=dict)
    training: Mapping[str, Oracle] = field(default_factory=dict)


def with_bias(arrays: Arrays, count: int, settings: Settings, rng: np.random.Generator) -> Arrays:
    """Return the arrays with a random ``bias``, unless the settings say there is none."""
    return {**arrays, "bias": rng.standard_normal(count)} if settings.get("bias", True) else arrays
