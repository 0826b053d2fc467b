"""PyTorch's functions for layers that work on every number by itself, and softmax."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from tests.harness.torch_judge.base import Function, single

FUNCTIONS: Mapping[str, Function] = {
    "relu": single(F.relu),
    "relu6": single(F.relu6),
    "leaky_relu": single(F.leaky_relu, slope="negative_slope"),
    "elu": single(F.elu),
    "selu": single(F.selu),
    # F.hardsigmoid's backward takes 1/6 in single precision, whatever the type.
    "hard_sigmoid": single(lambda x: F.relu6(x + 3) / 6),
    "hard_swish": single(F.hardswish),
    "mish": single(F.mish),
    "silu": single(F.silu),
    "gelu": single(F.gelu),
    "softplus": single(lambda x: F.softplus(x, threshold=200.0)),
    "tanh": single(torch.tanh),
    "sigmoid": single(torch.sigmoid),
    "softmax": single(lambda x: F.softmax(x, dim=1)),
    "log_softmax": single(lambda x: F.log_softmax(x, dim=1)),
    **{kind: single(lambda x, **_: x.clone()) for kind in ("dropout", "dropout2d", "stochastic_depth")},
}
