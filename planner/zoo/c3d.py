"""C3D, a 3-D network for short videos."""

from __future__ import annotations

from planner.zoo.document import Document, Item, block, document, item, scaled
from planner.zoo.member import Member
from planner.zoo.parts import hidden_layers

STAGES = ((64, 1), (128, 1), (256, 2), (512, 2), (512, 2))
"""Filters and number of convolutions of each stage (Tran et al., arXiv:1412.0767, figure 3)."""


def c3d(
    *,
    name: str,
    classes: int = 101,
    channels: int = 3,
    frames: int = 16,
    side: int = 112,
    width: float = 1.0,
    dropout: float = 0.5,
) -> Document:
    """Return C3D for videos of `frames` square images; `width` is a factor for all numbers of channels."""
    layers: list[Item] = []
    for stage, (filters, depth) in enumerate(STAGES, start=1):
        layers.append(item("block", use="conv3", name=f"conv{stage}", c=scaled(filters, width), repeat=depth))
        # The first pooling does not change the time axis; the last one rounds up, so that 7 rows become 4.
        size = {"size": [1, 2, 2]} if stage == 1 else {"size": 2}
        layers.append(item("maxpool", name=f"pool{stage}", **size, **({"rounding": "ceil"} if stage == 5 else {})))
    layers += [item("flatten"), *hidden_layers(scaled(4096, width), classes, dropout)]
    blocks = {"conv3": block(item("conv", filters="$c", kernel=3, pad=1, act="relu"), c="int")}
    inputs: dict[str, list[int | str]] = {"film": ["N", channels, frames, side, side]}
    return document(name, inputs, layers, blocks=blocks, output={"classes": ["N", classes]})


MEMBERS = (
    Member(
        "c3d", "C3D for the 101 actions of UCF101 (Tran et al., arXiv:1412.0767)",
        c3d, 78_409_573, 38_547_378_176, {},
    ),
)  # fmt: skip
