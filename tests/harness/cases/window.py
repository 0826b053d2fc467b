"""Conformance cases of convolution and pooling, and what judges them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tests.harness import naive
from tests.harness.cases.case import LINE, ROW, VOLUME, Arrays, Case, Family, Oracle, Settings, Shapes, with_bias
from tests.harness.naive import Array


def _convolved(function: Callable[..., Array]) -> Oracle:
    def run(inputs: Sequence[Array], settings: Settings, arrays: Arrays) -> Array:
        rest = {key: value for key, value in settings.items() if key not in ("filters", "kernel", "bias")}
        return function(inputs[0], arrays["weight"], arrays.get("bias"), **rest)

    return run


def _conv_arrays(shapes: Shapes, settings: Settings, rng: np.random.Generator) -> Arrays:
    """Return weights and bias; a filter has as many channels as fit the groups, rounded down.

    A split that does not work out is found by the oracle and not here.
    """
    depth = max(shapes[0][1] // settings.get("groups", 1), 1)
    weight = rng.standard_normal((settings["filters"], depth, *_kernel(shapes, settings)))
    return with_bias({"weight": weight}, settings["filters"], settings, rng)


def _kernel(shapes: Shapes, settings: Settings) -> tuple[int, ...]:
    """Return the kernel along each axis of the map; one that has other axes is found by the oracle and not here."""
    kernel = settings["kernel"]
    return (kernel,) * (len(shapes[0]) - 2) if isinstance(kernel, int) else tuple(kernel)


def _transposed_arrays(shapes: Shapes, settings: Settings, rng: np.random.Generator) -> Arrays:
    share = settings["filters"] // settings.get("groups", 1)
    weight = rng.standard_normal((shapes[0][1], share, *_kernel(shapes, settings)))
    return with_bias({"weight": weight}, settings["filters"], settings, rng)


# fmt: off
CASES = (
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
    Case("conv", {"filters": 3, "kernel": 4, "stride": 3, "pad": [2, 1]}, (LINE,)),
    Case("conv", {"filters": 6, "kernel": 3, "dilation": 2, "groups": 2, "pad": "same"}, (LINE,)),
    Case("conv", {"filters": 8, "kernel": 3, "groups": 4, "pad": 1}, (LINE,)),
    Case("conv", {"filters": 3, "kernel": 3, "pad": 1}, (VOLUME,)),
    Case("conv", {"filters": 2, "kernel": [2, 3, 1], "stride": [1, 2, 3], "pad": [0, 1, 2, 0, 0, 1]}, (VOLUME,)),
    Case("conv", {"filters": 4, "kernel": [3, 2, 2], "groups": 4, "dilation": [1, 2, 2], "bias": False}, (VOLUME,)),
    Case("conv", {"filters": 2, "kernel": 1}, (VOLUME,)),
    Case("conv", {"filters": 2, "kernel": [5, 9, 8]}, (("N", 4, 5, 9, 8),)),
    Case("convtranspose", {"filters": 3, "kernel": 2, "stride": 2}),
    Case("convtranspose", {"filters": 6, "kernel": 4, "stride": 2, "pad": [1, 2], "output_pad": 1, "groups": 2}, (LINE,)),
    Case("convtranspose", {"filters": 2, "kernel": [2, 3, 1], "stride": [2, 1, 2], "pad": [0, 1, 0]}, (VOLUME,)),
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
    Case("maxpool", {"size": 3, "stride": 2, "pad": 1, "rounding": "ceil"}, (LINE,)),
    Case("maxpool", {"size": 2, "dilation": 3, "stride": 1, "pad": 1}, (LINE,)),
    Case("maxpool", {"size": [1, 2, 2]}, (VOLUME,)),
    Case("maxpool", {"size": 2, "stride": [1, 2, 3], "pad": [1, 0, 0, 1, 1, 1]}, (VOLUME,)),
    Case("avgpool", {"size": 2}),
    Case("avgpool", {"size": 4, "stride": 3, "pad": [2, 1], "rounding": "ceil"}, (LINE,)),
    Case("avgpool", {"size": 3, "stride": 2, "pad": 1, "count_include_pad": False}, (VOLUME,)),
    Case("avgpool", {"size": [2, 3, 2], "rounding": "ceil", "divisor": 5}, (VOLUME,)),
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
    Case("avgpool", {"size": 3, "stride": 2, "pad": 1, "divisor": 5}),
    Case("avgpool", {"size": 2, "rounding": "ceil", "divisor": 3}),
    Case("lppool", {"size": 2}),
    Case("lppool", {"size": [2, 3], "stride": 1, "p": 3.5}),
    Case("lppool", {"size": 3, "stride": 2, "p": 1}),
    Case("lppool", {"size": 3, "stride": 2, "pad": 1, "p": 4}),
    Case("lppool", {"size": 3, "stride": 2, "rounding": "ceil"}),
    Case("lppool", {"size": 3, "stride": 2, "rounding": "ceil"}, (LINE,)),
    Case("lppool", {"size": 2, "p": 3.5}, (VOLUME,)),
    Case("sumpool", {"size": 3, "pad": "same"}, (LINE,)),
    Case("sumpool", {"size": [2, 3, 1], "stride": 2}, (VOLUME,)),
    Case("sumpool", {"size": 2}),
    Case("sumpool", {"size": [3, 2], "stride": 2, "pad": 1}),
    Case("sumpool", {"size": 3, "stride": 2, "rounding": "ceil"}),
    Case("sumpool", {"size": 3, "stride": 2, "pad": "same"}),
    Case("sumpool", {"size": 2, "rounding": "exact"}, at={"H": 8}),
    Case("gap"),
    Case("gap", inputs=(LINE,)),
    Case("gap", inputs=(VOLUME,)),
    Case("gmp"),
    Case("gmp", inputs=(VOLUME,)),
    Case("gsp"),
    Case("gsp", inputs=(LINE,)),
)

REFUSED = (
    # rule that is broken, case that breaks it, nearest case that does not
    ("S201", Case("conv", {"filters": 2, "kernel": 8}, (("N", 4, 7, 7),)), Case("conv", {"filters": 2, "kernel": 8}, (("N", 4, 8, 8),))),
    ("S203", Case("conv", {"filters": 6, "kernel": 1, "groups": 3}), Case("conv", {"filters": 6, "kernel": 1, "groups": 2})),
    ("S203", Case("conv", {"filters": 6, "kernel": 1, "groups": 4}), Case("conv", {"filters": 8, "kernel": 1, "groups": 4})),
    ("S204", Case("conv", {"filters": 2, "kernel": 1}, (ROW,)), Case("conv", {"filters": 2, "kernel": 1})),
    ("S220", Case("conv", {"filters": 2, "kernel": [3, 3]}, (LINE,)), Case("conv", {"filters": 2, "kernel": [3]}, (LINE,))),
    ("S220", Case("conv", {"filters": 2, "kernel": 3, "pad": [1, 1, 0, 0]}, (VOLUME,)),
             Case("conv", {"filters": 2, "kernel": 3, "pad": [1, 1, 0, 0, 0, 0]}, (VOLUME,))),
    ("S208", Case("conv", {"filters": 2, "kernel": 3, "stride": 3, "rounding": "exact"}, (("N", 4, 7, 7),)),
             Case("conv", {"filters": 2, "kernel": 3, "stride": 2, "rounding": "exact"}, (("N", 4, 7, 7),))),
    ("S201", Case("convtranspose", {"filters": 2, "kernel": 3, "pad": 2}, (("N", 4, 2, 9),)),
             Case("convtranspose", {"filters": 2, "kernel": 3, "pad": 2}, (("N", 4, 3, 9),))),
    ("S203", Case("convtranspose", {"filters": 6, "kernel": 1, "groups": 3}), Case("convtranspose", {"filters": 6, "kernel": 1, "groups": 2})),
    ("S203", Case("convtranspose", {"filters": 6, "kernel": 1, "groups": 4}), Case("convtranspose", {"filters": 8, "kernel": 1, "groups": 4})),
    ("S204", Case("convtranspose", {"filters": 2, "kernel": 1}, (ROW,)), Case("convtranspose", {"filters": 2, "kernel": 1})),
    ("S220", Case("convtranspose", {"filters": 2, "kernel": 3, "stride": [2, 2]}, (VOLUME,)),
             Case("convtranspose", {"filters": 2, "kernel": 3, "stride": [2, 2, 2]}, (VOLUME,))),
    ("S213", Case("convtranspose", {"filters": 2, "kernel": 2, "stride": 2, "output_pad": 2}),
             Case("convtranspose", {"filters": 2, "kernel": 2, "stride": 2, "output_pad": 1})),
    ("S201", Case("maxpool", {"size": 3}, (("N", 4, 2, 9),)), Case("maxpool", {"size": 3}, (("N", 4, 3, 9),))),
    ("S204", Case("maxpool", {"size": 1}, (ROW,)), Case("maxpool", {"size": 1})),
    ("S206", Case("maxpool", {"size": 2, "pad": 2}), Case("maxpool", {"size": 2, "pad": 1})),
    ("S220", Case("maxpool", {"size": [2, 2]}, (LINE,)), Case("maxpool", {"size": 2}, (LINE,))),
    ("S204", Case("avgpool", {"size": 1}, (ROW,)), Case("avgpool", {"size": 1})),
    ("S206", Case("avgpool", {"size": 2, "pad": [2, 0, 0, 0]}), Case("avgpool", {"size": 2, "pad": [1, 0, 0, 0]})),
    ("S208", Case("avgpool", {"size": 2, "rounding": "exact"}, (("N", 4, 7, 8),)),
             Case("avgpool", {"size": 2, "rounding": "exact"}, (("N", 4, 8, 8),))),
    ("S204", Case("lppool", {"size": 1}, (ROW,)), Case("lppool", {"size": 1})),
    ("S204", Case("sumpool", {"size": 1}, (ROW,)), Case("sumpool", {"size": 1})),
    ("S206", Case("sumpool", {"size": 1, "pad": 1}), Case("sumpool", {"size": 1})),
    ("S204", Case("gap", inputs=(ROW,)), Case("gap")),
    ("S204", Case("gmp", inputs=(ROW,)), Case("gmp")),
    ("S204", Case("gsp", inputs=(ROW,)), Case("gsp")),
)
# fmt: on

ORACLES = {
    "conv": _convolved(naive.conv),
    "convtranspose": _convolved(naive.conv_transpose),
    "maxpool": lambda inputs, settings, _arrays: naive.max_pool(inputs[0], **settings),
    "avgpool": lambda inputs, settings, _arrays: naive.avg_pool(inputs[0], **settings),
    "lppool": lambda inputs, settings, _arrays: naive.lp_pool(inputs[0], **settings),
    "sumpool": lambda inputs, settings, _arrays: naive.sum_pool(inputs[0], **settings),
    "gap": lambda inputs, _settings, _arrays: naive.global_pool(inputs[0], "avg"),
    "gmp": lambda inputs, _settings, _arrays: naive.global_pool(inputs[0], "max"),
    "gsp": lambda inputs, _settings, _arrays: naive.global_pool(inputs[0], "sum"),
}

ARRAYS = {
    "conv": _conv_arrays,
    "convtranspose": _transposed_arrays,
}

FAMILY = Family(CASES, REFUSED, ORACLES, arrays=ARRAYS)
