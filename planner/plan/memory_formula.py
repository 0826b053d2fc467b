"""Memory as a formula in the free sizes: the largest sum of bytes that are live at the same time.

Lifetimes do not depend on the sizes of arrays. So the lifetimes are those of
:mod:`planner.memory.lifetimes` at one accepted choice of sizes, and only the bytes are symbolic. With known
sizes the plan needs additional bytes, never fewer: offsets are aligned, a layout may leave
gaps, and kernels use workspace. A formula is therefore a lower bound of the planned bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import reduce
from itertools import islice, product
from operator import add
from typing import TYPE_CHECKING

import planner.symbols as sy
from planner.memory.budget import concat_choices
from planner.memory.lifetimes import timeline
from planner.memory.requests import Request
from planner.symbols import Size

if TYPE_CHECKING:
    from planner.plan.plan import Plan

Live = Counter[Size]
"""Number of arrays that are live during a step, by their bytes."""

ITEM_BYTES = 4
"""Formulas are for float32."""

MOST_TRIES = 2000
"""Maximum number of choices of sizes that are tried; after that, no accepted sizes are assumed."""


def memory_formula(plan: Plan, values: Mapping[str, int], *, training: bool) -> Size | None:
    """Return a lower bound of the bytes of inference or of a training step in float32, as a formula in the free sizes.

    The formula counts values and gradients that are live at the same time, parameters and buffers; for training also
    the gradients of the parameters and the state of the optimizer. None if no accepted sizes are found.

    Parameters
    ----------
    plan : Plan
    values : Mapping of str to int
        Sizes that are known already; the plan must accept them.
    training : bool
        Whether to count a training step instead of one inference pass.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 3, "H", "W")}, layers=[layer("relu"), layer("gap")])
    >>> sy.text(memory_formula(net.check(), {}, training=False))
    '12*H*N*W + 12*N'
    """
    witness = accepted_sizes(plan, values)
    if witness is None:
        return None
    bound = plan.bind(dtype="float32", **witness)
    copies = 2 + plan.train.optimizer.state_arrays if training else 1
    owned = [p.count * copies for node in plan.nodes for p in node.parameters.values()]
    owned += [p.count for node in plan.nodes for p in node.buffers.values()]
    fixed = _sum(sy.substitute(sy.size(ITEM_BYTES * count), values) for count in owned)
    samples = _samples(plan, witness)
    choices = []
    for inside in concat_choices(bound):
        line = timeline(bound.lowered, bound.outputs, ITEM_BYTES, training=training, inside=inside)
        choices.append(_largest(_candidates(_steps(plan, values, line.requests, line.steps)), samples))
    return sy.size(reduce(sy.minimum, choices) + fixed)


def accepted_sizes(plan: Plan, values: Mapping[str, int]) -> dict[str, int] | None:
    """Return accepted sizes for every free name, including the given values; None if none are found.

    Small sizes are tried first.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 3, "H", "W")}, layers=[layer("conv", filters=6, kernel=5)])
    >>> accepted_sizes(net.check(), {"H": 9})
    {'H': 9, 'N': 1, 'W': 5}
    """
    missing = [name for name in plan.free if name not in values]
    each = [list(islice(plan.domain[name], 64)) for name in missing]
    for sizes in islice(product(*each), MOST_TRIES):
        chosen = {**values, **dict(zip(missing, sizes, strict=True))}
        if plan.domain.accepts(chosen):
            return chosen
    return None


def _steps(plan: Plan, values: Mapping[str, int], requests: Iterable[Request], count: int) -> list[Live]:
    """Return the arrays that are live during each step, without workspace and arrays saved by kernels."""
    begins: list[list[Size]] = [[] for _ in range(count)]
    ends: list[list[Size]] = [[] for _ in range(count + 1)]
    sizes: dict[str, Size] = {}
    for request in requests:
        if request.role not in ("value", "gradient", "partial"):
            continue
        if request.name not in sizes:
            shape = plan.by_name[request.name].output_shape
            sizes[request.name] = ITEM_BYTES * sy.product(sy.substitute(sy.size(size), values) for size in shape)
        for first, last in request.spans:
            begins[first].append(sizes[request.name])
            ends[min(last, count - 1) + 1].append(sizes[request.name])
    live: Live = Counter()
    steps = []
    for begun, ended in zip(begins, ends, strict=False):
        live.update(begun)
        live.subtract(ended)
        steps.append(+live)
    return steps


def _candidates(steps: Iterable[Live]) -> list[Size]:
    """Return the bytes of every step that is not contained in another step, the largest number of arrays first."""
    kept: list[Live] = []
    for live in sorted(steps, key=lambda step: -step.total()):
        if not any(live <= other for other in kept):
            kept.append(live)
    return [_sum(size * times for size, times in live.items()) for live in kept]


def _largest(candidates: list[Size], samples: list[dict[str, int]]) -> Size:
    """Return the maximum of the candidates that are the largest at one of the samples.

    Omitting a candidate can only lower the maximum, and a formula with a dozen cases is not useful.
    """
    largest: dict[Size, None] = {}
    for sample in samples:
        largest[max(candidates, key=lambda size: sy.evaluate(size, sample))] = None
    return reduce(sy.maximum, map(sy.size, largest))


def _samples(plan: Plan, witness: Mapping[str, int]) -> list[dict[str, int]]:
    """Return accepted sizes from the smallest to typical ones."""
    found = [dict(witness)]
    for scale in (16, 32, 64, 128, 224, 512, 1024):
        near = {name: plan.domain[name].next(scale) for name in witness}
        chosen = {name: size for name, size in near.items() if size is not None}
        if len(chosen) == len(witness) and plan.domain.accepts(chosen):
            found.append(chosen)
    return found


def _sum(sizes: Iterable[Size]) -> Size:
    """Return a sum without expanding its products, which are easier to read."""
    return reduce(add, sizes, 0)
