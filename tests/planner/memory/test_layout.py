"""The layout of memory: requests to offsets, judged pair by pair and against the optimum of tiny instances."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.memory import Request, Timeline, arrange
from tests.harness.memory_judge import assert_no_overlap


def request(position: int, size: int, *spans: tuple[int, int]) -> Request:
    return Request(str(position), "value", size, spans, (("value", str(position), 0),))


@st.composite
def timelines(draw: st.DrawFn, most: int) -> Timeline:
    steps = draw(st.integers(1, 8))
    found = []
    for position in range(draw(st.integers(0, most))):
        first = draw(st.integers(0, steps - 1))
        last = draw(st.integers(first, steps - 1))
        spans = [(first, last)]
        if last + 2 <= steps - 1 and draw(st.booleans()):
            spans.append((last + 2, steps - 1))
        found.append(request(position, draw(st.integers(1, 640)), *spans))
    return Timeline(tuple(found), steps, ())


@settings(max_examples=30)
@given(timelines(most=25))
def test_blocks_alive_together_never_overlap(requests: Timeline) -> None:
    check_no_overlap(requests)


@pytest.mark.campaign
@settings(max_examples=2000)
@given(timelines(most=40))
def test_many_blocks_alive_together_never_overlap(requests: Timeline) -> None:
    check_no_overlap(requests)


def check_no_overlap(requests: Timeline) -> None:
    arena = arrange(requests)
    if requests.requests:
        assert_no_overlap(arena)
    assert all(arena.places["value", item.name, 0].bytes >= item.bytes for item in requests.requests)


def smallest(requests: Sequence[Request]) -> int:
    """Size of the best arrangement: lowest free offset, in every order (some order yields an optimum)."""
    best = 10**9
    for order in permutations(requests):
        done: list[tuple[int, int, Request]] = []
        for item in order:
            size = -(-item.bytes // 64) * 64
            rivals = [
                (start, stop)
                for start, stop, other in done
                if any(a <= d and c <= b for a, b in item.spans for c, d in other.spans)
            ]
            starts = sorted({0, *(stop for _, stop in rivals)})
            start = next(s for s in starts if all(s + size <= lo or hi <= s for lo, hi in rivals))
            done.append((start, start + size, item))
        best = min(best, max(stop for _, stop, _ in done))
    return best


@settings(max_examples=60)
@given(timelines(most=5))
def test_tiny_instances_are_between_the_optimum_and_a_quarter_more(requests: Timeline) -> None:
    arena = arrange(requests)
    if requests.requests:
        optimum = smallest(requests.requests)
        assert arena.lower_bound <= optimum <= arena.bytes <= optimum * 5 // 4


def test_an_empty_timeline_needs_no_memory() -> None:
    assert arrange(Timeline((), 1, ())).bytes == 0
