"""Where definitions get delicate: large numbers, kinks, ties, and layers that share memory unusually."""

from __future__ import annotations

import numpy as np
import pytest

import planner
import runtime
from planner import Entry, layer
from planner.layers import KINDS
from tests.conformance.test_numbers import EXACT, SINGLE, check_gradients, close
from tests.harness import build, naive
from tests.harness.cases import CASES, ORACLES, Case

ACTIVATIONS = sorted(kind for kind, made in KINDS.items() if made.category == "act" and not made.random)
LARGE = np.array([[-1e4, -800.0, -88.0, -20.0, -1e-6, 0.0, 1e-6, 20.0, 88.0, 800.0, 1e4, 3.0]])
"""Beyond what exp can hold in either precision, and around zero."""


def model_of(entries: list[Entry], shape: tuple[int, ...], dtype: str = "float64") -> runtime.Model:
    """Return a model of some layers on one input `x0` of fixed shape."""
    plan = planner.Network(name="edge", input={"x0": shape}, layers=entries).check()
    return runtime.Model(plan.bind(dtype="float64" if dtype == "float64" else "float32"), seed=0)


@pytest.mark.parametrize("kind", ACTIVATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", EXACT), ("float32", SINGLE)])
def test_activations_survive_numbers_that_exp_does_not(kind: str, dtype: str, tolerance: float) -> None:
    model = model_of([layer(kind, name="t")], LARGE.shape, dtype)
    x = LARGE.astype(dtype)
    expected = ORACLES[kind]([x.astype(np.float64)], {}, build.owned(build.arrays_of(model), "t"))
    # Number by number: next to 1e4 an error of 0.1 would pass for small.
    output = model(x)
    np.testing.assert_allclose(output, expected, rtol=tolerance, atol=tolerance)
    _, grad_inputs, _ = model.gradients(x, np.ones_like(x))
    assert np.isfinite(grad_inputs["x0"]).all()


@pytest.mark.parametrize(
    ("kind", "at", "slope"),
    [
        ("relu", 0.0, 0.0),
        ("relu6", 0.0, 0.0),
        ("relu6", 6.0, 0.0),
        ("leaky_relu", 0.0, 0.01),
        ("prelu", 0.0, 0.25),
        ("hard_sigmoid", -3.0, 0.0),
        ("hard_sigmoid", 3.0, 0.0),
        ("hard_swish", -3.0, 0.0),
        ("hard_swish", 3.0, 1.0),
    ],
)
def test_slopes_at_kinks_are_those_pytorch_users_know(kind: str, at: float, slope: float) -> None:
    model = model_of([layer(kind, name="t")], (1, 1))
    _, grad_inputs, _ = model.gradients(np.array([[at]]), np.array([[1.0]]))
    assert grad_inputs["x0"].item() == slope


@pytest.mark.parametrize(
    "entry",
    [
        layer("gmp", name="t"),
        layer("maxpool", name="t", size=2),
        layer("maxpool", name="t", size=3, stride=1, pad=1),
        layer("maxpool", name="t", size=3, stride=2, rounding="ceil"),
    ],
    ids=["gmp", "apart", "overlapping", "overhanging"],
)
def test_equal_maxima_share_one_gradient_and_do_not_multiply_it(entry: Entry) -> None:
    shape = (2, 3, 6, 6)
    model = model_of([entry], shape)
    for x in (np.zeros(shape), np.round(np.random.default_rng(0).uniform(0, 2, shape))):
        output = model(x)
        projection = np.random.default_rng(1).uniform(1, 2, output.shape)
        _, grad_inputs, _ = model.gradients(x, projection)
        gradient = grad_inputs["x0"]
        np.testing.assert_allclose(gradient.sum((2, 3)), projection.sum((2, 3)), rtol=1e-12)
        assert (gradient >= 0).all()


def test_maxima_of_negative_numbers_never_come_from_padding() -> None:
    x = np.full((1, 2, 5, 5), -3.0)
    for dtype in ("float64", "float32"):
        assert (model_of([layer("maxpool", size=3, stride=2, pad=1)], x.shape, dtype)(x) == -3).all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_batch_norm_of_numbers_far_from_zero_keeps_its_precision(dtype: str) -> None:
    # E[x^2] - E[x]^2 would lose everything here in float32.
    x = (1000 + np.random.default_rng(0).standard_normal((8, 2, 6, 6))).astype(dtype)
    model = model_of([layer("batchnorm", name="t")], x.shape, dtype)
    output, _, _ = model.gradients(x, np.zeros_like(x))
    one, zero = np.ones(2), np.zeros(2)
    expected, _, var = naive.batch_norm(x.astype(np.float64), one, zero, zero, one, training=True)
    # The mean of numbers near 1000 is known to 1000 * 6e-8 in float32.
    close(output, expected, 1e-10 if dtype == "float64" else 2e-4)
    close(model.buffers["t.running_var"], var, 1e-10 if dtype == "float64" else 2e-4)


MAP = Case("add", at={"H": 5, "W": 6})
"""Lends the webs its input."""

WEBS: dict[str, list[Entry]] = {
    # An activation must not write over what another layer reads later.
    "read twice": [
        layer("conv", name="a", filters=4, kernel=1),
        layer("tanh", name="b", from_="a"),
        layer("sigmoid", name="c", from_="a"),
        layer("add", name="d", from_=("b", "c", "a")),
    ],
    # What batch norm and convolution keep for their backward pass must outlive activations behind them.
    "kept": [
        layer("conv", name="a", filters=4, kernel=3, pad=1),
        layer("batchnorm", name="b"),
        layer("sigmoid", name="c"),
        layer("conv", name="d", filters=3, kernel=3, pad=1),
        layer("elu", name="e"),
        layer("softplus", name="f"),
    ],
    # Concatenation of views and of the same tensor twice.
    "concat of concat": [
        layer("conv", name="a", filters=2, kernel=1),
        layer("tanh", name="b"),
        layer("concat", name="c", from_=("a", "b", "a")),
        layer("concat", name="d", from_=("c", "b")),
        layer("conv", name="e", filters=3, kernel=1),
    ],
    # Flatten is an alias: what is written behind it must not reach the map another branch still reads.
    "alias": [
        layer("conv", name="a", filters=2, kernel=3),
        layer("flatten", name="b"),
        layer("tanh", name="c"),
        layer("flatten", name="d", from_="a"),
        layer("sigmoid", name="e"),
        layer("add", name="f", from_=("c", "e")),
        layer("dense", name="g", units=3),
    ],
    "residual": [
        layer("conv", name="a", filters=4, kernel=3, pad=1, norm=None),
        layer("elu", name="b"),
        layer("conv", name="c", filters=4, kernel=3, pad=1),
        layer("add", name="d", from_=("b", "c")),
        layer("elu", name="e"),
        layer("gap", name="f"),
        layer("flatten", name="g"),
        layer("log_softmax", name="h"),
    ],
}


@pytest.mark.parametrize("web", WEBS)
def test_layers_that_share_memory_still_have_the_slopes_of_the_definition(web: str) -> None:
    check_gradients(MAP, WEBS[web], seed=3)


@pytest.mark.parametrize("web", WEBS)
def test_layers_that_share_memory_still_have_the_values_of_the_definition(web: str) -> None:
    bound = build.bind(build.plan_of(MAP, WEBS[web]), MAP.sizes, "float64")
    model = runtime.Model(bound, seed=0)
    rng = np.random.default_rng(0)
    build.fill(model, rng)
    x = build.random_inputs(bound, rng)
    expected = build.perform(WEBS[web], x, build.arrays_of(model), MAP.sizes, training=False)
    close(model(build.feed(x)), expected, EXACT)


def test_every_activation_is_a_case() -> None:
    assert set(ACTIVATIONS) <= {case.kind for case in CASES}
