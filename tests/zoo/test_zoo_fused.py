"""Every network of the zoo computes the same fused, with fewer layers, fewer numbers and no more memory."""

from __future__ import annotations

from collections import Counter

import pytest

from runtime.model import Model
from tests.harness import small_zoo
from tests.runtime.test_fusion import assert_same, used

WITH_FILTERS = {"conv", "convtranspose", "dense"}


@pytest.mark.parametrize("name", small_zoo.DISTINCT)
def test_a_fused_network_computes_the_same_with_less(name: str) -> None:
    bound = small_zoo.bound(name)
    model = used(Model(bound, seed=1))
    fused = model.fused()
    assert_same(model, fused)

    reads = [name for node in bound.nodes for name in node.inputs]
    gone = []
    for node in bound.nodes:
        host = bound.by_name[node.inputs[0]] if node.inputs else node
        fits = host.kind in WITH_FILTERS and reads.count(host.name) == 1 and host.name not in bound.outputs.values()
        if node.layer.random or (node.kind == "batchnorm" and fits):
            gone.append(node)
    kinds, before = (Counter(node.kind for node in each.nodes) for each in (fused.bound, bound))
    assert kinds == before - Counter(node.kind for node in gone)

    norms = [node for node in gone if node.kind == "batchnorm"]
    biases = sum(
        norm.output_shape[1]
        for norm in norms
        if "bias" not in bound.by_name[norm.inputs[0]].parameters
    )
    factors = sum(p.count for norm in norms for p in norm.parameters.values())
    statistics = sum(p.count for norm in norms for p in norm.buffers.values())
    assert fused.bound.parameter_count == bound.parameter_count + biases - factors
    assert fused.bound.buffer_count == bound.buffer_count - statistics
    assert fused.bound.macs == bound.macs
    assert fused.bound.output_shapes == bound.output_shapes
    assert fused.bound.memory.inference_bytes <= bound.memory.inference_bytes
    assert fused.bound.memory.inference.bytes <= bound.memory.inference.bytes
