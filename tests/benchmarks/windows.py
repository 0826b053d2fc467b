"""The settings of a convolution or pooling over two axes, written out as other libraries want them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from planner.layers.spatial import along, sides

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """One number for each axis, and the padding before and after along each.

    Examples
    --------
    >>> from planner.layers import MaxPool
    >>> Window.of(MaxPool(size=3, stride=2, pad=1))
    Window(kernel=(3, 3), stride=(2, 2), dilation=(1, 1), rows=(1, 1), columns=(1, 1))
    """

    kernel: Pair
    stride: Pair
    dilation: Pair
    rows: Pair
    columns: Pair

    @classmethod
    def of(cls, layer: Any) -> Window:
        """Return the window of a layer with a `kernel` or a `size`."""
        kernel = layer.kernel if hasattr(layer, "kernel") else layer.size
        three = [along(value, 2) for value in (kernel, layer.stride, getattr(layer, "dilation", (1,)))]
        pairs = [(int(first), int(second)) for first, second in (*three, *sides(layer.pad, 2))]
        return cls(*pairs)

    @property
    def pad(self) -> Pair:
        """Padding of each axis, alike at both ends as PyTorch has it."""
        assert self.rows[0] == self.rows[1] and self.columns[0] == self.columns[1], "PyTorch pads both ends alike"
        return self.rows[0], self.columns[0]
