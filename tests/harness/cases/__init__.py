"""The conformance cases: one module a family of layers, joined here.

A new layer kind needs one line in the `CASES` of its family, one in its `ORACLES` (a function of :mod:`tests.harness.naive`), one in
`ARRAYS` where it owns any and, where it can refuse a network outright, one in `REFUSED`. The suite itself is
:mod:`tests.conformance.test_conformance`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from tests.harness import naive
from tests.harness.cases import (
    adaptive,
    arithmetic,
    channelwise,
    maps,
    merge,
    norm,
    pointwise,
    reshape,
    slicing,
    unpool,
    window,
)
from tests.harness.cases.case import COMFORTABLE as COMFORTABLE
from tests.harness.cases.case import Arrays as Arrays
from tests.harness.cases.case import ArraysOf, Oracle
from tests.harness.cases.case import Case as Case
from tests.harness.cases.case import Partner as Partner
from tests.harness.cases.case import Settings as Settings
from tests.harness.cases.case import Template as Template
from tests.harness.cases.case import bound_settings as bound_settings
from tests.harness.naive import Array

FAMILIES = (
    reshape.FAMILY,
    slicing.FAMILY,
    window.FAMILY,
    adaptive.FAMILY,
    maps.FAMILY,
    pointwise.FAMILY,
    channelwise.FAMILY,
    norm.FAMILY,
    merge.FAMILY,
    unpool.FAMILY,
    arithmetic.FAMILY,
)

CASES: tuple[Case, ...] = tuple(case for family in FAMILIES for case in family.cases)

REFUSED: tuple[tuple[str, Case, Case], ...] = tuple(row for family in FAMILIES for row in family.refused)
"""Rule that is broken, case that breaks it, nearest case that does not."""

ORACLES: Mapping[str, Oracle] = MappingProxyType({k: v for family in FAMILIES for k, v in family.oracles.items()})
"""The naive function of each kind at inference."""

TRAINING: Mapping[str, Oracle] = MappingProxyType(
    {**ORACLES, **{k: v for family in FAMILIES for k, v in family.training.items()}}
)
"""The same while training; dropout is random there and has its own test."""

ARRAYS: Mapping[str, ArraysOf] = MappingProxyType({k: v for family in FAMILIES for k, v in family.arrays.items()})
"""How the arrays of each kind that owns any are drawn."""


def result(oracle: Oracle, inputs: Sequence[Array], settings: Settings, arrays: Arrays) -> Array | None:
    """Return what an oracle computes, or None where there is no result."""
    try:
        return oracle(inputs, settings, arrays)
    except naive.NoResult:
        return None


def fixed_arrays(case: Case, shapes: Sequence[tuple[int, ...]], settings: Settings, rng: np.random.Generator) -> Arrays:
    """Return random parameters and statistics of the shapes the definition of the layer asks for."""
    draw = ARRAYS.get(case.kind)
    return {} if draw is None else draw(shapes, settings, rng)


def away_from_kinks(shape: tuple[int, ...], rng: np.random.Generator, shift: float = 0.0) -> Array:
    """Return distinct numbers from -4 to 8, evenly spaced in random order, none near a kink.

    -3, 0, 3 and 6 lie half a step from the nearest number, so that relu, relu6, the hard sigmoid and, doubled, all
    three again are smooth around every one; the distance between any two leaves a maximum where it is. A `shift`
    of less than half a step keeps several such arrays apart from each other.

    Examples
    --------
    >>> sorted(away_from_kinks((1, 3), np.random.default_rng(0)).ravel().round(2).tolist())
    [-1.5, 3.5, 5.5]
    """
    count = math.prod(shape)
    slots = -(-count // 12) * 12
    numbers = -4 + (np.arange(slots) + 0.5 + shift) * (12 / slots)
    return np.asarray(rng.permutation(numbers)[:count].reshape(shape))
