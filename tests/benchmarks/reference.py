"""The ONNX ReferenceEvaluator's side of a race: the standard's own NumPy implementation of its operators."""

from __future__ import annotations

from planner.plan.plan import BoundPlan
from tests.benchmarks.graph import Arrays, graph
from tests.benchmarks.sides import Pass, data


def infer(bound: BoundPlan, arrays: Arrays) -> Pass:
    """Return a pass, images in, logits out."""
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(graph(bound, arrays))
    (name,) = bound.inputs.values()
    images, _ = data(bound)
    return lambda: evaluator.run(None, {name: images})[0]
