"""LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998)."""

from __future__ import annotations

from planner.zoo.document import Document, document, item
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


MEMBERS = (
    Member(
        "lenet5",
        "LeNet-5 (LeCun et al. 1998) in its usual modern form: full connections, plain pooling, a plain dense output",
        lenet5, 61_706, 416_520, {},
        remarks={"input": "N, C, H, W; any of them may be a name", "output": "checked",
                 "train": "optional: the same file trains"},
    ),
)  # fmt: skip
