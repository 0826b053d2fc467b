"""The lecture this project starts from, number by number: planner, runtime and oracle say the same."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

import planner
import planner.symbols as sy
import runtime
from planner import Entry, Plan, layer
from tests.harness import naive
from tests.harness.naive import Array
from tests.harness.places import EXAMPLES

LECTURE = EXAMPLES / "lecture.py"


def rows(text: str) -> Array:
    """Return a map written as words of digits."""
    return np.array([[float(digit) for digit in row] for row in text.split()])


IMAGE = rows("111001 011100 001111 100100 001111 011000")
FILTER = rows("101 010 101")
MAP = rows("4343 2423 2254 2322")


def plan(shape: tuple[int | str, ...], *layers: Entry) -> Plan:
    return planner.Network(name="lecture", input={"image": shape}, layers=layers).check()


def run(image: Array, *layers: Entry, **weights: Array) -> Any:
    """Return what a network makes of one image with one channel."""
    model = runtime.Model(plan((1, 1, *image.shape), *layers).bind(), seed=0)
    for name, weight in weights.items():
        model.parameters[f"{name}.weight"][...] = weight
    return model(image[None, None].astype(np.float32))[0, 0]


@pytest.mark.parametrize(("stride", "side"), [(1, 5), (2, 3)])
def test_a_3x3_filter_on_7x7_gives_5x5_at_stride_1_and_3x3_at_stride_2(stride: int, side: int) -> None:
    entry = layer("conv", name="c", filters=1, kernel=3, stride=stride, rounding="exact")
    assert plan((1, 1, 7, 7), entry).output_shapes == {"c": (1, 1, side, side)}
    assert run(np.zeros((7, 7)), entry).shape == (side, side)
    assert naive.conv(np.zeros((1, 1, 7, 7)), np.zeros((1, 1, 3, 3)), stride=stride).shape[2:] == (side, side)


def test_a_3x3_filter_on_7x7_does_not_fit_at_stride_3() -> None:
    entry = layer("conv", name="c", filters=1, kernel=3, stride=3, rounding="exact")
    with pytest.raises(planner.ShapeError) as refusal:
        plan((1, 1, 7, 7), entry)
    (finding, *_) = refusal.value.findings
    assert (finding.code, finding.layer) == ("S208", "c")
    assert "(7 - 3)/3 + 1" in finding.message
    with pytest.raises(naive.NoResult):
        naive.conv(np.zeros((1, 1, 7, 7)), np.zeros((1, 1, 3, 3)), stride=3, rounding="exact")


def test_rounding_down_at_stride_3_is_possible_but_never_silent() -> None:
    checked = plan((1, 1, 7, 7), layer("conv", name="c", filters=1, kernel=3, stride=3))
    assert checked.output_shapes == {"c": (1, 1, 2, 2)}
    (warning, *_) = checked.warnings
    assert warning.layer == "c"
    assert warning.code.startswith("S3")


def test_the_formula_with_letters_is_the_textbooks() -> None:
    checked = plan((1, 1, "N", "N"), layer("conv", name="c", filters="K", kernel="F", stride="S"))
    height = checked.output_shapes["c"][2]
    for n in range(1, 15):
        for f in range(1, n + 1):
            for s in range(1, 5):
                assert sy.evaluate(height, {"N": n, "F": f, "S": s}) == (n - f) // s + 1


def test_six_5x5x3_filters_make_28x28x6_of_a_32x32x3_image_with_456_parameters() -> None:
    checked = plan(("N", 3, 32, 32), layer("conv", name="c1", filters=6, kernel=5))
    assert checked.output_shapes == {"c1": (sy.symbol("N"), 6, 28, 28)}
    assert checked.parameter_count == 6 * (5 * 5 * 3 + 1) == 456
    model = runtime.Model(checked.bind(N=2), seed=0)
    assert sum(array.size for array in model.parameters.values()) == 456
    assert model(np.zeros((2, 3, 32, 32), np.float32)).shape == (2, 6, 28, 28)


def test_each_number_is_a_75_dimensional_dot_product_plus_bias() -> None:
    rng = np.random.default_rng(0)
    bound = plan(("N", 3, 32, 32), layer("conv", name="c1", filters=6, kernel=5)).bind(N=1)
    assert bound.macs == 28 * 28 * 6 * 75
    model = runtime.Model(bound, seed=0)
    model.parameters["c1.bias"][...] = rng.standard_normal(6)
    image = rng.standard_normal((1, 3, 32, 32)).astype(np.float32)
    y = model(image)
    for f, i, j in ((0, 0, 0), (5, 27, 27), (2, 13, 4)):
        patch = image[0, :, i : i + 5, j : j + 5].ravel()
        taps = model.parameters["c1.weight"][f].ravel()
        assert patch.size == taps.size == 75
        assert float(y[0, f, i, j]) == pytest.approx(float(patch @ taps + model.parameters["c1.bias"][f]), abs=1e-4)


def test_the_6x6_binary_image_and_the_saltire() -> None:
    entry = layer("conv", name="c", filters=1, kernel=3, bias=False)
    assert (run(IMAGE, entry, c=FILTER) == MAP).all()
    assert (naive.conv(IMAGE[None, None], FILTER[None, None])[0, 0] == MAP).all()


@pytest.mark.parametrize(
    ("kind", "oracle", "expected"),
    [
        ("maxpool", naive.max_pool, [[4, 4], [3, 5]]),
        ("avgpool", naive.avg_pool, [[3.25, 3], [2.25, 3.25]]),
        ("sumpool", naive.sum_pool, [[13, 12], [9, 13]]),
    ],
)
def test_pooling_the_map_by_2x2_at_stride_2(kind: str, oracle: Any, expected: list[list[float]]) -> None:
    assert run(MAP, layer(kind, size=2, stride=2)).tolist() == expected
    assert oracle(MAP[None, None], size=2, stride=2)[0, 0].tolist() == expected


@pytest.mark.parametrize(("kind", "how", "expected"), [("gmp", "max", 5), ("gap", "avg", 47 / 16), ("gsp", "sum", 47)])
def test_global_pooling_of_the_map(kind: str, how: str, expected: float) -> None:
    assert run(MAP, layer(kind)).item() == expected == naive.global_pool(MAP[None, None], how).item()


def test_convolution_and_pooling_in_cascade_then_dense_layers_then_a_classifier() -> None:
    layers = [
        layer("conv", name="c1", filters=6, kernel=5, act="relu"),
        layer("maxpool", name="p1", size=2),
        layer("conv", name="c2", filters=16, kernel=5, act="relu"),
        layer("maxpool", name="p2", size=2),
        layer("flatten", name="row"),
        layer("dense", name="f1", units=120, act="relu"),
        layer("dense", name="scores", units=10),
        layer("softmax", name="classes"),
    ]
    checked = plan(("N", 3, 32, 32), *layers)
    shapes = {node.name: tuple(node.output_shape[1:]) for node in checked.nodes}
    assert shapes["c1"] == (6, 28, 28)
    assert shapes["p1"] == (6, 14, 14)
    assert shapes["c2"] == (16, 10, 10)
    assert shapes["p2"] == (16, 5, 5)
    assert shapes["row"] == (400,)
    assert shapes["classes"] == (10,)

    model = runtime.Model(checked.bind(N=3, dtype="float64"), seed=0)
    x = np.random.default_rng(0).standard_normal((3, 3, 32, 32))
    p = model.parameters
    y = naive.conv(x, p["c1.weight"], p["c1.bias"])
    y = naive.max_pool(np.maximum(y, 0), size=2)
    y = naive.conv(y, p["c2.weight"], p["c2.bias"])
    y = naive.flatten(naive.max_pool(np.maximum(y, 0), size=2))
    y = np.maximum(naive.dense(y, p["f1.weight"], p["f1.bias"]), 0)
    y = naive.softmax(naive.dense(y, p["scores.weight"], p["scores.bias"]))
    classes = model(x)
    np.testing.assert_allclose(classes, y, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(classes.sum(axis=1), 1, rtol=1e-12)


def test_the_lecture_script_runs_and_prints_what_it_asserts(capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("lecture", LECTURE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main()
    printed = capsys.readouterr().out
    for words in ("5 x 5", "3 x 3", "7/3", "456", "75 numbers", "62,006"):
        assert words in printed, words
