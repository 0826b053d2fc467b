"""Conformance cases of layers with a number of their own for each channel, and what judges them."""

from __future__ import annotations

import numpy as np

from tests.harness import naive
from tests.harness.cases.case import ROW, VOLUME, Arrays, Case, Family, Settings, Shapes


def _each_channel(shapes: Shapes, _settings: Settings, rng: np.random.Generator) -> Arrays:
    return {"weight": rng.standard_normal(shapes[0][1])}


def _slopes(shapes: Shapes, settings: Settings, rng: np.random.Generator) -> Arrays:
    return {"weight": rng.standard_normal(shapes[0][1] if settings.get("per_channel") else 1)}


# fmt: off
CASES = (
    Case("prelu"),
    Case("prelu", {"initial": 0.5}, (ROW,)),
    Case("prelu", {"per_channel": True}),
    Case("prelu", {"per_channel": True}, (("N", "C", "H", "W"),), at={"C": 3}),
    Case("layer_scale"),
    Case("layer_scale", {"initial": 1.0}, (ROW,)),
    Case("layer_scale", {}, (("N", "C", "H", "W"),), at={"C": 3}),
    Case("layer_scale", {}, (VOLUME,)),
    Case("shift"),
    Case("shift", {"initial": -1.0}, (ROW,)),
    Case("rescale"),
    Case("rescale", {"scale": 0.5, "shift": -1}),
    Case("rescale", {"scale": [1.0, 2.0, 0.0, -0.5], "shift": [0.5, 1.0, 1.5, 2.0]}),
    Case("rescale", {"shift": [1.0, 1.0]}, (("N", "C"),), at={"C": 2}),
)

REFUSED = (
    # rule that is broken, case that breaks it, nearest case that does not
    ("S218", Case("rescale", {"scale": [1.0, 1.0, 2.0]}), Case("rescale", {"scale": [1.0, 1.0, 2.0, 3.0]})),
)
# fmt: on

ORACLES = {
    "prelu": lambda inputs, _settings, arrays: naive.prelu(inputs[0], arrays["weight"]),
    "layer_scale": lambda inputs, _settings, arrays: naive.channelwise("times", inputs[0], arrays["weight"]),
    "rescale": lambda inputs, settings, _arrays: naive.rescale(inputs[0], **settings),
    "shift": lambda inputs, _settings, arrays: naive.channelwise("plus", inputs[0], arrays["weight"]),
}

ARRAYS = {"prelu": _slopes, "layer_scale": _each_channel, "shift": _each_channel}

FAMILY = Family(CASES, REFUSED, ORACLES, arrays=ARRAYS)
