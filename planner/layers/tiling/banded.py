"""Depthwise convolution of narrow maps, row by row, as GEMMs with banded matrices.

A row of the output, (width, batch), is a matrix of (width, kernel rows times input width) times the rows of the input
that it sees, which are contiguous in memory. That matrix holds the kernel, repeated along a diagonal, and zeros
elsewhere. It takes many more multiplications than the kernel itself, but they are inside a GEMM, and nothing is
gathered or padded. Plain ints, counted in elements.
"""

from __future__ import annotations

from dataclasses import dataclass

TAP_MACS = 16
"""Multiply-accumulates inside a GEMM that take as long as multiplying and adding one tap (measured)."""

STRIP = 2**17
"""Largest number of elements of products held at a time: half a megabyte of float32."""

ROWS = 8
"""Number of rows from which their products are summed before they are added to others."""

CALL_MACS = 2**14
"""Multiply-accumulates that take as long as starting a GEMM of small matrices (measured)."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Banded matrices, built for several channels at a time.

    Attributes
    ----------
    channels : int
    rows, width : int
        Of the output.
    seen : int
        Width of the input.
    kernel : tuple of int
        Rows and columns of the kernel.

    Examples
    --------
    >>> bands = Bands(channels=256, rows=8, width=8, seen=8, kernel=(3, 3))
    >>> bands.matrix, bands.step, bands.pay(batch=32), bands.pay(batch=1)
    (192, 85, True, False)
    >>> bands.elements(backward=False), bands.elements(backward=True)
    (16320, 163200)
    """

    channels: int
    rows: int
    width: int
    seen: int
    kernel: tuple[int, int]

    def pay(self, batch: int) -> bool:
        """Return whether banded matrices are faster than going tap by tap at a batch size."""
        each = self.kernel[0] * self.seen + CALL_MACS // (self.width * batch)
        return each < TAP_MACS * self.kernel[0] * self.kernel[1]

    @property
    def matrix(self) -> int:
        """Elements of one channel's matrix, for either pass."""
        return self.width * self.kernel[0] * self.seen

    @property
    def step(self) -> int:
        """Channels to build matrices for at a time."""
        return max(1, min(self.channels, STRIP // (min(self.rows, ROWS) * self.matrix)))

    @property
    def strip(self) -> int:
        """Rows to hold products of at a time, for the gradient of the weights."""
        return max(1, min(self.rows, STRIP // (self.step * self.matrix)))

    def elements(self, *, backward: bool) -> int:
        """Return how many elements of workspace a pass needs."""
        matrices = self.step * self.matrix
        return (self.strip + 2) * matrices if backward else matrices
