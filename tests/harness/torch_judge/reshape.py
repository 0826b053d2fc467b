"""PyTorch's functions for inputs, and layers that read tensors as vectors or in another shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from tests.harness.torch_judge.base import Function, Settings, Tensors, single


def _reshape(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    shape = settings["shape"] if isinstance(settings["shape"], list) else [settings["shape"]]
    return inputs[0].reshape(inputs[0].shape[0], *shape)


def _squeeze(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    if inputs[0].shape[settings["axis"]] != 1:
        raise ValueError("torch would leave the axis as it is")
    return torch.squeeze(inputs[0], settings["axis"])


FUNCTIONS: Mapping[str, Function] = {
    "input": single(torch.clone),
    "reshape": _reshape,
    "squeeze": _squeeze,
    "unsqueeze": single(torch.unsqueeze, axis="dim"),
    "flatten": single(lambda x: torch.flatten(x, 1)),
    "dense": lambda inputs, _settings, arrays, _training: F.linear(inputs[0], arrays["weight"], arrays.get("bias")),
}
