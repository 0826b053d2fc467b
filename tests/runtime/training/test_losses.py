"""Losses: values and gradients against formulas and PyTorch, stability, targets, and memory."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from planner.findings import PlannerError
from planner.training.settings import loss_workspace
from runtime.training.losses import CrossEntropy, MeanSquaredError, bind, checked

Real = np.float32 | np.float64

SHAPES: list[tuple[int, ...]] = [(10, 7), (3, 1), (1, 4), (4, 5, 6, 3)]


def made(
    shape: tuple[int, ...], dtype: type[Real] = np.float64, seed: int = 0
) -> tuple[NDArray[Real], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape).astype(dtype), rng.integers(0, shape[0], shape[1:])


def softmax_loss(logits: NDArray[Real], labels: NDArray[np.int64]) -> float:
    shifted = logits - logits.max(axis=0)
    logs = shifted - np.log(np.exp(shifted).sum(axis=0))
    return float(-np.take_along_axis(logs, labels[None], axis=0).mean())


@pytest.mark.parametrize("shape", SHAPES)
def test_cross_entropy_is_its_formula(shape: tuple[int, ...]) -> None:
    logits, labels = made(shape)
    loss = CrossEntropy(logits, np.empty_like(logits))
    loss.targets[...] = labels
    assert loss.step().loss == pytest.approx(softmax_loss(logits, labels), rel=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["cross_entropy", "mse", "mse labels"])
def test_gradients_are_the_slopes_of_the_loss(name: str, shape: tuple[int, ...]) -> None:
    output, labels = made(shape)
    targets = made(shape, seed=1)[0] if name == "mse" else labels
    direction = made(shape, seed=2)[0]

    def value(at: NDArray[Real]) -> float:
        loss = bind(name.split()[0], targets, at, np.empty_like(at))
        loss.targets[...] = targets
        return loss.step().loss

    grad = np.empty_like(output)
    loss = bind(name.split()[0], targets, output, grad)
    loss.targets[...] = targets
    loss.step()
    step = 1e-5
    slope = (value(output + step * direction) - value(output - step * direction)) / (2 * step)
    assert float((grad * direction).sum()) == pytest.approx(slope, rel=1e-6, abs=1e-9)


@pytest.mark.other_frameworks
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["cross_entropy", "mse", "mse labels"])
def test_losses_agree_with_pytorch(name: str, dtype: type[Real]) -> None:
    torch = pytest.importorskip("torch")
    output, labels = made((10, 33), dtype)
    targets = made((10, 33), dtype, seed=1)[0] if name == "mse" else labels
    grad = np.empty_like(output)
    loss = bind(name.split()[0], targets, output, grad)
    loss.targets[...] = targets
    score = loss.step()
    theirs = torch.tensor(output.T.copy(), requires_grad=True)
    if name == "cross_entropy":
        value = torch.nn.functional.cross_entropy(theirs, torch.tensor(labels))
    elif name == "mse":
        value = torch.nn.functional.mse_loss(theirs, torch.tensor(targets.T.copy()))
    else:
        value = torch.nn.functional.mse_loss(theirs, torch.tensor(np.eye(10, dtype=dtype)[labels]))
    value.backward()
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    assert score.loss == pytest.approx(value.item(), rel=tolerance)
    np.testing.assert_allclose(grad, theirs.grad.numpy().T, rtol=tolerance, atol=tolerance / 100)
    assert grad.dtype == dtype


def test_huge_logits_neither_overflow_nor_lose_the_loss() -> None:
    logits = np.array([[1e30, -1e30], [0.0, 0.0]], np.float32)
    loss = CrossEntropy(logits, grad := np.empty_like(logits))
    loss.targets[...] = [0, 1]
    with np.errstate(over="raise", invalid="raise"):
        score = loss.step()
    assert score.loss == 0.0
    assert np.isfinite(grad).all()


@given(st.integers(2, 6), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_the_count_of_right_answers_is_that_of_argmax_where_nothing_ties(classes: int, count: int, seed: int) -> None:
    output, labels = made((classes, count), np.float32, seed)
    for name in ("cross_entropy", "mse"):
        loss = bind(name, labels, output)
        loss.targets[...] = labels
        score = loss.step()
        assert (score.correct, score.classified) == (int((output.argmax(0) == labels).sum()), count)


@pytest.mark.parametrize("fill", [0.0, np.nan])
@pytest.mark.parametrize("name", ["cross_entropy", "mse"])
def test_a_network_that_says_nothing_is_not_called_right(name: str, fill: float) -> None:
    output = np.full((3, 4), fill, np.float32)
    labels = np.zeros(4, np.intp)
    loss = bind(name, labels, output)
    loss.targets[...] = labels
    with np.errstate(invalid="ignore"):
        assert loss.step().correct == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["cross_entropy", "mse"])
def test_an_answer_next_to_the_largest_output_is_wrong_however_near(name: str, dtype: type[Real]) -> None:
    largest = np.array([1.0, 0.5, 1e-30, 1.0, 1e-3], dtype)
    output = np.stack([np.nextafter(largest, dtype(-1)), largest, np.full_like(largest, -9)])
    for label, correct in ((0, 0), (1, largest.size), (2, 0)):
        loss = bind(name, np.full(largest.size, label), output)
        loss.targets[...] = label
        assert loss.step().correct == correct


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["cross_entropy", "mse"])
def test_the_planned_workspace_is_enough(name: str, dtype: type[Real]) -> None:
    output, labels = made((4, 5, 6, 3), dtype)
    planned = loss_workspace([(3, 4, 5, 6)], np.dtype(dtype).itemsize)
    workspace = np.full(planned, np.nan, dtype)
    tight, roomy = np.empty_like(output), np.empty_like(output)
    for grad, memory in ((tight, workspace), (roomy, None)):
        loss = bind(name, labels, output, grad, memory)
        loss.targets[...] = labels
        loss.step()
    np.testing.assert_array_equal(tight, roomy)


@pytest.mark.parametrize("name", ["cross_entropy", "mse"])
def test_a_step_allocates_nothing_that_grows_with_the_batch(name: str) -> None:
    peaks = []
    for count in (256, 32768):
        output, labels = made((10, count), np.float32)
        loss = bind(name, labels, output, np.empty_like(output))
        loss.targets[...] = labels
        loss.step()
        loss.targets[...] = labels
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        loss.step()
        peaks.append(tracemalloc.get_traced_memory()[1] - before)
        tracemalloc.stop()
    # NumPy's own fixed buffers for mixed types stay below this.
    assert peaks[1] < peaks[0] + 80_000


@pytest.mark.parametrize("name", ["cross_entropy", "mse", "mse labels"])
def test_a_loss_keeps_no_memory_of_its_own_beside_the_planned_workspace(name: str) -> None:
    output, labels = made((3, 1 << 18), np.float32)
    targets = output if name == "mse" else labels
    grad, workspace = np.empty_like(output), np.empty(loss_workspace([output.shape[::-1]], 4), np.float32)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = bind(name.split()[0], targets, output, grad, workspace)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept.targets.size
    assert after - before < 20_000


@pytest.mark.parametrize("name", ["cross_entropy", "mse"])
def test_maps_of_more_positions_than_a_block_are_judged_like_small_ones(name: str) -> None:
    count = 2 * 4096 + 3
    output, labels = made((3, count), np.float64)
    whole = bind(name, labels, output, grad := np.empty_like(output))
    whole.targets[...] = labels
    score, total, correct = whole.step(), 0.0, 0
    for start in range(0, count, 1000):
        rows = slice(start, start + 1000)
        part = np.ascontiguousarray(output[:, rows])
        judge = bind(name, labels[rows], part, small := np.empty_like(part))
        judge.targets[...] = labels[rows]
        found = judge.step()
        total, correct = total + found.loss * part.shape[1], correct + found.correct
        np.testing.assert_allclose(grad[:, rows], small * part.shape[1] / count, rtol=1e-12)
    assert score.loss == pytest.approx(total / count, rel=1e-12)
    assert score.correct == correct


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_, np.float32])
@pytest.mark.parametrize("shape", [(1,), (3,), (1, 2, 2)])
def test_targets_of_the_outputs_own_shape_are_numbers_under_mse_whatever_their_type(
    dtype: type[np.generic], shape: tuple[int, ...]
) -> None:
    targets = checked("mse", np.zeros((4, *shape), dtype), shape)
    output = np.zeros((*shape, 4), np.float32)
    loss = bind("mse", targets, output)
    loss.targets[...] = np.moveaxis(targets, 0, -1)
    assert loss.step() == (0.0, 0, 0)


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_one_output_reads_a_row_of_numbers_as_its_targets_under_mse(dtype: type[np.generic]) -> None:
    targets = checked("mse", np.array([0, 7, -2], dtype), (1,))
    assert targets.tolist() == [[0], [7], [-2]]
    loss = bind("mse", targets, np.zeros((1, 3)))
    loss.targets[...] = targets.T
    score = loss.step()
    assert score.loss == pytest.approx(53 / 3)
    assert score.classified == 0


def test_whole_numbers_without_a_class_axis_are_labels_under_mse() -> None:
    loss = bind("mse", checked("mse", [[1], [0]], (2,)), np.array([[0.0, 1.0], [1.0, 0.0]]))
    loss.targets[...] = [1, 0]
    assert loss.step() == (0.0, 2, 2)


@pytest.mark.parametrize(
    ("name", "targets", "words"),
    [
        ("cross_entropy", [0, 10], "range from 0 to 10"),
        ("cross_entropy", [1, 10], "subtract 1"),
        ("cross_entropy", [-1, 3], "range from -1"),
        ("cross_entropy", [0.0, 1.0], "labels.astype(int)"),
        ("cross_entropy", np.eye(10), "labels.argmax(axis=1)"),
        ("cross_entropy", [["a", "b"]], "takes integers of shape"),
        ("cross_entropy", np.zeros((4, 2), int), "takes integers of shape"),
        ("mse", np.zeros((4, 9)), "(N, 10)"),
        ("mse", np.zeros(4), "labels.astype(int)"),
    ],
)
def test_targets_that_do_not_fit_are_refused_with_a_reason(name: str, targets: ArrayLike, words: str) -> None:
    with pytest.raises(PlannerError) as caught:
        checked(name, targets, (10,))
    assert caught.value.findings[0].code == "R503"
    assert words in str(caught.value)


def test_labels_in_a_column_or_as_bytes_are_labels() -> None:
    for column in (np.array([[1], [2]]), np.array([1, 2], np.uint8)):
        labels = checked("cross_entropy", column, (3,))
        assert labels.dtype == np.intp
        assert labels.tolist() == [1, 2]


def test_losses_refuse_arrays_they_would_have_to_copy() -> None:
    with pytest.raises(ValueError, match="contiguous"):
        CrossEntropy(np.zeros((4, 3, 2)).transpose(1, 2, 0)[:, ::1])
    assert MeanSquaredError(np.zeros((2, 2))).step().loss >= 0
