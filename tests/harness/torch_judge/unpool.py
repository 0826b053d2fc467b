"""PyTorch's functions for max unpooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from tests.harness.torch_judge.base import Function, NoOpinionError, Settings, Tensors, of_rank, per_axis, sides


def _positions(x: torch.Tensor, settings: Settings) -> tuple[torch.Tensor, tuple[int, ...]]:
    """Return torch's indices, which count in the whole map, and the padding before it."""
    around = sides(x, settings, "size")
    if any(before != after for before, after in around):
        raise NoOpinionError("indices with padding that differs between sides")
    padding = tuple(before for before, _ in around)
    size = per_axis(settings["size"], x)
    stride, dilation = per_axis(settings.get("stride", size), x), per_axis(settings.get("dilation", 1), x)
    ceil = settings.get("rounding") == "ceil"
    pool = of_rank(x, F.max_pool1d, F.max_pool2d, F.max_pool3d)
    _, found = pool(x, size, stride, padding, dilation, ceil, return_indices=True)
    return found, padding


def _indices(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    (x,) = inputs
    found, padding = _positions(x, settings)
    size = per_axis(settings["size"], x)
    stride, dilation = per_axis(settings.get("stride", size), x), per_axis(settings.get("dilation", 1), x)
    number, rest, apart = torch.zeros_like(found), found, 1
    for axis in reversed(range(len(size))):
        starts = torch.arange(found.shape[2 + axis]).reshape(-1, *(1,) * (len(size) - 1 - axis))
        tap = (rest % x.shape[2 + axis] - starts * stride[axis] + padding[axis]) // dilation[axis]
        number, rest, apart = number + tap * apart, rest // x.shape[2 + axis], apart * size[axis]
    return number.to(x.dtype) + 0 * x.sum()


def _unpool(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    values, like = inputs
    pool = settings["pool"]
    if "dilation" in pool:
        raise NoOpinionError("unpooling of a max pooling with dilation")
    found, padding = _positions(like, pool)
    size = per_axis(pool["size"], like)
    unpool = of_rank(like, F.max_unpool1d, F.max_unpool2d, F.max_unpool3d)
    y = unpool(values, found, size, per_axis(pool.get("stride", size), like), padding, tuple(like.shape[2:]))
    found_again: torch.Tensor = y + 0 * like.sum()
    return found_again


FUNCTIONS: Mapping[str, Function] = {"maxindices": _indices, "unpool": _unpool}
