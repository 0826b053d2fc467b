"""A plan bound to a data set: names in its input take the sizes of the images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from planner.findings import PlannerError, SizeError
from planner.plan.plan import BoundPlan, Plan
from runtime.cli.reporting import SMALLER_BATCH


def bound_for(plan: Plan, images: tuple[int, ...], batch: int, given: dict[str, int]) -> BoundPlan:
    """Return the plan bound to the shape of a data set: names in its input take the sizes of the images.

    Raises
    ------
    PlannerError
        R502: the network has several inputs; SizeError: a size is not accepted, or still missing.
    """
    _, shape = only_input(plan)
    values: dict[str, Any] = dict(given)  # bind has one keyword of another type, dtype
    # images that do not fit at all are reported when they are fitted; the batch is the same in any case
    for size, value in zip(shape, (batch, *images[1:]) if len(shape) == len(images) else (batch,), strict=False):
        if str(size) in plan.free:
            values.setdefault(str(size), value)
    try:
        return plan.bind(**values)
    except SizeError as error:
        first = str(shape[0])
        if values.get(first, 1) == 1 or not _runs(plan, {**values, first: 1}):
            raise
        # Sizes that no machine holds (S214) are the batch's doing here, and the planner cannot know that.
        smaller = (SMALLER_BATCH,)
        found = [replace(each, fixes=smaller) if each.code == "S214" else each for each in error.findings]
        raise SizeError(found) from None


def given_sizes(given: tuple[str, ...]) -> dict[str, int]:
    """Return the sizes of ``--at``, by name."""
    sizes = {}
    for item in ",".join(given).split(",") if given else ():
        name, _, value = item.partition("=")
        if not name.strip() or not value.strip().isascii() or not value.strip().isdigit():
            raise click.BadParameter(f"{item!r} is not NAME=NUMBER", param_hint="--at")
        sizes[name.strip()] = int(value)
    return sizes


def only_input(plan: Plan | BoundPlan) -> tuple[str, tuple[Any, ...]]:
    """Return name and shape of the one input of a plan.

    Raises
    ------
    PlannerError
        R502: it has several.
    """
    shapes = plan.input_shapes
    if len(shapes) != 1:
        raise PlannerError.of(
            "R502", f"`{plan.name}` has {len(shapes)} inputs, and a data set holds one",
            fixes=("use model.fit and model.predict from Python, with a dict of arrays",),
        )  # fmt: skip
    return next(iter(shapes.items()))


def for_each_output(bound: BoundPlan, labels: Any) -> Any:
    """Return the labels of a data set for every output: each learns the same, as auxiliary heads do."""
    return labels if len(bound.outputs) == 1 else dict.fromkeys(bound.outputs, labels)


def _runs(plan: Plan, values: dict[str, Any]) -> bool:
    try:
        plan.bind(**values)
    except SizeError:
        return False
    return True
