"""PyTorch's functions for layers with a number of their own for each channel."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from tests.torch_judge.base import Function


def _spread(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return weight.reshape(-1, *[1] * (x.ndim - 2))


FUNCTIONS: Mapping[str, Function] = {
    "prelu": lambda inputs, _settings, arrays, _training: F.prelu(inputs[0], arrays["weight"]),
    "layer_scale": lambda inputs, _settings, arrays, _: inputs[0] * _spread(arrays["weight"], inputs[0]),
    "shift": lambda inputs, _settings, arrays, _training: inputs[0] + _spread(arrays["weight"], inputs[0]),
}
