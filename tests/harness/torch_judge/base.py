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


def per_axis(value: Any, x: torch.Tensor) -> tuple[int, ...]:
    """Return one number, or one for each axis of a map, as one for each."""
    return (value,) * (x.ndim - 2) if isinstance(value, int) else tuple(map(int, value))


def sides(x: torch.Tensor, settings: Settings, window: str) -> list[tuple[int, int]]:
    """Return the padding before and after along each axis."""
    pad = settings.get("pad", 0)
    if pad == "same":
        found = []
        kernels, dilations = per_axis(settings[window], x), per_axis(settings.get("dilation", 1), x)
        strides = per_axis(settings.get("stride", 1 if window == "kernel" else settings[window]), x)
        for size, kernel, stride, dilation in zip(x.shape[2:], kernels, strides, dilations, strict=True):
            count = (size + stride - 1) // stride
            missing = max((count - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
            found.append((missing // 2, missing - missing // 2))
        return found
    if not isinstance(pad, int) and len(pad) == 2 * (x.ndim - 2):
        return list(zip(pad[::2], pad[1::2], strict=True))
    return [(side, side) for side in per_axis(pad, x)]


def last_first(around: Sequence[tuple[int, int]]) -> list[int]:
    """Return sides as F.pad takes them: those of the last axis first."""
    return [side for both in reversed(around) for side in both]


def of_rank(x: torch.Tensor, *functions: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function for maps with one, two or three axes that fits."""
    if x.ndim - 3 not in range(len(functions)):
        raise ValueError(f"a map, not {tuple(x.shape)}")
    found: Callable[..., Any] = functions[x.ndim - 3]
    return found


def single(function: Callable[..., torch.Tensor], **renamed: str) -> Function:
    """Return a function of one tensor whose settings have other names in torch."""

    def run(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
        return function(inputs[0], **{renamed.get(key, key): value for key, value in settings.items()})

    return run
