"""Settings that take one of a few words, and the words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CHOICES: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("conv", "rounding"): ("floor", "exact"),
        ("maxpool", "rounding"): ("floor", "ceil", "exact"),
        ("avgpool", "rounding"): ("floor", "ceil", "exact"),
        ("sumpool", "rounding"): ("floor", "ceil", "exact"),
        ("lppool", "rounding"): ("floor", "ceil", "exact"),
        ("maxindices", "rounding"): ("floor", "ceil", "exact"),
        ("layernorm", "over"): ("channels", "all"),
        ("pad", "mode"): ("constant", "reflect", "replicate"),
        ("resize", "mode"): ("nearest", "bilinear"),
        ("stochastic_depth", "mode"): ("row", "batch"),
        ("gelu", "approximate"): ("none", "tanh"),
    }
)
"""The words a setting takes, by kind of layer and name of the setting."""
