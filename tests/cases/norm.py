"""Conformance cases of normalisation, and what judges them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests import naive
from tests.cases.case import ROW, Arrays, Case, Family, Settings, Shapes
from tests.naive import Array


def _batch_norm(inputs: Sequence[Array], settings: Settings, arrays: Arrays, training: bool = False) -> Array:
    rest = {key: value for key, value in settings.items() if key != "affine"}
    statistics = arrays["running_mean"], arrays["running_var"]
    return naive.batch_norm(
        inputs[0], arrays.get("weight"), arrays.get("bias"), *statistics, training=training, **rest
    )[0]


def _statistics(shapes: Shapes, settings: Settings, rng: np.random.Generator) -> Arrays:
    channels = shapes[0][1]
    found = {name: rng.standard_normal(channels) for name in ("weight", "bias", "running_mean")}
    return {**found, "running_var": rng.uniform(0.5, 2.0, channels)}


# fmt: off
CASES = (
    Case("batchnorm"),
    Case("batchnorm", {"eps": 0.01, "momentum": 0.3}),
    Case("batchnorm", {"affine": False}),
    Case("batchnorm", inputs=(ROW,), at={"N": 5}),
)
# fmt: on

REFUSED: tuple[tuple[str, Case, Case], ...] = ()

ORACLES = {
    "batchnorm": _batch_norm,
}

ARRAYS = {
    "batchnorm": _statistics,
}

TRAINING = {
    "batchnorm": lambda inputs, settings, arrays: _batch_norm(inputs, settings, arrays, training=True),
}

FAMILY = Family(CASES, REFUSED, ORACLES, arrays=ARRAYS, training=TRAINING)
