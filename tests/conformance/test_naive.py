"""The judge judged: naive results against numbers worked out by hand, and against PyTorch where it is installed."""

from __future__ import annotations

import ast
import math
import sys

import numpy as np
import pytest

from tests.harness import naive
from tests.harness.cases import CASES, ORACLES, REFUSED, TRAINING, Case, away_from_kinks, fixed_arrays, result
from tests.harness.places import ROOT

MAP = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]).reshape(1, 1, 3, 3)


def test_the_oracle_imports_nothing_of_ours() -> None:
    modules = sorted((ROOT / "tests" / "harness" / "naive").glob("*.py"))
    assert modules
    for module in modules:
        tree = ast.parse(module.read_text(encoding="utf-8"))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        outside = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
        known = {"numpy", "numpy.typing"}
        assert all(name in known or name.startswith("tests.harness.naive.") for name in outside), module


@pytest.mark.parametrize(
    ("arguments", "starts"),
    [
        ({"size": 7, "kernel": 3, "stride": 1}, [0, 1, 2, 3, 4]),
        ({"size": 7, "kernel": 3, "stride": 2}, [0, 2, 4]),
        ({"size": 7, "kernel": 3, "stride": 3}, [0, 3]),
        ({"size": 5, "kernel": 5, "stride": 9}, [0]),
        ({"size": 4, "kernel": 2, "stride": 2, "before": 1, "after": 1}, [-1, 1, 3]),
        ({"size": 3, "kernel": 2, "stride": 2, "rounding": "ceil"}, [0, 2]),
        ({"size": 1, "kernel": 2, "stride": 2, "rounding": "ceil"}, [0]),
        # The third window would begin at 4, in the padding after the input: dropped.
        ({"size": 3, "kernel": 2, "stride": 2, "before": 0, "after": 1, "rounding": "ceil"}, [0, 2]),
        ({"size": 4, "kernel": 1, "stride": 4, "before": 0, "after": 1, "rounding": "ceil"}, [0]),
        ({"size": 6, "kernel": 3, "stride": 2, "before": 1, "after": 1, "rounding": "ceil"}, [-1, 1, 3, 5]),
        ({"size": 7, "kernel": 3, "stride": 2, "dilation": 2}, [0, 2]),
    ],
)
def test_windows_start_where_sliding_by_hand_puts_them(arguments: dict[str, int], starts: list[int]) -> None:
    found = naive.slide(**{"before": 0, "after": 0, **arguments})  # type: ignore[arg-type]  # rounding is the one str
    assert [taps[0] for taps in found] == starts


@pytest.mark.parametrize(
    "arguments",
    [
        {"size": 2, "kernel": 3, "stride": 1},
        {"size": 4, "kernel": 3, "stride": 1, "dilation": 2},
        {"size": 1, "kernel": 3, "stride": 2, "rounding": "ceil"},
        {"size": 7, "kernel": 3, "stride": 3, "rounding": "exact"},
    ],
)
def test_windows_that_do_not_fit_have_no_result(arguments: dict[str, int]) -> None:
    with pytest.raises(naive.NoResult):
        naive.slide(**{"before": 0, "after": 0, **arguments})  # type: ignore[arg-type]  # rounding is the one str


def test_same_padding_gives_one_output_for_each_stride_begun_and_pads_the_end_first() -> None:
    for size in range(1, 20):
        for stride in range(1, 5):
            for kernel in range(1, 6):
                (before, after), _ = naive.paddings("same", (size, 1), (kernel, 1), (stride, 1), (1, 1))
                windows = naive.slide(size, kernel, stride, before, after)
                assert len(windows) == math.ceil(size / stride)
                assert after - before in (0, 1)


def test_convolution_by_hand() -> None:
    weight = np.array([[[[1.0, 0], [0, -1]]], [[[0, 2], [0, 0]]]])
    y = naive.conv(MAP, weight, np.array([0.5, 0.0]))
    assert y[0, 0].tolist() == [[-3.5, -3.5], [-3.5, -3.5]]
    assert y[0, 1].tolist() == [[4.0, 6.0], [10.0, 12.0]]


def test_convolution_with_padding_on_one_side_stride_and_dilation_by_hand() -> None:
    ones = np.ones((1, 1, 2, 2))
    assert naive.conv(MAP, ones, pad=[1, 0, 0, 0], stride=2)[0, 0].tolist() == [[3.0], [24.0]]
    assert naive.conv(MAP, ones, pad=[0, 0, 1, 0], stride=[1, 2])[0, 0].tolist() == [[5.0, 16.0], [11.0, 28.0]]
    assert naive.conv(MAP, ones, dilation=2)[0, 0].tolist() == [[20.0]]


def test_groups_see_only_their_own_channels() -> None:
    x = np.concatenate([MAP, 10 * MAP], axis=1)
    y = naive.conv(x, np.array([[[[1.0]]], [[[1.0]]]]), groups=2)
    assert (y == x).all()


def test_pooling_by_hand() -> None:
    assert naive.max_pool(MAP, size=2, stride=1)[0, 0].tolist() == [[5, 6], [8, 9]]
    assert naive.max_pool(-MAP, size=2, stride=1, pad=1)[0, 0].tolist() == [
        [-1, -1, -2, -3],
        [-1, -1, -2, -3],
        [-4, -4, -5, -6],
        [-7, -7, -8, -9],
    ]
    assert naive.sum_pool(MAP, size=2, stride=1)[0, 0].tolist() == [[12, 16], [24, 28]]
    assert naive.avg_pool(MAP, size=2, stride=1)[0, 0].tolist() == [[3, 4], [6, 7]]


def test_the_divisor_counts_padding_but_never_what_lies_beyond_it() -> None:
    ones = np.ones((1, 1, 4, 4))
    # Windows of 3 at stride 2 with padding 1 begin at -1, 1 and 3; the last overhangs the padding by one.
    counted = naive.avg_pool(ones, size=3, stride=2, pad=1, rounding="ceil")[0, 0]
    assert np.allclose(counted, np.outer([2 / 3, 1, 1 / 2], [2 / 3, 1, 1 / 2]))
    uncounted = naive.avg_pool(ones, size=3, stride=2, pad=1, rounding="ceil", count_include_pad=False)
    assert (uncounted == 1).all()


def test_global_pooling_by_hand() -> None:
    assert [naive.global_pool(MAP, how).item() for how in ("max", "avg", "sum")] == [9, 5, 45]


def test_activations_at_points_known_by_heart() -> None:
    x = np.array([[-1.0, 0.0, 7.0]])

    def at(kind: str, **settings: float) -> list[float]:
        return [float(value) for value in ORACLES[kind]([x], settings, {}).ravel()]

    assert at("relu") == [0, 0, 7]
    assert at("relu6") == [0, 0, 6]
    assert at("leaky_relu", slope=0.25) == [-0.25, 0, 7]
    assert at("elu", alpha=2.0) == pytest.approx([2 / math.e - 2, 0, 7])
    assert at("sigmoid")[1] == 0.5
    assert at("hard_sigmoid") == pytest.approx([1 / 3, 1 / 2, 1])
    assert at("hard_swish") == pytest.approx([-1 / 3, 0, 7])
    assert at("selu")[0] == pytest.approx(-1.1113307)
    assert at("mish")[:2] == pytest.approx([-0.3034014, 0])
    assert at("silu")[:2] == pytest.approx([-1 / (1 + math.e), 0])
    assert at("tanh")[0] == pytest.approx((1 - math.e**2) / (1 + math.e**2))
    assert at("softplus")[1] == pytest.approx(math.log(2))
    assert at("gelu")[2] == pytest.approx(7)


def test_softmax_is_one_over_the_channels_and_survives_large_numbers() -> None:
    y = naive.softmax(np.array([[1000.0, 1000.0 + math.log(3)]]))
    assert y.ravel() == pytest.approx([0.25, 0.75])
    maps = naive.softmax(np.arange(24.0).reshape(1, 4, 2, 3))
    assert maps.sum(axis=1) == pytest.approx(np.ones((1, 2, 3)))
    assert np.log(maps) == pytest.approx(naive.softmax(np.arange(24.0).reshape(1, 4, 2, 3), logarithm=True))


def test_batch_norm_uses_biased_variance_now_and_unbiased_variance_later() -> None:
    x = np.array([[0.0], [2.0], [4.0]])
    one, zero = np.ones(1), np.zeros(1)
    y, mean, var = naive.batch_norm(x, one, zero, zero, one, eps=0.0, momentum=0.5, training=True)
    assert y.ravel() == pytest.approx([-math.sqrt(1.5), 0, math.sqrt(1.5)])
    assert (mean.item(), var.item()) == pytest.approx((1.0, 2.5))
    still, mean, var = naive.batch_norm(x, 2 * one, one, 2 * one, 4 * one, eps=0.0)
    assert still.ravel() == pytest.approx([-1, 1, 3])
    assert (mean.item(), var.item()) == (2, 4)


def test_every_case_has_a_result_and_every_refused_one_has_none() -> None:
    rng = np.random.default_rng(0)

    def run(case: Case) -> naive.Array:
        shapes = case.shapes(case.sizes)
        settings = case.defined(case.sizes)
        x = [rng.standard_normal(shape) for shape in shapes]
        return ORACLES[case.kind](x, settings, fixed_arrays(case, shapes, settings, rng))

    for case in CASES:
        assert run(case).size, case.id
    for _, outside, inside in REFUSED:
        assert run(inside).size, inside.id
        with pytest.raises(naive.NoResult):
            run(outside)


@pytest.mark.other_frameworks
@pytest.mark.parametrize("case", [case for case in CASES if case.kind != "input"], ids=lambda case: case.id)
def test_naive_agrees_with_torch(case: Case) -> None:
    torch = pytest.importorskip("torch")
    from tests.harness.torch_judge import FUNCTIONS, NoOpinionError

    rng = np.random.default_rng(1)
    asked = 0
    for height in range(1, 12):
        sizes = {**case.sizes, **({"H": height} if "H" in case.sizes else {})}
        shapes, settings = case.shapes(sizes), case.defined(sizes)
        x = [away_from_kinks(shape, rng, 0.07 * index) for index, shape in enumerate(shapes)]
        arrays = fixed_arrays(case, shapes, settings, rng)
        for training, table in ((False, ORACLES), (True, TRAINING)):
            expected = result(table[case.kind], x, settings, arrays)
            tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
            try:
                told = FUNCTIONS[case.kind]([torch.from_numpy(one) for one in x], settings, tensors, training)
            except NoOpinionError:
                continue
            except (RuntimeError, ValueError):  # how torch says that there is no result
                told = None
            else:
                told = told if bool(torch.isfinite(told).all()) else None  # the maximum of nothing is -inf
            if settings.get("rounding") == "exact" and expected is None:
                continue  # torch has no such mode
            assert (told is None) == (expected is None), (sizes, training)
            if told is None or expected is None:
                continue
            asked += 1
            np.testing.assert_allclose(told.numpy(), expected, rtol=1e-12, atol=1e-12)
    if not asked:
        pytest.skip("torch has no opinion")
