"""Names used in other tools, for suggestions. This module contains only words."""

from __future__ import annotations

from collections.abc import Mapping

from planner.layers import KINDS

KIND_HINTS: Mapping[str, str] = {alias: kind for kind, made in KINDS.items() for alias in made.aliases}
"""Names of kinds in other libraries, lower case and without separators -> kind; from `aliases` of the layers."""

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
"""Names of keys in other tools -> possible keys; the first one that the layer has is suggested."""

_EXCITE = "write  - block: {use: squeeze_excite, reduction: 16}"

ADVICE: Mapping[str, str] = {
    "ceil_mode": "write `rounding: ceil`",
    "in_channels": "remove it: it follows from the layer before",
    "in_features": "remove it: it follows from the layer before",
    "input_shape": "remove it: shapes are declared only under `input:`",
    "se": _EXCITE,
    "SEBlock": _EXCITE,
    "SqueezeExcitation": _EXCITE,
    "squeeze_excitation": _EXCITE,
    "type": "the kind is the key:  - conv: {filters: 6, kernel: 5}",
}
"""Advice for keys of other tools without a single equivalent key."""
