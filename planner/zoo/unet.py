"""U-Net without padding, as published, and with padding, which gives a map of the size of the image."""

from __future__ import annotations

from typing import Any

from planner.zoo.document import Document, Item, block, document, item
from planner.zoo.member import Member, changed


def unet(
    *,
    name: str,
    padded: bool = False,
    levels: int = 4,
    width: int = 64,
    classes: int = 2,
    channels: int = 1,
) -> Document:
    """Return a U-Net with `levels` poolings; the first level has `width` channels, which double in each level."""
    pad = {"pad": 1} if padded else {}
    double = block(
        item("conv", name="a", filters="$c", kernel=3, **pad, act="relu"),
        item("conv", name="b", filters="$c", kernel=3, **pad, act="relu"),
        c="int",
    )
    layers: list[Item] = []
    for level in range(1, levels + 1):
        layers.append(item("block", use="double", name=f"down{level}", c=width * 2 ** (level - 1)))
        layers.append(item("maxpool", size=2, rounding="exact"))
    layers.append(item("block", use="double", name="bottom", c=width * 2**levels))
    for level in range(levels, 0, -1):
        filters, skip = width * 2 ** (level - 1), f"down{level}"
        layers.append(item("convtranspose", name=f"up{level}", filters=filters, kernel=2, stride=2))
        if not padded:
            skip = f"skip{level}"
            layers.append(item("crop", name=skip, from_=[f"down{level}", f"up{level}"]))
        layers.append(item("concat", from_=[skip, f"up{level}"]))
        layers.append(item("block", use="double", name=f"level{level}", c=filters))
    layers.append(item("conv", name="map", filters=classes, kernel=1))
    output: Any = {"map": ["N", classes, "H", "W"]} if padded else "map"
    return document(name, {"image": ["N", channels, "H", "W"]}, layers, blocks={"double": double}, output=output)


MEMBERS = (
    Member(
        "unet", "U-Net as published (Ronneberger et al., arXiv:1505.04597): no padding, 572 x 572 in, 388 x 388 out",
        unet, 31_030_658, 150_428_424_448, {"H": 572, "W": 572},
        note="Every 2 x 2 pooling needs an even size, which `rounding: exact` requires. `shapeplan check` reports "
        "which other tiles work; without `rounding: exact`, odd ones run too, but drop rows and columns.",
    ),
    Member(
        "unet_padded", "U-Net (Ronneberger et al., arXiv:1505.04597) with padding, so that no crops are needed",
        changed(unet, padded=True), 31_030_658, 192_384_335_872, {"H": 512, "W": 512},
        meant={"S302": "sides are multiples of 16"},
    ),
)  # fmt: skip
