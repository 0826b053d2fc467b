"""Nodes of a bound plan, with all sizes as plain ints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from planner.layers.base import Layer, Parameter

DType = Literal["float32", "float64"]
ITEM_BYTES: Mapping[str, int] = {"float32": 4, "float64": 8}


@dataclass(frozen=True)
class BoundNode:
    """One layer of a bound plan, with every size a kernel needs as a plain int.

    Attributes
    ----------
    name, kind : str
    layer : Layer
        The settings, with every size as a plain int.
    inputs : tuple of str
        Names of the nodes that this one reads, in order.
    input_shapes, output_shape
        In the order N, C, H, W.
    parameters, buffers : Mapping of str to Parameter
        By name within the layer, such as ``weight``.
    macs : int
    owner : str
        The node that owns the arrays this one uses and has them as `parameters` and `buffers`; "" for this node.
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
        """Name of the node that owns the arrays this one uses."""
        return self.owner or self.name
