"""Slices, splits, permutations and arithmetic with settings nobody thought of: planner, runtime and oracle agree."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import planner
import runtime
from planner import Entry, Network, layer
from tests.conformance.test_numbers import EXACT, close
from tests.harness.cases import ORACLES, result
from tests.harness.naive import Array

sides = st.integers(1, 7)
axes = st.sampled_from([1, 2, 3, -1, -2, -3])


@st.composite
def cuts(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Return a kind of layer with settings, which need not fit."""
    kind = draw(st.sampled_from(["slice", "split", "permute", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle"]))
    if kind == "slice":
        chosen: dict[str, Any] = {
            "start": draw(st.integers(-8, 8)),
            "step": draw(st.integers(1, 4)),
            "axis": draw(axes),
        }
        return kind, chosen | ({"stop": draw(st.integers(-8, 8))} if draw(st.booleans()) else {})
    if kind == "split":
        parts = draw(st.integers(1, 4) | st.lists(sides, min_size=1, max_size=4))
        last = (parts if isinstance(parts, int) else len(parts)) - 1
        return kind, {"parts": parts, "part": draw(st.integers(0, last)), "axis": draw(axes)}
    if kind == "permute":
        return kind, {"order": draw(st.permutations([1, 2, 3]))}
    return kind, {"groups" if kind == "channel_shuffle" else "scale": draw(st.integers(1, 3))}


def judge(entry: Entry, named: dict[str, tuple[int, ...]], x: dict[str, Array]) -> None:
    """Assert that a layer on concrete inputs is refused, or gives the numbers and the gradient of its definition."""
    expected = result(ORACLES[entry.kind], list(x.values()), entry.settings, {})
    network = Network(name="one", input=named, layers=[entry])
    plan = planner.diagnose(network).plan
    assert (plan is not None) == (expected is not None), entry
    if plan is None or expected is None:
        return
    model = runtime.Model(plan.bind(dtype="float64"), seed=0)
    given_x: Any = next(iter(x.values())) if len(x) == 1 else x
    close(model(given_x), expected, EXACT)
    projection = np.random.default_rng(1).standard_normal(expected.shape)
    _, grads, _ = model.gradients(given_x, projection)
    if entry.kind in ("add", "subtract") or len(x) == 1:  # linear: <g, f(x)> = <f'(g), x>
        both = sum(float((grads[name] * x[name]).sum()) for name in x)
        assert abs(both - float((projection * expected).sum())) < 1e-9 * max(1.0, projection.size)


@settings(max_examples=200)
@given(cuts(), st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 3, 4, 6, 8, 9]), sides, sides))
def test_any_cut_runs_where_the_definition_has_a_result(
    cut: tuple[str, dict[str, Any]], shape: tuple[int, ...]
) -> None:
    kind, chosen = cut
    x = np.random.default_rng(0).standard_normal(shape)
    judge(layer(kind, name="t", **chosen), {"x": shape}, {"x": x})


@settings(max_examples=150)
@given(
    st.sampled_from(["add", "subtract", "multiply", "maximum"]),
    st.tuples(sides, sides, sides),
    st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=2, max_size=4),
    st.integers(0, 3),
)
def test_any_arithmetic_runs_where_the_definition_has_a_result(
    kind: str, sizes: tuple[int, ...], kept: list[tuple[bool, ...]], faults: int
) -> None:
    shapes = [tuple(size if whole else 1 for size, whole in zip(sizes, each, strict=True)) for each in kept]
    if faults == 3:  # now and then something that does not fit
        shapes[-1] = (*shapes[-1][:2], shapes[-1][2] + 1)
    named = {f"x{index}": (2, *shape) for index, shape in enumerate(shapes)}
    rng = np.random.default_rng(0)
    judge(layer(kind, name="t", from_=list(named)), named, {name: rng.standard_normal(s) for name, s in named.items()})
