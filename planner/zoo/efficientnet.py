"""EfficientNet B0 to B7 and EfficientNetV2 S, M and L."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from planner.zoo.document import Document, Item, block, document, item, scaled
from planner.zoo.member import Member, changed
from planner.zoo.parts import classifier, convolution, images

Stage = tuple[str, int, int, int, int, int]
"""Kind of block, expansion, kernel, first stride, channels and number of blocks."""

B0: tuple[Stage, ...] = (
    ("mbconv", 1, 3, 1, 16, 1),
    ("mbconv", 6, 3, 2, 24, 2),
    ("mbconv", 6, 5, 2, 40, 2),
    ("mbconv", 6, 3, 2, 80, 3),
    ("mbconv", 6, 5, 1, 112, 3),
    ("mbconv", 6, 5, 2, 192, 4),
    ("mbconv", 6, 3, 1, 320, 1),
)
"""Tan & Le, arXiv:1905.11946, table 1."""

V2: dict[str, tuple[Stage, ...]] = {
    "s": (
        ("plain", 1, 3, 1, 24, 2),
        ("fused", 4, 3, 2, 48, 4),
        ("fused", 4, 3, 2, 64, 4),
        ("mbconv", 4, 3, 2, 128, 6),
        ("mbconv", 6, 3, 1, 160, 9),
        ("mbconv", 6, 3, 2, 256, 15),
    ),
    "m": (
        ("plain", 1, 3, 1, 24, 3),
        ("fused", 4, 3, 2, 48, 5),
        ("fused", 4, 3, 2, 80, 5),
        ("mbconv", 4, 3, 2, 160, 7),
        ("mbconv", 6, 3, 1, 176, 14),
        ("mbconv", 6, 3, 2, 304, 18),
        ("mbconv", 6, 3, 1, 512, 5),
    ),
    "l": (
        ("plain", 1, 3, 1, 32, 4),
        ("fused", 4, 3, 2, 64, 7),
        ("fused", 4, 3, 2, 96, 7),
        ("mbconv", 4, 3, 2, 192, 10),
        ("mbconv", 6, 3, 1, 224, 19),
        ("mbconv", 6, 3, 2, 384, 25),
        ("mbconv", 6, 3, 1, 640, 7),
    ),
}
"""Tan & Le, arXiv:2104.00298, table 4 and the code of the authors, as in torchvision."""


def efficientnet(
    *,
    name: str,
    width: float = 1.0,
    depth: float = 1.0,
    classes: int = 1000,
    channels: int = 3,
    dropout: float = 0.2,
    drop: float = 0.2,
    eps: float = 1e-5,
    momentum: float = 0.1,
) -> Document:
    """Return an EfficientNet network.

    Parameters
    ----------
    name : str
    width, depth : float
        Factors for the channels, rounded to multiples of 8, and for the number of blocks, rounded up.
    classes, channels : int
        Number of classes, and of image channels.
    dropout, drop : float
        Dropout rate of the features; drop rate of the last block, while earlier blocks have lower rates.
    eps, momentum : float
        Settings of batch normalisation.
    """
    stages = [(*stage[:4], scaled(stage[4], width, 8), ceil(stage[5] * depth)) for stage in B0]
    return _network(
        name, stages, scaled(32, width, 8), 4 * stages[-1][4], classes, channels, dropout, drop, eps, momentum
    )


def efficientnet_v2(
    *,
    name: str,
    size: str = "s",
    width: float = 1.0,
    depth: float = 1.0,
    classes: int = 1000,
    channels: int = 3,
    dropout: float = 0.2,
    drop: float = 0.2,
    eps: float = 1e-3,
) -> Document:
    """Return an EfficientNetV2 of `size` s, m or l; for the other settings see :func:`efficientnet`."""
    stages = [(*stage[:4], scaled(stage[4], width, 8), ceil(stage[5] * depth)) for stage in V2[size]]
    head = scaled(1280, width, 8)
    return _network(name, stages, stages[0][4], head, classes, channels, dropout, drop, eps, 0.1)


def _network(
    name: str,
    stages: Sequence[Stage],
    stem: int,
    head: int,
    classes: int,
    channels: int,
    dropout: float,
    drop: float,
    eps: float,
    momentum: float,
) -> Document:
    norm = {key: value for key, value in (("eps", eps), ("momentum", momentum)) if value != {"eps": 1e-5}.get(key, 0.1)}
    blocks: dict[str, Any] = {}
    for kind in dict.fromkeys(stage[0] for stage in stages):
        blocks |= _kind(kind, norm)
    layers: list[Item] = [convolution("stem", stem, 3, act="silu", norm=norm, stride=2, pad=1)]
    total, done, before = sum(stage[5] for stage in stages), 0, stem
    for number, (kind, expansion, kernel, stride, filters, count) in enumerate(stages, start=1):
        sizes: dict[str, Any] = {"kernel": kernel} | ({} if kind == "plain" else {"t": expansion})
        rates = [round(drop * (done + index) / total, 6) for index in range(count)]
        if stride != 1 or before != filters:
            step = {} if stride == 1 else {"stride": stride}
            layers.append(item("block", use=kind, name=f"stage{number}", **sizes, c=filters, **step))
            rates, rest = rates[1:], f"stage{number}_rest"
        else:
            rest = f"stage{number}"
        if rates:
            layers.append(item("block", use=f"{kind}_residual", name=rest, **sizes, drop=rates, repeat=len(rates)))
        done, before = done + count, filters
    layers += [convolution("head", head, 1, act="silu", norm=norm), *classifier(classes, dropout)]
    return document(name, images(channels), layers, blocks=blocks, output={"classes": ["N", classes]})


def _kind(kind: str, norm: Mapping[str, float]) -> dict[str, Any]:
    """Return the block of a kind, and the residual block around it."""
    expanded = "$t * in.channels"
    expansion = {} if kind == "plain" else {"t": "int"}
    size: dict[str, Any] = {"stride": "$stride", "pad": "$kernel // 2"}
    layers = {
        "plain": [convolution("conv", "$c", "$kernel", "in", "silu", norm=norm, **size)],
        "fused": [
            convolution("wide", expanded, "$kernel", "in", "silu", norm=norm, **size),
            convolution("flat", "$c", 1, norm=norm),
        ],
        "mbconv": [
            convolution("wide", expanded, 1, "in", "silu", "t != 1", norm),
            convolution("deep", expanded, "$kernel", None, "silu", norm=norm, **size, groups=expanded),
            item("block", use="squeeze_excite", name="se", squeeze="in.channels // 4", act="silu"),
            convolution("flat", "$c", 1, norm=norm),
        ],
    }[kind]
    passed = {key: f"${key}" for key in expansion}
    residual = block(
        item("block", use=kind, name="inner", kernel="$kernel", **passed, c="in.channels"),
        item("stochastic_depth", rate="$drop"),
        item("add", from_=["in", "stochastic_depth1"]),
        kernel="int", **expansion, drop="float",
    )  # fmt: skip
    return {kind: block(*layers, kernel="int", **expansion, c="int", stride=1), f"{kind}_residual": residual}


_B = {
    "b0": (1.0, 1.0, 0.2, 224, 5_288_548, 385_814_752),
    "b1": (1.0, 1.1, 0.2, 240, 7_794_184, 686_802_832),
    "b2": (1.1, 1.2, 0.3, 288, 9_109_994, 1_087_529_456),
    "b3": (1.2, 1.4, 0.3, 300, 12_233_232, 1_827_141_392),
    "b4": (1.4, 1.8, 0.4, 380, 19_341_616, 4_393_771_024),
    "b5": (1.6, 2.2, 0.4, 456, 30_389_784, 10_266_384_752),
    "b6": (1.8, 2.6, 0.5, 528, 43_040_704, 19_067_593_536),
    "b7": (2.0, 3.1, 0.5, 600, 66_347_960, 37_745_884_192),
}
"""Width, depth, dropout, side of the image, parameters and multiply-accumulates."""

_V2 = {
    "s": (0.2, 384, 21_458_488, 8_365_617_152),
    "m": (0.3, 480, 54_139_356, 24_582_460_384),
    "l": (0.4, 480, 118_515_272, 56_079_699_008),
}
"""Dropout, side of the image, parameters and multiply-accumulates."""

MEMBERS = (
    *(
        Member(
            f"efficientnet_{size}", f"EfficientNet-{size.upper()} (Tan & Le, arXiv:1905.11946)",
            # From B5 on, torchvision has the TensorFlow settings of the authors.
            changed(efficientnet, width=width, depth=depth, dropout=dropout,
                    **({"eps": 1e-3, "momentum": 0.01} if size >= "b5" else {})),
            parameters, macs, {"H": side, "W": side},
        )
        for size, (width, depth, dropout, side, parameters, macs) in _B.items()
    ),
    *(
        Member(
            f"efficientnet_v2_{size}", f"EfficientNetV2-{size.upper()} (Tan & Le, arXiv:2104.00298)",
            changed(efficientnet_v2, size=size, dropout=dropout), parameters, macs, {"H": side, "W": side},
        )
        for size, (dropout, side, parameters, macs) in _V2.items()
    ),
)  # fmt: skip
