"""Guards around large allocations: a refusal becomes a finding with the number of bytes that were planned."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from planner.findings import Finding, PlannerError, SizeError
from planner.plan.plan import BoundPlan

Kind = Literal["inference", "training", "parameters"]
"""What determines the size: the images of a forward pass, the images of a training step, or the network alone."""


@contextmanager
def allocation_guard(bound: BoundPlan, what: str, nbytes: int, kind: Kind, fix: str = "") -> Iterator[None]:
    """Turn a failed allocation inside the context into a finding.

    Parameters
    ----------
    what : str
        What the memory is for; completes the phrase "bytes for ...".
    nbytes : int
        Number of bytes that the context is going to allocate.
    kind : str
        Selects the suggested fix: ``parameters`` do not shrink with the batch.
    fix : str
        Fix to suggest instead of the usual one.

    Raises
    ------
    SizeError
        R511: the allocation fails, or is larger than any address space.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("relu", name="y")])
    >>> with allocation_guard(net.check().bind(N=2**30), "one pass", 2**70, "inference"):
    ...     pass
    Traceback (most recent call last):
    planner.findings.SizeError: error[R511]: `t` needs 1,180,591,620,717,411,303,424 bytes for one pass, \
more than is available; use a smaller batch: `shapeplan solve SPEC --memory 2GiB` finds the largest that fits
    """
    if nbytes > sys.maxsize:
        raise _out_of_memory(bound, what, nbytes, kind, fix)
    try:
        yield
    except MemoryError:
        raise _out_of_memory(bound, what, nbytes, kind, fix) from None


def empty_outputs(bound: BoundPlan, count: int) -> dict[str, NDArray[Any]]:
    """Return uninitialised arrays for every output of `count` images, batch first, by public name.

    Raises
    ------
    SizeError
        R511: there is not enough memory for them.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("relu", name="y")])
    >>> empty_outputs(net.check().bind(N=1), 3)["y"].shape
    (3, 4)
    """
    nbytes = count * bound.item_bytes * sum(prod(shape[1:]) for shape in bound.output_shapes.values())
    with allocation_guard(bound, f"the outputs of {count:,} images", nbytes, "inference", "pass fewer images at once"):
        return {name: np.empty((count, *shape[1:]), bound.dtype) for name, shape in bound.output_shapes.items()}


def _out_of_memory(bound: BoundPlan, what: str, nbytes: int, kind: Kind, fix: str) -> SizeError:
    message = f"`{bound.name}` needs {nbytes:,} bytes for {what}, more than is available"
    if fix:
        return SizeError([Finding("R511", message, fixes=(fix,))])
    if kind == "parameters":
        return SizeError([Finding("R511", message, fixes=_shrink_largest_layer(bound))])
    one = _bound_to_one_image(bound)
    if one is None:
        fix = "use smaller images or fewer filters: `shapeplan show SPEC` lists what each layer needs"
        return SizeError([Finding("R511", message, fixes=(fix,))])
    training = kind == "training"
    needed = one.memory.training_bytes if training else one.memory.inference_bytes
    option = " --training" if training else ""
    fix = f"use a smaller batch: `shapeplan solve SPEC --memory 2GiB{option}` finds the largest that fits"
    notes = (f"with one image, {kind} takes {needed:,} bytes",)
    return SizeError([Finding("R511", message, notes=notes, fixes=(fix,))])


def _shrink_largest_layer(bound: BoundPlan) -> tuple[str, ...]:
    """Return the fix for too many parameters: shrink the layer that holds most of them."""
    owned = {node.name: (*node.parameters.values(), *node.buffers.values()) for node in bound.nodes}
    counts = {name: sum(array.count for array in arrays) for name, arrays in owned.items()}
    name = max(counts, key=lambda node: counts[node])
    return (f"make `{name}` smaller, it holds {counts[name]:,} numbers: use fewer units or filters, or pool before it",)


def _bound_to_one_image(bound: BoundPlan) -> BoundPlan | None:
    """Return the plan for one image; None if it already is for one image, or its batch size is not free."""
    name = str(next(iter(bound.plan.input_shapes.values()))[0])
    if bound.batch == 1 or name not in bound.plan.free:
        return None
    try:
        return bound.plan.bind(dtype=bound.dtype, **{**bound.sizes, name: 1})
    except PlannerError:
        return None
