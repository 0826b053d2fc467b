"""What every judgement needs: the types, and settings in the forms torch takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

Tensors = Mapping[str, torch.Tensor]
Settings = Mapping[str, Any]
Function = Callable[[Sequence[torch.Tensor], Settings, Tensors, bool], torch.Tensor]


class NoOpinionError(Exception):
    """Torch has no function for this combination of settings."""


def pair(value: Any) -> tuple[int, int]:
    """Return one number or [height, width] as two."""
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def sides(x: torch.Tensor, settings: Settings, window: str) -> tuple[int, int, int, int]:
    """Return top, bottom, left, right."""
    pad = settings.get("pad", 0)
    if pad == "same":
        found = []
        kernels, dilations = pair(settings[window]), pair(settings.get("dilation", 1))
        strides = pair(settings.get("stride", 1 if window == "kernel" else settings[window]))
        for size, kernel, stride, dilation in zip(x.shape[2:], kernels, strides, dilations, strict=True):
            count = (size + stride - 1) // stride
            missing = max((count - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
            found += [missing // 2, missing - missing // 2]
        return found[0], found[1], found[2], found[3]
    if isinstance(pad, int):
        return pad, pad, pad, pad
    return (pad[0], pad[0], pad[1], pad[1]) if len(pad) == 2 else (pad[0], pad[1], pad[2], pad[3])


def single(function: Callable[..., torch.Tensor], **renamed: str) -> Function:
    """Return a function of one tensor whose settings have other names in torch."""

    def run(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
        return function(inputs[0], **{renamed.get(key, key): value for key, value in settings.items()})

    return run
