"""PyTorch's functions for convolution and pooling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from tests.torch_judge.base import Function, NoOpinionError, Settings, Tensors, pair, sides, single


def _conv(inputs: Sequence[torch.Tensor], settings: Settings, arrays: Tensors, _training: bool) -> torch.Tensor:
    top, bottom, left, right = sides(inputs[0], settings, "kernel")
    padded = F.pad(inputs[0], (left, right, top, bottom))
    return F.conv2d(
        padded,
        arrays["weight"],
        arrays.get("bias"),
        stride=pair(settings.get("stride", 1)),
        dilation=pair(settings.get("dilation", 1)),
        groups=settings.get("groups", 1),
    )


def _conv_transpose(
    inputs: Sequence[torch.Tensor], settings: Settings, arrays: Tensors, _training: bool
) -> torch.Tensor:
    """Return torch's result without padding, which is cut off here: torch's is the same on both sides."""
    top, bottom, left, right = sides(inputs[0], settings, "kernel")
    y = F.conv_transpose2d(
        inputs[0],
        arrays["weight"],
        arrays.get("bias"),
        stride=pair(settings.get("stride", 1)),
        output_padding=pair(settings.get("output_pad", 0)),
        dilation=pair(settings.get("dilation", 1)),
        groups=settings.get("groups", 1),
    )
    if y.shape[2] <= top + bottom or y.shape[3] <= left + right:
        raise ValueError("nothing is left of the output")
    return y[:, :, top : y.shape[2] - bottom, left : y.shape[3] - right]


def _pool(pool: Callable[..., torch.Tensor], filler: float) -> Function:
    """Return a pooling that leaves symmetric padding to torch and puts other padding on itself."""

    def run(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
        x = inputs[0]
        size = pair(settings["size"])
        stride = pair(settings.get("stride", size))
        ceil = settings.get("rounding") == "ceil" and settings.get("pad") != "same"
        top, bottom, left, right = sides(x, settings, "size")
        options = {"dilation": pair(settings["dilation"])} if "dilation" in settings else {}
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
    return F.avg_pool2d(
        x, size, stride, padding, ceil_mode, settings.get("count_include_pad", True), settings.get("divisor")
    )


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


def _lp(
    x: torch.Tensor,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    *,
    ceil_mode: bool,
    settings: Settings,
) -> torch.Tensor:
    p = settings.get("p", 2)
    if p % 2:
        raise NoOpinionError("a norm whose exponent is not even: signs stay in the sum")
    if ceil_mode and padding != (0, 0):
        raise NoOpinionError("an Lp norm with padding in ceil mode")
    high, wide = padding
    return F.lp_pool2d(F.pad(x, (wide, wide, high, high)), p, size, stride, ceil_mode)


FUNCTIONS: Mapping[str, Function] = {
    "conv": _conv,
    "convtranspose": _conv_transpose,
    "maxpool": _pool(_max, float("-inf")),
    "avgpool": _pool(_avg, 0.0),
    "lppool": _pool(_lp, 0.0),
    "sumpool": _pool(_sum, 0.0),
    "adaptive_avgpool": single(F.adaptive_avg_pool2d, size="output_size"),
    "adaptive_maxpool": single(F.adaptive_max_pool2d, size="output_size"),
    "gap": single(lambda x: F.adaptive_avg_pool2d(x, 1)),
    "gmp": single(lambda x: F.adaptive_max_pool2d(x, 1)),
    "gsp": single(lambda x: x.sum((2, 3), keepdim=True)),
}
