"""Blocks that several families use."""

from __future__ import annotations

from typing import Any

from planner.zoo.document import Item, block, item


def convolution(
    name: str,
    filters: Any,
    kernel: Any,
    from_: str | None = None,
    act: str | None = None,
    if_: str | None = None,
    **settings: Any,
) -> Item:
    """Return a convolution without bias, and batch normalisation behind it with its default settings."""
    source = {} if from_ is None else {"from_": from_}
    settings |= {"bias": False, "norm": "batch"}
    settings |= {} if act is None else {"act": act}
    settings |= {} if if_ is None else {"if_": if_}
    return item("conv", name=name, **source, filters=filters, kernel=kernel, **settings)


def unit(act: str, *, act_is_optional: bool = False, **norm: Any) -> dict[str, Any]:
    """Return a block of convolution, batch normalisation with settings of its own, and activation.

    Parameters
    ----------
    act : str
        Kind of the activation, or ``$act`` where every use of the block says it.
    act_is_optional : bool
        Whether the block has a parameter `act` to leave it out.
    **norm
        Settings of the normalisation.
    """
    convolved = item(
        "conv", name="conv", filters="$c", kernel="$kernel", stride="$stride", pad="$kernel // 2", groups="$groups",
        bias=False,
    )  # fmt: skip
    sizes: dict[str, Any] = {"c": "int", "kernel": 1, "stride": 1, "groups": 1}
    if act_is_optional:
        return block(convolved, item("batchnorm", **norm), item(act, if_="$act"), **sizes, act=True)
    said = {"act": "str"} if act == "$act" else {}
    return block(convolved, item("batchnorm", **norm, act=act), **sizes, **said)


def classifier(classes: int, dropout: float = 0.0) -> list[Item]:
    """Return global average pooling and a dense layer, named `classes`."""
    rest = [item("dropout", rate=dropout)] if dropout else []
    return [item("gap"), item("flatten"), *rest, item("dense", name="classes", units=classes)]


def images(channels: int) -> dict[str, list[int | str]]:
    """Return the input of a network for images of any size."""
    return {"image": ["N", channels, "H", "W"]}
