"""ConvNeXt tiny, small, base and large."""

from __future__ import annotations

from planner.zoo.document import Document, Item, block, document, item
from planner.zoo.member import Member, changed
from planner.zoo.parts import images

EPS = 1e-6


def convnext(
    *,
    name: str,
    depths: tuple[int, ...] = (3, 3, 9, 3),
    width: int = 96,
    classes: int = 1000,
    channels: int = 3,
    drop: float = 0.1,
    scale: float = 1e-6,
) -> Document:
    """Return a ConvNeXt network.

    Parameters
    ----------
    name : str
    depths : tuple of int
        Number of blocks of each stage.
    width : int
        Channels of the first stage; they double in each stage.
    classes, channels : int
        Number of classes, and of image channels.
    drop : float
        Drop rate of the last block during training; earlier blocks have lower rates.
    scale : float
        Initial value of the trained factor of the branch of each block.
    """
    residual = block(
        item("conv", name="deep", from_="in", filters="in.channels", kernel=7, pad=3, groups="in.channels"),
        item("layernorm", eps=EPS),
        item("conv", name="wide", filters="4 * in.channels", kernel=1, act="gelu"),
        item("conv", name="flat", filters="in.channels", kernel=1),
        item("layer_scale", initial=scale),
        item("stochastic_depth", name="branch", rate="$drop"),
        item("add", from_=["branch", "in"]),
        drop="float",
    )  # fmt: skip
    layers: list[Item] = [item("conv", name="stem", filters=width, kernel=4, stride=4), item("layernorm", eps=EPS)]
    total, done = sum(depths), 0
    for stage, depth in enumerate(depths, start=1):
        if stage > 1:
            layers.append(item("layernorm", eps=EPS))
            layers.append(item("conv", name=f"down{stage}", filters=width * 2 ** (stage - 1), kernel=2, stride=2))
        # Divide by the number of blocks minus one, so that the last one has the full rate.
        rates = [round(drop * (done + index) / max(total - 1, 1), 6) for index in range(depth)]
        layers.append(item("block", use="residual", name=f"stage{stage}", drop=rates, repeat=depth))
        done += depth
    layers += [
        item("gap"), item("layernorm", eps=EPS), item("flatten"), item("dense", name="classes", units=classes),
    ]  # fmt: skip
    output = {"classes": ["N", classes]}
    return document(name, images(channels), layers, blocks={"residual": residual}, output=output)


_FIGURES = {
    "tiny": ((3, 3, 9, 3), 96, 0.1, 28_589_128, 4_455_531_264),
    "small": ((3, 3, 27, 3), 96, 0.4, 50_223_688, 8_683_712_256),
    "base": ((3, 3, 27, 3), 128, 0.5, 88_591_464, 15_354_729_472),
    "large": ((3, 3, 27, 3), 192, 0.5, 197_767_336, 34_361_433_600),
}
"""Blocks of each stage, width, stochastic depth, parameters and multiply-accumulates (arXiv:2201.03545, section 3)."""

MEMBERS = tuple(
    Member(
        f"convnext_{size}", f"ConvNeXt-{size[0].upper()} (Liu et al., arXiv:2201.03545)",
        changed(convnext, depths=depths, width=width, drop=drop), parameters, macs,
    )
    for size, (depths, width, drop, parameters, macs) in _FIGURES.items()
)  # fmt: skip
