"""ResNet, ResNeXt and Wide ResNet for ImageNet; see `resnet_cifar` for CIFAR and for pre-activation."""

from __future__ import annotations

from typing import Any

from planner.zoo.document import Document, block, document, item, scaled
from planner.zoo.member import Member, changed
from planner.zoo.parts import classifier, convolution, images

PROJECTED = "stride != 1 or in.channels != "
"""Condition for a convolution on the skip connection (arXiv:1512.03385, section 3.3, option B)."""


def resnet(
    *,
    name: str,
    depths: tuple[int, ...] = (3, 4, 6, 3),
    bottleneck: bool = True,
    groups: int = 1,
    group_width: int = 64,
    width: int = 64,
    classes: int = 1000,
    channels: int = 3,
) -> Document:
    """Return a residual network.

    Parameters
    ----------
    name : str
    depths : tuple of int
        Number of blocks of each stage.
    bottleneck : bool
        Whether blocks have three convolutions instead of two.
    groups, group_width : int
        Number of groups of the middle convolution, and channels per group in the first stage for `width` 64.
    width : int
        Channels of the stem; they double in each stage.
    classes, channels : int
        Number of classes, and of image channels.
    """
    if bottleneck:
        split: dict[str, Any] = {"groups": groups} if groups > 1 else {}
        name_of_block, residual = "bottleneck", block(
            convolution("a", "$inner", 1, from_="in", act="relu"),
            convolution("b", "$inner", 3, stride="$stride", pad=1, **split, act="relu"),
            convolution("c", "$c", 1),
            convolution("proj", "$c", 1, from_="in", stride="$stride", if_=f"{PROJECTED}c"),
            item("add", from_=["c", "proj"], act="relu"),
            c="int", inner="int", stride=1,
        )  # fmt: skip
    else:
        name_of_block, residual = "basic", block(
            convolution("a", "$c", 3, from_="in", stride="$stride", pad=1, act="relu"),
            convolution("b", "$c", 3, pad=1),
            convolution("proj", "$c", 1, from_="in", stride="$stride", if_=f"{PROJECTED}c"),
            item("add", from_=["b", "proj"], act="relu"),
            c="int", stride=1,
        )  # fmt: skip
    layers = [convolution("stem", width, 7, stride=2, pad=3, act="relu"), item("maxpool", size=3, stride=2, pad=1)]
    for stage, depth in enumerate(depths):
        planes = width * 2**stage
        sizes = {"c": 4 * planes, "inner": scaled(planes, group_width / 64) * groups} if bottleneck else {"c": planes}
        strides = {"stride": [2] + [1] * (depth - 1)} if stage else {}
        layers.append(item("block", use=name_of_block, name=f"stage{stage + 1}", **sizes, **strides, repeat=depth))
    layers += classifier(classes)
    output = {"classes": ["N", classes]}
    return document(name, images(channels), layers, blocks={name_of_block: residual}, output=output)


_DEPTHS = {
    "18": (2, 2, 2, 2),
    "34": (3, 4, 6, 3),
    "50": (3, 4, 6, 3),
    "101": (3, 4, 23, 3),
    "152": (3, 8, 36, 3),
}
"""Blocks of each stage (arXiv:1512.03385, table 1)."""

_PLAIN = {
    "18": (11_689_512, 1_814_073_344),
    "34": (21_797_672, 3_663_761_408),
    "50": (25_557_032, 4_089_184_256),
    "101": (44_549_160, 7_801_405_440),
    "152": (60_192_808, 11_513_626_624),
}
_GROUPED = {
    "resnext50_32x4d": (32, 4, 25_028_904, 4_230_479_872),
    "resnext101_32x8d": (32, 8, 88_791_336, 16_414_015_488),
    "resnext101_64x4d": (64, 4, 83_455_272, 15_460_270_080),
    "wide_resnet50_2": (1, 128, 68_883_240, 11_398_021_120),
    "wide_resnet101_2": (1, 128, 126_886_696, 22_753_050_624),
}
"""Groups, channels per group, parameters and multiply-accumulates."""

_NOTE = "As in torchvision, the 3 x 3 convolution of a block has the stride, not the 1 x 1 convolution before it."


def _grouped(name: str, groups: int, group_width: int, parameters: int, macs: int) -> Member:
    depth = "101" if "101" in name else "50"
    wide = f"Wide ResNet-{depth}-2 (Zagoruyko & Komodakis, arXiv:1605.07146)"
    title = wide if groups == 1 else f"ResNeXt-{depth} {groups}x{group_width}d (Xie et al., arXiv:1611.05431)"
    build = changed(resnet, depths=_DEPTHS[depth], groups=groups, group_width=group_width)
    return Member(name, title, build, parameters, macs, note=_NOTE)


MEMBERS = (
    *(
        Member(
            f"resnet{depth}",
            f"ResNet-{depth} (He et al., arXiv:1512.03385)",
            changed(resnet, depths=_DEPTHS[depth], bottleneck=int(depth) > 34),
            *figures,
            note=_NOTE if int(depth) > 34 else "",
        )
        for depth, figures in _PLAIN.items()
    ),
    *(_grouped(name, *numbers) for name, numbers in _GROUPED.items()),
)
