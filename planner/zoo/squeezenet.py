"""SqueezeNet 1.0 and 1.1."""

from __future__ import annotations

from planner.zoo.document import Document, Item, block, document, item, scaled
from planner.zoo.member import Member, changed
from planner.zoo.parts import images

FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
"""Filters of the squeeze layer, and of each of the two expand layers (arXiv:1602.07360, table 1)."""


def squeezenet(
    *,
    name: str,
    stem: int = 96,
    kernel: int = 7,
    pools: tuple[int, ...] = (3, 7),
    classes: int = 1000,
    channels: int = 3,
    width: float = 1.0,
    dropout: float = 0.5,
) -> Document:
    """Return a SqueezeNet with a pooling after the stem and after each of the fire modules in `pools`."""
    fire = block(
        item("conv", name="squeeze", filters="$squeeze", kernel=1, act="relu"),
        item("conv", name="one", from_="squeeze", filters="$expand", kernel=1, act="relu"),
        item("conv", name="three", from_="squeeze", filters="$expand", kernel=3, pad=1, act="relu"),
        item("concat", from_=["one", "three"]),
        squeeze="int", expand="int",
    )  # fmt: skip
    pool = item("maxpool", size=3, stride=2, rounding="ceil")
    layers: list[Item] = [
        item("conv", name="stem", filters=scaled(stem, width), kernel=kernel, stride=2, act="relu"), pool,
    ]  # fmt: skip
    for number, (squeeze, expand) in enumerate(FIRES, start=1):
        sizes = {"squeeze": scaled(squeeze, width), "expand": scaled(expand, width)}
        layers.append(item("block", use="fire", name=f"fire{number + 1}", **sizes))
        layers += [pool] if number in pools else []
    layers += [
        item("dropout", rate=dropout),
        item("conv", name="classifier", filters=classes, kernel=1, act="relu"),
        item("gap"),
        item("flatten", name="classes"),
    ]
    return document(name, images(channels), layers, blocks={"fire": fire}, output={"classes": ["N", classes]})


MEMBERS = (
    Member(
        "squeezenet1_0", "SqueezeNet 1.0 (Iandola et al., arXiv:1602.07360)", squeezenet, 1_248_424, 818_924_576,
    ),
    Member(
        "squeezenet1_1", "SqueezeNet 1.1, at less than half the cost (authors' repository, forresti/SqueezeNet)",
        changed(squeezenet, stem=64, kernel=3, pools=(2, 4)), 1_235_496, 349_151_936,
    ),
)  # fmt: skip
