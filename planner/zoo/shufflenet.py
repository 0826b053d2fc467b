"""ShuffleNet V2 at four widths."""

from __future__ import annotations

from typing import Any

from planner.zoo.document import Document, Item, block, document, item, scaled
from planner.zoo.member import Member, changed
from planner.zoo.parts import classifier, convolution, images

DEPTHS = (4, 8, 4)

WIDTHS = {
    "x0_5": (48, 96, 192, 1024),
    "x1_0": (116, 232, 464, 1024),
    "x1_5": (176, 352, 704, 1024),
    "x2_0": (244, 488, 976, 2048),
}
"""Channels of the three stages and of the last convolution (Ma et al., arXiv:1807.11164, table 5)."""


def shufflenet_v2(
    *,
    name: str,
    filters: tuple[int, ...] = WIDTHS["x1_0"],
    depths: tuple[int, ...] = DEPTHS,
    width: float = 1.0,
    classes: int = 1000,
    channels: int = 3,
) -> Document:
    """Return a ShuffleNet V2 with `filters` times `width` channels in its stages and its last convolution."""
    depthwise: dict[str, Any] = {"pad": 1, "groups": "$c"}
    blocks = {
        "down": block(
            convolution("near", "in.channels", 3, from_="in", stride=2, pad=1, groups="in.channels"),
            convolution("left", "$c", 1, act="relu"),
            convolution("first", "$c", 1, from_="in", act="relu"),
            convolution("deep", "$c", 3, stride=2, **depthwise),
            convolution("right", "$c", 1, act="relu"),
            item("concat", from_=["left", "right"]),
            item("channel_shuffle", groups=2),
            c="int",
        ),
        "keep": block(
            item("split", name="left", from_="in", parts=2, part=0),
            item("split", name="half", from_="in", parts=2, part=1),
            convolution("first", "$c", 1, act="relu"),
            convolution("deep", "$c", 3, **depthwise),
            convolution("right", "$c", 1, act="relu"),
            item("concat", from_=["left", "right"]),
            item("channel_shuffle", groups=2),
            c="int",
        ),
    }  # fmt: skip
    layers: list[Item] = [
        convolution("stem", scaled(24, width), 3, stride=2, pad=1, act="relu"),
        item("maxpool", size=3, stride=2, pad=1),
    ]
    for stage, (count, depth) in enumerate(zip(filters, depths, strict=False), start=2):
        half = scaled(count, width / 2)
        layers.append(item("block", use="down", name=f"stage{stage}", c=half))
        layers.append(item("block", use="keep", name=f"stage{stage}_rest", c=half, repeat=depth - 1))
    layers += [convolution("head", scaled(filters[-1], width), 1, act="relu"), *classifier(classes)]
    return document(name, images(channels), layers, blocks=blocks, output={"classes": ["N", classes]})


_FIGURES = {
    "x0_5": (1_366_792, 40_476_448),
    "x1_0": (2_278_604, 144_907_992),
    "x1_5": (3_503_624, 295_759_392),
    "x2_0": (7_393_996, 583_253_464),
}

MEMBERS = tuple(
    Member(
        f"shufflenet_v2_{size}", f"ShuffleNet V2 {size[1:].replace('_', '.')}x (Ma et al., arXiv:1807.11164)",
        changed(shufflenet_v2, filters=WIDTHS[size]), parameters, macs,
    )
    for size, (parameters, macs) in _FIGURES.items()
)  # fmt: skip
