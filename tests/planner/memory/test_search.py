"""The exact search of arrangements: judged pair by pair, against brute force, and on published hard instances."""

from __future__ import annotations

import os
from itertools import permutations
from pathlib import Path
from random import Random

import pytest

from planner.memory import Request, Timeline, arrange
from planner.memory.search import search
from planner.memory.skyline import Span
from tests.harness.memory_judge import assert_no_overlap
from tests.harness.minimalloc import CAPACITY, instance
from tests.harness.places import ROOT
from tests.harness.steps import steps

INSTANCES = ROOT / "tests" / "harness" / "instances"
LOOKS = 80_000_000

Blocks = list[tuple[int, tuple[Span, ...]]]


def drawn(rng: Random, *, split: bool) -> Blocks:
    blocks: Blocks = []
    for _ in range(rng.randint(2, 6)):
        first = rng.randint(0, 6)
        last = rng.randint(first, min(first + 3, 7))
        spans = [(first, last)]
        if split and last + 2 <= 7 and rng.random() < 0.4:
            spans.append((last + 2, 7))
        blocks.append((64 * rng.randint(1, 5), tuple(spans)))
    return blocks


def meet(left: tuple[Span, ...], right: tuple[Span, ...]) -> bool:
    return any(a <= d and c <= b for a, b in left for c, d in right)


def optimum(blocks: Blocks) -> int:
    """Size of the smallest arrangement: each block as low as it goes, in every order."""
    best = 10**9
    for order in permutations(blocks):
        placed: list[tuple[int, int, tuple[Span, ...]]] = []
        for size, spans in order:
            rivals = [(low, high) for low, high, other in placed if meet(spans, other)]
            free = (
                start
                for start in sorted({0, *(high for _, high in rivals)})
                if all(start + size <= low or high <= start for low, high in rivals)
            )
            start = next(free)
            placed.append((start, start + size, spans))
        best = min(best, max(high for _, high, _ in placed))
    return best


def bound(blocks: Blocks) -> int:
    return max(sum(size for size, spans in blocks if meet(spans, ((step, step),))) for step in range(8))


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("seed", range(60))
def test_a_finished_search_ends_at_the_optimum_and_proves_it(seed: int, split: bool) -> None:
    blocks = drawn(Random(seed), split=split)
    sizes, spans = [size for size, _ in blocks], [spans for _, spans in blocks]
    best = optimum(blocks)
    found = search(sizes, spans, total=sum(sizes) + 64, least=bound(blocks), looks=10_000_000)
    assert found.offsets is not None
    assert max(offset + size for offset, size in zip(found.offsets, sizes, strict=True)) == best == found.least
    requests = tuple(
        Request(str(i), "value", size, life, (("value", str(i), 0),)) for i, (size, life) in enumerate(blocks)
    )
    arena = arrange(Timeline(requests, 8, ()))
    assert_no_overlap(arena)
    assert arena.proved and arena.bytes == best


@pytest.mark.parametrize("name", ["B", "E"])
def test_published_instances_at_which_greedy_fails_fit_their_capacity(name: str) -> None:
    timeline = instance(INSTANCES / f"{name}.1048576.csv")
    greedy = arrange(timeline, looks=0)
    assert greedy.bytes > 1.2 * CAPACITY and not greedy.proved
    arena = arrange(timeline, looks=LOOKS, enough=CAPACITY)
    assert_no_overlap(arena)
    assert arena.bytes == CAPACITY == arena.lower_bound and arena.proved


@pytest.mark.skipif("SHAPEPLAN_MINIMALLOC" not in os.environ, reason="SHAPEPLAN_MINIMALLOC: a directory of instances")
@pytest.mark.parametrize("name", "ABCDEFGHIJK")
def test_every_published_instance_fits_its_capacity(name: str) -> None:
    timeline = instance(Path(os.environ["SHAPEPLAN_MINIMALLOC"]) / f"{name}.1048576.csv")
    arena = arrange(timeline, looks=LOOKS, enough=CAPACITY)
    assert_no_overlap(arena)
    assert arena.bytes <= CAPACITY


def test_the_same_blocks_are_arranged_the_same_way_whatever_the_work_before() -> None:
    timeline = instance(INSTANCES / "B.1048576.csv")
    first, second = (arrange(timeline, looks=LOOKS, enough=CAPACITY) for _ in range(2))
    assert first == second


def test_a_search_ends_with_its_work_and_says_that_nothing_is_proved() -> None:
    arena = arrange(instance(INSTANCES / "E.1048576.csv"), looks=20_000)
    assert not arena.proved and arena.bytes > arena.lower_bound
    assert_no_overlap(arena)


def test_many_blocks_that_no_order_arranges_well_are_given_up_at_once() -> None:
    rng = Random(7)
    requests = []
    for index in range(900):
        first = rng.randint(0, 750)
        life = ((first, min(first + rng.choice([1, 3, 450]), 899)),)
        requests.append(Request(str(index), "value", 64 * rng.randint(1, 400), life, (("value", str(index), 0),)))
    timeline = Timeline(tuple(requests), 900, ())
    greedy, arena = arrange(timeline, looks=0), arrange(timeline)
    assert arena.bytes <= greedy.bytes and not arena.proved
    assert steps(lambda: arrange(timeline)) < 1.5 * steps(lambda: arrange(timeline, looks=0))
