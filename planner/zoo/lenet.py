"""LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998)."""

from __future__ import annotations

from planner.zoo.document import Document, Item, block, document, item
from planner.zoo.member import Member


def lenet5(*, name: str, classes: int = 10, channels: int = 1) -> Document:
    """Return LeNet-5 in its usual modern form: full connections, plain pooling, a plain dense layer at the end."""
    layers = [
        item("conv", name="c1", filters=6, kernel=5, act="tanh"),
        item("avgpool", name="s2", size=2),
        item("conv", name="c3", filters=16, kernel=5, act="tanh"),
        item("avgpool", name="s4", size=2),
        item("conv", name="c5", filters=120, kernel=5, act="tanh"),
        item("flatten"),
        item("dense", name="f6", units=84, act="tanh"),
        item("dense", name="out", units=classes),
    ]
    train = {
        "loss": "cross_entropy",
        "optimizer": {"sgd": {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.0005}},
        "schedule": "cosine",
        "epochs": 12,
        "batch": 64,
    }
    return document(name, {"image": ["N", channels, 32, 32]}, layers, output={"out": ["N", classes]}, train=train)


TABLE = (
    *(tuple((first + step) % 6 for step in range(3)) for first in range(6)),
    *(tuple((first + step) % 6 for step in range(4)) for first in range(6)),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)
"""Which maps of S2 each map of C3 reads (table I of the paper)."""


def _squash() -> tuple[Item, Item, Item]:
    """Return 1.7159 tanh(2x/3), the paper's squashing function (equation 6 and appendix A)."""
    return item("rescale", scale=round(2 / 3, 12)), item("tanh"), item("rescale", scale=1.7159)


def lenet5_1998(*, name: str, classes: int = 10, channels: int = 1) -> Document:
    """Return LeNet-5 as published: trained subsampling, and C3 connected by the paper's table."""
    letters = "abcdef"
    blocks = {
        "subsample": block(
            item("sumpool", size=2),
            item("layer_scale", name="coefficient", initial=0.25),
            item("shift", name="bias"),
            *_squash(),
        ),
    }
    counts = {3: "three", 4: "four", 6: "six"}
    for count, word in counts.items():
        maps = letters[:count]
        blocks[word] = block(
            *(item("split", name=letter, from_="in", parts=6, part=f"${letter}") for letter in maps),
            item("concat", from_=list(maps)),
            item("conv", filters=1, kernel=5),
            **dict.fromkeys(maps, "int"),
        )
    layers: list[Item] = [
        item("conv", name="c1", filters=6, kernel=5),
        *_squash(),
        item("block", use="subsample", name="s2"),
    ]
    for number, read in enumerate(TABLE):
        parts = dict(zip(letters, read, strict=False))
        layers.append(item("block", use=counts[len(read)], name=f"c3_{number}", from_="s2", **parts))
    layers += [
        item("concat", name="c3", from_=[f"c3_{number}" for number in range(len(TABLE))]),
        *_squash(),
        item("block", use="subsample", name="s4"),
        item("conv", name="c5", filters=120, kernel=5),
        *_squash(),
        item("flatten"),
        item("dense", name="f6", units=84),
        *_squash(),
        item("dense", name="out", units=classes),
    ]
    return document(name, {"image": ["N", channels, 32, 32]}, layers, blocks=blocks, output={"out": ["N", classes]})


MEMBERS = (
    Member(
        "lenet5",
        "LeNet-5 (LeCun et al. 1998) in its usual modern form: full connections, plain pooling, a plain dense output",
        lenet5, 61_706, 416_520, {},
        remarks={"input": "N, C, H, W; any of them may be a name", "output": "checked",
                 "train": "optional: the same file trains"},
    ),
    Member(
        "lenet5_1998",
        "LeNet-5 as published (LeCun et al. 1998): trained subsampling, C3 connected by the paper's table",
        lenet5_1998, 60_850, 326_520, {},
        note="C1 to F6 have the paper's 60,000 parameters. Its ten radial-basis units of fixed codes are a dense layer "
        "of 850 here.",
    ),
)  # fmt: skip
