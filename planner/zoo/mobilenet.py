"""MobileNet V1 and V2."""

from __future__ import annotations

from planner.zoo.document import Document, Item, block, document, item, scaled
from planner.zoo.member import Member
from planner.zoo.parts import classifier, convolution, images

V1 = ((64, (1,)), (128, (2, 1)), (256, (2, 1)), (512, (2, 1, 1, 1, 1, 1)), (1024, (2, 1)))
"""Filters and strides of the separable convolutions (arXiv:1704.04861, table 1)."""

V2 = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, filters, repetitions and first stride (arXiv:1801.04381, table 2)."""


def mobilenet_v1(
    *, name: str, width: float = 1.0, classes: int = 1000, channels: int = 3, dropout: float = 0.001
) -> Document:
    """Return MobileNet V1; `width` is the width multiplier of the paper."""
    separable = block(
        convolution("deep", "in.channels", 3, from_="in", stride="$stride", pad=1, groups="in.channels", act="relu"),
        convolution("flat", "$c", 1, act="relu"),
        c="int", stride=1,
    )  # fmt: skip
    layers: list[Item] = [convolution("stem", scaled(32, width), 3, stride=2, pad=1, act="relu")]
    for stage, (filters, strides) in enumerate(V1, start=1):
        steps = strides[0] if len(strides) == 1 else list(strides)
        repeat = {} if len(strides) == 1 else {"repeat": len(strides)}
        step = {} if steps == 1 else {"stride": steps}
        layers.append(item("block", use="separable", name=f"stage{stage}", c=scaled(filters, width), **step, **repeat))
    layers += classifier(classes, dropout)
    output = {"classes": ["N", classes]}
    return document(name, images(channels), layers, blocks={"separable": separable}, output=output)


def mobilenet_v2(
    *, name: str, width: float = 1.0, classes: int = 1000, channels: int = 3, dropout: float = 0.2
) -> Document:
    """Return MobileNet V2; `width` is the width multiplier of the paper; channels are rounded to multiples of 8."""
    inverted = block(
        convolution("wide", "$t * in.channels", 1, from_="in", act="relu6", if_="t != 1"),
        convolution("deep", "$t * in.channels", 3, stride="$stride", pad=1, groups="$t * in.channels", act="relu6"),
        convolution("flat", "$c", 1),
        t="int", c="int", stride=1,
    )  # fmt: skip
    residual = block(
        item("block", use="inverted", name="inner", t="$t", c="in.channels"),
        item("add", from_=["in", "inner"]),
        t="int",
    )
    layers: list[Item] = [convolution("stem", scaled(32, width, 8), 3, stride=2, pad=1, act="relu6")]
    for stage, (expansion, filters, depth, stride) in enumerate(V2, start=1):
        step = {} if stride == 1 else {"stride": stride}
        sizes = {"t": expansion, "c": scaled(filters, width, 8), **step}
        layers.append(item("block", use="inverted", name=f"stage{stage}", **sizes))
        if depth > 1:
            layers.append(item("block", use="residual", name=f"stage{stage}_rest", t=expansion, repeat=depth - 1))
    layers += [convolution("head", scaled(1280, max(width, 1.0), 8), 1, act="relu6"), *classifier(classes, dropout)]
    blocks = {"inverted": inverted, "residual": residual}
    return document(name, images(channels), layers, blocks=blocks, output={"classes": ["N", classes]})


MEMBERS = (
    Member("mobilenet_v1", "MobileNet V1 (Howard et al., arXiv:1704.04861)", mobilenet_v1, 4_231_976, 568_740_352),
    Member("mobilenet_v2", "MobileNet V2 (Sandler et al., arXiv:1801.04381)", mobilenet_v2, 3_504_872, 300_774_272),
)
