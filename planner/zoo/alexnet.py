"""AlexNet with one column, as in torchvision."""

from __future__ import annotations

from planner.zoo.document import Document, document, item, scaled
from planner.zoo.member import Member
from planner.zoo.parts import images


def alexnet(*, name: str, classes: int = 1000, channels: int = 3, width: float = 1.0, dropout: float = 0.5) -> Document:
    """Return AlexNet; `width` is a factor for all numbers of channels."""
    hidden = scaled(4096, width)
    layers = [
        item("conv", name="conv1", filters=scaled(64, width), kernel=11, stride=4, pad=2, act="relu"),
        item("maxpool", size=3, stride=2),
        item("conv", name="conv2", filters=scaled(192, width), kernel=5, pad=2, act="relu"),
        item("maxpool", size=3, stride=2),
        item("conv", name="conv3", filters=scaled(384, width), kernel=3, pad=1, act="relu"),
        item("conv", name="conv4", filters=scaled(256, width), kernel=3, pad=1, act="relu"),
        item("conv", name="conv5", filters=scaled(256, width), kernel=3, pad=1, act="relu"),
        item("maxpool", size=3, stride=2),
        item("adaptive_avgpool", size=6),
        item("flatten"),
        item("dropout", rate=dropout),
        item("dense", name="fc6", units=hidden, act="relu"),
        item("dropout", rate=dropout),
        item("dense", name="fc7", units=hidden, act="relu"),
        item("dense", name="classes", units=classes),
    ]
    return document(name, images(channels), layers, output={"classes": ["N", classes]})


MEMBERS = (
    Member(
        "alexnet", "AlexNet (Krizhevsky, arXiv:1404.5997), as in torchvision", alexnet, 61_100_840, 714_188_480,
        note="Adaptive pooling to 6 x 6 before the dense layers, so that larger images work too.",
    ),
)  # fmt: skip
