"""Sizes: value, bounds, printed text, and that the text evaluates back."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise
from math import floor

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import planner.symbols as sy

H = sy.symbol("H")

steps = st.lists(
    st.one_of(
        st.tuples(st.just("divide"), st.integers(1, 6)),
        st.tuples(st.just("ceil"), st.integers(1, 6)),
        st.tuples(st.just("shift"), st.integers(-9, 9)),
        st.tuples(st.just("scale"), st.integers(1, 4)),
        st.tuples(st.just("least"), st.integers(1, 40)),
    ),
    max_size=7,
)


def build(recipe: list[tuple[str, int]]) -> sy.Size:
    """Apply a recipe to the symbol H."""
    value: sy.Size = H
    for what, number in recipe:
        value = apply(value, what, number)
    return sy.size(value)


def compute(recipe: list[tuple[str, int]], size: int) -> int:
    """Apply a recipe to a number, with Python's own integers."""
    for what, number in recipe:
        size = {
            "divide": lambda n, d=number: n // d,
            "ceil": lambda n, d=number: -(-n // d),
            "shift": lambda n, d=number: n + d,
            "scale": lambda n, d=number: n * d,
            "least": lambda n, d=number: min(n, d),
        }[what](size)
    return size


def apply(value: sy.Size, what: str, number: int) -> sy.Size:
    """Apply one step to a size."""
    if what == "divide":
        return sy.floor_div(value, number)
    if what == "ceil":
        return sy.ceil_div(value, number)
    if what == "least":
        return sy.minimum(value, sy.size(number))
    return value + number if what == "shift" else sympy.expand(value * number)


@given(steps, st.integers(1, 300))
def test_a_formula_has_the_value_of_the_steps_it_stands_for(recipe: list[tuple[str, int]], size: int) -> None:
    assert sy.evaluate(build(recipe), {"H": size}) == compute(recipe, size)


@given(steps, st.integers(1, 300))
def test_printed_text_evaluates_back_to_the_same_value(recipe: list[tuple[str, int]], size: int) -> None:
    text = sy.text(build(recipe))
    exact = re.sub(r"\b(\d+)\b", r"Fraction(\1)", text)
    names = {"Fraction": Fraction, "floor": floor, "min": min, "max": max, "H": Fraction(size)}
    assert eval(exact, names) == compute(recipe, size)  # noqa: S307  # text made here from numbers


@given(steps, st.integers(1, 300))
def test_bounds_hold_for_every_size(recipe: list[tuple[str, int]], size: int) -> None:
    low, high = sy.interval(build(recipe))
    value = compute(recipe, size)
    assert (low is None or low <= value) and (high is None or value <= high)


@given(steps, st.integers(0, 400))
def test_period_makes_a_formula_linear_from_residue_to_residue(recipe: list[tuple[str, int]], size: int) -> None:
    recipe = [step for step in recipe if step[0] != "least"]
    period = sy.period(build(recipe))
    at = [compute(recipe, size + k * period) for k in range(4)]
    assert len({b - a for a, b in pairwise(at)}) == 1


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(-4, 4)), min_size=1, max_size=8))
def test_chains_of_divisions_collapse_into_one_floor(chain: list[tuple[int, int]]) -> None:
    value: sy.Size = H
    for stride, shift in chain:
        value = sy.floor_div(value + shift, stride) + 1
    assert len(value.atoms(sympy.floor)) <= 1


def test_sizes_that_are_equal_are_equal_expressions() -> None:
    assert sy.floor_div(H + 1, 2) == sy.ceil_div(H, 2) == sy.floor_div(H - 1, 2) + 1
    assert sy.floor_div(2 * H + 3, 4) == sy.floor_div(H + 1, 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (sy.floor_div(H - 1, 32) + 1, "floor((H - 1)/32) + 1"),
        (64 * sy.floor_div(H - 1, 2) ** 2, "64*floor((H - 1)/2)**2"),
        (sy.floor_div(sy.symbol("H") - sy.symbol("F"), sy.symbol("S")) + 1, "floor((H - F)/S) + 1"),
        (sy.floor_div(3 * H, 2), "floor(3*H/2)"),
        (sy.size(7), "7"),
        (7, "7"),
    ],
)
def test_text_of_sizes_people_meet(value: sy.Size, text: str) -> None:
    assert sy.text(value) == text


def test_latex_writes_floors_as_brackets() -> None:
    assert sy.latex(sy.floor_div(H - 5, 2) + 1) == r"\left\lfloor \frac{H - 1}{2} \right\rfloor - 1"


@pytest.mark.parametrize("name", ["", "2x", "a b", "H;import os", "x" * 33, "é", "a-b"])
def test_names_that_are_no_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        sy.symbol(name)


def test_text_is_read_as_a_name_and_never_evaluated() -> None:
    with pytest.raises(ValueError, match="not a name"):
        sy.size("2**2**2**2**2**2**9")


def test_evaluate_asks_for_every_name() -> None:
    with pytest.raises(KeyError, match="H"):
        sy.evaluate(H + 1, {})


def test_plain_ints_stay_plain_ints() -> None:
    for value in (sy.floor_div(7, 2), sy.ceil_div(7, 2), sy.minimum(3, 4), sy.product([2, 3]), sy.total([1, 2])):
        assert type(value) is int
