"""onnxruntime's side of a race: the plan as an ONNX graph with our weights, in a session of its defaults.

Its threads sleep when they have nothing to do: by default they go round and round for a while, on the cores of whoever
has the next turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.plan.plan import BoundPlan
from tests.benchmarks.graph import graph
from tests.benchmarks.sides import Pass, data

if TYPE_CHECKING:
    from tests.benchmarks.graph import Arrays


def infer(bound: BoundPlan, arrays: Arrays) -> Pass:
    """Return a pass, images in, logits out."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        graph(bound, arrays).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    (name,) = bound.inputs.values()
    images, _ = data(bound)
    return lambda: session.run(None, {name: images})[0]
