"""The networks that are timed, by name, bound to a batch."""

from __future__ import annotations

from pathlib import Path

from planner import load
from planner.plan.plan import BoundPlan

HERE = Path(__file__).parent

SMALL = ("lenet5", "mnist_cnn", "cifar_vgg", "resnet20", "separable")
"""Networks for small images, trained and used."""

LARGE = ("resnet18", "mobilenet_v2")
"""Networks for 224x224 images, used."""


def bound(name: str, batch: int) -> BoundPlan:
    """Return the plan of a network at a batch size.

    Examples
    --------
    >>> bound("lenet5", 32).by_name["classes"].output_shape
    (32, 10)
    """
    if name in LARGE:
        return load(f"zoo:{name}").check().bind(N=batch, H=224, W=224)
    return load(str(HERE / "nets" / f"{name}.yaml")).check().bind(N=batch)
