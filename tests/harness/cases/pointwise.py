"""Conformance cases of layers that work on every number by itself, and softmax, and what judges them."""

from __future__ import annotations

import math
from collections.abc import Callable

from tests.harness import naive
from tests.harness.cases.case import LINE, ROW, Case, Family, Oracle


def _each(function: Callable[..., float]) -> Oracle:
    return lambda inputs, settings, _arrays: naive.each(lambda value: function(value, **settings), inputs[0])


def _leaky(value: float, slope: float = 0.01) -> float:
    return value if value > 0 else slope * value


def _elu(value: float, alpha: float = 1.0) -> float:
    return value if value > 0 else alpha * math.expm1(value)


# fmt: off
CASES = (
    Case("relu"),
    Case("relu", inputs=(ROW,)),
    Case("relu6"),
    Case("leaky_relu"),
    Case("leaky_relu", {"slope": 0.3}),
    Case("elu"),
    Case("elu", {"alpha": 0.4}),
    Case("selu"),
    Case("hard_sigmoid"),
    Case("hard_swish"),
    Case("mish"),
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
    Case("dropout"),
    Case("dropout", {"rate": 0.2}, (ROW,)),
    Case("dropout", {"rate": 0.0}),
    Case("dropout2d"),
    Case("dropout2d", {"rate": 0.0}),
    Case("dropout2d", inputs=(LINE,)),
    Case("stochastic_depth", {"rate": 0.2}),
    Case("stochastic_depth", {"rate": 0.2, "mode": "batch"}, (ROW,)),
)

REFUSED = (
    # rule that is broken, case that breaks it, nearest case that does not
    ("S204", Case("dropout2d", inputs=(ROW,)), Case("dropout2d")),
)
# fmt: on

ORACLES = {
    "relu": _each(lambda value: max(value, 0.0)),
    "relu6": _each(lambda value: min(max(value, 0.0), 6.0)),
    "leaky_relu": _each(_leaky),
    "elu": _each(_elu),
    "selu": _each(naive.selu),
    "hard_sigmoid": _each(naive.hard_sigmoid),
    "hard_swish": _each(lambda value: value * naive.hard_sigmoid(value)),
    "mish": _each(lambda value: value * math.tanh(naive.softplus(value))),
    "silu": _each(lambda value: value * naive.sigmoid(value)),
    "gelu": _each(naive.gelu),
    "softplus": _each(naive.softplus),
    "tanh": _each(math.tanh),
    "sigmoid": _each(naive.sigmoid),
    "softmax": lambda inputs, _settings, _arrays: naive.softmax(inputs[0]),
    "log_softmax": lambda inputs, _settings, _arrays: naive.softmax(inputs[0], logarithm=True),
    "dropout": lambda inputs, _settings, _arrays: inputs[0],
    "dropout2d": lambda inputs, _settings, _arrays: naive.whole_maps(inputs[0]),
    "stochastic_depth": lambda inputs, _settings, _arrays: inputs[0],
}

FAMILY = Family(CASES, REFUSED, ORACLES)
