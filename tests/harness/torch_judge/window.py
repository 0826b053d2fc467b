"""PyTorch's functions for convolution and pooling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812  # the name every PyTorch user knows

from tests.harness.torch_judge.base import (
    Function,
    NoOpinionError,
    Settings,
    Tensors,
    last_first,
    of_rank,
    per_axis,
    sides,
)


def _conv(inputs: Sequence[torch.Tensor], settings: Settings, arrays: Tensors, _training: bool) -> torch.Tensor:
    (x,) = inputs
    return of_rank(x, F.conv1d, F.conv2d, F.conv3d)(
        F.pad(x, last_first(sides(x, settings, "kernel"))),
        arrays["weight"],
        arrays.get("bias"),
        stride=per_axis(settings.get("stride", 1), x),
        dilation=per_axis(settings.get("dilation", 1), x),
        groups=settings.get("groups", 1),
    )


def _conv_transpose(
    inputs: Sequence[torch.Tensor], settings: Settings, arrays: Tensors, _training: bool
) -> torch.Tensor:
    """Return torch's result without padding, which is cut off here: torch's is the same on both sides."""
    (x,) = inputs
    y = of_rank(x, F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)(
        x,
        arrays["weight"],
        arrays.get("bias"),
        stride=per_axis(settings.get("stride", 1), x),
        output_padding=per_axis(settings.get("output_pad", 0), x),
        dilation=per_axis(settings.get("dilation", 1), x),
        groups=settings.get("groups", 1),
    )
    for axis, (before, after) in enumerate(sides(x, settings, "kernel"), start=2):
        if y.shape[axis] <= before + after:
            raise ValueError("nothing is left of the output")
        y = y.narrow(axis, before, y.shape[axis] - before - after)
    return y


def _pool(pool: Callable[..., torch.Tensor], filler: float) -> Function:
    """Return a pooling that leaves symmetric padding to torch and puts other padding on itself."""

    def run(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
        x = inputs[0]
        size = per_axis(settings["size"], x)
        stride = per_axis(settings.get("stride", size), x)
        ceil = settings.get("rounding") == "ceil" and settings.get("pad") != "same"
        around = sides(x, settings, "size")
        options = {"dilation": per_axis(settings["dilation"], x)} if "dilation" in settings else {}
        if all(before == after for before, after in around):
            padding = tuple(before for before, _ in around)
            return pool(x, size, stride, padding, ceil_mode=ceil, settings=settings, **options)
        if ceil:
            raise NoOpinionError("ceil mode with padding that differs between sides")
        x = F.pad(x, last_first(around), value=filler)
        if filler == 0.0 and not settings.get("count_include_pad", True):
            raise NoOpinionError("a mean that leaves out padding that differs between sides")
        return pool(x, size, stride, (0,) * len(size), ceil_mode=False, settings=settings, **options)

    return run


Sizes = tuple[int, ...]


def _max(
    x: torch.Tensor,
    size: Sizes,
    stride: Sizes,
    padding: Sizes,
    *,
    ceil_mode: bool,
    settings: Settings,
    dilation: int | Sizes = 1,
) -> torch.Tensor:
    pool = of_rank(x, F.max_pool1d, F.max_pool2d, F.max_pool3d)
    found: torch.Tensor = pool(x, size, stride, padding, dilation, ceil_mode)
    return found


def _mean(
    x: torch.Tensor, size: Sizes, stride: Sizes, padding: Sizes, ceil_mode: bool, include: bool, divisor: int | None
) -> torch.Tensor:
    """Return torch's mean, which along one axis knows no divisor of one's own: a row of one line has two."""
    if x.ndim == 3:
        wide = (1, *size), (1, *stride), (0, *padding)
        return F.avg_pool2d(x[:, :, None], *wide, ceil_mode, include, divisor)[:, :, 0]
    if x.ndim == 5 and any(n < k for n, k in zip(x.shape[2:], size, strict=True)):
        raise NoOpinionError("avg_pool3d wants a map as large as its window, whatever the padding")
    found: torch.Tensor = of_rank(x, F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)(
        x, size, stride, padding, ceil_mode, include, divisor
    )
    return found


def _avg(
    x: torch.Tensor, size: Sizes, stride: Sizes, padding: Sizes, *, ceil_mode: bool, settings: Settings
) -> torch.Tensor:
    include = settings.get("count_include_pad", True)
    return _mean(x, size, stride, padding, ceil_mode, include, settings.get("divisor"))


def _sum(
    x: torch.Tensor, size: Sizes, stride: Sizes, padding: Sizes, *, ceil_mode: bool, settings: Settings
) -> torch.Tensor:
    return _mean(x, size, stride, padding, ceil_mode, True, 1)


def _lp(
    x: torch.Tensor, size: Sizes, stride: Sizes, padding: Sizes, *, ceil_mode: bool, settings: Settings
) -> torch.Tensor:
    p = settings.get("p", 2)
    if p % 2:
        raise NoOpinionError("a norm whose exponent is not even: signs stay in the sum")
    if ceil_mode and any(padding):
        raise NoOpinionError("an Lp norm with padding in ceil mode")
    padded = F.pad(x, last_first([(side, side) for side in padding]))
    if x.ndim == 3:
        return F.lp_pool1d(padded, p, size[0], stride[0], ceil_mode)
    found: torch.Tensor = of_rank(x, F.lp_pool1d, F.lp_pool2d, F.lp_pool3d)(padded, p, size, stride, ceil_mode)
    return found


def _adaptive(*functions: Callable[..., torch.Tensor]) -> Function:
    def run(inputs: Sequence[torch.Tensor], settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
        (x,) = inputs
        found: torch.Tensor = of_rank(x, *functions)(x, per_axis(settings.get("size", 1), x))
        return found

    return run


def _total(inputs: Sequence[torch.Tensor], _settings: Settings, _arrays: Tensors, _training: bool) -> torch.Tensor:
    (x,) = inputs
    return x.sum(tuple(range(2, x.ndim)), keepdim=True)


_MEANS = _adaptive(F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
_LARGEST = _adaptive(F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)

FUNCTIONS: Mapping[str, Function] = {
    "conv": _conv,
    "convtranspose": _conv_transpose,
    "maxpool": _pool(_max, float("-inf")),
    "avgpool": _pool(_avg, 0.0),
    "lppool": _pool(_lp, 0.0),
    "sumpool": _pool(_sum, 0.0),
    "adaptive_avgpool": _MEANS,
    "adaptive_maxpool": _LARGEST,
    "gap": _MEANS,
    "gmp": _LARGEST,
    "gsp": _total,
}
