"""Build networks around conformance cases, with the same arrays for the model and for the oracle.

``alone`` is a case between input and output, where nothing may be overwritten; ``company`` has neighbours
whose memory it may share, and readers that forbid sharing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

import planner
import runtime
from planner import Entry, layer
from planner.layers import KINDS
from planner.lowering.node import DType
from planner.network.references import naming
from planner.plan.plan import BoundPlan, Plan
from tests.harness.cases import CASES, COMFORTABLE, ORACLES, TRAINING, Arrays, Case, Template, bound_settings
from tests.harness.naive import Array

TESTED = "t"
"""Name of the layer under test."""

PARTNER = "partner"
"""Name of a layer that the one under test names."""


def inputs_of(case: Case) -> dict[str, Template]:
    """Return the inputs of the case's network."""
    return {f"x{index}": shape for index, shape in enumerate(case.inputs)}


def entries(case: Case, sources: Sequence[str]) -> list[Entry]:
    """Return the layer under test, reading `sources`, behind the layer it names, which reads the last of them."""
    partner = case.partner
    if partner is None:
        return [layer(case.kind, name=TESTED, from_=sources, **case.settings)]
    beside = layer(partner.kind, name=PARTNER, from_=sources[-1], **partner.settings)
    return [beside, layer(case.kind, name=TESTED, from_=sources[:-1], **{**case.settings, partner.key: PARTNER})]


def layers_alone(case: Case) -> list[Entry]:
    """Return the case between its inputs and its output; an input layer is followed by a flatten."""
    names = list(inputs_of(case))
    return [layer("flatten", name=TESTED)] if case.kind == "input" else entries(case, names)


def layers_in_company(case: Case, forked: bool) -> list[Entry]:
    """Return doubled inputs, the case, and a softplus that may write over it; `forked` forbids that.

    Doubling is exact, so that numbers away from kinks stay so.
    """
    names = list(inputs_of(case))
    before = [layer("add", name=f"twice_{name}", from_=(name, name)) for name in names]
    twice = [item.name or "" for item in before]
    tested = [layer("flatten", name=TESTED)] if case.kind == "input" else entries(case, twice)
    after = [layer("softplus", name="soft", from_=TESTED)]
    if forked:
        after.append(layer("concat", name="both", from_=("soft", TESTED, "soft")))
    return [*before, *tested, *after]


@cache
def plan_alone(index: int) -> Plan:
    """Return the symbolic plan of one of `CASES` by itself."""
    case = CASES[index]
    return planner.Network(name="alone", input=inputs_of(case), layers=layers_alone(case)).check()


_PLANS: dict[str, Plan] = {}


def plan_of(case: Case, layers: Sequence[Entry]) -> Plan:
    """Return the symbolic plan of a case with other layers around it; several tests ask for the same."""
    key = f"{inputs_of(case)} {layers}"
    if key not in _PLANS:
        _PLANS[key] = planner.Network(name="company", input=inputs_of(case), layers=layers).check()
    return _PLANS[key]


def bind(plan: Plan, sizes: Mapping[str, int], dtype: DType = "float32") -> BoundPlan:
    """Return the plan at these sizes."""
    return plan.bind(dtype=dtype, **sizes)


def some_sizes(case: Case) -> Iterator[dict[str, int]]:
    """Yield a dozen sizes from tiny to comfortable, odd and even, wide and tall."""
    for height in range(1, 12):
        changed = {"N": 1 + height % 3, "H": height, "W": (7 * height) % 10 + 1}
        yield {name: max(changed.get(name, value), case.least.get(name, 1)) for name, value in case.sizes.items()}
    yield case.sizes


def fill(model: runtime.Model, rng: np.random.Generator) -> None:
    """Give every array of a model random numbers of the model's dtype; variances are positive."""
    for array in model.parameters.values():
        array[...] = rng.standard_normal(array.shape)
    for name, array in model.buffers.items():
        array[...] = rng.uniform(0.5, 2.0, array.shape) if name.endswith("var") else rng.standard_normal(array.shape)


def arrays_of(model: runtime.Model) -> Arrays:
    """Return copies in float64 of everything the model owns, by name."""
    return {name: array.astype(np.float64) for name, array in {**model.parameters, **model.buffers}.items()}


def owned(arrays: Arrays, name: str) -> Arrays:
    """Return the arrays of one layer, without its name in front."""
    return {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}


def perform(
    layers: Sequence[Entry], inputs: Mapping[str, Array], arrays: Arrays, sizes: Mapping[str, int], training: bool
) -> Array:
    """Return what the oracle makes of a list of layers: the last one's result."""
    values = dict(inputs)
    last = next(iter(inputs))
    for item in layers:
        name = item.name or ""
        sources = (last,) if item.from_ is None else (item.from_,) if isinstance(item.from_, str) else item.from_
        table = TRAINING if training else ORACLES
        settings = bound_settings(item.settings, sizes)
        for key, partner in named(item, layers):  # the oracle reads what the partner reads, and its settings
            sources = (*sources, str(partner.from_))
            settings[key] = bound_settings(partner.settings, sizes)
        values[name] = table[item.kind]([values[source] for source in sources], settings, owned(arrays, name))
        last = name
    return values[last]


def named(item: Entry, layers: Sequence[Entry]) -> list[tuple[str, Entry]]:
    """Return the layers that settings of an entry name, by key."""
    by_name = {each.name: each for each in layers}
    return [(field.name, by_name[item.settings[field.name]]) for field in naming(KINDS[item.kind])]


def feed(arrays: Mapping[str, Array]) -> Any:
    """Return inputs as :class:`runtime.Model` takes them: the array itself where there is only one."""
    return next(iter(arrays.values())) if len(arrays) == 1 else dict(arrays)


def random_inputs(bound: BoundPlan, rng: np.random.Generator) -> dict[str, Array]:
    """Return random numbers for every input of a bound plan, in its dtype."""
    shapes = {node.name: node.output_shape for node in bound.nodes if node.kind == "input"}
    return {name: rng.standard_normal(shape).astype(bound.dtype) for name, shape in shapes.items()}


def scanned(case: Case, most: int = 24) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield (name, sizes) with one name after the other going from 1 to `most`, the others comfortable.

    Volumes go to half of that: their oracles take the cube.
    """
    if any(len(shape) > 4 for shape in case.inputs):
        most //= 2
    for name in case.sizes:
        if name == "N":
            continue
        largest = most if name in COMFORTABLE else 12
        for value in range(case.least.get(name, 1), largest + 1):
            yield name, {**case.sizes, "N": 1, name: value}
