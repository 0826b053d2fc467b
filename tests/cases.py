"""The conformance cases: one line for each layer kind and variant, and what judges them.

A new layer kind needs one line in `CASES`, one in `ORACLES` (a function of :mod:`tests.naive`) and, where
it can refuse a network outright, one in `REFUSED`. The suite itself is :mod:`tests.test_conformance`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from tests import naive
from tests.naive import Array

Template = tuple[int | str, ...]
Settings = Mapping[str, Any]
Arrays = Mapping[str, Array]

MAP: Template = ("N", 4, "H", "W")
ROW: Template = ("N", 6)
COMFORTABLE: Mapping[str, int] = MappingProxyType({"N": 2, "H": 9, "W": 8})
"""Sizes at which every case runs."""


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
    """

    kind: str
    settings: Settings = field(default_factory=dict)
    inputs: tuple[Template, ...] = (MAP,)
    at: Mapping[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The case as one line of text."""
        settings = ",".join(f"{key}={value}" for key, value in self.settings.items())
        ranks = "" if self.inputs == (MAP,) else " of " + " ".join("x".join(map(str, shape)) for shape in self.inputs)
        return f"{self.kind}({settings}){ranks}".replace("[", "<").replace("]", ">")

    @property
    def sizes(self) -> dict[str, int]:
        """Values of every name of the case at which it runs."""
        used = {size for shape in self.inputs for size in shape if isinstance(size, str)}
        used |= {value for key, value in self.settings.items() if isinstance(value, str) and key in SIZES}
        return {name: value for name, value in {**COMFORTABLE, **self.at}.items() if name in used and name != "same"}

    def shapes(self, sizes: Mapping[str, int]) -> list[tuple[int, ...]]:
        """Return the input shapes at these sizes."""
        return [tuple(size if isinstance(size, int) else sizes[size] for size in shape) for shape in self.inputs]

    def numbers(self, sizes: Mapping[str, int]) -> dict[str, Any]:
        """Return the settings with every name of a size replaced by its value."""
        return bound_settings(self.settings, sizes)


SIZES = frozenset({"filters", "kernel", "stride", "pad", "output_pad", "dilation", "groups", "size", "units", "scale"})
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


# fmt: off
CASES: tuple[Case, ...] = (
    Case("input"),
    Case("input", inputs=(ROW,)),

    Case("conv", {"filters": 3, "kernel": 3}),
    Case("conv", {"filters": 5, "kernel": 1, "bias": False}),
    Case("conv", {"filters": 3, "kernel": [3, 2], "stride": [2, 3]}),
    Case("conv", {"filters": 3, "kernel": 3, "stride": 2, "pad": 1}),
    Case("conv", {"filters": 3, "kernel": 3, "pad": [2, 1]}),
    Case("conv", {"filters": 2, "kernel": [3, 4], "stride": 2, "pad": [0, 1, 2, 3]}),
    Case("conv", {"filters": 3, "kernel": 3, "pad": "same"}),
    Case("conv", {"filters": 3, "kernel": [2, 5], "stride": [2, 3], "pad": "same"}),
    Case("conv", {"filters": 3, "kernel": 2, "dilation": 3, "stride": 2, "pad": "same"}),
    Case("conv", {"filters": 3, "kernel": 3, "dilation": [2, 3]}),
    Case("conv", {"filters": 2, "kernel": [2, 3], "dilation": [3, 1], "stride": 2, "pad": 2}),
    Case("conv", {"filters": 6, "kernel": 3, "groups": 2}),
    Case("conv", {"filters": 8, "kernel": 3, "groups": 4, "pad": 1, "stride": 2, "bias": False}),
    Case("conv", {"filters": 4, "kernel": 3, "groups": 4, "dilation": 2}),
    Case("conv", {"filters": 2, "kernel": 1, "stride": 3}),
    Case("conv", {"filters": 2, "kernel": 3, "pad": 4}),
    Case("conv", {"filters": 2, "kernel": 3, "stride": 2, "rounding": "exact", "pad": [0, 0, 1, 0]}),
    Case("conv", {"filters": "K", "kernel": "F", "stride": "S", "pad": "P"}, at={"K": 3, "F": 3, "S": 2, "P": 1}),
    Case("conv", {"filters": 8, "kernel": 2, "groups": 4}, (("N", "C", "H", "W"),), at={"C": 4}),
    Case("conv", {"filters": "K", "kernel": 2, "groups": "G"}, (("N", "C", "H", "W"),), at={"C": 4, "K": 6, "G": 2}),

    Case("convtranspose", {"filters": 3, "kernel": 2, "stride": 2}),
    Case("convtranspose", {"filters": 5, "kernel": 3, "bias": False}),
    Case("convtranspose", {"filters": 3, "kernel": [3, 2], "stride": [2, 3], "pad": 1}),
    Case("convtranspose", {"filters": 2, "kernel": [4, 3], "stride": 2, "pad": [1, 0, 2, 1], "output_pad": [1, 0]}),
    Case("convtranspose", {"filters": 2, "kernel": 2, "stride": 3, "output_pad": 2}),
    Case("convtranspose", {"filters": 2, "kernel": 2, "dilation": 3, "pad": 1, "output_pad": 2}),
    Case("convtranspose", {"filters": 2, "kernel": [3, 2], "stride": [2, 1], "dilation": [2, 3], "pad": [2, 3]}),
    Case("convtranspose", {"filters": 2, "kernel": 1, "stride": 2, "pad": 3}),
    Case("convtranspose", {"filters": 6, "kernel": 3, "groups": 2, "stride": 2, "pad": 1, "output_pad": 1}),
    Case("convtranspose", {"filters": "K", "kernel": "F", "stride": "S", "pad": "P"}, at={"K": 3, "F": 3, "S": 2, "P": 1}),
    Case("convtranspose", {"filters": 2, "kernel": 2, "stride": 3, "output_pad": "Q"}, at={"Q": 1}),
    Case("convtranspose", {"filters": 8, "kernel": 2, "groups": 4}, (("N", "C", "H", "W"),), at={"C": 4}),
    Case("upsample", {"scale": 2}),
    Case("upsample", {"scale": [3, 1]}),
    Case("upsample", {"scale": "S"}, at={"S": 2}),
    Case("pad", {"pad": 1}),
    Case("pad", {"pad": [0, 1, 2, 3]}),
    Case("pad", {"pad": "P"}, at={"P": 2}),
    Case("crop", inputs=(MAP, ("N", 2, "G", "V")), at={"G": 6, "V": 5}),
    Case("crop", inputs=(MAP, MAP)),
    Case("crop", {"size": [4, 5]}),
    Case("crop", {"size": "F"}, at={"F": 3}),

    Case("maxpool", {"size": 2}),
    Case("maxpool", {"size": 3, "stride": 2}),
    Case("maxpool", {"size": 3, "stride": 2, "pad": 1}),
    Case("maxpool", {"size": [2, 3], "stride": [3, 1], "pad": [1, 0, 0, 1]}),
    Case("maxpool", {"size": 2, "stride": 4}),
    Case("maxpool", {"size": 2, "rounding": "ceil"}),
    Case("maxpool", {"size": 3, "stride": 2, "pad": 1, "rounding": "ceil"}),
    Case("maxpool", {"size": 2, "stride": 3, "pad": 1, "rounding": "ceil"}),
    Case("maxpool", {"size": 2, "dilation": 2, "stride": 1}),
    Case("maxpool", {"size": 2, "dilation": 3, "stride": 1, "pad": 1}),
    Case("maxpool", {"size": 2, "dilation": 3, "stride": 2, "pad": "same"}),
    Case("maxpool", {"size": 2, "dilation": 5, "stride": 5, "pad": 1, "rounding": "ceil"}),
    Case("maxpool", {"size": 3, "dilation": [1, 2], "stride": 2, "pad": 1, "rounding": "ceil"}),
    Case("maxpool", {"size": 3, "stride": 2, "pad": "same"}),
    Case("maxpool", {"size": 2, "stride": 3, "pad": "same"}),
    Case("maxpool", {"size": 3, "rounding": "exact"}, at={"W": 9}),
    Case("maxpool", {"size": "F", "stride": "S"}, at={"F": 3, "S": 2}),

    Case("avgpool", {"size": 2}),
    Case("avgpool", {"size": 3, "stride": 2, "pad": 1}),
    Case("avgpool", {"size": 3, "stride": 2, "pad": 1, "count_include_pad": False}),
    Case("avgpool", {"size": [3, 2], "stride": [1, 3], "pad": [1, 0, 0, 1]}),
    Case("avgpool", {"size": 3, "stride": 2, "rounding": "ceil"}),
    Case("avgpool", {"size": 3, "stride": 2, "pad": 1, "rounding": "ceil"}),
    Case("avgpool", {"size": 4, "stride": 3, "pad": [2, 1, 1, 0], "rounding": "ceil"}),
    Case("avgpool", {"size": 3, "stride": 2, "pad": 1, "rounding": "ceil", "count_include_pad": False}),
    Case("avgpool", {"size": 3, "stride": 2, "pad": "same"}),
    Case("avgpool", {"size": 2, "stride": 1, "pad": "same", "count_include_pad": False}),
    Case("avgpool", {"size": 2, "stride": 3, "rounding": "exact"}, at={"H": 8}),

    Case("sumpool", {"size": 2}),
    Case("sumpool", {"size": [3, 2], "stride": 2, "pad": 1}),
    Case("sumpool", {"size": 3, "stride": 2, "rounding": "ceil"}),
    Case("sumpool", {"size": 3, "stride": 2, "pad": "same"}),
    Case("sumpool", {"size": 2, "rounding": "exact"}, at={"H": 8}),

    Case("gap"),
    Case("gmp"),
    Case("gsp"),

    Case("relu"),
    Case("relu6"),
    Case("leaky_relu"),
    Case("leaky_relu", {"slope": 0.3}),
    Case("elu"),
    Case("elu", {"alpha": 0.4}),
    Case("silu"),
    Case("gelu"),
    Case("gelu", {"approximate": "tanh"}),
    Case("softplus"),
    Case("tanh"),
    Case("sigmoid"),
    Case("softmax"),
    Case("softmax", inputs=(ROW,)),
    Case("log_softmax"),
    Case("log_softmax", inputs=(ROW,)),
    Case("relu", inputs=(ROW,)),

    Case("batchnorm"),
    Case("batchnorm", {"eps": 0.01, "momentum": 0.3}),
    Case("batchnorm", {"affine": False}),
    Case("batchnorm", inputs=(ROW,), at={"N": 5}),

    Case("dropout"),
    Case("dropout", {"rate": 0.2}, (ROW,)),
    Case("dropout", {"rate": 0.0}),

    Case("flatten"),
    Case("flatten", inputs=(ROW,)),
    Case("reshape", {"shape": [-1]}),
    Case("reshape", {"shape": [2, -1, 3]}),
    Case("reshape", {"shape": [8, 6, 6]}),
    Case("reshape", {"shape": [3, 1, 2]}, (ROW,)),
    Case("reshape", {"shape": 6}, (ROW,)),
    Case("reshape", {"shape": [1, -1, 4]}, (("N", "D"),), at={"D": 8}),

    Case("dense", {"units": 5}, (ROW,)),
    Case("dense", {"units": 1, "bias": False}, (ROW,)),
    Case("dense", {"units": "U"}, (("N", "D"),), at={"U": 4, "D": 7}),

    Case("add", inputs=(MAP, MAP)),
    Case("add", inputs=(MAP, MAP, MAP)),
    Case("add", inputs=(ROW, ROW)),
    Case("add", inputs=(MAP, ("N", 4, "G", "W")), at={"G": 9}),

    Case("concat", inputs=(MAP, ("N", 2, "H", "W"))),
    Case("concat", inputs=(MAP, ("N", 1, "H", "W"), ("N", "C", "H", "W")), at={"C": 3}),
    Case("concat", inputs=(ROW, ("N", 3))),
    Case("concat", inputs=(MAP, ("N", 2, "H", "G")), at={"G": 8}),
)

REFUSED: tuple[tuple[str, Case, Case], ...] = (
    # rule that is broken, case that breaks it, nearest case that does not
    ("S201", Case("conv", {"filters": 2, "kernel": 8}, (("N", 4, 7, 7),)), Case("conv", {"filters": 2, "kernel": 8}, (("N", 4, 8, 8),))),
    ("S201", Case("maxpool", {"size": 3}, (("N", 4, 2, 9),)), Case("maxpool", {"size": 3}, (("N", 4, 3, 9),))),
    ("S202", Case("add", inputs=(("N", 4, 5, 5), ("N", 3, 5, 5))), Case("add", inputs=(("N", 4, 5, 5), ("N", 4, 5, 5)))),
    ("S202", Case("add", inputs=(("N", 4, 5, 5), ("N", 4, 5, 1))), Case("add", inputs=(("N", 4, 5, 5), ("N", 4, 5, 5)))),
    ("S202", Case("add", inputs=(ROW, MAP)), Case("add", inputs=(MAP, MAP))),
    ("S202", Case("concat", inputs=(("N", 4, 5, 5), ("N", 4, 5, 6))), Case("concat", inputs=(("N", 4, 5, 5), ("N", 4, 5, 5)))),
    ("S202", Case("concat", inputs=(ROW, MAP)), Case("concat", inputs=(ROW, ROW))),
    ("S203", Case("conv", {"filters": 6, "kernel": 1, "groups": 3}), Case("conv", {"filters": 6, "kernel": 1, "groups": 2})),
    ("S203", Case("conv", {"filters": 6, "kernel": 1, "groups": 4}), Case("conv", {"filters": 8, "kernel": 1, "groups": 4})),
    ("S201", Case("convtranspose", {"filters": 2, "kernel": 3, "pad": 2}, (("N", 4, 2, 9),)),
             Case("convtranspose", {"filters": 2, "kernel": 3, "pad": 2}, (("N", 4, 3, 9),))),
    ("S201", Case("crop", inputs=(("N", 4, 5, 5), ("N", 4, 6, 5))), Case("crop", inputs=(("N", 4, 5, 5), ("N", 4, 5, 5)))),
    ("S201", Case("crop", {"size": [3, 6]}, (("N", 4, 5, 5),)), Case("crop", {"size": [3, 5]}, (("N", 4, 5, 5),))),
    ("N109", Case("crop", {"size": 2}, (MAP, MAP)), Case("crop", {"size": 2})),
    ("N109", Case("crop"), Case("crop", inputs=(MAP, MAP))),
    ("S203", Case("convtranspose", {"filters": 6, "kernel": 1, "groups": 3}), Case("convtranspose", {"filters": 6, "kernel": 1, "groups": 2})),
    ("S203", Case("convtranspose", {"filters": 6, "kernel": 1, "groups": 4}), Case("convtranspose", {"filters": 8, "kernel": 1, "groups": 4})),
    ("S204", Case("convtranspose", {"filters": 2, "kernel": 1}, (ROW,)), Case("convtranspose", {"filters": 2, "kernel": 1})),
    ("S204", Case("upsample", {"scale": 2}, (ROW,)), Case("upsample", {"scale": 2})),
    ("S204", Case("pad", {"pad": 1}, (ROW,)), Case("pad", {"pad": 1})),
    ("S204", Case("crop", inputs=(MAP, ROW)), Case("crop", inputs=(MAP, MAP))),
    ("S210", Case("reshape", {"shape": [5, 5, 5]}, (("N", 4, 5, 5),)), Case("reshape", {"shape": [10, 5, 2]}, (("N", 4, 5, 5),))),
    ("S210", Case("reshape", {"shape": [-1, 3, 1]}, (("N", 4, 5, 5),)), Case("reshape", {"shape": [-1, 2, 1]}, (("N", 4, 5, 5),))),
    ("S213", Case("convtranspose", {"filters": 2, "kernel": 2, "stride": 2, "output_pad": 2}),
             Case("convtranspose", {"filters": 2, "kernel": 2, "stride": 2, "output_pad": 1})),
    ("S204", Case("conv", {"filters": 2, "kernel": 1}, (ROW,)), Case("conv", {"filters": 2, "kernel": 1})),
    ("S204", Case("maxpool", {"size": 1}, (ROW,)), Case("maxpool", {"size": 1})),
    ("S204", Case("avgpool", {"size": 1}, (ROW,)), Case("avgpool", {"size": 1})),
    ("S204", Case("sumpool", {"size": 1}, (ROW,)), Case("sumpool", {"size": 1})),
    ("S204", Case("gap", inputs=(ROW,)), Case("gap")),
    ("S204", Case("gmp", inputs=(ROW,)), Case("gmp")),
    ("S204", Case("gsp", inputs=(ROW,)), Case("gsp")),
    ("S204", Case("dense", {"units": 3}), Case("dense", {"units": 3}, (ROW,))),
    ("S206", Case("maxpool", {"size": 2, "pad": 2}), Case("maxpool", {"size": 2, "pad": 1})),
    ("S206", Case("avgpool", {"size": 2, "pad": [2, 0, 0, 0]}), Case("avgpool", {"size": 2, "pad": [1, 0, 0, 0]})),
    ("S206", Case("sumpool", {"size": 1, "pad": 1}), Case("sumpool", {"size": 1})),
    ("S208", Case("conv", {"filters": 2, "kernel": 3, "stride": 3, "rounding": "exact"}, (("N", 4, 7, 7),)),
             Case("conv", {"filters": 2, "kernel": 3, "stride": 2, "rounding": "exact"}, (("N", 4, 7, 7),))),
    ("S208", Case("avgpool", {"size": 2, "rounding": "exact"}, (("N", 4, 7, 8),)),
             Case("avgpool", {"size": 2, "rounding": "exact"}, (("N", 4, 8, 8),))),
)
# fmt: on


Oracle = Callable[[Sequence[Array], Settings, Arrays], Array]
"""What a layer computes at inference: from its inputs, settings and arrays."""


def _convolved(function: Callable[..., Array]) -> Oracle:
    def run(inputs: Sequence[Array], settings: Settings, arrays: Arrays) -> Array:
        rest = {key: value for key, value in settings.items() if key not in ("filters", "kernel", "bias")}
        return function(inputs[0], arrays["weight"], arrays.get("bias"), **rest)

    return run


def _batch_norm(inputs: Sequence[Array], settings: Settings, arrays: Arrays, training: bool = False) -> Array:
    rest = {key: value for key, value in settings.items() if key != "affine"}
    statistics = arrays["running_mean"], arrays["running_var"]
    return naive.batch_norm(
        inputs[0], arrays.get("weight"), arrays.get("bias"), *statistics, training=training, **rest
    )[0]


def _each(function: Callable[..., float]) -> Oracle:
    return lambda inputs, settings, _arrays: naive.each(lambda value: function(value, **settings), inputs[0])


def _leaky(value: float, slope: float = 0.01) -> float:
    return value if value > 0 else slope * value


def _elu(value: float, alpha: float = 1.0) -> float:
    return value if value > 0 else alpha * math.expm1(value)


ORACLES: Mapping[str, Oracle] = MappingProxyType(
    {
        "input": lambda inputs, _settings, _arrays: inputs[0],
        "conv": _convolved(naive.conv2d),
        "convtranspose": _convolved(naive.conv_transpose2d),
        "upsample": lambda inputs, settings, _arrays: naive.upsample(inputs[0], **settings),
        "pad": lambda inputs, settings, _arrays: naive.zero_pad(inputs[0], **settings),
        "crop": lambda inputs, settings, _arrays: naive.crop(*inputs, **settings),
        "maxpool": lambda inputs, settings, _arrays: naive.max_pool(inputs[0], **settings),
        "avgpool": lambda inputs, settings, _arrays: naive.avg_pool(inputs[0], **settings),
        "sumpool": lambda inputs, settings, _arrays: naive.sum_pool(inputs[0], **settings),
        "gap": lambda inputs, _settings, _arrays: naive.global_pool(inputs[0], "avg"),
        "gmp": lambda inputs, _settings, _arrays: naive.global_pool(inputs[0], "max"),
        "gsp": lambda inputs, _settings, _arrays: naive.global_pool(inputs[0], "sum"),
        "relu": _each(lambda value: max(value, 0.0)),
        "relu6": _each(lambda value: min(max(value, 0.0), 6.0)),
        "leaky_relu": _each(_leaky),
        "elu": _each(_elu),
        "silu": _each(lambda value: value * naive.sigmoid(value)),
        "gelu": _each(naive.gelu),
        "softplus": _each(naive.softplus),
        "tanh": _each(math.tanh),
        "sigmoid": _each(naive.sigmoid),
        "softmax": lambda inputs, _settings, _arrays: naive.softmax(inputs[0]),
        "log_softmax": lambda inputs, _settings, _arrays: naive.softmax(inputs[0], logarithm=True),
        "batchnorm": _batch_norm,
        "dropout": lambda inputs, _settings, _arrays: inputs[0],
        "flatten": lambda inputs, _settings, _arrays: naive.flatten(inputs[0]),
        "reshape": lambda inputs, settings, _arrays: naive.reshape(inputs[0], **settings),
        "dense": lambda inputs, _settings, arrays: naive.dense(inputs[0], arrays["weight"], arrays.get("bias")),
        "add": lambda inputs, _settings, _arrays: naive.add(*inputs),
        "concat": lambda inputs, _settings, _arrays: naive.concat(*inputs),
    }
)
"""The naive function of each kind at inference."""

TRAINING: Mapping[str, Oracle] = MappingProxyType(
    {**ORACLES, "batchnorm": lambda inputs, settings, arrays: _batch_norm(inputs, settings, arrays, training=True)}
)
"""The same while training; dropout is random there and has its own test."""


def result(oracle: Oracle, inputs: Sequence[Array], settings: Settings, arrays: Arrays) -> Array | None:
    """Return what an oracle computes, or None where there is no result."""
    try:
        return oracle(inputs, settings, arrays)
    except naive.NoResult:
        return None


def fixed_arrays(case: Case, shapes: Sequence[tuple[int, ...]], settings: Settings, rng: np.random.Generator) -> Arrays:
    """Return random parameters and statistics of the shapes the definition of the layer asks for.

    A filter has as many channels as fit the groups, rounded down, so that a split that does not work out
    is found by the oracle and not here.
    """
    channels = shapes[0][1]
    found: dict[str, Array] = {}
    if case.kind == "conv":
        depth = max(channels // settings.get("groups", 1), 1)
        found["weight"] = rng.standard_normal((settings["filters"], depth, *naive.both(settings["kernel"])))
        found["bias"] = rng.standard_normal((settings["filters"],))
    elif case.kind == "convtranspose":
        share = settings["filters"] // settings.get("groups", 1)
        found["weight"] = rng.standard_normal((channels, share, *naive.both(settings["kernel"])))
        found["bias"] = rng.standard_normal((settings["filters"],))
    elif case.kind == "dense":
        found["weight"] = rng.standard_normal((settings["units"], channels))
        found["bias"] = rng.standard_normal((settings["units"],))
    elif case.kind == "batchnorm":
        found = {name: rng.standard_normal(channels) for name in ("weight", "bias", "running_mean")}
        found["running_var"] = rng.uniform(0.5, 2.0, channels)
    if not settings.get("bias", True):
        del found["bias"]
    return found


def away_from_kinks(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return distinct numbers from -4 to 8, evenly spaced in random order, none near a kink.

    0, 3 and 6 lie half a step from the nearest number, so that relu, relu6 and, doubled, relu6 again are
    smooth around every one; the distance between any two leaves a maximum where it is.

    Examples
    --------
    >>> sorted(away_from_kinks((1, 3), np.random.default_rng(0)).ravel().round(2).tolist())
    [-1.5, 3.5, 5.5]
    """
    count = math.prod(shape)
    slots = -(-count // 12) * 12
    numbers = -4 + (np.arange(slots) + 0.5) * (12 / slots)
    return np.asarray(rng.permutation(numbers)[:count].reshape(shape))
