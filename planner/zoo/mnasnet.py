"""MNASNet-B1 at four widths."""

from __future__ import annotations

from typing import Any

from planner.zoo.document import Document, Item, block, document, item, scaled
from planner.zoo.member import Member, changed
from planner.zoo.parts import classifier, convolution, images

STAGES = ((3, 3, 24, 3, 2), (5, 3, 40, 3, 2), (5, 6, 80, 3, 2), (3, 6, 96, 2, 1), (5, 6, 192, 4, 2), (3, 6, 320, 1, 1))
"""Kernel, expansion, filters, repetitions and first stride (arXiv:1807.11626, figure 7)."""

NORM = {"momentum": 0.0003}
"""Momentum of the running statistics; the 0.9997 of the authors is the weight of the old value."""


def mnasnet(*, name: str, width: float = 1.0, classes: int = 1000, channels: int = 3, dropout: float = 0.2) -> Document:
    """Return MNASNet-B1; `width` is a factor for the channels, which are rounded to multiples of 8."""
    expanded = "$t * in.channels"
    moved: dict[str, Any] = {"stride": "$stride", "pad": "$kernel // 2"}
    blocks = {
        "inverted": block(
            convolution("wide", expanded, 1, "in", "relu", norm=NORM),
            convolution("deep", expanded, "$kernel", None, "relu", None, NORM, **moved, groups=expanded),
            convolution("flat", "$c", 1, norm=NORM),
            kernel="int", t="int", c="int", stride=1,
        ),
        "residual": block(
            item("block", use="inverted", name="inner", kernel="$kernel", t="$t", c="in.channels"),
            item("add", from_=["in", "inner"]),
            kernel="int", t="int",
        ),
    }  # fmt: skip
    stem, first = scaled(32, width, 8), scaled(16, width, 8)
    layers: list[Item] = [
        convolution("stem", stem, 3, act="relu", norm=NORM, stride=2, pad=1),
        convolution("deep", stem, 3, act="relu", norm=NORM, pad=1, groups=stem),
        convolution("flat", first, 1, norm=NORM),
    ]
    for stage, (kernel, expansion, filters, depth, stride) in enumerate(STAGES, start=1):
        sizes = {"kernel": kernel, "t": expansion}
        step = {} if stride == 1 else {"stride": stride}
        layers.append(item("block", use="inverted", name=f"stage{stage}", **sizes, c=scaled(filters, width, 8), **step))
        if depth > 1:
            layers.append(item("block", use="residual", name=f"stage{stage}_rest", **sizes, repeat=depth - 1))
    layers += [convolution("head", 1280, 1, act="relu", norm=NORM), *classifier(classes, dropout)]
    return document(name, images(channels), layers, blocks=blocks, output={"classes": ["N", classes]})


_FIGURES = {
    "mnasnet0_5": (0.5, 2_218_512, 104_455_968),
    "mnasnet0_75": (0.75, 3_170_208, 215_493_104),
    "mnasnet1_0": (1.0, 4_383_312, 314_415_872),
    "mnasnet1_3": (1.3, 6_282_256, 526_362_432),
}
"""Width, parameters and multiply-accumulates."""

MEMBERS = tuple(
    Member(
        name, f"MNASNet-B1 at width {width} (Tan et al., arXiv:1807.11626)", changed(mnasnet, width=width),
        parameters, macs,
    )
    for name, (width, parameters, macs) in _FIGURES.items()
)  # fmt: skip
