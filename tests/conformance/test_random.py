"""Window layers with settings nobody thought of, alone and in chains: planner, runtime and oracle agree.

Hypothesis draws the settings; the cases people thought of are in :mod:`tests.harness.cases`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import planner
import planner.symbols as sy
import runtime
from planner import layer
from tests.conformance.test_numbers import EXACT, close
from tests.harness import build, naive
from tests.harness.cases import ORACLES, Case, fixed_arrays, result

small = st.integers(1, 4)


def sides(most: tuple[int, int]) -> st.SearchStrategy[list[int]]:
    """Return strategies for padding at the top, bottom, left and right."""
    high, wide = st.integers(0, most[0]), st.integers(0, most[1])
    return st.tuples(high, high, wide, wide).map(list)


@st.composite
def window_cases(draw: st.DrawFn) -> Case:
    """Return a convolution or pooling of four channels."""
    kind = draw(st.sampled_from(["conv", "maxpool", "avgpool", "sumpool"]))
    window = [draw(small), draw(small)]
    chosen: dict[str, Any] = {"stride": [draw(small), draw(small)]}
    if kind == "conv":
        groups = draw(st.sampled_from([1, 2, 4]))
        chosen |= {"kernel": window, "filters": groups * draw(st.integers(1, 2)), "groups": groups}
        chosen["pad"] = draw(st.one_of(st.just("same"), sides((4, 4))))
    else:
        # More padding than half a window is refused by rule S206, whatever the size.
        chosen |= {"size": window, "pad": draw(st.one_of(st.just("same"), sides((window[0] // 2, window[1] // 2))))}
        chosen["rounding"] = draw(st.sampled_from(["floor", "ceil", "exact"]))
    if kind == "avgpool":
        chosen["count_include_pad"] = draw(st.booleans())
    if kind in ("conv", "maxpool"):
        chosen["dilation"] = [draw(st.integers(1, 3)), draw(st.integers(1, 3))]
    return Case(kind, chosen)


@settings(max_examples=150)
@given(window_cases(), st.integers(1, 3), st.integers(1, 12), st.integers(1, 12))
def test_any_window_runs_where_the_definition_has_a_result_and_gives_its_numbers(
    case: Case, batch: int, height: int, width: int
) -> None:
    sizes = {"N": batch, "H": height, "W": width}
    plan = build.plan_of(case, build.layers_alone(case))
    rng = np.random.default_rng(0)
    shapes = case.shapes(sizes)
    arrays = fixed_arrays(case, shapes, case.settings, rng)
    x = rng.standard_normal(shapes[0])
    expected = result(ORACLES[case.kind], [x], case.settings, arrays)
    assert plan.accepts(**sizes) == (expected is not None)
    if expected is None:
        return
    model = runtime.Model(build.bind(plan, sizes, "float64"), seed=0)
    for name, array in arrays.items():
        model.parameters[f"{build.TESTED}.{name}"][...] = array
    close(model(x), expected, EXACT)


@settings(max_examples=25)
@given(st.lists(window_cases(), min_size=2, max_size=5), st.integers(1, 40))
def test_a_chain_of_windows_has_the_planned_size_for_every_image(cases: list[Case], width: int) -> None:
    layers = [
        layer(case.kind, name=f"l{index}", **{**case.settings, **({"groups": 1} if case.kind == "conv" else {})})
        for index, case in enumerate(cases)
    ]
    network = planner.Network(name="chain", input={"image": ("N", 4, "H", "W")}, layers=layers)
    plan = planner.diagnose(network).plan
    for height in range(1, 41, 3):
        found = chain_sizes(cases, height, width)
        sizes = {"N": 1, "H": height, "W": width}
        assert (plan is not None and plan.accepts(**sizes)) == (found is not None), sizes
        if plan is not None and found is not None:
            (shape,) = plan.output_shapes.values()
            assert tuple(sy.evaluate(size, sizes) for size in shape[2:]) == found
            assert build.bind(plan, sizes).nodes[-1].output_shape[2:] == found


def chain_sizes(cases: list[Case], height: int, width: int) -> tuple[int, int] | None:
    """Return the size of the last map by sliding every window, or None where one of them has no place."""
    for case in cases:
        chosen = case.settings
        kernel = chosen["kernel"] if case.kind == "conv" else chosen["size"]
        dilation, rounding = chosen.get("dilation", 1), chosen.get("rounding", "floor")
        try:
            (rows, columns), _ = naive.windows_of(
                np.zeros((1, 1, height, width)), kernel, chosen["stride"], chosen["pad"], dilation, rounding
            )
        except naive.NoResult:
            return None
        blind = not all(naive.seen(taps, height) for taps in rows) or not all(
            naive.seen(taps, width) for taps in columns
        )
        if case.kind != "conv" and blind:
            return None
        height, width = len(rows), len(columns)
    return height, width
