"""PyTorch as a second judge: each layer kind as a torch function. Only imported where torch is installed.

Four-sided and `same` padding, which torch's own functions do not take, is put on explicitly; windows are
still counted and computed by torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

Tensors = Mapping[str, torch.Tensor]
Settings = Mapping[str, Any]
Function = Callable[[Sequence[torch.Tensor], Settings, Tensors, bool], torch.Tensor]


class NoOpinionError(Exception):
    """Torch has no function for this combination of settings."""


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _sides(x: torch.Tensor, settings: Settings, window: str) -> tuple[int, int, int, int]:
    """Return top, bottom, left, right."""
    pad = settings.get("pad", 0)
    if pad == "same":
        found = []
        kernels, dilations = _pair(settings[window]), _pair(settings.get("dilation", 1))
        strides = _pair(settings.get("stride", 1 if window == "kernel" else settings[window]))
        for size, kernel, stride, dilation in zip(x.shape[2:], kernels, strides, dilations, strict=True):
            count = (size + stride - 1) // stride
            missing = max((count - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
            found += [missing // 2, missing - missing // 2]
        return found[0], found[1], found[2], found[3]
    if isinstance(pad, int):
        return pad, pad, pad, pad
    return (pad[0], pad[0], pad[1], pad[1]) if len(pad) == 2 else (pad[0], pad[1], pad[2], pad[3])


def _conv(inputs: Sequence[torch.Tensor], settings: Settings, arrays: Tensors, _training: bool) -> torch.Tensor:
    top, bottom, left, right = _sides(inputs[0], settings, "kernel")
    padded = F.pad(inputs[0], (left, right, top, bottom))
    return F.conv2d(
        padded,
        arrays["weight"],
        arrays.get("bias"),
        stride=_pair(settings.get("stride", 1)),
        dilation=_pair(settings.get("dilation", 1)),
        groups=settings.get("groups", 1),
    )


def _conv_transpose(
    inputs: Sequence[torch.Tensor], settings: Settings, arrays: Tensors, _training: bool
) -> torch.Tensor:
    """Return torch's result without padding, which is cut off here: torch's is the same on both sides."""
    top, bottom, left, right = _sides(inputs[0], settings, "kernel")
    y = F.conv_transpose2d(
        inputs[0],
        arrays["weight"],
        arrays.get("bias"),
        stride=_pair(settings.get("stride", 1)),
        output_padding=_pair(settings.get("output_pad", 0)),
        dilation=_pair(settings.get("dilation", 1)),
        groups=settings.get("groups", 1),
    )
    if y.shape[2] <= top + bottom or y.shape[3] <= left + right:
        raise ValueError("nothing is left of the output")
    return y[:, :, top : y.shape[2] - bottom, left : y.shape[3] - right]


def _upsample(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    high, wide = _pair(settings["scale"])
    (x,) = inputs
    return F.interpolate(x, size=(x.shape[2] * high, x.shape[3] * wide), mode="nearest")


def _zero_pad(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    top, bottom, left, right = _sides(inputs[0], settings, "kernel")
    return F.pad(inputs[0], (left, right, top, bottom))


def _crop(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    x, like = inputs[0], inputs[-1]
    high, wide = _pair(settings.get("size", (like.shape[2], like.shape[3])))
    top, left = (x.shape[2] - high) // 2, (x.shape[3] - wide) // 2
    if min(top, left) < 0:
        raise ValueError("the crop is larger than the map")
    # So that the gradient of the second input is zero and not missing.
    nothing = sum(0 * other.sum() for other in inputs[1:])
    return x[:, :, top : top + high, left : left + wide] + nothing


def _reshape(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    shape = settings["shape"] if isinstance(settings["shape"], list) else [settings["shape"]]
    return inputs[0].reshape(inputs[0].shape[0], *shape)


def _pool(pool: Callable[..., torch.Tensor], filler: float) -> Function:
    """Return a pooling that leaves symmetric padding to torch and puts other padding on itself."""

    def run(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
        x = inputs[0]
        size = _pair(settings["size"])
        stride = _pair(settings.get("stride", size))
        ceil = settings.get("rounding") == "ceil" and settings.get("pad") != "same"
        top, bottom, left, right = _sides(x, settings, "size")
        options = {"dilation": _pair(settings["dilation"])} if "dilation" in settings else {}
        if (top, left) == (bottom, right):
            return pool(x, size, stride, (top, left), ceil_mode=ceil, settings=settings, **options)
        if ceil:
            raise NoOpinionError("ceil mode with padding that differs between sides")
        x = F.pad(x, (left, right, top, bottom), value=filler)
        if filler == 0.0 and not settings.get("count_include_pad", True):
            raise NoOpinionError("a mean that leaves out padding that differs between sides")
        return pool(x, size, stride, (0, 0), ceil_mode=False, settings=settings, **options)

    return run


def _max(
    x: torch.Tensor,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    *,
    ceil_mode: bool,
    settings: Settings,
    dilation: tuple[int, int] = (1, 1),
) -> torch.Tensor:
    return F.max_pool2d(x, size, stride, padding, dilation, ceil_mode)


def _avg(
    x: torch.Tensor,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    *,
    ceil_mode: bool,
    settings: Settings,
) -> torch.Tensor:
    return F.avg_pool2d(x, size, stride, padding, ceil_mode, settings.get("count_include_pad", True))


def _sum(
    x: torch.Tensor,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    *,
    ceil_mode: bool,
    settings: Settings,
) -> torch.Tensor:
    return F.avg_pool2d(x, size, stride, padding, ceil_mode, divisor_override=1)


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


def _single(function: Callable[..., torch.Tensor], **renamed: str) -> Function:
    """Return a function of one tensor whose settings have other names in torch."""

    def run(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
        return function(inputs[0], **{renamed.get(key, key): value for key, value in settings.items()})

    return run


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "input": _single(torch.clone),
        "conv": _conv,
        "convtranspose": _conv_transpose,
        "upsample": _upsample,
        "pad": _zero_pad,
        "crop": _crop,
        "reshape": _reshape,
        "maxpool": _pool(_max, float("-inf")),
        "avgpool": _pool(_avg, 0.0),
        "sumpool": _pool(_sum, 0.0),
        "gap": _single(lambda x: F.adaptive_avg_pool2d(x, 1)),
        "gmp": _single(lambda x: F.adaptive_max_pool2d(x, 1)),
        "gsp": _single(lambda x: x.sum((2, 3), keepdim=True)),
        "relu": _single(F.relu),
        "relu6": _single(F.relu6),
        "leaky_relu": _single(F.leaky_relu, slope="negative_slope"),
        "elu": _single(F.elu),
        "silu": _single(F.silu),
        "gelu": _single(F.gelu),
        "softplus": _single(lambda x: F.softplus(x, threshold=200.0)),
        "tanh": _single(torch.tanh),
        "sigmoid": _single(torch.sigmoid),
        "softmax": _single(lambda x: F.softmax(x, dim=1)),
        "log_softmax": _single(lambda x: F.log_softmax(x, dim=1)),
        "batchnorm": _batch_norm,
        "flatten": _single(lambda x: torch.flatten(x, 1)),
        "dense": lambda inputs, _settings, arrays, _training: F.linear(inputs[0], arrays["weight"], arrays.get("bias")),
        "add": lambda inputs, _settings, _arrays, _training: torch.stack(list(inputs)).sum(0),
        "concat": lambda inputs, _settings, _arrays, _training: torch.cat(list(inputs), 1),
        "dropout": lambda inputs, _settings, _arrays, _training: inputs[0].clone(),
    }
)
"""Every kind as torch computes it: (inputs, settings, arrays, training) -> output. Dropout as at inference."""
