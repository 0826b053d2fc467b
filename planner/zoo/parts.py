"""Layers shared by several families."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.zoo.document import Item, item


def convolution(
    name: str,
    filters: Any,
    kernel: Any,
    from_: str | None = None,
    act: str | Mapping[str, Any] | None = None,
    if_: str | None = None,
    norm: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Item:
    """Return a convolution without bias, followed by batch normalisation with the settings `norm`."""
    source = {} if from_ is None else {"from_": from_}
    settings |= {"bias": False, "norm": {"batch": dict(norm)} if norm else "batch"}
    settings |= {} if act is None else {"act": act}
    settings |= {} if if_ is None else {"if_": if_}
    return item("conv", name=name, **source, filters=filters, kernel=kernel, **settings)


def classifier(classes: int, dropout: float = 0.0) -> list[Item]:
    """Return global average pooling and a dense layer, named `classes`."""
    rest = [item("dropout", rate=dropout)] if dropout else []
    return [item("gap"), item("flatten"), *rest, item("dense", name="classes", units=classes)]


def hidden_layers(hidden: int, classes: int, dropout: float) -> list[Item]:
    """Return two dense layers, each followed by dropout, and a third one named `classes`."""
    layers: list[Item] = []
    for number in (1, 2):
        layers.append(item("dense", name=f"fc{number}", units=hidden, act="relu"))
        layers.append(item("dropout", rate=dropout))
    return [*layers, item("dense", name="classes", units=classes)]


def images(channels: int) -> dict[str, list[int | str]]:
    """Return the input of a network for images of any size."""
    return {"image": ["N", channels, "H", "W"]}
