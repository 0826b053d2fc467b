"""The arithmetic of every layer kind; importing this package registers all kernels."""

from runtime.kernels import dense, globalpool, merge, norm, pointwise, reshape, source, window
from runtime.kernels.base import Array, Arrays, Kernel, kernel, kernel_for

__all__ = [
    "Array",
    "Arrays",
    "Kernel",
    "dense",
    "globalpool",
    "kernel",
    "kernel_for",
    "merge",
    "norm",
    "pointwise",
    "reshape",
    "source",
    "window",
]
