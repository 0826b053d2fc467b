"""A small share of the fuzzing, in every run: random specs, and the hostile ones that are quick."""

from __future__ import annotations

import sys
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytest.importorskip("resource", reason="limits of time and memory are a thing of Unix")

from tests.fuzz import fuzz_spec, hostile

PATIENCE = 300.0
"""Seconds of the process's own time until what does not end is given up: `make fuzz` measures, tests do not."""


@settings(max_examples=60)
@given(st.randoms(use_true_random=False))
def test_no_spec_however_odd_makes_the_command_fail(rng: Random) -> None:
    text = fuzz_spec.spec_text(rng)
    assert fuzz_spec.broken_promise(text, limit=PATIENCE) == "", text


@settings(max_examples=40)
@given(st.binary(max_size=200))
@example(b"\xff\xfespec: 1")
@example(b"\x00")
@example(b"")
def test_no_bytes_make_the_command_fail(data: bytes) -> None:
    for suffix in (".yaml", ".json"):
        assert fuzz_spec.broken_promise(data, suffix, ("full", "json"), PATIENCE) == ""


@pytest.mark.campaign
@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux's")
def test_no_hostile_spec_takes_long_or_much_or_fails() -> None:
    assert list(fuzz_spec.run_hostile(limit=PATIENCE)) == []


def test_a_command_that_fails_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise KeyError("of ours")

    monkeypatch.setattr("planner.cli.check.judge", fails)
    assert "KeyError" in fuzz_spec.broken_promise(hostile.spec(["relu"]))


def test_a_command_that_does_not_end_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_: object) -> None:
        while True:
            pass

    monkeypatch.setattr("planner.cli.check.judge", hangs)
    assert "takes more than" in fuzz_spec.broken_promise(hostile.spec(["relu"]), limit=0.05)
