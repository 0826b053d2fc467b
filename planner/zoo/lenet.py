"""LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998)."""

from __future__ import annotations

from planner.zoo.document import Document, Item, block, document, item
from planner.zoo.member import Member


def lenet5(*, name: str, classes: int = 10, channels: int = 1) -> Document:
    """Return LeNet-5 in its usual modern form: full connections, plain pooling, a plain dense layer as output."""
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
"""Maps of S2 that each map of C3 reads (table I of the paper)."""


def _squash() -> tuple[Item, Item, Item]:
    """Return 1.7159 tanh(2x/3), the squashing function of the paper (equation 6 and appendix A)."""
    return item("rescale", scale=round(2 / 3, 12)), item("tanh"), item("rescale", scale=1.7159)


def lenet5_1998(*, name: str, classes: int = 10, channels: int = 1) -> Document:
    """Return LeNet-5 as published: trained subsampling, and C3 connected according to the table in the paper."""
    subsample = block(
        item("sumpool", size=2),
        item("layer_scale", name="coefficient", initial=0.25),
        item("shift", name="bias"),
        item("block", use="squash"),
    )
    layers: list[Item] = [
        item("conv", name="c1", filters=6, kernel=5),
        item("block", use="squash"),
        item("block", use="subsample", name="s2"),
        *(item("split", name=f"m{number}", from_="s2", parts=6, part=number) for number in range(6)),
    ]
    for count in (3, 4, 6):
        # Maps of C3 that read the same number of maps of S2 are the groups of one convolution.
        read = [maps for maps in TABLE if len(maps) == count]
        groups = {"groups": len(read)} if len(read) > 1 else {}
        layers += [
            item("concat", from_=[f"m{number}" for maps in read for number in maps]),
            item("conv", name=f"c3_of_{count}", filters=len(read), kernel=5, **groups),
        ]
    layers += [
        item("concat", name="c3", from_=["c3_of_3", "c3_of_4", "c3_of_6"]),
        item("block", use="squash"),
        item("block", use="subsample", name="s4"),
        item("conv", name="c5", filters=120, kernel=5),
        item("block", use="squash"),
        item("flatten"),
        item("dense", name="f6", units=84),
        item("block", use="squash"),
        item("dense", name="out", units=classes),
    ]
    inputs: dict[str, list[int | str]] = {"image": ["N", channels, 32, 32]}
    return document(
        name,
        inputs,
        layers,
        blocks={"squash": block(*_squash()), "subsample": subsample},
        output={"out": ["N", classes]},
    )


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
        "LeNet-5 as published (LeCun et al. 1998): trained subsampling, C3 connected by the table in the paper",
        lenet5_1998, 60_850, 326_520, {},
        note="C1 to F6 have 60,000 parameters as in the paper. A dense layer of 850 parameters replaces its ten radial "
        "basis units with fixed codes.",
    ),
)  # fmt: skip
