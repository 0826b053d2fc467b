"""Conformance cases of normalisation, and what judges them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tests.harness import naive
from tests.harness.cases.case import LINE, ROW, VOLUME, Arrays, Case, Family, Oracle, Settings, Shapes
from tests.harness.naive import Array


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


def _channels(shapes: Shapes, _settings: Settings, rng: np.random.Generator) -> Arrays:
    return {name: rng.standard_normal(shapes[0][1]) for name in ("weight", "bias")}


def _instance_arrays(shapes: Shapes, settings: Settings, rng: np.random.Generator) -> Arrays:
    found = _statistics(shapes, settings, rng)
    affine = ("weight", "bias") if settings.get("affine") else ()
    return {
        name: found[name] for name in (*affine, *(("running_mean", "running_var") if settings.get("running") else ()))
    }


def _layer_arrays(shapes: Shapes, settings: Settings, rng: np.random.Generator) -> Arrays:
    if settings.get("over") != "all":
        return _channels(shapes, settings, rng)
    return {name: rng.standard_normal(shapes[0][1:]) for name in ("weight", "bias")}


def _without_affine(function: Callable[..., Array]) -> Oracle:
    def run(inputs: Sequence[Array], settings: Settings, arrays: Arrays) -> Array:
        rest = {key: value for key, value in settings.items() if key != "affine"}
        return function(inputs[0], arrays.get("weight"), arrays.get("bias"), **rest)

    return run


def _instance_norm(inputs: Sequence[Array], settings: Settings, arrays: Arrays, training: bool = False) -> Array:
    x = inputs[0]
    if settings.get("running") and not training:
        return _batch_norm(inputs, {"eps": settings.get("eps", 1e-5)}, arrays)
    naive.a_map(x)
    return naive.group_norm(
        x, arrays.get("weight"), arrays.get("bias"), groups=x.shape[1], eps=settings.get("eps", 1e-5)
    )


# fmt: off
CASES = (
    Case("batchnorm"),
    Case("batchnorm", {"eps": 0.01, "momentum": 0.3}),
    Case("batchnorm", {"affine": False}),
    Case("batchnorm", inputs=(ROW,), at={"N": 5}),
    Case("batchnorm", inputs=(LINE,)),
    Case("batchnorm", inputs=(VOLUME,)),
    Case("layernorm"),
    Case("layernorm", {"eps": 0.01, "affine": False}),
    Case("layernorm", inputs=(ROW,)),
    Case("layernorm", {"over": "all"}),
    Case("layernorm", {"over": "all", "affine": False}),
    Case("layernorm", {"over": "all"}, (ROW,)),
    Case("layernorm", inputs=(LINE,)),
    Case("layernorm", {"over": "all"}, (VOLUME,)),
    Case("groupnorm", {"groups": 2}),
    Case("groupnorm", {"groups": 1, "affine": False}),
    Case("groupnorm", {"groups": 3, "eps": 0.01}, (ROW,)),
    Case("groupnorm", {"groups": "G"}, (("N", "C", "H", "W"),), at={"C": 6, "G": 2}),
    Case("groupnorm", {"groups": 2}, (VOLUME,)),
    Case("instancenorm"),
    Case("instancenorm", inputs=(LINE,)),
    Case("instancenorm", {"affine": True, "eps": 0.01}),
    Case("instancenorm", {"running": True}),
    Case("instancenorm", {"running": True, "affine": True, "momentum": 0.3}, at={"N": 3}),
    Case("instancenorm", {"running": True}, (LINE,)),
    Case("lrn", {"size": 3}),
    Case("lrn", {"size": 2, "alpha": 0.5, "beta": 1.5, "k": 2.0}),
    Case("lrn", {"size": 9, "alpha": 2.0}),
    Case("lrn", {"size": 3, "alpha": 2.0}, (VOLUME,)),
)
# fmt: on

REFUSED: tuple[tuple[str, Case, Case], ...] = (
    # rule that is broken, case that breaks it, nearest case that does not
    ("S203", Case("groupnorm", {"groups": 3}), Case("groupnorm", {"groups": 2})),
    ("S204", Case("instancenorm", inputs=(ROW,)), Case("instancenorm")),
    ("S204", Case("lrn", {"size": 3}, (ROW,)), Case("lrn", {"size": 3})),
)

ORACLES = {
    "batchnorm": _batch_norm,
    "layernorm": _without_affine(naive.layer_norm),
    "groupnorm": _without_affine(naive.group_norm),
    "instancenorm": _instance_norm,
    "lrn": lambda inputs, settings, _arrays: naive.local_response_norm(inputs[0], **settings),
}

ARRAYS = {
    "layernorm": _layer_arrays,
    "groupnorm": _channels,
    "instancenorm": _instance_arrays,
    "batchnorm": _statistics,
}

TRAINING = {
    "batchnorm": lambda inputs, settings, arrays: _batch_norm(inputs, settings, arrays, training=True),
    "instancenorm": lambda inputs, settings, arrays: _instance_norm(inputs, settings, arrays, training=True),
}

FAMILY = Family(CASES, REFUSED, ORACLES, arrays=ARRAYS, training=TRAINING)
