"""The arithmetic of every layer kind; importing this package registers all kernels."""

from runtime.kernels import conv, dense, globalpool, merge, norm, pointwise, pool, reshape, source
from runtime.kernels.base import Array, Arrays, Kernel, kernel, kernel_for

__all__ = [
    "Array",
    "Arrays",
    "Kernel",
    "conv",
    "dense",
    "globalpool",
    "kernel",
    "kernel_for",
    "merge",
    "norm",
    "pointwise",
    "pool",
    "reshape",
    "source",
]
