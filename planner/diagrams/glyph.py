"""Glyph of a tensor on every card: an isometric block, or a bar for a vector.

Channels extend to the right, height down, and width into the depth. All use the same logarithmic scale for all
networks, so that pictures can be compared.
"""

from __future__ import annotations

from math import log2

from planner.diagrams.palette import Role
from planner.diagrams.scene import Box, Ink, Mark, polygon

WIDTH, HEIGHT = 44.0, 38.0
"""Maximum size of a glyph in points."""

_CHANNELS = 2048
_SIDE = 512


def _scaled(count: int, largest: int, low: float, high: float) -> float:
    share = log2(max(count, 1)) / log2(largest)
    return low + (high - low) * min(share, 1.0)


def block(channels: int, height: int, width: int) -> tuple[float, float, float]:
    """Return the extent of a block to the right, down, and into the depth, in points.

    Examples
    --------
    >>> block(64, 112, 112) > block(3, 112, 112)
    True
    """
    return (
        _scaled(channels, _CHANNELS, 2.5, 24.0),
        _scaled(height, _SIDE, 3.0, 25.0),
        _scaled(width, _SIDE, 3.0, 25.0),
    )


def glyph(volume: tuple[int, ...], x: float, y: float, role: Role, opacity: float = 1.0) -> list[Mark]:
    """Return the marks of a tensor's glyph, centred on (x, y).

    Parameters
    ----------
    volume : tuple of int
        Sizes without the batch: (C, H, W) or (features,). A feature map with one spatial axis is drawn flat; of three
        spatial axes the last two are drawn.
    x, y : float
        Centre, in points.
    role : Role
        Family colour.
    opacity : float
        Opacity; below 1 for ghosts.

    Examples
    --------
    >>> len(glyph((64, 56, 56), 0, 0, "conv")), len(glyph((64, 9), 0, 0, "conv")), len(glyph((10,), 0, 0, "dense"))
    (4, 4, 1)
    """
    if len(volume) == 1:
        tall = _scaled(volume[0], 4096, 6.0, HEIGHT)
        ink = Ink("card", role, 1.1, stroke_opacity=opacity)
        bar = Box(x - 3.5, y - tall / 2, 7, tall, 3, ink)
        return [bar] if opacity < 1 else [Box(x - 3.5, y - tall / 2, 7, tall, 3, Ink(role, role, 1.1, 0.4))]
    channels, *sizes = volume
    right, down, deep = block(channels, *[1, *sizes][-2:])
    slant_x, slant_y = deep * 0.62, deep * 0.46
    left, top = x - (right + slant_x) / 2, y - (down + slant_y) / 2 + slant_y
    a, b = (left, top), (left + right, top)
    c, d = (left + right, top + down), (left, top + down)
    e, f = (b[0] + slant_x, b[1] - slant_y), (c[0] + slant_x, c[1] - slant_y)
    g = (a[0] + slant_x, a[1] - slant_y)

    def face(strength: float) -> Ink:
        return Ink(role, role, 0.9, strength * opacity, opacity)

    solid = Ink("card")
    return [
        polygon([a, g, e, f, c, d], solid),
        polygon([a, b, c, d], face(0.12)),
        polygon([a, g, e, b], face(0.28)),
        polygon([b, e, f, c], face(0.5)),
    ]
