"""The arrays that persist between steps: parameters, their gradients, and buffers.

Each kind is stored in one flat, contiguous array, so that an optimizer's step is a few operations over it.
The arrays that users see are views into it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.layers.base import Parameter
from planner.lowering.node import BoundNode
from planner.plan.plan import BoundPlan
from runtime.allocation import allocation_guard
from runtime.initializers import fill

Array = NDArray[Any]


class FlatArrays:
    """Arrays of one kind, as one flat array and as views by name.

    Attributes
    ----------
    flat : array, 1-D
        All numbers, in the order of the nodes, without gaps.
    views : mapping of str to array
        Writable views by ``node.name``.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("dense", name="d", units=3)])
    >>> arrays = FlatArrays(net.check().bind(N=1), lambda node: node.parameters)
    >>> arrays.flat.size, {name: view.shape for name, view in arrays.views.items()}
    (15, {'d.weight': (3, 4), 'd.bias': (3,)})
    """

    def __init__(self, bound: BoundPlan, arrays: Callable[[BoundNode], Mapping[str, Parameter]]) -> None:
        owned = [(node.name, array) for node in bound.nodes for array in arrays(node).values()]
        self.flat: Array = np.zeros(sum(array.count for _, array in owned), bound.dtype)
        views: dict[str, Array] = {}
        self._by_node: dict[str, dict[str, Array]] = {}
        self._rows: dict[str, tuple[int, int]] = {}
        start = 0
        for node, array in owned:
            view = self.flat[start : start + array.count].reshape(array.shape)
            views[f"{node}.{array.name}"] = view
            self._by_node.setdefault(node, {})[array.name] = view
            self._rows[node] = self._rows.get(node, (start, 0))[0], start + array.count
            start += array.count
        self.views: Mapping[str, Array] = MappingProxyType(views)

    def row(self, node: str) -> Array:
        """Return all arrays of one node as one flat array."""
        return self.flat[slice(*self._rows[node])]

    def of(self, node: str) -> Mapping[str, Array]:
        """Return the arrays of one node by their short names."""
        return self._by_node.get(node, {})


class State:
    """Parameters, gradients (allocated on first use), buffers and random generator of one model.

    Parameters
    ----------
    bound : BoundPlan
    seed : int
        Seed of the generator that draws the parameters, and later serves dropout and shuffling.

    Raises
    ------
    SizeError
        R511: there is not enough memory for them.
    """

    def __init__(self, bound: BoundPlan, seed: int) -> None:
        self._bound = bound
        self.rng = np.random.default_rng(seed)
        nbytes = (bound.parameter_count + bound.buffer_count) * bound.item_bytes
        with allocation_guard(bound, "its parameters alone", nbytes, "parameters"):
            self.parameters = FlatArrays(bound, lambda node: node.parameters)
            self.buffers = FlatArrays(bound, lambda node: node.buffers)
            fill(bound, self.parameters.views, self.rng)
        for node in bound.nodes:
            for buffer in node.buffers.values():
                self.buffers.of(node.name)[buffer.name].fill(buffer.initial)

    @cached_property
    def gradients(self) -> FlatArrays:
        """Gradients of the parameters, initially zero, in the same order."""
        nbytes = self._bound.parameter_count * self._bound.item_bytes
        with allocation_guard(self._bound, "the gradients of its parameters", nbytes, "parameters"):
            return FlatArrays(self._bound, lambda node: node.parameters)
