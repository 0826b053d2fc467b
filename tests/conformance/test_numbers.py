"""Every layer kind computes what its definition says: values, gradients, alone and in company, in any memory.

Judges: the loops of :mod:`tests.harness.naive`, finite differences of them, and PyTorch where it is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

import planner.lowering.segments as segments
import runtime
from planner import Entry
from planner.layers import KINDS
from planner.layers.tiling.shards import SHARD_ELEMENTS
from planner.lowering.node import DType
from planner.plan.plan import BoundPlan
from runtime.kernels.base import Arrays, kernel_for
from tests.harness import build, naive
from tests.harness.cases import CASES, Case, away_from_kinks
from tests.harness.naive import Array

every_case = pytest.mark.parametrize("index", range(len(CASES)), ids=[case.id for case in CASES])
deterministic = [index for index, case in enumerate(CASES) if not KINDS[case.kind].random]
by_channel = [index for index in deterministic if KINDS[CASES[index].kind].by_channel]
every_deterministic_case = pytest.mark.parametrize("index", deterministic, ids=[CASES[i].id for i in deterministic])

Floats = npt.NDArray[np.floating]
"""Of either precision."""

EXACT = 1e-11
"""Relative to the largest number: float64 sums of at most a thousand products err by 1000 * 1.1e-16 of their size."""

SINGLE = 3e-5
"""The same for float32: a few hundred products at 6e-8 each, all erring the same way, which they never do."""

STEP = 1e-5
"""Of central differences: truncation err about STEP^2, rounding about 1e-13 / STEP, both far below `SLOPE`."""

SLOPE = 1e-6
"""How far a directional derivative may be from its central difference, relative to 1 and to itself."""


def close(actual: Floats, expected: Floats, tolerance: float) -> None:
    """Assert that arrays agree up to `tolerance` times the largest expected number."""
    assert actual.shape == expected.shape
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale)


def prepared(
    case: Case, layers: list[Entry], rng: np.random.Generator, dtype: DType = "float64"
) -> tuple[BoundPlan, runtime.Model, dict[str, Array]]:
    """Return a bound plan, its model with random arrays, and inputs away from kinks."""
    bound = build.bind(build.plan_of(case, layers), case.sizes, dtype)
    model = runtime.Model(bound, seed=0)
    build.fill(model, rng)
    shapes = dict(zip(build.inputs_of(case), case.shapes(case.sizes), strict=True))
    x = {n: away_from_kinks(shape, rng, 0.07 * i).astype(dtype) for i, (n, shape) in enumerate(shapes.items())}
    return bound, model, x


@every_case
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", EXACT), ("float32", SINGLE)])
def test_values_are_those_of_the_definition(index: int, dtype: DType, tolerance: float) -> None:
    case, plan = CASES[index], build.plan_alone(index)
    rng = np.random.default_rng(index)
    some = [*build.some_sizes(case)]
    for sizes in some[4::3] if dtype == "float64" else some[-1:]:
        if not plan.accepts(**sizes):
            continue
        bound = build.bind(plan, sizes, dtype)
        model = runtime.Model(bound, seed=0)
        build.fill(model, rng)
        x = build.random_inputs(bound, rng)
        output = model(build.feed(x))
        assert output.dtype == dtype
        doubles = {name: array.astype(np.float64) for name, array in x.items()}
        expected = build.perform(build.layers_alone(case), doubles, build.arrays_of(model), sizes, training=False)
        close(output, expected, tolerance)


def check_gradients(case: Case, layers: list[Entry], seed: int) -> None:
    """Assert that a model's training output and gradients agree with the definition's central differences."""
    rng = np.random.default_rng(seed)
    _, model, x = prepared(case, layers, rng)
    arrays = build.arrays_of(model)

    def output(inputs: Mapping[str, Array], parameters: Mapping[str, Array]) -> Array:
        return build.perform(layers, inputs, parameters, case.sizes, training=True)

    expected = output(x, arrays)
    projection = rng.standard_normal(expected.shape)
    told, grad_inputs, grad_parameters = model.gradients(build.feed(x), projection)
    close(told, expected, EXACT)
    assert set(grad_inputs) == set(x)
    assert set(grad_parameters) == set(model.parameters)

    def slope(name: str, along: Array) -> float:
        """Return the central difference of <output, projection> when one array moves along a direction."""
        ends = []
        for step in (STEP, -STEP):
            inputs = {**x, name: x[name] + step * along} if name in x else x
            parameters = {**arrays, name: arrays[name] + step * along} if name in arrays else arrays
            ends.append(float((output(inputs, parameters) * projection).sum()))
        return (ends[0] - ends[1]) / (2 * STEP)

    for name, gradient in {**grad_inputs, **grad_parameters}.items():
        along = rng.standard_normal(gradient.shape)
        projected = float((gradient * along).sum())
        assert projected == pytest.approx(slope(name, along), rel=SLOPE, abs=SLOPE), name


@every_deterministic_case
def test_gradients_alone_are_the_slopes_of_the_definition(index: int) -> None:
    check_gradients(CASES[index], build.layers_alone(CASES[index]), seed=index)


@every_deterministic_case
def test_gradients_of_a_single_image_are_the_slopes_of_the_definition(index: int) -> None:
    case = CASES[index]
    if case.kind == "batchnorm" and len(case.inputs[0]) == 2:
        pytest.skip("one number a feature has no variance")
    check_gradients(replace(case, at={**case.at, "N": 1}), build.layers_alone(case), seed=index)


@pytest.mark.parametrize("index", by_channel, ids=[CASES[i].id for i in by_channel])
def test_sharing_the_channels_among_shards_changes_no_bit(index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[index]
    found: list[list[Floats]] = []
    for worth in (SHARD_ELEMENTS, 1):
        monkeypatch.setattr(segments, "SHARD_ELEMENTS", worth)
        bound, model, x = prepared(case, build.layers_in_company(case, False), np.random.default_rng(index), "float32")
        every = [(segment, node) for segment in segments.segments(bound.nodes) for node in segment.nodes]
        shards = [len(segment.shards) for segment, node in every if node.kind == case.kind]
        assert shards
        assert worth > 1 or max(shards) > 1 or _repeats_channels(bound, case.kind)
        inference = model(build.feed(x))
        outputs, grad_inputs, grad_parameters = model.gradients(build.feed(x), np.ones_like(inference))
        found.append([inference, outputs, *grad_inputs.values(), *grad_parameters.values(), model.flat_buffers])
    for whole, cut in zip(*found, strict=True):
        np.testing.assert_array_equal(whole, cut)


def _repeats_channels(bound: BoundPlan, kind: str) -> bool:
    """Tell whether all layers of a kind have a single channel, or repeat one."""
    shapes = [shape for node in bound.nodes if node.kind == kind for shape in (*node.input_shapes, node.output_shape)]
    return min(shape[1] for shape in shapes) == 1


@every_deterministic_case
@pytest.mark.parametrize("batch", [1, 3])
def test_results_belong_to_the_caller_and_survive_the_next_step(index: int, batch: int) -> None:
    case = replace(CASES[index], at={**CASES[index].at, "N": batch})
    if case.kind == "batchnorm" and len(case.inputs[0]) == 2 and batch == 1:
        pytest.skip("one number a feature has no variance")
    rng = np.random.default_rng(index)
    bound, model, x = prepared(case, build.layers_alone(case), rng)
    results = [model(build.feed(x))]
    outputs, grad_inputs, grad_parameters = model.gradients(build.feed(x), np.ones_like(results[0]))
    results += [outputs, *grad_inputs.values(), *grad_parameters.values()]
    before = [array.copy() for array in results]
    other = build.random_inputs(bound, rng)
    model.gradients(build.feed(other), 2 * np.ones_like(results[0]))
    model(build.feed(other))
    assert all((array == copy).all() for array, copy in zip(results, before, strict=True))


@every_deterministic_case
@pytest.mark.parametrize("forked", [False, True], ids=["chain", "fork"])
def test_gradients_in_company_are_the_slopes_of_the_definition(index: int, forked: bool) -> None:
    check_gradients(CASES[index], build.layers_in_company(CASES[index], forked), seed=index)


@pytest.mark.other_frameworks
@every_deterministic_case
def test_values_and_gradients_are_those_of_torch(index: int) -> None:
    torch = pytest.importorskip("torch")
    from tests.harness.torch_judge import FUNCTIONS, NoOpinionError

    case = CASES[index]
    rng = np.random.default_rng(index)
    layers = build.layers_alone(case)
    precisions: tuple[tuple[DType, float], ...] = (("float64", EXACT), ("float32", SINGLE))
    for dtype, tolerance in precisions:
        _, model, x = prepared(case, layers, rng, dtype)
        arrays = build.owned(build.arrays_of(model), build.TESTED)
        leaves = [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in x.values()]
        owned = {
            name: torch.tensor(array, dtype=torch.float64, requires_grad=f"{build.TESTED}.{name}" in model.parameters)
            for name, array in arrays.items()
        }
        kind = "flatten" if case.kind == "input" else case.kind
        assert kind in FUNCTIONS, f"add PyTorch's function of `{kind}` to tests/harness/torch_judge/"
        try:
            judged = FUNCTIONS[kind](leaves, case.defined(case.sizes), owned, True)
        except NoOpinionError as reason:
            pytest.skip(f"torch: {reason}")
        projection = rng.standard_normal(tuple(judged.shape)).astype(dtype)
        judged.backward(torch.tensor(projection, dtype=torch.float64))
        told, grad_inputs, grad_parameters = model.gradients(build.feed(x), projection)
        close(told, judged.detach().numpy(), tolerance)
        for name, leaf in zip(x, leaves, strict=True):
            close(grad_inputs[name], leaf.grad.numpy(), tolerance)
        for name, leaf in owned.items():
            if leaf.requires_grad:
                close(grad_parameters[f"{build.TESTED}.{name}"], leaf.grad.numpy(), tolerance)


@pytest.mark.parametrize(
    "index",
    [i for i, case in enumerate(CASES) if case.kind == "batchnorm" or case.settings.get("running")],
    ids=lambda index: CASES[index].id,
)
def test_running_statistics_move_as_defined_while_training_and_stay_at_inference(index: int) -> None:
    case = CASES[index]
    rng = np.random.default_rng(index)
    _, model, x = prepared(case, build.layers_alone(case), rng)
    before = build.owned(build.arrays_of(model), build.TESTED)
    output = model(build.feed(x))
    assert all((build.arrays_of(model)[f"{build.TESTED}.{name}"] == array).all() for name, array in before.items())
    model.gradients(build.feed(x), np.zeros_like(output))
    settings = {key: value for key, value in case.settings.items() if key in ("eps", "momentum")}
    statistics = before["running_mean"], before["running_var"]
    # An instance norm moves by the mean of what each image would have moved it.
    parts = [x["x0"]] if case.kind == "batchnorm" else [image[None] for image in x["x0"]]
    moved = [naive.batch_norm(part, None, None, *statistics, training=True, **settings) for part in parts]
    mean, var = (np.mean([each[which] for each in moved], axis=0) for which in (1, 2))
    close(model.buffers[f"{build.TESTED}.running_mean"], mean, EXACT)
    close(model.buffers[f"{build.TESTED}.running_var"], var, EXACT)


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.9])
def test_dropout_zeroes_its_share_scales_the_rest_and_sends_gradients_the_same_way(rate: float) -> None:
    case = Case("dropout", {"rate": rate}, (("N", 8, "H", "W"),), at={"N": 8, "H": 16, "W": 16})
    for layers in (build.layers_alone(case), build.layers_in_company(case, forked=False)[:-1]):
        rng = np.random.default_rng(5)
        _, model, x = prepared(case, layers, rng)
        doubled = len(layers) == 2
        projection = rng.standard_normal(x["x0"].shape)
        first, grad_inputs, _ = model.gradients(build.feed(x), projection)
        # Copies: a later step may reuse the memory.
        first, gradient = first.copy(), grad_inputs["x0"].copy()
        kept = first != 0
        incoming = x["x0"] * 2 if doubled else x["x0"]
        close(first, np.where(kept, incoming / (1 - rate), 0.0), EXACT)
        close(gradient, np.where(kept, projection * (2 if doubled else 1) / (1 - rate), 0.0), EXACT)
        # The share of 16,384 draws strays from its probability by less than five standard deviations.
        assert abs(float((~kept).mean()) - rate) <= 5 * np.sqrt(rate * (1 - rate) / kept.size)
        second, _, _ = model.gradients(build.feed(x), projection)
        assert rate == 0.0 or ((second != 0) != kept).any(), "the same numbers were dropped twice"
        close(model(build.feed(x)), incoming, EXACT)


def separately(bound: BoundPlan, model: runtime.Model, x: Mapping[str, Floats]) -> Floats:
    """Return the inference result of a plan with every kernel writing into memory of its own."""
    values: dict[str, Floats] = {}
    for node in bound.nodes:
        if node.kind == "input":
            values[node.name] = np.ascontiguousarray(np.moveaxis(x[node.name], 0, -1))
            continue
        inputs = tuple(values[source] for source in node.inputs)
        shape = (*node.output_shape[1:], node.output_shape[0])
        saved = node.layer.saved(node.input_shapes, node.output_shape)
        elements = node.layer.workspace(node.input_shapes, node.output_shape, training=False)
        arrays = Arrays(
            inputs=inputs,
            output=inputs[0].reshape(shape) if node.layer.alias else np.full(shape, np.nan, bound.dtype),
            parameters={name: model.parameters[f"{node.name}.{name}"] for name in node.parameters},
            buffers={name: model.buffers[f"{node.name}.{name}"] for name in node.buffers},
            saved={name: np.zeros(tuple(map(int, size)), bound.dtype) for name, size in saved.items()},
            workspace=np.full(elements, np.nan, bound.dtype),
            backward_workspace=np.full(0, np.nan, bound.dtype),
            grad_output=None,
            grad_inputs=(None,) * len(inputs),
            grad_parameters={},
            rng=np.random.default_rng(0),
        )
        kernel_for(node.layer)(node, arrays, False).forward()
        values[node.name] = arrays.output
    return np.moveaxis(values[bound.nodes[-1].name], -1, 0)


@every_case
@pytest.mark.parametrize("forked", [False, True], ids=["chain", "fork"])
def test_the_arena_gives_the_same_bits_as_separate_memory(index: int, forked: bool) -> None:
    case = CASES[index]
    bound, model, x = prepared(case, build.layers_in_company(case, forked), np.random.default_rng(index), "float32")
    in_arena = model(build.feed(x))
    assert in_arena.tobytes() == np.ascontiguousarray(separately(bound, model, x)).tobytes()


@every_case
def test_a_smaller_batch_gives_the_same_numbers(index: int) -> None:
    case = CASES[index]
    layers = build.layers_in_company(case, forked=True)
    bound = build.bind(build.plan_of(case, layers), {**case.sizes, "N": 5}, "float64")
    model = runtime.Model(bound, seed=0)
    build.fill(model, np.random.default_rng(index))
    x = build.random_inputs(bound, np.random.default_rng(index))
    whole = model(build.feed(x)).copy()
    for rows in (3, 1):
        part = model(build.feed({name: array[:rows] for name, array in x.items()}))
        close(part, whole[:rows], EXACT)
    longer = {name: np.concatenate([array, array[:2]]) for name, array in x.items()}
    close(model(build.feed(longer)), np.concatenate([whole, whole[:2]]), EXACT)
