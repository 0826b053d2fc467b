"""Every layer kind states what nothing can guess: its names elsewhere, its gain, how its output sees its input.

A failure names the kind, what is missing and the file to open.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import fields
from math import ceil, floor
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import planner.layers
import tests.harness.cases
from planner.layers import KINDS, Layer
from planner.plan.receptive import ReceptiveField, itself, through
from planner.symbols import evaluate
from runtime.kernels.base import kernel_for
from tests.harness import build
from tests.harness.cases import CASES, ORACLES, Case, fixed_arrays
from tests.harness.cases.case import Family
from tests.harness.places import ROOT

NO_MAP_TO_COMPARE = frozenset({"input", "dense", "flatten", "reshape", "squeeze", "unsqueeze"})
"""Kinds that read no map, or whose output has other axes than their input."""

WHOLE_MAP_STATISTICS = frozenset({"groupnorm", "instancenorm", "layernorm over all"})
"""Normalisations of whole maps. By convention (docs/counting.md) their mean and variance count as seen by nobody."""

every_kind = pytest.mark.parametrize("kind", sorted(KINDS))


def file_of(cls: type) -> str:
    """Return the file in which a class is defined, from the root of the project."""
    return Path(inspect.getfile(cls)).relative_to(ROOT).as_posix()


def stated(cls: type[Layer], fact: str) -> bool:
    """Tell whether a class or one of its bases, :class:`Layer` not counted, states a fact."""
    return any(fact in vars(base) for base in cls.__mro__ if base is not Layer)


def test_every_layer_class_with_a_kind_is_exported() -> None:
    for module in pkgutil.iter_modules(planner.layers.__path__):
        importlib.import_module(f"planner.layers.{module.name}")
    waiting, exported = [Layer], set(KINDS.values())
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        if cls.__module__.startswith("planner.layers.") and "kind" in vars(cls):
            assert cls in exported, f"export {cls.__name__} of {file_of(cls)} in planner/layers/__init__.py"


def cases_of(cls: type[Layer]) -> str:
    """Return the file in tests/harness/cases/ that has the other kinds of a class's module."""
    peers = {kind for kind, made in KINDS.items() if made is not cls and made.__module__ == cls.__module__}
    modules = (module for module in vars(tests.harness.cases).values() if isinstance(module, ModuleType))
    families = {module.__name__: getattr(module, "FAMILY", None) for module in modules}
    found = [name for name, family in families.items() if isinstance(family, Family) and peers & set(family.oracles)]
    return " or ".join(f"{name.replace('.', '/')}.py" for name in found) or "a family of tests/harness/cases/"


@every_kind
def test_every_kind_has_a_kernel(kind: str) -> None:
    stem = Path(file_of(KINDS[kind])).name
    missing = f"`{kind}` has no kernel: register one with @kernel({KINDS[kind].__name__}) in runtime/kernels/{stem}"
    layer = object.__new__(KINDS[kind])  # the registry looks at the type alone
    try:
        assert kernel_for(layer), missing
    except LookupError:
        pytest.fail(missing)


def test_cases_and_oracles_are_of_kinds_that_exist() -> None:
    unknown = ({case.kind for case in CASES} | set(ORACLES)) - set(KINDS)
    assert not unknown, f"tests/harness/cases/ has {sorted(unknown)}, which planner/layers/__init__.py does not export"


@every_kind
def test_every_kind_has_a_case(kind: str) -> None:
    missing = f'`{kind}` has no conformance case: add Case("{kind}") to `cases` in {cases_of(KINDS[kind])}'
    assert any(case.kind == kind for case in CASES), missing


@every_kind
def test_every_kind_has_an_oracle(kind: str) -> None:
    where = cases_of(KINDS[kind])
    message = f"`{kind}` has no oracle: name it in `oracles` in {where}, with a loop of tests/harness/naive/"
    assert kind in ORACLES, message


@every_kind
def test_every_kind_states_its_names_in_other_libraries(kind: str) -> None:
    cls = KINDS[kind]
    assert "aliases" in vars(cls), f"state `aliases` of {cls.__name__} in {file_of(cls)}; () where there are none"
    for alias in cls.aliases:
        assert alias == alias.lower(), f"{cls.__name__} in {file_of(cls)}: the alias {alias!r} must be in lower case"
        assert alias.isalnum(), f"{cls.__name__} in {file_of(cls)}: the alias {alias!r} must have no separators"
        others = [other for other, made in KINDS.items() if alias in made.aliases]
        assert others == [kind], f"the alias {alias!r} in {file_of(cls)} belongs to several kinds: {others}"


@every_kind
def test_every_setting_without_a_default_says_what_holds_then(kind: str) -> None:
    cls = KINDS[kind]
    silent = [item.name for item in fields(cls) if item.default is None and "unset" not in item.metadata]
    assert not silent, f"say with `unset` what holds without {silent} of {cls.__name__} in {file_of(cls)}"


@every_kind
def test_every_setting_of_a_few_words_is_completed_in_editors(kind: str) -> None:
    words = [item.name for item in fields(KINDS[kind]) if item.type == "str" and "choices" not in item.metadata]
    assert not words, f"list with `choices` what {words} of `{kind}` may be, in {file_of(KINDS[kind])}"


@every_kind
def test_every_activation_states_its_gain(kind: str) -> None:
    cls = KINDS[kind]
    assert cls.category != "act" or "gain" in vars(cls), (
        f"state `gain` of {cls.__name__} in {file_of(cls)}: that of torch.nn.init.calculate_gain, 1.0 for an "
        "activation it does not know, None to look behind the layer"
    )


def states_its_view(cls: type[Layer]) -> bool:
    """Tell whether a kind says how its output sees its input."""
    says_no = stated(cls, "mixes_positions") and not cls.mixes_positions
    return says_no or stated(cls, "fields_of_view")


@every_kind
def test_every_kind_states_how_it_sees_its_input(kind: str) -> None:
    cls = KINDS[kind]
    assert states_its_view(cls), (
        f"{cls.__name__} in {file_of(cls)} needs `fields_of_view`, or `mixes_positions = False` where each position of "
        "the output depends on the same position of the input alone"
    )


def field_of(case: Case) -> ReceptiveField | None:
    """Return the field of a case's layer by itself at the case's sizes.

    None where it has none, or where positions of the output cannot be compared with those of the inputs axis by axis.
    """
    node = build.plan_of(case, build.layers_alone(case)).by_name[build.TESTED]
    layer = node.layer.bind(case.sizes)
    shapes = tuple(tuple(evaluate(size, case.sizes) for size in shape) for shape in node.input_shapes)
    output = layer.output_shape(shapes)
    maps = {shapes[slot][2:] for slot in slots(case, layer)}
    if len(output) < 3 or len(maps) != 1 or {len(sizes) for sizes in maps} != {len(output) - 2}:
        return None
    return through(layer, shapes, output, [itself(len(output) - 2)] * len(shapes))


def slots(case: Case, layer: Layer) -> list[int]:
    """Return the positions of the inputs that a case's layer reads the numbers of, those of its partner not counted."""
    own = len(case.inputs) - (case.partner is not None)
    return [slot for slot in range(own) if slot not in layer.shape_only]


COMPLETE = frozenset(ORACLES) & {kind for kind, cls in KINDS.items() if states_its_view(cls)}


def judged() -> list[int]:
    """Return, for each kind, the first and the last case that has a field to compare."""
    found: dict[str, list[int]] = {}
    for index, case in enumerate(CASES):
        if case.kind not in COMPLETE:  # which a test above reports
            continue
        whole = f"{case.kind} over {case.settings['over']}" if "over" in case.settings else case.kind
        if {case.kind, whole}.isdisjoint(NO_MAP_TO_COMPARE | WHOLE_MAP_STATISTICS) and field_of(case) is not None:
            found.setdefault(case.kind, []).append(index)
    return sorted({index for indices in found.values() for index in (indices[0], indices[-1])})


def positions_seen(case: Case, slot: int, axis: int) -> list[list[int]]:
    """Return, for each position of the output along an axis, which positions of one input change it in the oracle."""
    shapes, settings = case.shapes(case.sizes), case.defined(case.sizes)
    rng = np.random.default_rng(5)
    arrays = fixed_arrays(case, shapes, settings, rng)
    x = [rng.uniform(0.2, 0.8, shape) for shape in shapes]
    before = ORACLES[case.kind](x, settings, arrays)
    others = tuple(at for at in range(before.ndim) if at != 2 + axis)
    seen: list[list[int]] = [[] for _ in range(before.shape[2 + axis])]
    for position in range(shapes[slot][2 + axis]):
        moved = [array.copy() for array in x]
        plane = np.moveaxis(moved[slot], 2 + axis, 0)[position]
        plane += rng.uniform(30.0, 60.0, plane.shape)  # more than any maximum, another number at each place
        changed = (ORACLES[case.kind](moved, settings, arrays) != before).any(axis=others)
        for at in np.flatnonzero(changed):
            seen[at].append(position)
    return seen


JUDGED = judged()


def test_every_kind_that_reads_maps_has_a_field_to_judge() -> None:
    missing = (
        (COMPLETE & {case.kind for case in CASES})
        - NO_MAP_TO_COMPARE
        - WHOLE_MAP_STATISTICS
        - {CASES[index].kind for index in JUDGED}
    )
    assert not missing, f"add a case whose inputs are maps of one size to tests/harness/cases/ for {sorted(missing)}"


@pytest.mark.parametrize("index", JUDGED, ids=[CASES[index].id for index in JUDGED])
def test_the_planned_field_is_what_changes_the_output(index: int) -> None:
    """Compare windows within the map; where steps are no whole numbers, a window may be one position off."""
    case, field = CASES[index], field_of(CASES[index])
    assert field is not None
    cls = KINDS[case.kind]
    for slot in slots(case, object.__new__(cls)):
        for axis, (size, jump, start) in enumerate(zip(field.size, field.jump, field.start, strict=True)):
            exact = all(part == int(part) for part in (size, jump, start))
            for place, seen in enumerate(positions_seen(case, slot, axis)):
                first, last = start + place * jump, start + place * jump + size - 1
                if first < 0 or last >= case.shapes(case.sizes)[slot][2 + axis]:
                    continue
                right = (
                    (seen[:1], seen[-1:]) == ([first], [last])
                    if exact
                    else all(floor(first) - 1 <= position <= ceil(last) + 1 for position in seen)
                )
                assert right, (
                    f"`fields_of_view` or `mixes_positions` of {cls.__name__} in {file_of(cls)}: position {place} of "
                    f"axis {axis} depends on positions {seen} of the input, but {first} to {last} are planned"
                )
