"""Where parameters start: the factor that each layer's activation asks for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from planner import Network, layer
from runtime.initializers import gains
from runtime.parameters import State
from tests.harness.steps import steps


def test_the_first_reader_behind_what_lets_numbers_through_decides() -> None:
    layers = [
        layer("conv", name="a", filters=4, kernel=3, pad=1, norm="batch"),
        layer("maxpool", name="m", size=2),
        layer("dropout", name="d"),
        layer("leaky_relu", name="l", slope=0.5),
        layer("conv", name="b", filters=4, kernel=1),
        layer("conv", name="c", filters=4, kernel=1, from_="b"),
        layer("tanh", name="t", from_="b"),
        layer("add", name="s", from_=["c", "t"], act="relu"),
    ]
    found = gains(Network(name="t", input={"x": ("N", 1, 8, 8)}, layers=layers).check().bind(N=1))
    expected = {"a": math.sqrt(2 / 1.25), "b": 1.0, "c": math.sqrt(2)}
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_starting_values_take_work_in_proportion_to_the_layers() -> None:
    def work(count: int) -> int:
        layers = [layer("dense", units=2) for _ in range(count)]
        bound = Network(name="deep", input={"x": ("N", 2)}, layers=layers).check().bind(N=1)
        assert np.count_nonzero(State(bound, 0).parameters.flat) == count * 4
        return steps(lambda: State(bound, 0))

    assert work(400) < 2.2 * work(200)
