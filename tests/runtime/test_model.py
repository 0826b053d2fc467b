"""What a model promises at its door: names, shapes, types, batches, seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import planner
from planner import layer
from planner.findings import SizeError
from planner.plan.plan import BoundPlan
from runtime.initializers import gain
from runtime.model import Model


def lenet(batch: int = 8, **options: Any) -> BoundPlan:
    layers = [
        layer("conv", name="c1", filters=6, kernel=5, act="tanh"),
        layer("avgpool", size=2),
        layer("conv", name="c3", filters=16, kernel=5, norm="batch", act="relu"),
        layer("maxpool", size=2),
        layer("flatten"),
        layer("dense", name="f6", units=84, act="tanh"),
        layer("dropout", rate=0.25),
        layer("dense", name="out", units=10),
    ]
    net = planner.Network(name="lenet", input={"image": ("N", 1, 28, 28)}, layers=layers, **options)
    return net.check().bind(N=batch)


def two_inputs(batch: int = 4) -> BoundPlan:
    layers = [
        layer("conv", name="a", from_="left", filters=3, kernel=3, pad=1),
        layer("relu", name="ra"),
        layer("conv", name="b", from_="right", filters=3, kernel=3, pad=1),
        layer("add", name="sum", from_=["ra", "b"]),
        layer("concat", name="both", from_=["sum", "ra", "left"]),
        layer("gap"),
        layer("flatten", name="small"),
    ]
    net = planner.Network(
        name="two",
        input={"left": ("N", 2, 6, 6), "right": ("N", 1, 6, 6)},
        layers=layers,
        output=["sum", "small"],
    )
    return net.check().bind(N=batch)


def digits(count: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(seed).standard_normal((count, 1, 28, 28)).astype(np.float32)


def message(error: pytest.ExceptionInfo[SizeError]) -> str:
    (finding,) = error.value.findings
    assert finding.fixes
    return f"{finding.code}: {finding.message} -> {finding.fixes[0]}"


def test_parameters_are_writable_views_of_one_row_in_the_order_of_the_plan() -> None:
    bound = lenet()
    model = Model(bound)
    assert model.flat_parameters.size == bound.parameter_count and model.flat_parameters.dtype == np.float32
    assert model.flat_buffers.size == bound.buffer_count == 32
    assert model.parameters["c1.weight"].shape == (6, 1, 5, 5)
    assert list(model.parameters)[:4] == ["c1.weight", "c1.bias", "c3.weight", "c3.bias"]
    model.parameters["c1.weight"][0, 0, 0, 0] = 7
    assert model.flat_parameters[0] == 7
    joined = np.concatenate([view.ravel() for view in model.parameters.values()])
    np.testing.assert_array_equal(joined, model.flat_parameters)
    assert model.flat_gradients.shape == model.flat_parameters.shape


def test_changing_a_parameter_changes_the_output() -> None:
    model = Model(lenet())
    x = digits(2)
    before = model(x)
    model.parameters["out.bias"][:] += 1
    np.testing.assert_allclose(model(x), before + 1, rtol=1e-5, atol=1e-5)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    x = digits(3)
    one, two, other = Model(lenet(), seed=1), Model(lenet(), seed=1), Model(lenet(), seed=2)
    np.testing.assert_array_equal(one(x), two(x))
    assert not np.array_equal(one(x), other(x))
    grad = np.ones((3, 10), np.float32)
    for left, right in zip(one.gradients(x, grad)[1:], two.gradients(x, grad)[1:], strict=True):
        assert left.keys() == right.keys()
        assert all(np.array_equal(left[name], right[name]) for name in left)


def test_weights_start_with_the_deviation_their_activation_asks_for_and_biases_at_zero() -> None:
    bound = lenet()
    assert [round(gain(bound, node), 3) for node in bound.nodes if node.parameters] == [1.667, 1.414, 1.414, 1.667, 1.0]
    model = Model(bound)
    weight = model.parameters["f6.weight"]
    assert abs(weight.std() / (5 / 3 / np.sqrt(256)) - 1) < 0.02
    assert not model.parameters["c1.bias"].any() and (model.parameters["c3.norm.weight"] == 1).all()
    assert (model.buffers["c3.norm.running_var"] == 1).all()


def test_a_seed_gives_the_same_network_in_both_dtypes() -> None:
    single = Model(lenet())
    double = Model(single.bound.plan.bind(N=8, dtype="float64"))
    np.testing.assert_array_equal(single.flat_parameters, double.flat_parameters.astype(np.float32))
    x = digits(2)
    assert double(x).dtype == np.float64
    np.testing.assert_allclose(single(x), double(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 21])
def test_any_number_of_images_gives_one_row_each_and_rows_do_not_depend_on_their_company(count: int) -> None:
    model = Model(lenet(batch=8))
    x = digits(21)
    everything = model(x)
    some = model(x[:count])
    assert some.shape == (count, 10) and some.dtype == np.float32
    np.testing.assert_allclose(some, everything[:count], rtol=1e-5, atol=1e-5)


def test_a_call_gives_an_array_of_its_own() -> None:
    model = Model(lenet())
    first = model(digits(8, seed=1))
    kept = first.copy()
    model(digits(8, seed=2))
    np.testing.assert_array_equal(first, kept)


def test_the_callers_images_are_never_changed() -> None:
    model = Model(lenet())
    x = digits(8)
    kept = x.copy()
    model(x)
    model.gradients(x, np.ones((8, 10)))
    np.testing.assert_array_equal(x, kept)


def test_integers_and_float64_are_converted_as_they_are() -> None:
    model = Model(lenet())
    x = np.random.default_rng(0).integers(0, 255, (2, 1, 28, 28))
    wanted = model(x.astype(np.float32))
    for dtype in (np.uint8, np.int64, np.float64):
        np.testing.assert_array_equal(model(x.astype(dtype)), wanted)
    np.testing.assert_array_equal(model(x.tolist()), wanted)
    strange = np.asfortranarray(x.astype(np.float32))
    np.testing.assert_array_equal(model(strange), wanted)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.zeros((1, 28, 28)), "R502: input `image` must be (N, 1, 28, 28), got (1, 28, 28) -> add the batch axis"),
        (np.zeros((5, 28, 28)), "R502: input `image` must be (N, 1, 28, 28), got (5, 28, 28) -> add the channel axis"),
        (np.zeros((5, 28, 28, 1)), "got (5, 28, 28, 1) -> the channels are last: give image.transpose(0, 3, 1, 2)"),
        (np.zeros((5, 1, 30, 31)), "got (5, 1, 30, 31) -> bind the plan at H=30, W=31"),
        (np.zeros(()), "must be (N, 1, 28, 28), got ()"),
        (np.zeros((1, 1, 28, 28), complex), "must hold real numbers, got complex128"),
        ([["a"]], "must hold real numbers, got <U1"),
        ([[1], [2, 3]], "must hold real numbers, got rows of different lengths"),
        ({}, "R502: nothing was given for input `image`"),
    ],
)
def test_images_that_do_not_fit_are_refused_with_what_was_expected_and_a_way_out(x: Any, expected: str) -> None:
    with pytest.raises(SizeError) as error:
        Model(lenet())(x)
    assert expected in message(error)


def test_several_inputs_and_outputs_go_by_name() -> None:
    model = Model(two_inputs())
    rng = np.random.default_rng(0)
    x = {"left": rng.standard_normal((3, 2, 6, 6)), "right": rng.standard_normal((3, 1, 6, 6))}
    found = model(x)
    assert isinstance(found, dict)
    assert {name: array.shape for name, array in found.items()} == {"sum": (3, 3, 6, 6), "small": (3, 8)}
    np.testing.assert_allclose(found["small"][:, :3], found["sum"].mean(axis=(2, 3)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["small"][:, 6:], x["left"].mean(axis=(2, 3)), rtol=1e-4, atol=1e-5)


def test_every_wrong_name_is_reported_at_once_with_the_nearest_one() -> None:
    with pytest.raises(SizeError) as error:
        Model(two_inputs())({"left": np.zeros((1, 2, 6, 6)), "rihgt": np.zeros((1, 1, 6, 6))})
    assert [finding.message for finding in error.value.findings] == [
        "nothing was given for input `right`",
        "the network has no input `rihgt`",
    ]
    assert error.value.findings[1].fixes == ("did you mean `right`?",)


def test_inputs_with_different_numbers_of_images_are_refused() -> None:
    with pytest.raises(SizeError) as error:
        Model(two_inputs())({"left": np.zeros((1, 2, 6, 6)), "right": np.zeros((2, 1, 6, 6))})
    assert "same number of images, got `left` 1, `right` 2" in message(error)


def test_one_array_for_two_inputs_is_refused_with_the_names() -> None:
    with pytest.raises(SizeError) as error:
        Model(two_inputs())(np.zeros((1, 2, 6, 6)))
    assert 'give {"left": ..., "right": ...}' in message(error)


def test_what_is_no_bound_plan_is_refused() -> None:
    with pytest.raises(SizeError) as error:
        Model(lenet().plan)  # type: ignore[arg-type]  # the mistake under test
    assert "R513: a model takes a bound plan, got Plan -> give net.check().bind(N=..., ...)" in message(error)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "a"])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    with pytest.raises(SizeError) as error:
        Model(lenet(), seed=seed)
    assert "a seed must be a non-negative integer" in message(error)


def test_more_training_images_than_planned_are_refused() -> None:
    model = Model(lenet(batch=2))
    with pytest.raises(SizeError) as error:
        model.gradients(digits(3), np.ones((3, 10)))
    assert "takes 1 to 2 images, got 3 -> bind the plan with N=3" in message(error)
    with pytest.raises(SizeError) as error:
        model.training_program(0)
    assert "got 0" in message(error)


def test_gradients_of_other_shapes_or_counts_than_the_outputs_are_refused() -> None:
    model = Model(lenet())
    with pytest.raises(SizeError) as error:
        model.gradients(digits(3), np.ones((3, 9)))
    assert "gradient of output `out` must be (N, 10), got (3, 9)" in message(error)
    with pytest.raises(SizeError) as error:
        model.gradients(digits(3), np.ones((2, 10)))
    assert "the inputs hold 3 images, but the gradients of the outputs 2" in message(error)


def projected(model: Model, x: dict[str, Any], grad: dict[str, Any]) -> float:
    outputs, _, _ = model.gradients(x, grad)
    assert isinstance(outputs, dict)
    return float(sum((outputs[name] * grad[name]).sum() for name in grad))


def test_gradients_with_branches_and_several_outputs_are_those_of_finite_differences() -> None:
    model = Model(two_inputs().plan.bind(N=4, dtype="float64"))
    rng = np.random.default_rng(0)
    x = {name: rng.standard_normal((3, *shape[1:])) for name, shape in model.bound.input_shapes.items()}
    grad = {name: rng.standard_normal((3, *shape[1:])) for name, shape in model.bound.output_shapes.items()}
    _, grad_inputs, grad_parameters = model.gradients(x, grad)
    step = 1e-6
    for name in x:
        direction = rng.standard_normal(x[name].shape)
        ends = [projected(model, {**x, name: x[name] + sign * step * direction}, grad) for sign in (1, -1)]
        assert (grad_inputs[name] * direction).sum() == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)
    for name, view in model.parameters.items():
        direction, kept, ends = rng.standard_normal(view.shape), view.copy(), []
        for sign in (1, -1):
            view[...] = kept + sign * step * direction
            ends.append(projected(model, x, grad))
        view[...] = kept
        assert (grad_parameters[name] * direction).sum() == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)


def test_two_public_names_for_one_layer_add_their_gradients() -> None:
    layers = [layer("conv", name="c", filters=2, kernel=3, act="tanh")]
    net = planner.Network(name="t", input={"x": ("N", 1, 5, 5)}, layers=layers, output=["c", "c.act"])
    both = Model(net.check().bind(N=2))
    one = Model(planner.Network(name="t", input={"x": ("N", 1, 5, 5)}, layers=layers).check().bind(N=2))
    rng = np.random.default_rng(0)
    x, first, second = (rng.standard_normal(shape) for shape in [(2, 1, 5, 5), (2, 2, 3, 3), (2, 2, 3, 3)])
    _, found, _ = both.gradients(x, {"c": first, "c.act": second})
    _, wanted, _ = one.gradients(x, first + second)
    np.testing.assert_allclose(found["x"], wanted["x"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("count", [1, 3])
def test_what_gradients_returns_is_the_callers(count: int) -> None:
    model = Model(lenet())
    kept = []
    for seed in (1, 2):
        outputs, grad_inputs, grad_parameters = model.gradients(digits(count, seed), np.ones((count, 10)))
        arrays = [outputs, *grad_inputs.values(), *grad_parameters.values()]
        kept.append((arrays, [array.copy() for array in arrays]))
        assert all(array.flags.c_contiguous for array in arrays)
    for arrays, copies in kept:
        assert all(np.array_equal(array, copy) for array, copy in zip(arrays, copies, strict=True))


def test_training_moves_running_statistics_and_inference_does_not() -> None:
    model = Model(lenet())
    kept = model.flat_buffers.copy()
    model(digits(8))
    np.testing.assert_array_equal(model.flat_buffers, kept)
    model.gradients(digits(8), np.ones((8, 10)))
    assert not np.array_equal(model.flat_buffers, kept)


def test_a_network_input_that_lends_its_shape_alone_has_a_gradient_of_zeros() -> None:
    layers = [layer("relu", name="r", from_="x"), layer("crop", name="c", from_=["r", "like"])]
    net = planner.Network(name="t", input={"x": ("N", 3, 6, 6), "like": ("N", 1, 4, 4)}, layers=layers)
    model = Model(net.check().bind(N=2))
    rng = np.random.default_rng(0)
    given = {"x": rng.standard_normal((2, 3, 6, 6)), "like": rng.standard_normal((2, 1, 4, 4))}
    _, grads, _ = model.gradients(given, np.ones((2, 3, 4, 4)))
    assert grads["like"].shape == (2, 1, 4, 4) and not grads["like"].any()
    np.testing.assert_array_equal(grads["x"][:, :, 1:5, 1:5], given["x"][:, :, 1:5, 1:5] > 0)
