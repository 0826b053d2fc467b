"""The language of settings and conditions in blocks."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner.symbols as sy
from planner.spec.expression import ExpressionError, Scope, UnknownSize, Value, parse
from tests.harness.steps import steps

SCOPE = Scope({"c": "K", "n": 8, "rate": 0.5, "word": "relu", "flag": True}, lambda: sy.size(64))


def value(text: str) -> Value:
    return parse(text).value(SCOPE)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 // 2 - -1", 4),
        ("-7 // 2", -4),
        ("8 / 4", 2),
        ("2 ** 3 * 2", 16),
        ("$n - 3 - 2", 3),
        ("n >= 8 and not n == 9", True),
        ("n < 8 or n > 7", True),
        ("in.channels != n", True),
        ("$rate", 0.5),
        ("$word", "relu"),
        ("$flag", True),
    ],
)
def test_value_is_that_of_the_usual_precedence(text: str, wanted: Value) -> None:
    assert value(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("$c * 4", "4*K"),
        ("c * 4 / 2", "2*K"),
        ("c // 2", "floor(K/2)"),
        ("floor((H - 1)/2)", "floor((H - 1)/2)"),
        ("K**2", "K**2"),
    ],
)
def test_names_stay_symbols(text: str, wanted: str) -> None:
    found = value(text)
    assert isinstance(found, sy.Size) and sy.text(found) == wanted


@pytest.mark.parametrize(
    ("text", "words", "start"),
    [
        ("7 / 2", "not a whole number", 0),
        ("c / 2", "not a whole number for every size", 0),
        ("1 // 0", "must be at least 1", 5),
        ("$d", "not a parameter", 0),
        ("1 < 2 < 3", "cannot be chained", 6),
        ("1 and 2", "joins comparisons", 0),
        ("(1", "not closed", 0),
        ("1 +", "ends where a value is expected", 3),
        ("1.5 * 2", "whole numbers", 0),
        ("n % 2", "is not allowed", 2),
        ("n = 2", "is not allowed", 2),
        ("a b", "expected an operator", 2),
        ("rate + 1", "not a whole number", 0),
        ("c == 64", "not known yet", 0),
        ("in.height", "unknown", 0),
        ("__import__('os')", "is not allowed", 11),
        ("n ** 99", "power", 5),
        ("9" * 99, "larger than any tensor", 0),
    ],
)
def test_what_has_no_value_is_told_with_its_column(text: str, words: str, start: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(text)
    assert words in caught.value.problem and caught.value.start == start < caught.value.end


@pytest.mark.parametrize(
    "text",
    ["(" * 300, "-" * 300 + "1", "not " * 90 + "1", "((((K+1)**8+L)**8+M)**8+P)**8", "1" * 401, "n*" * 190 + "n"],
)
def test_monstrous_expressions_are_refused_at_once(text: str) -> None:
    with pytest.raises(ExpressionError):
        steps(lambda: value(text), limit=3_000_000)


def test_towers_of_powers_are_not_multiplied_out_term_by_term() -> None:
    text = "(" * 30 + "1" + ")**8" * 30
    assert value(text) == 1
    steps(lambda: value(text), limit=100_000)


def test_channels_of_a_faulty_layer_are_no_fault_of_the_expression() -> None:
    def unknown() -> sy.Size:
        raise UnknownSize

    with pytest.raises(UnknownSize):
        parse("in.channels == 1").value(Scope({}, unknown))


OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
trees = st.recursive(
    st.integers(0, 20).map(lambda n: (str(n), n)),
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(
        lambda t: (f"({t[0][0]} {t[1]} {t[2][0]})", OPERATORS[t[1]](t[0][1], t[2][1]))
    ),
    max_leaves=8,
)


@given(trees)
def test_arithmetic_agrees_with_that_of_python(case: tuple[str, int]) -> None:
    assert value(case[0]) == case[1]


@given(st.text(alphabet="n$c in.channels+-*/()<>=!and or not1.5", max_size=40))
def test_any_text_has_a_value_or_a_problem(text: str) -> None:
    try:
        value(text)
    except ExpressionError as error:
        problem = error
    else:
        return
    assert problem.problem and 0 <= problem.start < problem.end
