"""Accepted sizes: the set is exactly what brute force finds, and the sentence is short and true."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planner.symbols as sy
from planner import Network, layer
from planner.conditions import AtLeast, Condition, Divides, Equal, Requirement
from planner.domain import Open, solve, solve_condition
from planner.sizeset import SizeSet

H, W = sy.symbol("H"), sy.symbol("W")


def random_size(draw: random.Random) -> sy.Size:
    """Return a size in H as chains of layers make them, with merges and clamps."""
    value: sy.Size = H
    for _ in range(draw.randint(1, 5)):
        value = draw.choice(
            [
                sy.floor_div(value + draw.randint(-5, 3), draw.randint(1, 4)) + 1,
                value * draw.randint(1, 3),
                value - draw.randint(0, 4),
                sy.ceil_div(value, draw.randint(1, 4)),
                sy.minimum(value, sy.floor_div(H, 2) + 3),
                sy.maximum(value, draw.choice([sy.size(7), 20 - H])),
            ]
        )
    return sy.size(value)


def random_condition(draw: random.Random) -> Condition:
    """Return any of the three kinds of condition on H."""
    value = random_size(draw)
    return draw.choice(
        [
            AtLeast(value, draw.randint(-2, 9)),
            Equal(value, random_size(draw)),
            Divides(sy.size(draw.randint(1, 6)), value),
        ]
    )


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_a_solved_condition_is_what_brute_force_finds(seed: int) -> None:
    condition = random_condition(random.Random(seed))
    solved = solve_condition(condition, "H")
    assert solved is not None
    expected = [n for n in range(1, 160) if condition.holds({"H": n})]
    assert [n for n in range(1, 160) if n in solved] == expected
    for size in (1, 17, 80):
        assert solved.next(size) == next((n for n in expected if n >= size), solved.next(160))
        assert solved.previous(size) == next((n for n in reversed(expected) if n <= size), None)


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_intersections_are_intersections_and_equality_is_of_members(seed: int) -> None:
    draw = random.Random(seed)
    left, right = (solve_condition(random_condition(draw), "H") for _ in range(2))
    assert left is not None and right is not None
    both = left & right
    assert [n for n in range(1, 200) if n in both] == [n for n in range(1, 200) if n in left and n in right]
    assert both == right & left and hash(both) == hash(right & left)
    assert bool(both) == (both.minimum is not None)


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (AtLeast(H - 29, 0), "H >= 29"),
        (AtLeast(1_000_000 - H, 0), "1 <= H <= 1000000"),
        (AtLeast(H - 1_000_000, 0), "H >= 1000000"),
        (Divides(16, H), "H = 16k, H >= 16"),
        (Divides(16, H - 12), "H = 16k + 12, H >= 12"),
        (Divides(3, H * H), None),
        (Equal(sy.floor_div(H, 4), 8), "32 <= H <= 35"),
        (Equal(H, 7), "H = 7"),
        (AtLeast(-H, 0), "no H"),
        (Equal(sy.maximum(sy.size(4), H), sy.size(4)), "1 <= H <= 4"),
    ],
)
def test_the_sentence_is_the_shortest_true_one(condition: Condition, text: str | None) -> None:
    solved = solve_condition(condition, "H")
    assert (solved.text("H") if solved is not None else None) == text


def test_a_set_with_holes_lists_the_exceptions() -> None:
    assert (SizeSet(1, (((7, 7), (9, 9), (12, None)),))).text("H") == "H in {7, 9} or H >= 12"


def test_json_gives_modulus_residues_minimum_and_exceptions() -> None:
    found = SizeSet(1, (((7, 7), (12, None)),)).json("H")
    assert found == {
        "text": "H = 7 or H >= 12",
        "modulus": 1,
        "residues": [0],
        "minimum": 7,
        "periodic_from": 12,
        "exceptions": [7],
    }


def test_coupled_requirements_are_kept_and_judged_when_sizes_are_known() -> None:
    coupled = Open("f", Requirement("S205", Equal(H * W, 36), lambda: "differs"))
    domain = solve(["H", "W"], [coupled])
    assert domain.assumptions == (coupled,)
    assert domain.accepts({"H": 6, "W": 6}) and domain.accepts({"H": 12, "W": 3})
    assert not domain.accepts({"H": 6, "W": 7})
    assert domain.accepts({"H": 9}) and not domain.accepts({"H": 5})


def unet(depth: int, pad: int) -> Network:
    """Return the contracting path of a U-Net, without losing rows: exact pooling."""
    layers = []
    for _ in range(depth):
        layers += [layer("conv", filters=1, kernel=3, pad=pad) for _ in range(2)]
        layers.append(layer("maxpool", size=2, rounding="exact"))
    layers += [layer("conv", filters=1, kernel=3, pad=pad) for _ in range(2)]
    return Network(name="unet", input={"x": ("N", 1, "H", "W")}, layers=layers)


@pytest.mark.parametrize(
    ("depth", "text"),
    [(1, "H = 2k, H >= 14"), (2, "H = 4k, H >= 32"), (3, "H = 8k + 4, H >= 68"), (4, "H = 16k + 12, H >= 140")],
)
def test_the_contracting_path_of_an_unpadded_unet_loses_nothing_only_at_its_residue(depth: int, text: str) -> None:
    """Residues as published for the whole U-Net (its expanding path only raises the smallest size)."""
    assert unet(depth, 0).check().domain["H"].text("H") == text


def test_the_contracting_path_of_a_padded_unet_wants_multiples_of_sixteen() -> None:
    assert unet(4, 1).check().domain["H"].text("H") == "H = 16k, H >= 16"
