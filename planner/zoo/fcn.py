"""FCN-8s on VGG-16."""

from __future__ import annotations

from planner.zoo.document import Document, Item, block, document, item, scaled
from planner.zoo.member import Member
from planner.zoo.vgg import DEPTHS

OFFSET = 31
"""Number of rows and columns cropped from the start of the map, as in the code of the authors."""


def fcn8s(
    *,
    name: str,
    classes: int = 21,
    channels: int = 3,
    width: float = 1.0,
    dropout: float = 0.5,
) -> Document:
    """Return FCN-8s: VGG-16 applied as a convolution to the whole image, with predictions from three depths."""
    layers: list[Item] = []
    for stage, depth in enumerate(DEPTHS["vgg16"], start=1):
        filters = scaled(min(32 * 2**stage, 512), width)
        if stage == 1:
            # The wide padding makes the last windows fit even for the smallest images.
            layers.append(item("conv", name="wide", filters=filters, kernel=3, pad=100, act="relu"))
            depth -= 1
        layers.append(item("block", use="conv3", name=f"stage{stage}", c=filters, repeat=depth))
        layers.append(item("maxpool", name=f"pool{stage}", size=2, rounding="ceil"))
    hidden = scaled(4096, width)
    layers += [
        item("conv", name="fc6", filters=hidden, kernel=7, act="relu"),
        item("dropout", rate=dropout),
        item("conv", name="fc7", filters=hidden, kernel=1, act="relu"),
        item("dropout", rate=dropout),
        item("conv", name="score", filters=classes, kernel=1),
    ]
    for level, source in (("16s", "pool4"), ("8s", "pool3")):
        layers += [
            item("convtranspose", name=f"up{level}", filters=classes, kernel=4, stride=2, bias=False),
            item("conv", name=f"score_{source}", from_=source, filters=classes, kernel=1),
            item("crop", name=f"cut_{source}", from_=[f"score_{source}", f"up{level}"]),
            item("add", name=f"sum{level}", from_=[f"up{level}", f"cut_{source}"]),
        ]
    layers += [
        item("convtranspose", filters=classes, kernel=16, stride=8, bias=False),
        item("slice", axis=2, start=OFFSET, stop=f"H + {OFFSET}"),
        item("slice", name="map", axis=3, start=OFFSET, stop=f"W + {OFFSET}"),
    ]
    blocks = {"conv3": block(item("conv", filters="$c", kernel=3, pad=1, act="relu"), c="int")}
    output = {"map": ["N", classes, "H", "W"]}
    return document(name, {"image": ["N", channels, "H", "W"]}, layers, blocks=blocks, output=output)


MEMBERS = (
    Member(
        "fcn8s", "FCN-8s on VGG-16 (Long et al., arXiv:1411.4038), for the 21 classes of PASCAL VOC",
        fcn8s, 134_489_759, 181_529_034_048, {"H": 500, "W": 500},
        note="The upsampling kernels are trained; the authors initialize them to bilinear interpolation.",
        meant={"S303": "the wide padding is from the authors"},
    ),
)  # fmt: skip
