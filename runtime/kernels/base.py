"""The base class of all kernels, the arrays that they work on, and the registry from layer kind to kernel.

Kernels only compute. They never check shapes and never choose memory; the plan does both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt

from planner.layers.base import Layer
from planner.layers.tiling.shards import SHARD_ELEMENTS, in_lines, shards_for, shares
from runtime.thread_pool import Task, run_parallel

if TYPE_CHECKING:
    from planner.lowering.node import BoundNode
    from planner.lowering.segments import Segment

Array: TypeAlias = npt.NDArray[np.floating]
"""An array of float32 or float64; a model uses one type throughout."""

Mask: TypeAlias = npt.NDArray[np.bool_]

Index: TypeAlias = tuple[slice | int, ...]

LayerT = TypeVar("LayerT", bound=Layer)


@dataclass(frozen=True)
class Arrays:
    """The arrays that one kernel works on: views that are created once, when the program is built.

    Attributes
    ----------
    inputs : tuple of Array
        (C, H, W, N) or (features, N).
    output : Array
    parameters, buffers : mapping of str to Array
        In the shapes that users see: convolution (filters, channels / groups, kh, kw), dense (units, features).
    saved : mapping of str to Array
        Saved by the forward pass for the backward pass, in the shapes of `Layer.saved`.
    workspace, backward_workspace : Array
        Flat, with at least `Layer.workspace` elements for the forward pass and, if it runs, `Layer.backward_workspace`
        for the backward pass. The contents are undefined at the start of each pass.
    grad_output : Array or None
        None in inference.
    grad_inputs : tuple of Array or None
        Overwritten by the backward pass; None if the gradient is not needed.
    grad_parameters : mapping of str to Array
        Overwritten by the backward pass.
    rng : numpy.random.Generator
        Used by dropout.
    """

    inputs: tuple[Array, ...]
    output: Array
    parameters: Mapping[str, Array]
    buffers: Mapping[str, Array]
    saved: Mapping[str, Array]
    workspace: Array
    backward_workspace: Array
    grad_output: Array | None
    grad_inputs: tuple[Array | None, ...]
    grad_parameters: Mapping[str, Array]
    rng: np.random.Generator

    def cut(
        self, channels: slice, filters: slice, workspace: tuple[Array, Array], shape_only: Collection[int] = ()
    ) -> Arrays:
        """Return the arrays of some channels and of the filters computed from them, with workspace for both passes.

        Inputs that provide only their shape are not cut.
        """

        def some(arrays: Mapping[str, Array]) -> dict[str, Array]:
            return {name: array[filters] for name, array in arrays.items()}

        return Arrays(
            inputs=tuple(array if slot in shape_only else array[channels] for slot, array in enumerate(self.inputs)),
            output=self.output[filters],
            parameters=some(self.parameters),
            buffers=some(self.buffers),
            saved=some(self.saved),
            workspace=workspace[0],
            backward_workspace=workspace[1],
            grad_output=None if self.grad_output is None else self.grad_output[filters],
            grad_inputs=tuple(None if grad is None else grad[channels] for grad in self.grad_inputs),
            grad_parameters=some(self.grad_parameters),
            rng=self.rng,
        )


class Kernel(Generic[LayerT]):
    """The implementation of one layer; a subclass creates its views in :meth:`prepare` and then only computes.

    Parameters
    ----------
    node : BoundNode
    arrays : Arrays
    training : bool
        Whether layers such as dropout are active and a backward pass may follow.

    Attributes
    ----------
    differentiates : bool
        Whether a backward pass follows: the program trains, and the gradient of the output is available.
    """

    def __init__(self, node: BoundNode, arrays: Arrays, training: bool) -> None:
        self.layer = cast(LayerT, node.layer)
        self.arrays = arrays
        self.training = training
        self.differentiates = training and arrays.grad_output is not None
        self.prepare()

    def prepare(self) -> None:
        """Create the views that the passes use."""

    def forward(self) -> None:
        """Compute `arrays.output` from `arrays.inputs`."""
        raise NotImplementedError

    def backward(self) -> None:
        """Compute the gradients of inputs and parameters from `arrays.grad_output`."""
        raise NotImplementedError

    @property
    def grad_output(self) -> Array:
        """Gradient of the output; available whenever a backward pass runs."""
        grad = self.arrays.grad_output
        assert grad is not None, "training programs have a gradient for the output of every kernel"
        return grad

    def workspace(self) -> Workspace:
        """Return the workspace of the forward pass, with nothing taken from it."""
        return Workspace(self.arrays.workspace)

    def backward_workspace(self) -> Workspace:
        """Return the workspace of the backward pass, with nothing taken from it."""
        return Workspace(self.arrays.backward_workspace)


class Workspace:
    """A flat array from which arrays are taken one after the other.

    Examples
    --------
    >>> workspace = Workspace(np.zeros(10, np.float32))
    >>> workspace.take(2, 3).shape, workspace.take_mask(4).dtype, workspace.used
    ((2, 3), dtype('bool'), 7)
    """

    def __init__(self, memory: Array) -> None:
        self.memory = memory
        self.used = 0

    def take(self, *shape: int) -> Array:
        """Return the next free elements in that shape."""
        count = int(np.prod(shape))
        first, self.used = self.used, self.used + count
        return self.memory[first : self.used].reshape(shape)

    def take_lines(self, *shape: int) -> Array:
        """Return the next free elements in that shape; the array after it starts on a new cache line."""
        taken = self.take(*shape)
        self.used = in_lines(self.used)
        return taken

    def take_mask(self, count: int) -> Mask:
        """Return the next free elements as a mask of `count` values."""
        elements = -(-count // self.memory.itemsize)
        return self.take(elements).view(np.bool_)[:count]


def flat(array: Array, *shape: int) -> Array:
    """Return a view of the same memory in another shape; raise ValueError if that needs a copy.

    Examples
    --------
    >>> flat(np.zeros((2, 3, 4)), 6, 4).shape
    (6, 4)
    """
    return array.reshape(shape or (-1,), copy=False)


def at(axis: int, where: int | slice) -> Index:
    """Return the index of one position or a slice along one axis.

    Examples
    --------
    >>> np.arange(6).reshape(2, 3)[at(1, 2)].tolist()
    [2, 5]
    """
    return (*(slice(None),) * axis, where)


def in_shards(ufunc: Callable[..., object], *arrays: Array, out: Array) -> Task:
    """Return a task that applies an elementwise function to whole arrays, in shards if they are large.

    Parameters
    ----------
    ufunc : callable
        Takes arrays and `out`, like a ufunc.
    *arrays : Array
        Contiguous arrays of equal size.
    out : Array
        Array of the same size; may be one of the arrays.

    Examples
    --------
    >>> a, b = np.ones(3), np.zeros(3)
    >>> in_shards(np.add, a, a, out=b)()
    >>> b.tolist()
    [2.0, 2.0, 2.0]
    """
    every = [flat(array) for array in (*arrays, out)]
    spans = shares(out.size, shards_for(out.size, SHARD_ELEMENTS))
    parts = [[array[first:last] for array in every] for first, last in spans]
    return partial(run_parallel, [partial(ufunc, *given, out=target) for *given, target in parts])


def user_shape(array: Array) -> tuple[int, ...]:
    """Return the shape of a batch-last array as users see it, with the batch first."""
    return array.shape[-1], *array.shape[:-1]


def address(array: Array) -> int:
    """Return the memory address of the first element of an array.

    Examples
    --------
    >>> a = np.zeros(3)
    >>> address(a[1:]) - address(a)
    8
    """
    return int(array.__array_interface__["data"][0])


def same_memory(left: Array, right: Array) -> bool:
    """Return whether two arrays start at the same address.

    Examples
    --------
    >>> a = np.zeros(3)
    >>> same_memory(a, a[:2]), same_memory(a, a[1:])
    (True, False)
    """
    return address(left) == address(right)


class _Registry:
    kernels: ClassVar[dict[type[Layer], type[Kernel[Any]]]] = {}


KernelT = TypeVar("KernelT", bound=type[Kernel[Any]])


def kernel(*layers: type[Layer]) -> Callable[[KernelT], KernelT]:
    """Return a class decorator that registers a kernel for these layers.

    Raises
    ------
    ValueError
        A layer already has a kernel.
    """

    def register(implementation: KernelT) -> KernelT:
        for layer in layers:
            if layer in _Registry.kernels:
                raise ValueError(f"{layer.__name__} has two kernels")
            _Registry.kernels[layer] = implementation
        return implementation

    return register


def kernels(segment: Segment, node: BoundNode, arrays: Arrays, training: bool) -> list[Kernel[Any]]:
    """Return the kernels of a node of a segment, one for each shard.

    Raises
    ------
    LookupError
        The layer kind has no kernel.
    """
    make, parts = kernel_for(node.layer), segment.parts(node)
    if len(parts) == 1:
        return [make(node, arrays, training)]
    forward_workspace, backward_workspace = Workspace(arrays.workspace), Workspace(arrays.backward_workspace)
    differentiates = arrays.grad_output is not None
    counts = zip(segment.workspace(node, training), segment.backward_workspace(node), strict=True)
    found = []
    for shard, part, (count, back_count) in zip(segment.shards, parts, counts, strict=True):
        span = slice(*shard)
        workspace = forward_workspace.take(count), backward_workspace.take(back_count if differentiates else 0)
        found.append(make(part, arrays.cut(span, span, workspace, node.layer.shape_only), training))
    return found


def kernel_for(layer: Layer) -> type[Kernel[Any]]:
    """Return the kernel class registered for a layer.

    Raises
    ------
    LookupError
        The layer kind has no kernel.

    Examples
    --------
    >>> from planner.layers import Relu
    >>> import runtime.kernels
    >>> kernel_for(Relu()).__name__
    'ReluKernel'
    """
    found = _Registry.kernels.get(type(layer))
    if found is None:
        raise LookupError(f"no kernel is registered for layer kind {layer.kind!r}")
    return found
