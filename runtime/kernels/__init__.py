"""The arithmetic of every layer kind; importing this package registers all kernels."""

from runtime.kernels import (
    adaptive,
    border,
    conv,
    convtranspose,
    dense,
    globalpool,
    groupnorm,
    merge,
    norm,
    pointwise,
    pool,
    resample,
    reshape,
    resize,
    source,
)
from runtime.kernels.base import Array, Arrays, Kernel, kernel, kernel_for

__all__ = [
    "Array",
    "Arrays",
    "Kernel",
    "adaptive",
    "border",
    "conv",
    "convtranspose",
    "dense",
    "globalpool",
    "groupnorm",
    "kernel",
    "kernel_for",
    "merge",
    "norm",
    "pointwise",
    "pool",
    "resample",
    "reshape",
    "resize",
    "source",
]
