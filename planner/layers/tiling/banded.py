"""How a depthwise convolution of narrow maps is cut: row by row, as products with banded matrices.

A row of the output, (width, batch), is a matrix of (width, kernel rows times input width) times the rows of the input
that it sees, which lie in memory one after the other. That matrix is the kernel, repeated along a diagonal, and zero
elsewhere: so many more multiplications than the kernel has, but inside a product of matrices, and nothing is gathered
or padded. Plain ints, counted in elements.
"""

from __future__ import annotations

from dataclasses import dataclass

TAP_MACS = 16
"""Multiply-accumulates inside a product of matrices that take as long as multiplying and adding one tap (measured)."""

STRIP = 2**17
"""Most elements of the products that are held at a time: half a megabyte of float32."""

ROWS = 8
"""Rows whose products are worth adding up before they are added to others."""

CALL_MACS = 2**14
"""Multiply-accumulates that take as long as beginning a product of small matrices (measured)."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Matrices of some channels at a time.

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
        """Tell whether a batch is faster this way than tap by tap."""
        each = self.kernel[0] * self.seen + CALL_MACS // (self.width * batch)
        return each < TAP_MACS * self.kernel[0] * self.kernel[1]

    @property
    def matrix(self) -> int:
        """Elements of one channel's matrix, in either direction."""
        return self.width * self.kernel[0] * self.seen

    @property
    def step(self) -> int:
        """Channels whose matrices are made at a time."""
        return max(1, min(self.channels, STRIP // (min(self.rows, ROWS) * self.matrix)))

    @property
    def strip(self) -> int:
        """Rows of which the products are held at a time, for the gradient of the weights."""
        return max(1, min(self.rows, STRIP // (self.step * self.matrix)))

    def elements(self, *, backward: bool) -> int:
        """Return how many elements of workspace a pass needs."""
        matrices = self.step * self.matrix
        return (self.strip + 2) * matrices if backward else matrices
