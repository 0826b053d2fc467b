"""Residual networks for 32 x 32 images, with activations after the convolutions or before them."""

from __future__ import annotations

from typing import Any

from planner.zoo.document import Document, Item, block, document, item
from planner.zoo.member import Member, changed
from planner.zoo.parts import classifier, convolution, images


def resnet_cifar(
    *,
    name: str,
    depth: int = 3,
    projection: bool = False,
    width: int = 16,
    classes: int = 10,
    channels: int = 3,
) -> Document:
    """Return a residual network of three stages.

    Parameters
    ----------
    name : str
    depth : int
        Number of blocks of each stage.
    projection : bool
        Whether skips that change the size are convolutions (option B of the paper), instead of every second position
        with zero-padded channels (option A, as in table 6).
    width : int
        Channels of the stem; they double in each stage.
    classes, channels : int
        Number of classes, and of image channels.
    """
    second = convolution("b", "$c", 3, pad=1)
    if projection:
        skip = [convolution("skip", "$c", 1, from_="in", stride=2)]
    else:
        skip = [
            item("slice", from_="in", axis=2, step=2),
            item("slice", axis=3, step=2),
            item("permute", order=[2, 1, 3]),
            item("pad", pad=["in.channels // 2", "in.channels // 2", 0, 0]),
            item("permute", name="skip", order=[2, 1, 3]),
        ]
    blocks = {
        "keep": block(
            convolution("a", "$c", 3, from_="in", pad=1, act="relu"),
            second,
            item("add", from_=["b", "in"], act="relu"),
            c="int",
        ),
        "change": block(
            convolution("a", "$c", 3, from_="in", stride=2, pad=1, act="relu"),
            second,
            *skip,
            item("add", from_=["b", "skip"], act="relu"),
            c="int",
        ),
    }
    layers: list[Item] = [convolution("stem", width, 3, pad=1, act="relu")]
    for stage in range(3):
        filters = width * 2**stage
        if stage:
            layers.append(item("block", use="change", name=f"stage{stage + 1}", c=filters))
        rest = depth - 1 if stage else depth
        if rest:
            repeated = f"stage{stage + 1}{'_rest' if stage else ''}"
            layers.append(item("block", use="keep", name=repeated, c=filters, repeat=rest))
    layers += classifier(classes)
    return document(name, images(channels), layers, blocks=blocks, output={"classes": ["N", classes]})


def preact_resnet(
    *,
    name: str,
    depth: int = 18,
    bottleneck: bool = True,
    width: int = 16,
    classes: int = 10,
    channels: int = 3,
) -> Document:
    """Return a residual network with normalisation and activation at the start of its blocks.

    Parameters
    ----------
    name : str
    depth : int
        Number of blocks of each of the three stages.
    bottleneck : bool
        Whether blocks have three convolutions instead of two.
    width : int
        Channels of the stem; they double in each stage. With bottlenecks, the skips have four times as many.
    classes, channels : int
        Number of classes, and of image channels.
    """
    sizes = {"c": "int"} | ({"inner": "int"} if bottleneck else {})
    blocks = {
        "change": block(
            item("batchnorm", name="pre", from_="in", act="relu"),
            *_branch(bottleneck, "$stride"),
            item("conv", name="skip", from_="pre", filters="$c", kernel=1, stride="$stride", bias=False),
            item("add", from_=["branch", "skip"]),
            **sizes, stride=1,
        ),
        "keep": block(
            item("batchnorm", name="pre", from_="in", act="relu"),
            *_branch(bottleneck, 1),
            item("add", from_=["branch", "in"]),
            **sizes,
        ),
    }  # fmt: skip
    layers: list[Item] = [item("conv", name="stem", filters=width, kernel=3, pad=1, bias=False)]
    for stage in range(3):
        inner = width * 2**stage
        given: dict[str, Any] = {"c": 4 * inner, "inner": inner} if bottleneck else {"c": inner}
        rest = depth
        if stage or bottleneck:
            step = {"stride": 2} if stage else {}
            layers.append(item("block", use="change", name=f"stage{stage + 1}", **given, **step))
            rest -= 1
        if rest:
            layers.append(item("block", use="keep", name=f"stage{stage + 1}_rest", **given, repeat=rest))
    layers += [item("batchnorm", act="relu"), *classifier(classes)]
    return document(name, images(channels), layers, blocks=blocks, output={"classes": ["N", classes]})


def _branch(bottleneck: bool, stride: int | str) -> list[Item]:
    """Return the convolutions of a block; the last one has no normalisation and no activation."""
    step: dict[str, Any] = {} if stride == 1 else {"stride": stride}
    if bottleneck:
        return [
            convolution("a", "$inner", 1, act="relu"),
            convolution("b", "$inner", 3, None, "relu", **step, pad=1),
            item("conv", name="branch", filters="$c", kernel=1, bias=False),
        ]
    return [
        convolution("a", "$c", 3, None, "relu", **step, pad=1),
        item("conv", name="branch", filters="$c", kernel=3, pad=1, bias=False),
    ]


_CIFAR = {"H": 32, "W": 32}

_PLAIN = {
    "20": (3, 269_722, 40_551_040),
    "32": (5, 464_154, 68_862_592),
    "44": (7, 658_586, 97_174_144),
    "56": (9, 853_018, 125_485_696),
    "110": (18, 1_727_962, 252_887_680),
}
"""Blocks of a stage (arXiv:1512.03385, section 4.2), parameters and multiply-accumulates."""

_PREACT = {
    "110": (18, False, 1_730_522, 253_149_824),
    "164": (18, True, 1_703_258, 247_646_720),
    "1001": (111, True, 10_327_706, 1_490_995_712),
}
"""Blocks of a stage, bottlenecks, parameters and multiply-accumulates."""

MEMBERS = (
    *(
        Member(
            f"resnet{layers}", f"ResNet-{layers} for CIFAR-10 (He et al., arXiv:1512.03385, section 4.2)",
            changed(resnet_cifar, depth=depth), parameters, macs, _CIFAR,
        )
        for layers, (depth, parameters, macs) in _PLAIN.items()
    ),
    *(
      Member(
        f"preact_resnet{layers}", f"ResNet-{layers} with pre-activation for CIFAR-10 (He et al., arXiv:1603.05027)",
        changed(preact_resnet, depth=depth, bottleneck=bottleneck), parameters, macs, _CIFAR,
      )
      for layers, (depth, bottleneck, parameters, macs) in _PREACT.items()
    ),
)  # fmt: skip
