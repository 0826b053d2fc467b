"""PyTorch's functions for layers with a number of their own for each channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from tests.harness.torch_judge.base import Function, Settings, Tensors


def _spread(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return weight.reshape(-1, *[1] * (x.ndim - 2))


def _rescale(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    (x,) = inputs
    scale, shift = (torch.tensor(settings.get(k, d), dtype=x.dtype) for k, d in (("scale", 1.0), ("shift", 0.0)))
    if any(numbers.ndim and numbers.numel() != x.shape[1] for numbers in (scale, shift)):
        raise ValueError("not one number a channel")
    return _spread(scale, x) * x + _spread(shift, x)


FUNCTIONS: Mapping[str, Function] = {
    "prelu": lambda inputs, _settings, arrays, _training: F.prelu(inputs[0], arrays["weight"]),
    "layer_scale": lambda inputs, _settings, arrays, _: inputs[0] * _spread(arrays["weight"], inputs[0]),
    "rescale": _rescale,
    "shift": lambda inputs, _settings, arrays, _training: inputs[0] + _spread(arrays["weight"], inputs[0]),
}
