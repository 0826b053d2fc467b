"""What people call things in other tools, for finding out what was meant: words only."""

from __future__ import annotations

from collections.abc import Mapping

from planner.layers import KINDS

KIND_HINTS: Mapping[str, str] = {alias: kind for kind, made in KINDS.items() for alias in made.aliases}
"""Name of a kind in another library, in lower case and without separators -> the kind; from the layers' `aliases`."""

KEY_HINTS: Mapping[str, tuple[str, ...]] = {
    "padding": ("pad",),
    "pads": ("pad",),
    "kernel_size": ("kernel", "size"),
    "kernel_shape": ("kernel", "size"),
    "kernel": ("size",),
    "size": ("kernel",),
    "pool_size": ("size",),
    "strides": ("stride",),
    "dilation_rate": ("dilation",),
    "out_channels": ("filters",),
    "channels": ("filters",),
    "filters": ("units",),
    "units": ("filters",),
    "out_features": ("units",),
    "features": ("units",),
    "use_bias": ("bias",),
    "activation": ("act",),
    "normalization": ("norm",),
    "inputs": ("from",),
    "input": ("from",),
    "id": ("name",),
    "label": ("name",),
    "p": ("rate",),
    "negative_slope": ("slope",),
    "epsilon": ("eps",),
    "times": ("repeat",),
    "block": ("use",),
}
"""What a key is called elsewhere -> keys it may mean; the first that the layer has is meant."""

_EXCITE = "write  - block: {use: squeeze_excite, reduction: 16}"

ADVICE: Mapping[str, str] = {
    "ceil_mode": "write `rounding: ceil`",
    "in_channels": "remove it: it follows from the layer before",
    "in_features": "remove it: it follows from the layer before",
    "input_shape": "remove it: shapes stand under `input:` only",
    "se": _EXCITE,
    "SEBlock": _EXCITE,
    "SqueezeExcitation": _EXCITE,
    "squeeze_excitation": _EXCITE,
    "type": "the kind is the key:  - conv: {filters: 6, kernel: 5}",
}
"""Keys of other tools that have no single key here, with what to do."""
