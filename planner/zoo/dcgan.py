"""The generator and the discriminator of DCGAN, for 64 x 64 images."""

from __future__ import annotations

from planner.zoo.document import Document, Item, block, document, item
from planner.zoo.member import Member
from planner.zoo.parts import convolution

LEAKY = {"leaky_relu": {"slope": 0.2}}


def dcgan_generator(*, name: str, code: int = 100, width: int = 64, channels: int = 3) -> Document:
    """Return the generator, from a code of `code` numbers to an image; its second to last map has `width` channels."""
    double = block(
        item("convtranspose", name="up", filters="$c", kernel=4, stride=2, pad=1, bias=False, norm="batch", act="relu"),
        c="int",
    )
    layers: list[Item] = [
        item("convtranspose", name="first", filters=8 * width, kernel=4, bias=False, norm="batch", act="relu"),
        item("block", use="double", name="grow", c=[4 * width, 2 * width, width], repeat=3),
        item("convtranspose", name="image", filters=channels, kernel=4, stride=2, pad=1, bias=False, act="tanh"),
    ]
    inputs: dict[str, list[int | str]] = {"code": ["N", code, 1, 1]}
    return document(name, inputs, layers, blocks={"double": double}, output={"image": ["N", channels, 64, 64]})


def dcgan_discriminator(*, name: str, width: int = 64, channels: int = 3) -> Document:
    """Return the discriminator, which classifies images as real or fake; its first map has `width` channels."""
    halve = block(
        convolution("down", "$c", 4, stride=2, pad=1, act=LEAKY),
        c="int",
    )
    layers: list[Item] = [
        item("conv", name="first", filters=width, kernel=4, stride=2, pad=1, bias=False, act=LEAKY),
        item("block", use="halve", name="shrink", c=[2 * width, 4 * width, 8 * width], repeat=3),
        item("conv", name="real", filters=1, kernel=4, bias=False, act="sigmoid"),
    ]
    inputs: dict[str, list[int | str]] = {"image": ["N", channels, 64, 64]}
    return document(name, inputs, layers, blocks={"halve": halve}, output={"real": ["N", 1, 1, 1]})


_NOTE = "Kernels have size 4 as in the PyTorch examples; the paper has 5."

MEMBERS = (
    Member(
        "dcgan_generator", "DCGAN generator (Radford et al., arXiv:1511.06434)", dcgan_generator,
        3_576_704, 104_628_224, {}, note=_NOTE,
    ),
    Member(
        "dcgan_discriminator", "DCGAN discriminator (Radford et al., arXiv:1511.06434)", dcgan_discriminator,
        2_765_568, 103_817_216, {}, note=_NOTE,
    ),
)  # fmt: skip
