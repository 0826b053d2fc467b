"""Published memory of inference: what a greedy layout by size needs for the values of the MobileNets at 224.

Figures: the tensors of the architectures (arXiv:1704.04861, table 1; arXiv:1801.04381, table 2) in float32, counted as
Pisarchyk and Lee do (arXiv:2001.03288): one for each convolution with its norm and activation, sum, pooling, dense
layer and softmax, the image and scratch memory apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import pytest

from planner import Entry, Network, layer
from planner.bound import BoundPlan
from planner.memory import Timeline, arrange, timeline
from tests.planner.memory_judge import assert_no_overlap
from tests.test_published import conv, mobilenet_v2

MIB = 2**20
MOBILENET_V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
"""Filters and stride of each depthwise-separable pair."""


def mobilenet_v1() -> Iterator[Entry]:
    yield conv("stem", 32, 3, stride=2)
    channels = 32
    for index, (filters, stride) in enumerate(MOBILENET_V1):
        yield conv(f"deep{index}", channels, 3, stride=stride, groups=channels)
        yield conv(f"flat{index}", filters, 1)
        channels = filters
    yield layer("gap")
    yield layer("flatten")
    yield layer("dense", units=1000)


def bound(name: str) -> BoundPlan:
    layers = [*{"v1": mobilenet_v1, "v2": mobilenet_v2}[name](), layer("softmax")]
    return Network(name=name, input={"image": ("N", 3, 224, 224)}, layers=layers).check().bind(N=1)


@pytest.mark.parametrize(("name", "total", "least"), [("v1", 19.248, 4.594), ("v2", 26.313, 5.742)])
def test_values_of_the_mobilenets_need_what_is_published(name: str, total: float, least: float) -> None:
    plan = bound(name)
    tensors = [node for node in plan.nodes if node.kind in ("conv", "add", "gap", "dense", "softmax")]
    assert sum(4 * prod(node.output_shape) for node in tensors) / MIB == pytest.approx(total, abs=5e-4)
    line = timeline(plan.nodes, plan.outputs, 4, training=False)
    values = tuple(request for request in line.requests if request.role == "value")
    arena = arrange(Timeline(values, line.steps, ()), looks=0)
    assert_no_overlap(arena)
    assert arena.lower_bound / MIB == pytest.approx(least, abs=5e-4)
    assert arena.bytes == arena.lower_bound and arena.proved
