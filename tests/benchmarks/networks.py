"""The networks that are timed, by name, bound to a batch."""

from __future__ import annotations

from pathlib import Path

from planner import Network, load
from planner.bound import BoundPlan
from tests.test_published import NETWORKS

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"

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
    if name == "resnet18":
        return load(str(EXAMPLES / "resnet18.yaml")).check().bind(N=batch, H=224, W=224)
    if name in NETWORKS:
        net = Network(name=name, input={"image": ("N", 3, 224, 224)}, layers=NETWORKS[name]())
        return net.check().bind(N=batch)
    return load(str(HERE / "nets" / f"{name}.yaml")).check().bind(N=batch)
