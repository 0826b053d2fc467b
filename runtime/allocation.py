"""Allocation of planned memory, and the finding with the planned bytes if the machine refuses."""

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
"""What decides the size: images in a pass, images in a training step, or the network alone."""


@contextmanager
def allocation_guard(bound: BoundPlan, what: str, nbytes: int, kind: Kind, fix: str = "") -> Iterator[None]:
    """Return a context that turns the machine's refusal of memory into a finding.

    Parameters
    ----------
    what : str
        What the memory is for, as it reads after "for".
    nbytes : int
        Bytes that the context is going to ask for.
    kind : str
        Which fix to offer: ``parameters`` do not shrink with the batch.
    fix : str
        A different fix.

    Raises
    ------
    SizeError
        R511: the machine refuses, or no machine has so much.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("relu", name="y")])
    >>> with allocation_guard(net.check().bind(N=2**30), "one pass", 2**70, "inference"):
    ...     pass
    Traceback (most recent call last):
    planner.findings.SizeError: error[R511]: `t` needs 1,180,591,620,717,411,303,424 bytes for one pass, \
more than the machine gives; take a smaller batch: `shapeplan solve SPEC --memory 2GiB` finds the largest that fits
    """
    if nbytes > sys.maxsize:
        raise _refused(bound, what, nbytes, kind, fix)
    try:
        yield
    except MemoryError:
        raise _refused(bound, what, nbytes, kind, fix) from None


def empty_outputs(bound: BoundPlan, count: int) -> dict[str, NDArray[Any]]:
    """Return arrays for every output of so many images, batch first, by public name.

    Raises
    ------
    SizeError
        R511: the machine has no memory for them.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("relu", name="y")])
    >>> empty_outputs(net.check().bind(N=1), 3)["y"].shape
    (3, 4)
    """
    nbytes = count * bound.item_bytes * sum(prod(shape[1:]) for shape in bound.output_shapes.values())
    with allocation_guard(bound, f"the outputs of {count:,} images", nbytes, "inference", "give fewer images at once"):
        return {name: np.empty((count, *shape[1:]), bound.dtype) for name, shape in bound.output_shapes.items()}


def _refused(bound: BoundPlan, what: str, nbytes: int, kind: Kind, fix: str) -> SizeError:
    message = f"`{bound.name}` needs {nbytes:,} bytes for {what}, more than the machine gives"
    if fix:
        return SizeError([Finding("R511", message, fixes=(fix,))])
    if kind == "parameters":
        return SizeError([Finding("R511", message, fixes=_lighter(bound))])
    one = _alone(bound)
    if one is None:
        fix = "give it smaller images or fewer filters: `shapeplan show SPEC` tells what each layer needs"
        return SizeError([Finding("R511", message, fixes=(fix,))])
    training = kind == "training"
    needed = one.memory.training_bytes if training else one.memory.inference_bytes
    option = " --training" if training else ""
    fix = f"take a smaller batch: `shapeplan solve SPEC --memory 2GiB{option}` finds the largest that fits"
    notes = (f"with one image, {kind} takes {needed:,} bytes",)
    return SizeError([Finding("R511", message, notes=notes, fixes=(fix,))])


def _lighter(bound: BoundPlan) -> tuple[str, ...]:
    """Return what to do about parameters: the layer that holds most of them."""
    owned = {node.name: (*node.parameters.values(), *node.buffers.values()) for node in bound.nodes}
    counts = {name: sum(array.count for array in arrays) for name, arrays in owned.items()}
    name = max(counts, key=lambda node: counts[node])
    return (f"make `{name}` smaller, which holds {counts[name]:,} numbers: fewer units or filters, or pool before it",)


def _alone(bound: BoundPlan) -> BoundPlan | None:
    """Return the plan for one image; None if it already is for one, or if its batch is not free."""
    name = str(next(iter(bound.plan.input_shapes.values()))[0])
    if bound.batch == 1 or name not in bound.plan.free:
        return None
    try:
        return bound.plan.bind(dtype=bound.dtype, **{**bound.sizes, name: 1})
    except PlannerError:
        return None
