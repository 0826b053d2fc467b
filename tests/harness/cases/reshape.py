"""Conformance cases of inputs, and layers that read tensors as vectors or in another shape, and what judges them."""

from __future__ import annotations

import numpy as np

from tests.harness import naive
from tests.harness.cases.case import LINE, ROW, VOLUME, Arrays, Case, Family, Settings, Shapes, with_bias


def _dense_arrays(shapes: Shapes, settings: Settings, rng: np.random.Generator) -> Arrays:
    weight = rng.standard_normal((settings["units"], shapes[0][1]))
    return with_bias({"weight": weight}, settings["units"], settings, rng)


# fmt: off
CASES = (
    Case("input"),
    Case("input", inputs=(ROW,)),
    Case("input", inputs=(LINE,)),
    Case("input", inputs=(VOLUME,)),
    Case("flatten"),
    Case("flatten", inputs=(VOLUME,)),
    Case("flatten", inputs=(ROW,)),
    Case("reshape", {"shape": [-1]}),
    Case("reshape", {"shape": [2, -1, 3]}),
    Case("reshape", {"shape": [8, 6, 6]}),
    Case("reshape", {"shape": [3, 1, 2]}, (ROW,)),
    Case("reshape", {"shape": 6}, (ROW,)),
    Case("reshape", {"shape": [2, -1]}),
    Case("reshape", {"shape": [2, 2, -1, 1]}, (LINE,)),
    Case("reshape", {"shape": [1, -1, 4]}, (("N", "D"),), at={"D": 8}),
    Case("squeeze", {"axis": 2}, (("N", 4, "S", "W"),), at={"S": 1}),
    Case("squeeze", {"axis": -1}, (("N", 4, "H", 1),)),
    Case("squeeze", {"axis": 1}, (("N", 1, "H", "W"),)),
    Case("squeeze", {"axis": 2}, (("N", 4, 1),)),
    Case("unsqueeze", {"axis": 2}, (LINE,)),
    Case("unsqueeze", {"axis": 1}, (ROW,)),
    Case("unsqueeze", {"axis": -1}, (ROW,)),
    Case("unsqueeze", {"axis": 3}),
    Case("dense", {"units": 5}, (ROW,)),
    Case("dense", {"units": 1, "bias": False}, (ROW,)),
    Case("dense", {"units": "U"}, (("N", "D"),), at={"U": 4, "D": 7}),
)

REFUSED = (
    # rule that is broken, case that breaks it, nearest case that does not
    ("S210", Case("reshape", {"shape": [5, 5, 5]}, (("N", 4, 5, 5),)), Case("reshape", {"shape": [10, 5, 2]}, (("N", 4, 5, 5),))),
    ("S210", Case("reshape", {"shape": [-1, 3, 1]}, (("N", 4, 5, 5),)), Case("reshape", {"shape": [-1, 2, 1]}, (("N", 4, 5, 5),))),
    ("S204", Case("squeeze", {"axis": 4}), Case("squeeze", {"axis": 3}, (("N", 4, "H", 1),))),
    ("S204", Case("squeeze", {"axis": 1}, (("N", 1),)), Case("squeeze", {"axis": 1}, (("N", 1, 1, 1),))),
    ("S216", Case("squeeze", {"axis": 3}, (("N", 4, 1, 2),)), Case("squeeze", {"axis": 3}, (("N", 4, 1, 1),))),
    ("S204", Case("unsqueeze", {"axis": 3}, (VOLUME,)), Case("unsqueeze", {"axis": 3})),
    ("S204", Case("unsqueeze", {"axis": 3}, (ROW,)), Case("unsqueeze", {"axis": 2}, (ROW,))),
    ("S204", Case("dense", {"units": 3}), Case("dense", {"units": 3}, (ROW,))),
)
# fmt: on

ORACLES = {
    "input": lambda inputs, _settings, _arrays: inputs[0],
    "flatten": lambda inputs, _settings, _arrays: naive.flatten(inputs[0]),
    "reshape": lambda inputs, settings, _arrays: naive.reshape(inputs[0], **settings),
    "squeeze": lambda inputs, settings, _arrays: naive.squeeze(inputs[0], **settings),
    "unsqueeze": lambda inputs, settings, _arrays: naive.unsqueeze(inputs[0], **settings),
    "dense": lambda inputs, _settings, arrays: naive.dense(inputs[0], arrays["weight"], arrays.get("bias")),
}

ARRAYS = {
    "dense": _dense_arrays,
}

FAMILY = Family(CASES, REFUSED, ORACLES, arrays=ARRAYS)
