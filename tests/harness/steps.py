"""Counts the work that Python does, where a clock would measure how busy the machine is."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


class TooManySteps(AssertionError):
    """The work goes on after the steps that were allowed."""


def steps(action: Callable[[], object], limit: float = float("inf")) -> int:
    """Return how many steps an action takes in this thread: lines executed, functions entered and left.

    Calls of functions written in C count as well, but not what they do inside.

    Parameters
    ----------
    action : callable
        Called once, without arguments.
    limit : float, optional
        The action is broken off after so many steps.

    Raises
    ------
    TooManySteps
        Once the action takes more than `limit` steps.

    Examples
    --------
    >>> once, twice = (steps(lambda size=size: [abs(number) for number in range(size)]) for size in (100, 200))
    >>> 1.8 * once < twice < 2 * once
    True
    """
    count = 0

    def step(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        if count > limit:
            sys.setprofile(None)
            raise TooManySteps(f"more than {limit} steps, the last in {frame.f_code.co_qualname}")
        return step

    def called(frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            step(frame, event, argument)

    before = sys.gettrace(), sys.getprofile()
    collecting = gc.isenabled()
    gc.disable()  # whatever the collector finalises is not the action's work
    sys.settrace(step)
    sys.setprofile(called)
    try:
        action()
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
        if collecting:
            gc.enable()
    return count
