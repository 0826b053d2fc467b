"""Network in Network (Lin, Chen, Yan 2013)."""

from __future__ import annotations

from planner.zoo.document import Document, block, document, item, scaled
from planner.zoo.member import Member
from planner.zoo.parts import images


def nin(*, name: str, classes: int = 10, channels: int = 3, width: float = 1.0, dropout: float = 0.5) -> Document:
    """Return Network in Network for CIFAR-10: three convolutions, each followed by an MLP of 1 x 1 convolutions."""
    mlp = block(
        item("conv", name="conv", filters="$c", kernel="$kernel", pad="$kernel // 2", act="relu"),
        item("conv", name="cccp1", filters="$inner", kernel=1, act="relu"),
        item("conv", name="cccp2", filters="$out", kernel=1, act="relu"),
        kernel="int", c="int", inner="int", out="int",
    )  # fmt: skip
    wide, less, least = (scaled(count, width) for count in (192, 160, 96))
    layers = [
        item("block", use="mlpconv", name="mlp1", kernel=5, c=wide, inner=less, out=least),
        item("maxpool", size=3, stride=2, rounding="ceil"),
        item("dropout", rate=dropout),
        item("block", use="mlpconv", name="mlp2", kernel=5, c=wide, inner=wide, out=wide),
        item("avgpool", size=3, stride=2, rounding="ceil"),
        item("dropout", rate=dropout),
        item("block", use="mlpconv", name="mlp3", kernel=3, c=wide, inner=wide, out=classes),
        item("gap", name="classes"),
        item("flatten"),
    ]
    return document(name, images(channels), layers, blocks={"mlpconv": mlp})


MEMBERS = (
    Member("nin", "Network in Network for CIFAR-10 (Lin et al., arXiv:1312.4400)", nin, 966_986, 222_486_528,
           {"H": 32, "W": 32}),
)  # fmt: skip
