"""Optimizers: the update rules against plain formulas and PyTorch, blocks, state, and memory."""

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from planner.training.optimizers import WORKSPACE_BYTES, Adam, AdamW, Sgd
from runtime.training.optim import optimizer

Real = np.float32 | np.float64

CASES: dict[str, Sgd | Adam] = {
    "sgd": Sgd(lr=0.1, momentum=0.0),
    "sgd decay": Sgd(lr=0.1, momentum=0.0, weight_decay=0.01),
    "sgd momentum": Sgd(lr=0.1),
    "sgd momentum decay": Sgd(lr=0.1, momentum=0.8, weight_decay=0.01),
    "sgd nesterov": Sgd(lr=0.1, nesterov=True),
    "sgd nesterov decay": Sgd(lr=0.1, nesterov=True, weight_decay=0.01),
    "adam": Adam(lr=0.01),
    "adam decay": Adam(lr=0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
    "adamw": AdamW(lr=0.01, weight_decay=0.1),
}
BLOCK = WORKSPACE_BYTES // 8


def gradient(weights: NDArray[Real], step: int) -> NDArray[Real]:
    return np.sin(weights * 3 + step) + 0.1 * step


def by_formula(settings: Sgd | Adam, weights: NDArray[Real], steps: int) -> NDArray[Real]:
    """The textbook rules, one array at a time."""
    w = weights.copy()
    first, second = np.zeros_like(w), np.zeros_like(w)
    for t in range(1, steps + 1):
        g = gradient(w, t)
        if isinstance(settings, Sgd):
            g = g + settings.weight_decay * w
            first = settings.momentum * first + g
            w = w - settings.lr * (g + settings.momentum * first if settings.nesterov else first)
            continue
        b1, b2 = settings.betas
        if isinstance(settings, AdamW):
            w = w * (1 - settings.lr * settings.weight_decay)
        else:
            g = g + settings.weight_decay * w
        first, second = b1 * first + (1 - b1) * g, b2 * second + (1 - b2) * g**2
        w = w - settings.lr * (first / (1 - b1**t)) / (np.sqrt(second / (1 - b2**t)) + settings.eps)
    return w


def run(settings: Sgd | Adam, weights: NDArray[Real], steps: int) -> NDArray[Real]:
    w, g = weights.copy(), np.empty_like(weights)
    bound = optimizer(settings, w, g)
    for t in range(1, steps + 1):
        g[:] = gradient(w, t)
        bound.step()
    return w


@pytest.mark.parametrize("size", [1, 5, BLOCK, BLOCK + 1, 2 * BLOCK + 17])
@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_updates_are_the_published_rules_whatever_the_size(settings: Sgd | Adam, size: int) -> None:
    weights = np.random.default_rng(0).standard_normal(size)
    np.testing.assert_allclose(run(settings, weights, 4), by_formula(settings, weights, 4), rtol=1e-12, atol=1e-13)


@pytest.mark.other_frameworks
@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_updates_agree_with_pytorch(settings: Sgd | Adam) -> None:
    torch = pytest.importorskip("torch")
    weights = np.random.default_rng(1).standard_normal(50).astype(np.float32)
    theirs = torch.nn.Parameter(torch.tensor(weights))
    names = {Sgd: torch.optim.SGD, Adam: torch.optim.Adam, AdamW: torch.optim.AdamW}
    judge = names[type(settings)]([theirs], **vars(settings))
    mine, g = weights.copy(), np.empty_like(weights)
    bound = optimizer(settings, mine, g)
    for t in range(1, 8):
        g[:] = gradient(mine, t)
        theirs.grad = torch.tensor(g)
        bound.step()
        judge.step()
    np.testing.assert_allclose(mine, theirs.detach().numpy(), rtol=2e-5, atol=2e-6)
    assert mine.dtype == np.float32


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_gradients_are_left_as_they_are(settings: Sgd | Adam) -> None:
    w, g = np.ones(10), np.arange(10.0)
    optimizer(settings, w, g).step()
    assert g.tolist() == list(range(10))


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_the_state_is_as_many_arrays_as_planned_and_enough_to_go_on(settings: Sgd | Adam) -> None:
    weights = np.random.default_rng(2).standard_normal(30)
    unbroken = run(settings, weights, 6)
    w, g = weights.copy(), np.empty_like(weights)
    first = optimizer(settings, w, g)
    for t in (1, 2, 3):
        g[:] = gradient(w, t)
        first.step()
    assert len(first.state) == settings.state_arrays
    assert all(array.nbytes == w.nbytes for array in first.state)
    second = optimizer(settings, w, g)
    second.restore([array.copy() for array in first.state], first.steps)
    for t in (4, 5, 6):
        g[:] = gradient(w, t)
        second.step()
    np.testing.assert_array_equal(w, unbroken)


@pytest.mark.parametrize("settings", [CASES["sgd nesterov decay"], CASES["adam decay"]])
def test_a_step_allocates_nothing_that_grows_with_the_network(settings: Sgd | Adam) -> None:
    w = np.zeros(500_000, np.float32)
    bound = optimizer(settings, w, np.ones_like(w))
    bound.step()
    tracemalloc.start()
    bound.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4096


def test_a_rate_given_for_one_step_replaces_the_settings() -> None:
    w = np.ones(3)
    optimizer(Sgd(lr=0.1, momentum=0.0), w, np.ones(3)).step(0.5)
    assert w.tolist() == [0.5, 0.5, 0.5]
