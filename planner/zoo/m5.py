"""M5, a 1-D network that classifies words in raw audio."""

from __future__ import annotations

from planner.zoo.document import Document, Item, document, item
from planner.zoo.member import Member
from planner.zoo.parts import classifier


def m5(
    *, name: str, classes: int = 35, channels: int = 1, width: int = 32, kernel: int = 80, stride: int = 16
) -> Document:
    """Return M5: four convolutions over time, two of `width` and two of 2 * `width` channels, each with a pooling."""
    layers: list[Item] = []
    for number, filters in enumerate((width, width, 2 * width, 2 * width), start=1):
        window = {"kernel": kernel, "stride": stride} if number == 1 else {"kernel": 3}
        layers.append(item("conv", name=f"conv{number}", filters=filters, **window, norm="batch", act="relu"))
        layers.append(item("maxpool", size=4))
    layers += classifier(classes)
    return document(name, {"sound": ["N", channels, "L"]}, layers, output={"classes": ["N", classes]})


MEMBERS = (
    Member(
        "m5", "M5 for the 35 words of Speech Commands, from raw audio (Dai et al., arXiv:1610.00087)",
        m5, 26_915, 1_880_256, {"L": 8000},
        note="Width as in the PyTorch tutorial on speech commands, at 8 kHz; the paper has 128 channels and stride 4.",
    ),
)  # fmt: skip
