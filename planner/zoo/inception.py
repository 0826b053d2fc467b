"""GoogLeNet and Inception-v3 with the layout of torchvision and optional auxiliary heads."""

from __future__ import annotations

from typing import Any

from planner.zoo.document import Document, Item, block, document, item, scaled
from planner.zoo.member import Member
from planner.zoo.parts import classifier, convolution, images

MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Filters of the branches of GoogLeNet's modules (arXiv:1409.4842, table 1)."""

NORM = {"eps": 0.001}


def googlenet(
    *,
    name: str,
    classes: int = 1000,
    channels: int = 3,
    width: float = 1.0,
    dropout: float = 0.2,
    aux: bool = False,
    aux_dropout: float = 0.7,
) -> Document:
    """Return GoogLeNet; with `aux`, the two auxiliary heads are additional outputs."""
    blocks = {
        "module": block(
            _unit("one", "$one", 1, from_="in"),
            _unit("three_in", "$three_in", 1, from_="in"),
            _unit("three", "$three", 3),
            _unit("five_in", "$five_in", 1, from_="in"),
            _unit("five", "$five", 3),
            item("maxpool", name="pool", from_="in", size=3, stride=1, pad=1),
            _unit("pooled", "$pooled", 1),
            item("concat", name="out", from_=["one", "three", "five", "pooled"]),
            one="int", three_in="int", three="int", five_in="int", five="int", pooled="int",
        ),
    }  # fmt: skip
    if aux:
        blocks["head"] = block(
            item("adaptive_avgpool", from_="in", size=4),
            _unit("conv", scaled(128, width), 1),
            item("flatten"),
            item("dense", units=scaled(1024, width), act="relu"),
            item("dropout", rate=aux_dropout),
            item("dense", units=classes),
        )
    layers: list[Item] = [
        _unit("conv1", scaled(64, width), 7, stride=2),
        item("maxpool", size=3, stride=2, rounding="ceil"),
        _unit("conv2", scaled(64, width), 1),
        _unit("conv3", scaled(192, width), 3),
        item("maxpool", size=3, stride=2, rounding="ceil"),
    ]
    for module, filters in MODULES.items():
        keys = ("one", "three_in", "three", "five_in", "five", "pooled")
        values = (scaled(count, width) for count in filters)
        layers.append(item("block", use="module", name=f"m{module}", **dict(zip(keys, values, strict=True))))
        if module in ("3b", "4e"):
            layers.append(item("maxpool", size=3 if module == "3b" else 2, stride=2, rounding="ceil"))
    layers += classifier(classes, dropout)
    outputs = {"classes": ["N", classes]}
    for number, module in enumerate(("m4a", "m4d"), start=1) if aux else ():
        layers.append(item("block", use="head", name=f"aux{number}", from_=module))
        outputs[f"aux{number}"] = ["N", classes]
    # arXiv:1409.4842, section 5: the losses of the auxiliary classifiers were weighted by 0.3
    train = {"loss_weights": dict.fromkeys(list(outputs)[1:], 0.3)} if aux else None
    return document(name, images(channels), layers, blocks=blocks, output=outputs, train=train)


def inception_v3(
    *,
    name: str,
    classes: int = 1000,
    channels: int = 3,
    width: float = 1.0,
    dropout: float = 0.5,
    aux: bool = False,
) -> Document:
    """Return Inception-v3; with `aux`, the auxiliary head is an additional output."""

    def c(filters: int) -> int:
        return scaled(filters, width)

    blocks = {
        "factorised": block(
            _tall("one", c(64), 1, 1, from_="in"),
            _tall("five1", c(48), 1, 1, from_="in"),
            _tall("five", c(64), 5, 5),
            _tall("three1", c(64), 1, 1, from_="in"),
            _tall("three2", c(96), 3, 3),
            _tall("three", c(96), 3, 3),
            *_pooled("$pooled"),
            item("concat", name="out", from_=["one", "five", "three", "pool"]),
            pooled="int",
        ),
        "grid_35_to_17": block(
            _tall("three", c(384), 3, 3, pad=False, stride=2, from_="in"),
            _tall("double1", c(64), 1, 1, from_="in"),
            _tall("double2", c(96), 3, 3),
            _tall("double", c(96), 3, 3, pad=False, stride=2),
            item("maxpool", name="pool", from_="in", size=3, stride=2),
            item("concat", name="out", from_=["three", "double", "pool"]),
        ),
        "asymmetric": block(
            _tall("one", c(192), 1, 1, from_="in"),
            _tall("seven1", "$c", 1, 1, from_="in"),
            _tall("seven2", "$c", 1, 7),
            _tall("seven", c(192), 7, 1),
            _tall("double1", "$c", 1, 1, from_="in"),
            _tall("double2", "$c", 7, 1),
            _tall("double3", "$c", 1, 7),
            _tall("double4", "$c", 7, 1),
            _tall("double", c(192), 1, 7),
            *_pooled(c(192)),
            item("concat", name="out", from_=["one", "seven", "double", "pool"]),
            c="int",
        ),
        "grid_17_to_8": block(
            _tall("three1", c(192), 1, 1, from_="in"),
            _tall("three", c(320), 3, 3, pad=False, stride=2),
            _tall("seven1", c(192), 1, 1, from_="in"),
            _tall("seven2", c(192), 1, 7),
            _tall("seven3", c(192), 7, 1),
            _tall("seven", c(192), 3, 3, pad=False, stride=2),
            item("maxpool", name="pool", from_="in", size=3, stride=2),
            item("concat", name="out", from_=["three", "seven", "pool"]),
        ),
        "expanded": block(
            _tall("one", c(320), 1, 1, from_="in"),
            _tall("three", c(384), 1, 1, from_="in"),
            _tall("three_a", c(384), 1, 3, from_="three"),
            _tall("three_b", c(384), 3, 1, from_="three"),
            _tall("double1", c(448), 1, 1, from_="in"),
            _tall("double", c(384), 3, 3),
            _tall("double_a", c(384), 1, 3, from_="double"),
            _tall("double_b", c(384), 3, 1, from_="double"),
            *_pooled(c(192)),
            item("concat", name="out", from_=["one", "three_a", "three_b", "double_a", "double_b", "pool"]),
        ),
    }  # fmt: skip
    layers: list[Item] = [
        _tall("stem1", c(32), 3, 3, pad=False, stride=2),
        _tall("stem2", c(32), 3, 3, pad=False),
        _tall("stem3", c(64), 3, 3),
        item("maxpool", name="pool1", size=3, stride=2),
        _tall("stem4", c(80), 1, 1),
        _tall("stem5", c(192), 3, 3, pad=False),
        item("maxpool", name="pool2", size=3, stride=2),
        item("block", use="factorised", name="mixed5", pooled=[c(32), c(64), c(64)], repeat=3),
        item("block", use="grid_35_to_17", name="mixed6a"),
        item("block", use="asymmetric", name="mixed6", c=[c(128), c(160), c(160), c(192)], repeat=4),
        item("block", use="grid_17_to_8", name="mixed7a"),
        item("block", use="expanded", name="mixed7", repeat=2),
        *classifier(classes, dropout),
    ]
    outputs = {"classes": ["N", classes]}
    if aux:
        layers += [
            item("avgpool", from_="mixed6", size=5, stride=3),
            _tall("aux1", c(128), 1, 1),
            _tall("aux2", c(768), 5, 5, pad=False),
            item("gap"),
            item("flatten"),
            item("dense", name="aux", units=classes),
        ]
        outputs["aux"] = ["N", classes]
    return document(name, images(channels), layers, blocks=blocks, output=outputs)


def _unit(name: str, filters: Any, kernel: int, from_: str | None = None, stride: int = 1) -> Item:
    """Return a convolution that keeps the size at stride 1."""
    return _tall(name, filters, kernel, kernel, from_=from_, stride=stride)


def _tall(
    name: str, filters: Any, rows: int, columns: int, *, pad: bool = True, from_: str | None = None, stride: int = 1
) -> Item:
    """Return a convolution with a kernel of `rows` x `columns`; without `pad`, it has no padding."""
    settings: dict[str, Any] = {"stride": stride} if stride > 1 else {}
    if pad and max(rows, columns) > 1:
        settings["pad"] = rows // 2 if rows == columns else [rows // 2, columns // 2]
    kernel = rows if rows == columns else [rows, columns]
    return convolution(name, filters, kernel, from_, "relu", norm=NORM, **settings)


def _pooled(filters: Any) -> tuple[Item, Item]:
    """Return the branch with average pooling and a 1 x 1 convolution."""
    return item("avgpool", name="mean", from_="in", size=3, stride=1, pad=1), _tall("pool", filters, 1, 1)


MEMBERS = (
    Member(
        "googlenet", "GoogLeNet (Szegedy et al., arXiv:1409.4842) with batch normalisation, as in torchvision",
        googlenet, 6_624_904, 1_498_376_192,
        note="As there, the third branch has 3 x 3 kernels; the paper has 5 x 5. Use aux=true for the auxiliary heads.",
    ),
    Member(
        "inception_v3", "Inception-v3 (Szegedy et al., arXiv:1512.00567), as in torchvision",
        inception_v3, 23_834_568, 5_713_216_096, {"H": 299, "W": 299},
        note="Without the auxiliary head, which has 3,326,696 parameters. The smallest accepted image is 75 x 75.",
    ),
)  # fmt: skip
