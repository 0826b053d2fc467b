"""DenseNet-121, 161, 169 and 201."""

from __future__ import annotations

from planner.zoo.document import Document, block, document, item
from planner.zoo.member import Member, changed
from planner.zoo.parts import classifier, convolution, images


def densenet(
    *,
    name: str,
    depths: tuple[int, ...] = (6, 12, 24, 16),
    growth: int = 32,
    width: int = 64,
    classes: int = 1000,
    channels: int = 3,
) -> Document:
    """Return a DenseNet: every layer appends `growth` channels to its input; the stem has `width` channels."""
    blocks = {
        "dense_layer": block(
            item("batchnorm", name="pre", from_="in", act="relu"),
            convolution("narrow", 4 * growth, 1, act="relu"),
            item("conv", name="new", filters=growth, kernel=3, pad=1, bias=False),
            item("concat", from_=["in", "new"]),
        ),
        "transition": block(
            item("batchnorm", from_="in", act="relu"),
            item("conv", filters="in.channels // 2", kernel=1, bias=False),
            item("avgpool", size=2),
        ),
    }
    layers = [convolution("stem", width, 7, stride=2, pad=3, act="relu"), item("maxpool", size=3, stride=2, pad=1)]
    for stage, depth in enumerate(depths, start=1):
        layers.append(item("block", use="dense_layer", name=f"dense{stage}", repeat=depth))
        if stage < len(depths):
            layers.append(item("block", use="transition", name=f"transition{stage}"))
    layers += [item("batchnorm", act="relu"), *classifier(classes)]
    return document(name, images(channels), layers, blocks=blocks, output={"classes": ["N", classes]})


_FIGURES = {
    "121": ((6, 12, 24, 16), 32, 64, 7_978_856, 2_834_161_664),
    "161": ((6, 12, 36, 24), 48, 96, 28_681_000, 7_727_907_072),
    "169": ((6, 12, 32, 32), 32, 64, 14_149_480, 3_359_843_328),
    "201": ((6, 12, 48, 32), 32, 64, 20_013_928, 4_291_365_888),
}
"""Layers of each block (arXiv:1608.06993, table 1), growth, channels of the stem, parameters and MACs."""

MEMBERS = tuple(
    Member(
        f"densenet{depth}", f"DenseNet-{depth} (Huang et al., arXiv:1608.06993)",
        changed(densenet, depths=depths, growth=growth, width=width), parameters, macs,
    )
    for depth, (depths, growth, width, parameters, macs) in _FIGURES.items()
)  # fmt: skip
