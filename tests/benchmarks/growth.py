"""How the time of a training step grows: with the batch, the side of the image, the depth and the cores.

One of them varies, the others stay; each figure is raced beside PyTorch where it is installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import runtime
from planner import Network, layer
from planner.plan.plan import BoundPlan
from tests.benchmarks import sides
from tests.benchmarks.networks import bound
from tests.benchmarks.race import CHILD, CLOCKS, Clock
from tests.benchmarks.races import timed
from tests.benchmarks.rivals import RIVALS

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SIDES = (8, 16, 32, 64, 128, 256)
DEPTHS = (2, 4, 8, 16, 32)
CORE_NETS = ("lenet5", "mnist_cnn", "cifar_vgg", "resnet20", "separable")
HEAD = f"{'grows':<7} {'network':<14}{'to':>5} {'ours ms':>10} {'a unit':>8} {'PyTorch':>10} {'a unit':>8} {'ratio':>7}"


def tower(depth: int, side: int, batch: int) -> BoundPlan:
    """Return a plan of so many 3x3 convolutions of 32 filters on maps that keep their size.

    Examples
    --------
    >>> tower(2, 16, 4).macs == 4 * (16 * 16 * 9 * (3 * 32 + 32 * 32) + 320)
    True
    """
    convs = [layer("conv", filters=32, kernel=3, pad=1, norm="batch", act="relu") for _ in range(depth)]
    ends = [layer("gap"), layer("flatten"), layer("dense", units=10)]
    net = Network(name="tower", input={"image": ("N", 3, side, side)}, layers=[*convs, *ends])
    return net.check().bind(N=batch)


def rows(nets: Sequence[str], seconds: float, clock: str) -> Iterator[dict[str, Any]]:
    """Yield one row for each size that grows, then for each number of cores."""
    grown = partial(_grown, seconds=seconds, clock=CLOCKS[clock])
    for name in nets or ("lenet5", "cifar_vgg"):
        yield from grown("batch", name, BATCHES, partial(bound, name), lambda batch: batch)
    if not nets:
        yield from grown("side", "tower", SIDES, lambda side: tower(3, side, 8), lambda side: side * side)
        yield from grown("depth", "tower", DEPTHS, lambda depth: tower(depth, 32, 16), lambda depth: depth)
    yield from _cores(nets or CORE_NETS, seconds)


def line(row: Mapping[str, Any]) -> str:
    """Return one row for people; a unit is an image, a position, a layer or a core."""
    cells = [f"{row['ours_ms']:10.2f} {row['ours_ms'] / row['units']:8.4g}"]
    if "theirs_ms" in row:
        cells.append(f"{row['theirs_ms']:10.2f} {row['theirs_ms'] / row['units']:8.4g} {row['ratio']:7.2f}")
    return f"{row['grows']:<7} {row['network']:<14}{row['to']:>5} {' '.join(cells)}"


def _grown(
    grows: str, name: str, sizes: Sequence[int], make: Callable[[int], BoundPlan], units: Callable[[int], int],
    seconds: float, clock: Clock,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    for size in sizes:
        plan = make(size)
        model = runtime.Model(plan, seed=0)
        rival = RIVALS["PyTorch"]
        theirs = None if rival.missing() else rival.side("step", plan, model)
        row = {"grows": grows, "network": name, "to": size, "units": units(size)}
        figures = timed(sides.step(plan, model), theirs or (lambda: None), seconds, clock)
        if theirs is None:
            figures = {"ours_ms": figures["ours_ms"]}
        yield row | figures


def _cores(nets: Sequence[str], seconds: float) -> Iterator[dict[str, Any]]:
    """Yield rows of processes that may use one core, two and so on, doubling, by the clock on the wall."""
    if not hasattr(os, "sched_getaffinity"):
        return
    most = len(os.sched_getaffinity(0))
    counts = [2**power for power in range(most.bit_length()) if 2**power <= most]
    for name in nets:
        for count in counts:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "rows.json"
                command = [sys.executable, "-m", "tests.benchmarks", "train", "--nets", name, "--batches", "64"]
                command += ["--seconds", str(seconds), "--json", str(file), "--cores", str(count)]
                # Not as a child that has its cores already.
                clean = {key: value for key, value in os.environ.items() if key != CHILD}
                subprocess.run(command, check=True, capture_output=True, env=clean)
                for row in json.loads(file.read_text("utf-8"))["groups"]["train"]:
                    yield {"grows": "cores", "network": name, "to": count, "units": 1} | {
                        key: row[key] for key in ("ours_ms", "theirs_ms", "ratio", "low", "high", "pairs")
                    }
