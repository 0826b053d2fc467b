"""The static allocation instances of MiniMalloc (Moffitt, ASPLOS 2023; google/minimalloc, Apache-2.0) as timelines."""

from __future__ import annotations

import csv
from pathlib import Path

from planner.memory import Request, Timeline

CAPACITY = 1_048_576
"""Bytes that each of the eleven is known to fit in."""


def instance(path: Path) -> Timeline:
    """Return an instance with its times numbered as steps; `upper` is excluded."""
    with path.open(encoding="ascii", newline="") as file:
        rows = [(row["id"], int(row["lower"]), int(row["upper"]), int(row["size"])) for row in csv.DictReader(file)]
    times = sorted({time for _, lower, upper, _ in rows for time in (lower, upper)})
    step = {time: index for index, time in enumerate(times)}
    requests = [
        Request(name, "value", size, ((step[lower], step[upper] - 1),), (("value", name, 0),))
        for name, lower, upper, size in rows
    ]
    return Timeline(tuple(requests), len(times), ())
