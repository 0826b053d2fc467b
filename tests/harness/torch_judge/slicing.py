"""PyTorch's functions for layers that cut out parts or move numbers to other places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from tests.harness.torch_judge.base import Function, NoOpinionError, Settings, Tensors, single


def _slice(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    (x,) = inputs
    axis = settings.get("axis", 1) % x.ndim
    kept = slice(settings.get("start", 0), settings.get("stop"), settings.get("step", 1))
    ends = [end for end in (kept.start, kept.stop) if end is not None]
    if any(not -x.shape[axis] <= end <= x.shape[axis] for end in ends) or not x[(*[slice(None)] * axis, kept)].numel():
        raise ValueError("torch would keep fewer positions, or none")
    return x[(*[slice(None)] * axis, kept)]


def _split(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    axis, parts = settings.get("axis", 1), settings["parts"]
    if isinstance(parts, int) and inputs[0].shape[axis] % parts:
        raise ValueError("torch would make parts of several sizes")
    found = inputs[0].chunk(parts, axis) if isinstance(parts, int) else inputs[0].split(parts, axis)
    return found[settings["part"]]


def _permute(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    order = settings["order"] if isinstance(settings["order"], list) else [settings["order"]]
    return inputs[0].permute(0, *order)


def _in_squares(function: Callable[[torch.Tensor, int], torch.Tensor]) -> Function:
    def run(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
        if inputs[0].ndim in (3, 5):
            raise NoOpinionError("a pixel shuffle of maps of other than two axes")
        return function(inputs[0], settings["scale"])

    return run


FUNCTIONS: Mapping[str, Function] = {
    "slice": _slice,
    "split": _split,
    "permute": _permute,
    "channel_shuffle": single(F.channel_shuffle),
    "pixel_shuffle": _in_squares(F.pixel_shuffle),
    "pixel_unshuffle": _in_squares(F.pixel_unshuffle),
}
