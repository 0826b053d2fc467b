"""SegNet: VGG-16 as encoder, and a decoder that unpools in reverse order."""

from __future__ import annotations

from planner.zoo.document import Document, Item, block, document, item, scaled
from planner.zoo.member import Member
from planner.zoo.parts import convolution
from planner.zoo.vgg import DEPTHS


def segnet(*, name: str, classes: int = 11, channels: int = 3, width: float = 1.0) -> Document:
    """Return SegNet; `width` is a factor for the channels."""
    filters = [scaled(min(32 * 2**stage, 512), width) for stage in range(1, 6)]
    depths = DEPTHS["vgg16"]
    layers: list[Item] = []
    for stage, (count, depth) in enumerate(zip(filters, depths, strict=True), start=1):
        layers.append(item("block", use="conv3", name=f"down{stage}", c=count, repeat=depth))
        layers.append(item("maxpool", name=f"pool{stage}", size=2))
    for stage in range(5, 0, -1):
        count, next_count = filters[stage - 1], filters[max(stage - 2, 0)]
        layers.append(item("unpool", pool=f"pool{stage}"))
        rest = depths[stage - 1] - 1
        layers.append(item("block", use="conv3", name=f"up{stage}", c=count, repeat=rest))
        if stage > 1:
            layers.append(item("block", use="conv3", name=f"up{stage}_last", c=next_count))
    layers.append(item("conv", name="map", filters=classes, kernel=3, pad=1))
    conv3 = block(convolution("conv", "$c", 3, pad=1, act="relu"), c="int")
    output = {"map": ["N", classes, "H", "W"]}
    return document(name, {"image": ["N", channels, "H", "W"]}, layers, blocks={"conv3": conv3}, output=output)


MEMBERS = (
    Member(
        "segnet", "SegNet (Badrinarayanan et al., arXiv:1511.00561), for the 11 classes of CamVid",
        segnet, 29_441_419, 106_287_759_360, {"H": 360, "W": 480},
    ),
)  # fmt: skip
