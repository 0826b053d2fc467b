"""PyTorch's functions for layers that make maps larger or smaller without weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from tests.harness.torch_judge.base import Function, Settings, Tensors, last_first, per_axis, sides

LINEAR = {3: "linear", 4: "bilinear", 5: "trilinear"}
"""What torch calls interpolation along every axis."""


def _times(x: torch.Tensor, scale: Any) -> tuple[int, ...]:
    return tuple(size * factor for size, factor in zip(x.shape[2:], per_axis(scale, x), strict=True))


def _upsample(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    (x,) = inputs
    return F.interpolate(x, size=_times(x, settings["scale"]), mode="nearest")


def _factors(x: torch.Tensor, scale: Any) -> tuple[float, ...]:
    """Return one factor for each axis of a map."""
    return (float(scale),) * (x.ndim - 2) if isinstance(scale, (int, float)) else tuple(map(float, scale))


def _resize(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    x, like = inputs[0], inputs[-1]
    size = per_axis(settings["size"], x) if "size" in settings else tuple(like.shape[2:])
    if "scale" in settings:
        size = tuple(int(n * factor) for n, factor in zip(x.shape[2:], _factors(x, settings["scale"]), strict=True))
    mode = settings.get("mode", "nearest")
    factors = _factors(x, settings.get("scale", 1))
    whole = all(factor.is_integer() for factor in factors)
    if not whole and any(int(n * factor) < 1 for n, factor in zip(x.shape[2:], factors, strict=True)):
        raise ValueError("torch would leave nothing")
    how_large: Settings = {"size": size} if whole else {"scale_factor": factors}
    corners = {} if mode == "nearest" else {"align_corners": settings.get("align_corners", False)}
    nothing = sum(0 * other.sum() for other in inputs[1:])
    return F.interpolate(x, **how_large, mode=mode if mode == "nearest" else LINEAR[x.ndim], **corners) + nothing


def _pad(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    around = last_first(sides(inputs[0], settings, "kernel"))
    return F.pad(inputs[0], around, settings.get("mode", "constant"), settings.get("value"))


def _crop(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    x, like = inputs[0], inputs[-1]
    y = x
    for axis, kept in enumerate(per_axis(settings.get("size", tuple(like.shape[2:])), x), start=2):
        if kept > x.shape[axis]:
            raise ValueError("the crop is larger than the map")
        y = y.narrow(axis, (x.shape[axis] - kept) // 2, kept)
    # So that the gradient of the second input is zero and not missing.
    nothing = sum(0 * other.sum() for other in inputs[1:])
    return y + nothing


FUNCTIONS: Mapping[str, Function] = {
    "upsample": _upsample,
    "resize": _resize,
    "pad": _pad,
    "crop": _crop,
}
