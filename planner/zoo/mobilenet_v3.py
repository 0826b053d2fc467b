"""MobileNet V3, large and small."""

from __future__ import annotations

from typing import Any

from planner.zoo.document import Document, Item, block, document, item, scaled
from planner.zoo.member import Member, changed
from planner.zoo.parts import convolution, images

Row = tuple[int, int, int, bool, str, int]
"""Kernel, expanded channels, channels, squeeze-and-excitation, activation and stride of a block."""

LARGE: tuple[Row, ...] = (
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hard_swish", 2),
    (3, 200, 80, False, "hard_swish", 1),
    (3, 184, 80, False, "hard_swish", 1),
    (3, 184, 80, False, "hard_swish", 1),
    (3, 480, 112, True, "hard_swish", 1),
    (3, 672, 112, True, "hard_swish", 1),
    (5, 672, 160, True, "hard_swish", 2),
    (5, 960, 160, True, "hard_swish", 1),
    (5, 960, 160, True, "hard_swish", 1),
)
"""Howard et al., arXiv:1905.02244, table 1."""

SMALL: tuple[Row, ...] = (
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hard_swish", 2),
    (5, 240, 40, True, "hard_swish", 1),
    (5, 240, 40, True, "hard_swish", 1),
    (5, 120, 48, True, "hard_swish", 1),
    (5, 144, 48, True, "hard_swish", 1),
    (5, 288, 96, True, "hard_swish", 2),
    (5, 576, 96, True, "hard_swish", 1),
    (5, 576, 96, True, "hard_swish", 1),
)
"""Howard et al., arXiv:1905.02244, table 2."""

NORM = {"eps": 0.001, "momentum": 0.01}


def mobilenet_v3(
    *,
    name: str,
    large: bool = True,
    width: float = 1.0,
    classes: int = 1000,
    channels: int = 3,
    dropout: float = 0.2,
) -> Document:
    """Return MobileNet V3; `width` is a factor for the channels, which are rounded to multiples of 8."""
    bneck = block(
        convolution("wide", "$t", 1, "in", "$act", if_="t != in.channels", norm=NORM),
        convolution(
            "deep", "$t", "$kernel", act="$act", norm=NORM, stride="$stride", pad="$kernel // 2", groups="$t"
        ),
        item("block", use="squeeze_excite", name="se", squeeze="$squeeze", gate="hard_sigmoid", if_="squeeze > 0"),
        convolution("flat", "$c", 1, norm=NORM),
        kernel="int", t="int", c="int", squeeze=0, act="str", stride=1,
    )  # fmt: skip
    passed = {key: f"${key}" for key in ("kernel", "t", "squeeze", "act")}
    residual = block(
        item("block", use="bneck", name="inner", **passed, c="in.channels"),
        item("add", from_=["in", "inner"]),
        kernel="int", t="int", squeeze=0, act="str",
    )  # fmt: skip
    blocks = {"bneck": bneck, "residual": residual}
    layers: list[Item] = [convolution("stem", scaled(16, width, 8), 3, act="hard_swish", norm=NORM, stride=2, pad=1)]
    before, rows = scaled(16, width, 8), LARGE if large else SMALL
    for number, (kernel, expanded, filters, squeezed, act, stride) in enumerate(rows, start=1):
        t, c = scaled(expanded, width, 8), scaled(filters, width, 8)
        sizes: dict[str, Any] = {"kernel": kernel, "t": t}
        sizes |= {"squeeze": scaled(t // 4, 1.0, 8)} if squeezed else {}
        skipped = stride == 1 and c == before
        rest = {} if skipped else {"c": c} | ({} if stride == 1 else {"stride": stride})
        use = "residual" if skipped else "bneck"
        layers.append(item("block", use=use, name=f"b{number}", **sizes, act=act, **rest))
        before = c
    layers += [
        convolution("head", 6 * before, 1, act="hard_swish", norm=NORM),
        item("gap"),
        item("flatten"),
        item("dense", name="hidden", units=scaled(1280 if large else 1024, width, 8), act="hard_swish"),
        item("dropout", rate=dropout),
        item("dense", name="classes", units=classes),
    ]
    return document(name, images(channels), layers, blocks=blocks, output={"classes": ["N", classes]})


MEMBERS = (
    Member(
        "mobilenet_v3_large", "MobileNet V3 large (Howard et al., arXiv:1905.02244)", mobilenet_v3,
        5_483_032, 216_589_760,
    ),
    Member(
        "mobilenet_v3_small", "MobileNet V3 small (Howard et al., arXiv:1905.02244)",
        changed(mobilenet_v3, large=False), 2_542_856, 56_510_400,
    ),
)  # fmt: skip
