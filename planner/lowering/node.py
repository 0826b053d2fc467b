"""Nodes of a plan at known sizes: plain ints, and a dtype, so that bytes are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from planner.layers.base import Layer, Parameter

DType = Literal["float32", "float64"]
ITEM_BYTES: Mapping[str, int] = {"float32": 4, "float64": 8}


@dataclass(frozen=True)
class BoundNode:
    """One layer of a bound plan: every number a kernel needs, as plain ints.

    Attributes
    ----------
    name, kind : str
    layer : Layer
        The settings; every size in them is a plain int.
    inputs : tuple of str
        Names of the nodes it reads, in order.
    input_shapes, output_shape
        In the order N, C, H, W.
    parameters, buffers : Mapping of str to Parameter
        By their names in the layer, such as ``weight``.
    macs : int
    owner : str
        The node whose arrays it works with, and which alone has them as `parameters` and `buffers`; "" for itself.
    """

    name: str
    kind: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    output_shape: tuple[int, ...]
    parameters: Mapping[str, Parameter]
    buffers: Mapping[str, Parameter]
    macs: int
    owner: str = ""

    @property
    def arrays_of(self) -> str:
        """Name of the node that has the arrays this one works with."""
        return self.owner or self.name
