"""Binding a plan to a data set: free sizes of its input take the sizes of the images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from planner.findings import PlannerError, SizeError
from planner.plan.plan import BoundPlan, Plan
from runtime.cli.reporting import SMALLER_BATCH


def bound_for(plan: Plan, images: tuple[int, ...], batch: int, given: dict[str, int]) -> BoundPlan:
    """Bind a plan to the shape of a data set: free sizes of its input take the sizes of the images.

    Raises
    ------
    PlannerError
        R502: the network has several inputs.
    SizeError
        A size is not accepted, or is missing.
    """
    _, shape = only_input(plan)
    values: dict[str, Any] = dict(given)  # not int, because the keyword dtype of bind has another type
    # images that do not fit at all are reported by `fitted`; the batch size is known in any case
    for size, value in zip(shape, (batch, *images[1:]) if len(shape) == len(images) else (batch,), strict=False):
        if str(size) in plan.free:
            values.setdefault(str(size), value)
    try:
        return plan.bind(**values)
    except SizeError as error:
        first = str(shape[0])
        if values.get(first, 1) == 1 or not _can_bind(plan, {**values, first: 1}):
            raise
        # Here the batch alone makes the sizes too large for any machine (S214); the planner cannot know that.
        smaller = (SMALLER_BATCH,)
        found = [replace(each, fixes=smaller) if each.code == "S214" else each for each in error.findings]
        raise SizeError(found) from None


def given_sizes(given: tuple[str, ...]) -> dict[str, int]:
    """Return the sizes given with ``--at``, by name."""
    sizes = {}
    for item in ",".join(given).split(",") if given else ():
        name, _, value = item.partition("=")
        if not name.strip() or not value.strip().isascii() or not value.strip().isdigit():
            raise click.BadParameter(f"{item!r} is not NAME=NUMBER", param_hint="--at")
        sizes[name.strip()] = int(value)
    return sizes


def only_input(plan: Plan | BoundPlan) -> tuple[str, tuple[Any, ...]]:
    """Return the name and shape of the only input of a plan.

    Raises
    ------
    PlannerError
        R502: the plan has several inputs.
    """
    shapes = plan.input_shapes
    if len(shapes) != 1:
        raise PlannerError.of(
            "R502", f"`{plan.name}` has {len(shapes)} inputs, but a data set provides one",
            fixes=("use model.fit and model.predict from Python, with a dict of arrays",),
        )  # fmt: skip
    return next(iter(shapes.items()))


def for_each_output(bound: BoundPlan, labels: Any) -> Any:
    """Return the labels of a data set for every output: all outputs share them, as auxiliary heads do."""
    return labels if len(bound.outputs) == 1 else dict.fromkeys(bound.outputs, labels)


def _can_bind(plan: Plan, values: dict[str, Any]) -> bool:
    try:
        plan.bind(**values)
    except SizeError:
        return False
    return True
