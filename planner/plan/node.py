"""Nodes of a plan: one layer with its shapes and counts as formulas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import planner.symbols as sy
from planner.layers.base import Layer, Parameter
from planner.plan.receptive import ReceptiveField, ReceptiveFields
from planner.symbols import Shape, Size


@dataclass(frozen=True)
class PlannedNode:
    """One layer of a plan; all sizes are symbolic.

    Attributes
    ----------
    name : str
    layer : Layer
    inputs : tuple of str
        Names of the nodes it reads, in order.
    input_shapes, output_shape
        In the order N, C, H, W.
    parameters, buffers : Mapping of str to Parameter
        By their names in the layer, such as ``weight``.
    fields : ReceptiveFields
        Receptive fields of all nodes of the plan, computed on demand.
    role : str
        ``norm`` or ``act`` if that key of another layer adds this one, else "".
    owner : str
        The node that owns the arrays of this one and lists them as `parameters` and `buffers`; "" for the node itself.
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    parameters: Mapping[str, Parameter]
    buffers: Mapping[str, Parameter]
    fields: ReceptiveFields = field(compare=False, repr=False)
    role: str = ""
    owner: str = ""

    @property
    def kind(self) -> str:
        """Key of the layer in a spec."""
        return self.layer.kind

    @cached_property
    def macs(self) -> Size:
        """Multiply-accumulates of one forward pass over the batch, without bias; an int if no size is free."""
        return sy.total([self.layer.macs(self.input_shapes, self.output_shape)])

    @property
    def receptive_field(self) -> ReceptiveField | None:
        """Receptive field of one output position; None without rows and columns.

        Also None if its formula in the free sizes would be too long to use.
        """
        return self.fields[self.name]

    @property
    def parameter_count(self) -> Size:
        """Number of trainable parameters of the layer; an int if no size is free."""
        return sy.total(p.count for p in self.parameters.values())

    @property
    def buffer_count(self) -> Size:
        """Number of elements in the buffers of the layer; an int if no size is free."""
        return sy.total(p.count for p in self.buffers.values())
