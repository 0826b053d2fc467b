"""PyTorch's functions for layers that join tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import torch

from tests.harness.torch_judge.base import Function, Settings, Tensors


def _joined(how: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Function:
    """Return arithmetic of tensors of one batch, one after the other; other axes are repeated as torch does it."""

    def run(inputs: Sequence[torch.Tensor], _settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
        if len({(x.ndim, x.shape[0]) for x in inputs}) > 1:
            raise ValueError("torch would put axes in front, or repeat the batch")
        return reduce(how, inputs)

    return run


def _maximum(inputs: Sequence[torch.Tensor], _settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    return torch.amax(torch.stack(torch.broadcast_tensors(*inputs)), 0)


def _concat(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    return torch.cat(list(inputs), settings.get("axis", 1))


FUNCTIONS: Mapping[str, Function] = {
    "add": _joined(torch.add),
    "subtract": _joined(torch.sub),
    "multiply": _joined(torch.mul),
    "maximum": _maximum,
    "concat": _concat,
}
