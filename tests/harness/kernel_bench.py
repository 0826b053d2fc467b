"""One kernel by itself: planned workspace full of NaN, user-shaped arrays at the door."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
import numpy.typing as npt

import runtime.kernels  # noqa: F401  # registers every kernel
from planner.layers import Layer
from planner.layers.base import by_name
from planner.lowering.node import BoundNode
from planner.lowering.segments import segments
from runtime.kernels.base import Arrays, kernels
from runtime.thread_pool import run_parallel

FloatArray = npt.NDArray[np.floating]

THREADS = 3
"""How many threads tests let steps use, however few cores there are."""


def inside(array: FloatArray) -> FloatArray:
    """Return (N, ...) as a fresh contiguous (..., N)."""
    return np.ascontiguousarray(np.moveaxis(array, 0, -1))


def outside(array: FloatArray) -> FloatArray:
    """Return (..., N) as a fresh contiguous (N, ...)."""
    return np.ascontiguousarray(np.moveaxis(array, -1, 0))


@dataclass
class Bench:
    """A kernel with memory of its own, exactly as much as the planner counts.

    `in_place` gives output and gradients the memory of the input; `overwrite_gradient` only the gradients;
    `shared` says which inputs are one tensor, by the position of its first occurrence.
    """

    layer: Layer
    inputs: tuple[FloatArray, ...]
    training: bool = True
    parameters: dict[str, FloatArray] = field(default_factory=dict)
    wanted: bool = True
    in_place: bool = False
    overwrite_gradient: bool = False
    shared: tuple[int, ...] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        self.layer = self.layer.bind({})
        shapes = tuple(array.shape for array in self.inputs)
        output = self.layer.output_shape(shapes)
        dtype = self.inputs[0].dtype
        rng = np.random.default_rng(self.seed)
        declared = self.layer.params(shapes)
        for item in declared:
            self.parameters.setdefault(item.name, rng.standard_normal(item.shape).astype(dtype))
        self.buffers = {p.name: np.full(p.shape, p.initial, dtype) for p in self.layer.buffers(shapes)}
        nan = np.nan
        xs = tuple(map(inside, self.inputs))
        if self.shared is not None:
            xs = tuple(xs[first] for first in self.shared)
        inner = (*output[1:], output[0])
        y = xs[0] if self.in_place else np.full(inner, nan, dtype)
        if self.layer.alias:
            y = xs[0].reshape(inner, copy=False)
        saved = self.layer.saved(shapes, output) if self.training else {}
        self.grad_output = np.full((*output[1:], output[0]), nan, dtype)
        grads: tuple[FloatArray | None, ...] = tuple(np.full(x.shape, nan, dtype) for x in xs)
        if self.in_place or self.overwrite_gradient:
            grads = (self.grad_output, *grads[1:])
        if self.layer.alias:
            grads = (self.grad_output.reshape(xs[0].shape, copy=False),)
        if not self.wanted:
            grads = tuple(None for _ in grads)
        named = by_name(declared), by_name(self.layer.buffers(shapes))
        self.node = BoundNode("k", self.layer.kind, self.layer, (), shapes, output, *named, 0)
        (self.segment,) = segments([self.node])
        backward = sum(self.segment.backward_workspace(self.node)) if self.training else 0
        self.arrays = Arrays(
            inputs=xs,
            output=y,
            parameters=self.parameters,
            buffers=self.buffers,
            saved={name: np.full(shape, nan, dtype) for name, shape in saved.items()},
            workspace=np.full(sum(self.segment.workspace(self.node, self.training)), nan, dtype),
            backward_workspace=np.full(backward, nan, dtype),
            grad_output=self.grad_output if self.training else None,
            grad_inputs=grads if self.training else tuple(None for _ in grads),
            grad_parameters={p.name: np.full(p.shape, nan, dtype) for p in declared},
            rng=rng,
        )
        self.kernels = kernels(self.segment, self.node, self.arrays, self.training)

    def run_forward(self) -> None:
        """Run the forward pass of every shard."""
        run_parallel([kernel.forward for kernel in self.kernels])

    def run_backward(self) -> None:
        """Run the backward pass of every shard."""
        run_parallel([kernel.backward for kernel in self.kernels])

    def step_peak(self) -> int:
        """Return the most bytes that a second step allocates at once; the first fills the caches.

        NumPy's buffers for a change of type hold 8192 elements however long the arrays are.
        """
        self.forward()
        self.grad_output.fill(1)
        self.run_backward()
        tracemalloc.start()
        self.run_forward()
        self.run_backward()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    def forward(self) -> FloatArray:
        """Return the output, batch first."""
        self.arrays.workspace.fill(np.nan)
        self.run_forward()
        return outside(self.arrays.output)

    def backward(self, grad: FloatArray) -> tuple[tuple[FloatArray | None, ...], Mapping[str, FloatArray]]:
        """Return the gradients of inputs (batch first) and parameters."""
        self.arrays.workspace.fill(np.nan)
        self.arrays.backward_workspace.fill(np.nan)
        self.grad_output[...] = inside(grad)
        self.run_backward()
        inputs = tuple(None if g is None else outside(g) for g in self.arrays.grad_inputs)
        return inputs, self.arrays.grad_parameters


def assert_same_weight_gradients_without_input_gradient(layer: Layer, shape: tuple[int, ...]) -> None:
    """Compare the gradients of the weights with and without a gradient of the input."""
    x = normal(shape)
    both, alone = Bench(layer, (x,)), Bench(layer, (x,), wanted=False)
    grad = normal(both.forward().shape, 1)
    alone.forward()
    expected = both.backward(grad)[1]
    inputs, found = alone.backward(grad)
    assert inputs == (None,)
    for name, array in found.items():
        np.testing.assert_allclose(array, expected[name], rtol=0, atol=1e-11)


def normal(shape: tuple[int, ...], seed: int = 0, dtype: type = np.float64) -> FloatArray:
    """Return seeded normal numbers."""
    return np.random.default_rng([seed, prod(shape)]).standard_normal(shape).astype(dtype)
