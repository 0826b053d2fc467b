"""PyTorch's functions for max unpooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from tests.torch_judge.base import Function, NoOpinionError, Settings, Tensors, pair, sides


def _positions(x: torch.Tensor, settings: Settings) -> tuple[torch.Tensor, tuple[int, int]]:
    """Return torch's indices, which count in the whole map, and the padding before it."""
    top, bottom, left, right = sides(x, settings, "size")
    if (top, left) != (bottom, right):
        raise NoOpinionError("indices with padding that differs between sides")
    size = pair(settings["size"])
    stride, dilation = pair(settings.get("stride", size)), pair(settings.get("dilation", 1))
    ceil = settings.get("rounding") == "ceil"
    _, found = F.max_pool2d(x, size, stride, (top, left), dilation, ceil, return_indices=True)
    return found, (top, left)


def _indices(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    (x,) = inputs
    found, (top, left) = _positions(x, settings)
    size = pair(settings["size"])
    stride, dilation = pair(settings.get("stride", size)), pair(settings.get("dilation", 1))
    rows = torch.arange(found.shape[2])[:, None] * stride[0] - top
    columns = torch.arange(found.shape[3]) * stride[1] - left
    row = (found // x.shape[3] - rows) // dilation[0]
    column = (found % x.shape[3] - columns) // dilation[1]
    return (row * size[1] + column).to(x.dtype) + 0 * x.sum()


def _unpool(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    values, like = inputs
    pool = settings["pool"]
    if "dilation" in pool:
        raise NoOpinionError("unpooling of a max pooling with dilation")
    found, padding = _positions(like, pool)
    size = pair(pool["size"])
    shape = (int(like.shape[2]), int(like.shape[3]))
    y = F.max_unpool2d(values, found, size, pair(pool.get("stride", size)), padding, shape)
    return y + 0 * like.sum()


FUNCTIONS: Mapping[str, Function] = {"maxindices": _indices, "unpool": _unpool}
