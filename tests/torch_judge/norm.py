"""PyTorch's functions for normalisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from tests.torch_judge.base import Function, Settings, Tensors


def _batch_norm(inputs: Sequence[torch.Tensor], settings: Settings, arrays: Tensors, training: bool) -> torch.Tensor:
    return F.batch_norm(
        inputs[0],
        arrays["running_mean"].clone(),
        arrays["running_var"].clone(),
        arrays.get("weight"),
        arrays.get("bias"),
        training,
        settings.get("momentum", 0.1),
        settings.get("eps", 1e-5),
    )


FUNCTIONS: Mapping[str, Function] = {
    "batchnorm": _batch_norm,
}
