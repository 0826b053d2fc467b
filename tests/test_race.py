"""The benchmarks' arithmetic, and that both sides of a race are the same network."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.benchmarks.networks import SMALL, bound
from tests.benchmarks.race import Race, race


def test_a_race_tells_the_median_of_pairs_and_not_the_ratio_of_medians() -> None:
    result = Race((1.0, 9.0, 2.0), (2.0, 3.0, 1.0))
    assert (result.ours, result.theirs, result.ratio) == (2.0, 2.0, 2.0)
    assert result.spread == (0.5, 3.0)


def test_the_sides_take_turns_and_short_calls_are_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    monkeypatch.setattr("time.perf_counter", lambda: next(clock) * 1e-3)
    calls: list[str] = []
    result = race(lambda: calls.append("a"), lambda: calls.append("b"), seconds=0.0, least=3, warm=1)
    assert len(result.our_times) == 3
    assert "".join(calls) == "aa" + "bb" + "aabb" * 3, "one to warm up, one to time; then two a turn"


@pytest.mark.parametrize("name", SMALL)
def test_both_sides_of_a_race_start_as_the_same_network_and_learn(name: str) -> None:
    pytest.importorskip("torch")
    from tests.benchmarks import sides

    ours, theirs = sides.training(bound(name, 4))
    first = ours(), theirs()
    if name != "mnist_cnn":  # whose dropout draws other numbers
        assert first[0] == pytest.approx(first[1], rel=1e-4)
    for side, start in zip((ours, theirs), first, strict=True):
        assert np.mean([side() for _ in range(20)][-5:]) < start
