"""VGG with 11, 13, 16 and 19 layers, with and without batch normalisation."""

from __future__ import annotations

from planner.zoo.document import Document, block, document, item, scaled
from planner.zoo.member import Member, changed
from planner.zoo.parts import hidden_layers, images

DEPTHS = {
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
"""Convolutions of each stage (Simonyan & Zisserman, arXiv:1409.1556, table 1)."""


def vgg(
    *,
    name: str,
    depths: tuple[int, ...] = DEPTHS["vgg16"],
    norm: bool = False,
    classes: int = 1000,
    channels: int = 3,
    width: float = 1.0,
    dropout: float = 0.5,
) -> Document:
    """Return a VGG; `width` is a factor for all numbers of channels."""
    norms = {"norm": "batch"} if norm else {}
    blocks = {"conv3": block(item("conv", filters="$c", kernel=3, pad=1, **norms, act="relu"), c="int")}
    layers = []
    for stage, depth in enumerate(depths, start=1):
        filters = scaled(min(32 * 2**stage, 512), width)
        layers.append(item("block", use="conv3", name=f"stage{stage}", c=filters, repeat=depth))
        layers.append(item("maxpool", size=2))
    layers += [item("adaptive_avgpool", size=7), item("flatten"), *hidden_layers(scaled(4096, width), classes, dropout)]
    return document(name, images(channels), layers, blocks=blocks, output={"classes": ["N", classes]})


_FIGURES = {
    "vgg11": (132_863_336, 7_609_090_048),
    "vgg13": (133_047_848, 11_308_466_176),
    "vgg16": (138_357_544, 15_470_264_320),
    "vgg19": (143_667_240, 19_632_062_464),
    "vgg11_bn": (132_868_840, 7_609_090_048),
    "vgg13_bn": (133_053_736, 11_308_466_176),
    "vgg16_bn": (138_365_992, 15_470_264_320),
    "vgg19_bn": (143_678_248, 19_632_062_464),
}
_NOTE = "Adaptive pooling to 7 x 7 before the dense layers, as in torchvision, so that larger images work too."

MEMBERS = tuple(
    Member(
        name,
        f"VGG-{name[3:5]}{' with batch normalisation' * name.endswith('_bn')} (Simonyan & Zisserman, arXiv:1409.1556)",
        changed(vgg, depths=DEPTHS[name[:5]], norm=name.endswith("_bn")),
        *figures,
        note=_NOTE,
    )
    for name, figures in _FIGURES.items()
)
