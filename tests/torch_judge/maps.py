"""PyTorch's functions for layers that make maps larger or smaller without weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from tests.torch_judge.base import Function, Settings, Tensors, pair, sides


def _upsample(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    high, wide = pair(settings["scale"])
    (x,) = inputs
    return F.interpolate(x, size=(x.shape[2] * high, x.shape[3] * wide), mode="nearest")


def _resize(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    x, like = inputs[0], inputs[-1]
    size = pair(settings["size"]) if "size" in settings else (like.shape[2], like.shape[3])
    if "scale" in settings:
        high, wide = pair(settings["scale"])
        size = x.shape[2] * high, x.shape[3] * wide
    mode = settings.get("mode", "nearest")
    corners = {} if mode == "nearest" else {"align_corners": settings.get("align_corners", False)}
    nothing = sum(0 * other.sum() for other in inputs[1:])
    return F.interpolate(x, size=size, mode=mode, **corners) + nothing


def _pad(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    top, bottom, left, right = sides(inputs[0], settings, "kernel")
    return F.pad(inputs[0], (left, right, top, bottom), settings.get("mode", "constant"), settings.get("value"))


def _crop(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    x, like = inputs[0], inputs[-1]
    high, wide = pair(settings.get("size", (like.shape[2], like.shape[3])))
    top, left = (x.shape[2] - high) // 2, (x.shape[3] - wide) // 2
    if min(top, left) < 0:
        raise ValueError("the crop is larger than the map")
    # So that the gradient of the second input is zero and not missing.
    nothing = sum(0 * other.sum() for other in inputs[1:])
    return x[:, :, top : top + high, left : left + wide] + nothing


FUNCTIONS: Mapping[str, Function] = {
    "upsample": _upsample,
    "resize": _resize,
    "pad": _pad,
    "crop": _crop,
}
