"""Published memory of inference: what a greedy layout by size needs for the values of the MobileNets at 224.

Figures: the tensors of the architectures (arXiv:1704.04861, table 1; arXiv:1801.04381, table 2) in float32, counted as
Pisarchyk and Lee do (arXiv:2001.03288): one for each convolution with its norm and activation, sum, pooling, dense
layer and softmax, the image and workspace apart.
"""

from __future__ import annotations

from math import prod

import pytest

from planner import spec
from planner.memory import Timeline, arrange, timeline
from planner.plan.plan import BoundPlan
from planner.spec.documents import document_text
from planner.zoo import member
from tests.harness.memory_judge import assert_no_overlap

MIB = 2**20


def bound(name: str) -> BoundPlan:
    """Return a network of the zoo with softmax behind it, at 224."""
    document = member(name).document()
    document["layers"].append("softmax")
    del document["output"]
    network, findings = spec.read(document_text(document), name)
    assert network is not None and not findings, findings
    return network.check().bind(N=1, H=224, W=224)


@pytest.mark.parametrize(("name", "total", "least"), [("mobilenet_v1", 19.248, 4.594), ("mobilenet_v2", 26.313, 5.742)])
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
