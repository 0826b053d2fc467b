"""Colours of diagrams by role, for light and dark backgrounds.

Family colours were found by search: every pair can be distinguished with red-green colour blindness, and each colour
has a contrast of at least 4.5:1 against its background. Red is used only for faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Role = Literal[
    "conv", "pool", "norm", "act", "dense", "merge", "io", "block",
    "paper", "card", "ink", "soft", "edge", "fault", "heat", "frame",
]  # fmt: skip
"""Meaning of a colour; the first eight are families of layers."""

LIGHT: Mapping[Role, str] = MappingProxyType(
    {
        "conv": "#355AB0",
        "pool": "#128568",
        "norm": "#7617DD",
        "act": "#71330D",
        "dense": "#752432",
        "merge": "#8E7210",
        "io": "#506278",
        "block": "#33404F",
        "paper": "#FCFCFD",
        "card": "#FFFFFF",
        "ink": "#27313D",
        "soft": "#667180",
        "edge": "#8F9AA8",
        "fault": "#D01F2E",
        "heat": "#F08A00",
        "frame": "#EDF0F4",
    }
)
DARK: Mapping[Role, str] = MappingProxyType(
    {
        "conv": "#9CB1E4",
        "pool": "#2AED93",
        "norm": "#A76EF3",
        "act": "#CB7B3E",
        "dense": "#CB708B",
        "merge": "#EDD835",
        "io": "#DBDFE2",
        "block": "#C4CEDA",
        "paper": "#151C26",
        "card": "#1B2430",
        "ink": "#E4E9EF",
        "soft": "#9AA7B6",
        "edge": "#6B7888",
        "fault": "#FF6B70",
        "heat": "#D97A00",
        "frame": "#212C3A",
    }
)

FAMILIES: Mapping[str, Role] = MappingProxyType(
    {
        "conv": "conv", "pool": "pool", "norm": "norm", "act": "act", "dense": "dense",
        "merge": "merge", "io": "io", "reshape": "io", "block": "block",
    }
)  # fmt: skip
"""Role by category of layer."""


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2, definition of contrast ratio).

    Examples
    --------
    >>> round(contrast("#000000", "#FFFFFF"))
    21
    """
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def stylesheet() -> str:
    """Return the CSS with the dark colours and the focus ring of a diagram.

    Shapes have the light colours as attributes, so that viewers without CSS variables still show the
    picture; the rules replace each colour by its variable.
    """
    light = "".join(f"--{role}:{colour};" for role, colour in LIGHT.items())
    dark = "".join(f"--{role}:{colour};" for role, colour in DARK.items())
    rules = "".join(
        f'.shapeplan [{what}="{colour}"]{{{what}:var(--{role})}}\n'
        for role, colour in LIGHT.items()
        for what in ("fill", "stroke")
    )
    return (
        f".shapeplan{{{light}}}\n"
        f"@media (prefers-color-scheme:dark){{.shapeplan{{{dark}}}}}\n"
        f"{rules}"
        ".shapeplan a{text-decoration:none;outline:none}\n"
        ".shapeplan a:focus-visible .ring,.shapeplan a:hover .ring,.shapeplan a:target .ring{stroke-width:3}\n"
        "@media print{.shapeplan{color-scheme:light}}\n"
    )
