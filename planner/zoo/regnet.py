"""RegNetX and RegNetY, with stages computed from five numbers."""

from __future__ import annotations

from itertools import groupby
from math import log

from planner.zoo.document import Document, block, document, item, scaled
from planner.zoo.member import Member, changed
from planner.zoo.parts import classifier, convolution, images

STEM = 32


def stages(depth: int, first: int, slope: float, ratio: float, group_width: int) -> tuple[tuple[int, int, int], ...]:
    """Return width, group width and number of blocks of each stage.

    Block j has the width first + slope·j. This is rounded to a power of `ratio` times `first`, and then to a multiple
    of 8. Blocks with the same width are a stage. Groups are at most as wide as their stage. The width of the stage is
    rounded to a multiple of the group width, half up, and never reduced by more than 10 %.

    Source: Radosavovic et al., arXiv:2003.13678, equations 2 to 4.

    Examples
    --------
    >>> stages(16, 48, 27.89, 2.09, 8)
    ((48, 8, 1), (104, 8, 3), (208, 8, 6), (440, 8, 6))
    """
    widths = []
    for position in range(depth):
        power = round(log((first + slope * position) / first) / log(ratio))
        widths.append(8 * round(first * ratio**power / 8))
    found = []
    for width, blocks in groupby(widths):
        group = min(group_width, width)
        found.append((scaled(width, 1.0, group), group, len(list(blocks))))
    return tuple(found)


def regnet(
    *,
    name: str,
    depth: int = 16,
    first: int = 48,
    slope: float = 27.89,
    ratio: float = 2.09,
    group_width: int = 8,
    squeeze: bool = False,
    classes: int = 1000,
    channels: int = 3,
) -> Document:
    """Return a RegNetX, or with `squeeze` a RegNetY, which has squeeze-and-excitation in its blocks."""
    gate = [item("block", use="squeeze_excite", name="se", squeeze="$squeeze")] if squeeze else []
    residual = block(
        convolution("a", "$c", 1, from_="in", act="relu"),
        convolution("b", "$c", 3, stride="$stride", pad=1, groups="$c // $group", act="relu"),
        *gate,
        convolution("flat", "$c", 1),
        convolution("proj", "$c", 1, from_="in", stride="$stride", if_="stride != 1 or in.channels != c"),
        item("add", from_=["flat", "proj"], act="relu"),
        c="int", group="int", **({"squeeze": "int"} if squeeze else {}), stride=1,
    )  # fmt: skip
    layers = [convolution("stem", STEM, 3, stride=2, pad=1, act="relu")]
    before = STEM
    for number, (width, group, blocks) in enumerate(stages(depth, first, slope, ratio, group_width), start=1):
        # A quarter of the input channels, which in the first block are those of the previous stage.
        less = [round(0.25 * before)] + [round(0.25 * width)] * (blocks - 1)
        settings = {"squeeze": less if len(set(less)) > 1 else less[0]} if squeeze else {}
        strides = [2] + [1] * (blocks - 1)
        layers.append(
            item("block", use="residual", name=f"stage{number}", c=width, group=group, **settings,
                 stride=strides, repeat=blocks)
        )  # fmt: skip
        before = width
    layers += classifier(classes)
    output = {"classes": ["N", classes]}
    return document(name, images(channels), layers, blocks={"residual": residual}, output=output)


_FIGURES = {
    "x_400mf": (22, 24, 24.48, 2.54, 16, 5_495_976, 413_812_608),
    "x_800mf": (16, 56, 35.73, 2.28, 16, 7_259_656, 799_699_712),
    "x_1_6gf": (18, 80, 34.01, 2.25, 24, 9_190_136, 1_602_849_792),
    "x_3_2gf": (25, 88, 26.31, 2.25, 48, 15_296_552, 3_176_621_952),
    "x_8gf": (23, 80, 49.56, 2.88, 120, 39_572_648, 7_995_132_416),
    "x_16gf": (22, 216, 55.59, 2.1, 128, 54_278_536, 15_940_755_456),
    "x_32gf": (23, 320, 69.86, 2.0, 168, 107_811_560, 31_735_929_792),
    "y_400mf": (16, 48, 27.89, 2.09, 8, 4_344_144, 401_842_848),
    "y_800mf": (14, 56, 38.84, 2.4, 16, 6_432_512, 833_856_256),
    "y_1_6gf": (27, 48, 20.71, 2.65, 24, 11_202_430, 1_612_076_160),
    "y_3_2gf": (21, 80, 42.63, 2.66, 24, 19_436_338, 3_176_482_752),
    "y_8gf": (17, 192, 76.82, 2.19, 56, 39_381_472, 8_473_070_592),
    "y_16gf": (18, 200, 106.23, 2.48, 112, 83_590_140, 15_911_510_272),
    "y_32gf": (20, 232, 115.89, 2.53, 232, 145_046_770, 32_279_552_832),
    "y_128gf": (27, 456, 160.83, 2.52, 264, 644_812_894, 374_570_006_400),
}
"""Depth, first width, slope, ratio, group width (arXiv:2003.13678, tables 7 and 8), parameters, MACs."""


def _member(
    size: str, depth: int, first: int, slope: float, ratio: float, group: int, parameters: int, macs: int
) -> Member:
    """Return the network of a size, such as ``y_1_6gf``."""
    title = f"RegNet{size[0].upper()}-{size[2:].replace('_', '.').upper()} (Radosavovic et al., arXiv:2003.13678)"
    if size == "y_128gf":
        title = "RegNetY-128GF (Singh et al., arXiv:2201.08371)"
    build = changed(
        regnet, depth=depth, first=first, slope=slope, ratio=ratio, group_width=group, squeeze=size[0] == "y"
    )
    side = 384 if size == "y_128gf" else 224
    return Member(f"regnet_{size}", title, build, parameters, macs, {"H": side, "W": side})


MEMBERS = tuple(_member(size, *numbers) for size, numbers in _FIGURES.items())
