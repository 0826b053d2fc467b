"""Accepted sizes: the set is exactly what brute force finds, and the sentence is short and true."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planner.symbols as sy
from planner import Network, diagnose, layer
from planner.conditions import AtLeast, Condition, Divides, Equal, Requirement
from planner.domain.affine import solve_condition
from planner.domain.domain import Open, solve
from planner.domain.sizeset import SizeSet

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
@settings(max_examples=50)
def test_a_solved_condition_is_what_brute_force_finds(seed: int) -> None:
    check_condition(seed)


def check_condition(seed: int) -> None:
    condition = random_condition(random.Random(seed))
    solved = solve_condition(condition, "H")
    assert solved is not None
    expected = [n for n in range(1, 160) if condition.holds({"H": n})]
    assert [n for n in range(1, 160) if n in solved] == expected
    for size in (1, 17, 80):
        assert solved.next(size) == next((n for n in expected if n >= size), solved.next(160))
        assert solved.previous(size) == next((n for n in reversed(expected) if n <= size), None)


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_intersections_are_intersections_and_equality_is_of_members(seed: int) -> None:
    check_intersection(seed)


def check_intersection(seed: int) -> None:
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
        (Divides(3, H * H), "H = 3k, H >= 3"),
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


def test_a_product_with_a_known_value_is_solved_by_its_factors() -> None:
    coupled = Open("f", Requirement("S205", Equal(H * W, 36), lambda: "differs"))
    domain = solve(["H", "W"], [coupled])
    assert not domain.assumptions and domain.count == 9
    assert domain.accepts({"H": 6, "W": 6}) and domain.accepts({"H": 12, "W": 3})
    assert not domain.accepts({"H": 6, "W": 7})
    assert domain.accepts({"H": 9}) and not domain.accepts({"H": 5})
    assert list(domain["H"]) == [1, 2, 3, 4, 6, 9, 12, 18, 36]


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_products_of_sizes_are_what_brute_force_finds(seed: int) -> None:
    check_product(seed)


@pytest.mark.campaign
@pytest.mark.parametrize("check", ["check_condition", "check_intersection", "check_product"])
def test_many_conditions_are_solved_as_brute_force_solves_them(check: str) -> None:
    for seed in range(1000):
        globals()[check](seed)


def check_product(seed: int) -> None:
    draw = random.Random(seed)
    left = sy.floor_div(H + draw.randint(-6, 6), draw.randint(1, 4)) + draw.randint(-3, 3)
    right = sy.floor_div(W + draw.randint(-6, 6), draw.randint(1, 4)) + draw.randint(-3, 3)
    value = draw.choice([1, 6, 12, 25, 30])
    coupled = [
        Open("f", Requirement("S205", Equal(draw.choice([1, 2]) * left * right, 2 * value), lambda: "differs")),
        Open("h", Requirement("S201", AtLeast(H - draw.randint(0, 9), 0), lambda: "small")),
    ]
    domain = solve(["H", "W"], coupled)
    conditions = [o.requirement.condition for o in coupled]
    for height in range(1, 60):
        for width in range(1, 60):
            sizes = {"H": height, "W": width}
            assert domain.accepts(sizes) == all(condition.holds(sizes) for condition in conditions), sizes


def test_a_lenet_with_400_inputs_to_its_dense_layer_accepts_exactly_48_pairs() -> None:
    """Derived in the design: (floor(H/4) - 3)(floor(W/4) - 3) = 25."""
    plan = Network(
        name="lenet",
        input={"image": ("N", 1, "H", "W")},
        layers=[
            layer("conv", filters=6, kernel=5),
            layer("maxpool", size=2),
            layer("conv", filters=16, kernel=5),
            layer("maxpool", size=2),
            layer("flatten"),
            layer("dense", units=120, features=400),
        ],
    ).check()
    pairs = {(h, w) for h in range(1, 140) for w in range(1, 140) if plan.accepts(H=h, W=w)}
    assert len(pairs) == 48 == plan.domain.count
    assert {(16, 112), (112, 16), (32, 35), (35, 32)} <= pairs
    assert plan.domain.text() == (
        "N >= 1, 48 pairs: 16 <= H <= 19 with 112 <= W <= 115, 32 <= H <= 35 with 32 <= W <= 35, "
        "112 <= H <= 115 with 16 <= W <= 19"
    )


def test_what_couples_sizes_otherwise_is_kept_and_judged_when_they_are_known() -> None:
    coupled = Open("f", Requirement("S202", Equal(H, W + 1), lambda: "differs"))
    domain = solve(["H", "W"], [coupled])
    assert domain.assumptions == (coupled,)
    assert domain.accepts({"H": 6, "W": 5}) and not domain.accepts({"H": 6, "W": 6})
    assert domain.accepts({"H": 9}) and not domain.accepts({"H": 1})


def test_each_bound_names_the_layer_that_sets_it_and_no_other() -> None:
    plan = unet(2, 0, width=64).check()
    assert [reason.text for reason in plan.domain.reasons] == [
        "H = 2k, H >= 2 because of `maxpool1`: H - 6 is a multiple of 2",
        "H mod 4 in {0, 1}, H >= 1 because of `maxpool2`: floor(H/2) - 8 is a multiple of 2",
        "H >= 32 because of `conv6`: floor(H/4) >= 8",
    ]


def test_sizes_that_run_and_sizes_that_lose_nothing_are_two_sets() -> None:
    plan = unet(4, 0, rounding="floor").check()
    assert plan.domain["H"].text("H") == "H >= 140"
    assert plan.lossless["H"].text("H") == "H = 16k + 12, H >= 140"


def test_a_dense_width_that_no_input_gives_is_told_once_and_by_its_own_rule() -> None:
    layers = [layer("conv", filters=6, kernel=5), layer("flatten"), layer("dense", name="d", units=3, features=401)]
    found = diagnose(Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=layers))
    assert [(f.code, f.message) for f in found.findings] == [
        ("S211", "`d` needs (6*H - 24)*(W - 4) = 401, which no H and W can satisfy")
    ]


def test_a_square_of_one_size_is_solved_by_its_root() -> None:
    layers = [layer("conv", filters=6, kernel=5), layer("flatten"), layer("dense", units=3, features=600)]
    plan = Network(name="n", input={"x": ("N", 1, "H", "H")}, layers=layers).check()
    assert plan.domain.text() == "N >= 1, H = 14" and not plan.domain.assumptions


def unet(depth: int, pad: int, rounding: str = "exact", width: int | str = "W") -> Network:
    """Return the contracting path of a U-Net, by default without losing rows: exact pooling."""
    layers = []
    for _ in range(depth):
        layers += [layer("conv", filters=1, kernel=3, pad=pad) for _ in range(2)]
        layers.append(layer("maxpool", size=2, rounding=rounding))
    layers += [layer("conv", filters=1, kernel=3, pad=pad) for _ in range(2)]
    return Network(name="unet", input={"x": ("N", 1, "H", width)}, layers=layers)


@pytest.mark.parametrize(
    ("depth", "text"),
    [(1, "H = 2k, H >= 14"), (2, "H = 4k, H >= 32"), (3, "H = 8k + 4, H >= 68"), (4, "H = 16k + 12, H >= 140")],
)
def test_the_contracting_path_of_an_unpadded_unet_loses_nothing_only_at_its_residue(depth: int, text: str) -> None:
    """Residues as published for the whole U-Net (its expanding path only raises the smallest size)."""
    assert unet(depth, 0).check().domain["H"].text("H") == text


def test_the_contracting_path_of_a_padded_unet_wants_multiples_of_sixteen() -> None:
    assert unet(4, 1).check().domain["H"].text("H") == "H = 16k, H >= 16"
