"""What the machine really gives: the peak of a process that trains is the interpreter's own, the plan and the data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.places import ROOT

STATM = Path("/proc/self/statm")

pytestmark = pytest.mark.skipif(not STATM.exists(), reason="resident memory is read from Linux")


SCRIPT = """
import gc, json, resource
import numpy as np
import planner
from planner import layer
from runtime.model import Model

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def peak_resident():
    # Not ru_maxrss: a process inherits that from the one that started it, which may be larger.
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024


def network(side, filters, batch):
    layers = [
        layer("conv", filters=filters, kernel=3, pad=1, norm="batch", act="relu"),
        layer("conv", filters=filters, kernel=3, pad=1, act="relu"),
        layer("maxpool", size=2),
        layer("conv", filters=2 * filters, kernel=3, pad=1, act="relu"),
        layer("maxpool", size=2),
        layer("flatten"),
        layer("dense", units=max(8, 16 * filters), act="relu"),
        layer("dense", units=10),
    ]
    net = planner.Network(name="t", input={"x": ("N", 3, side, side)}, layers=layers)
    return net.check().bind(N=batch)


def train(bound):
    shape = next(iter(bound.input_shapes.values()))
    images = np.full((2 * shape[0], *shape[1:]), 1, np.uint8)
    labels = np.zeros(2 * shape[0], np.int64)
    Model(bound).fit(images, labels, epochs=1, progress=False)
    return images.nbytes + labels.nbytes


train(network(64, 32, 8))  # everything is imported, and BLAS has the buffers that it keeps
gc.collect()
bound = network(64, 32, 64)
planned = bound.memory.training_bytes
before = resident()
data = train(bound)
peak = peak_resident()
print(json.dumps({"planned": planned, "data": data, "grown": peak - before}))
"""


def measured() -> dict[str, int]:
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env={**os.environ}, capture_output=True, text=True, check=True
    )
    return dict(json.loads(found.stdout))


def test_peak_memory_of_training_is_the_plan_and_the_data_within_a_twentieth() -> None:
    found = measured()
    expected = found["planned"] + found["data"]
    assert found["planned"] > 100 * 2**20
    assert abs(found["grown"] - expected) <= expected // 20, found
