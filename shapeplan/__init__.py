"""Check, plan and run convolutional networks: the public names of the packages `planner` and `runtime` in one place.

>>> import shapeplan
>>> net = shapeplan.Network.sequential("tiny", image=("N", 1, "H", "W"), layers=[
...     shapeplan.conv(filters=8, kernel=3, act="relu"),
...     shapeplan.gap(),
...     shapeplan.flatten(),
...     shapeplan.dense(name="digit", units=10),
... ])
>>> net.check().output_shapes
{'digit': (N, 10)}

Every kind of layer is a function: ``help(shapeplan.conv)``. Each public name is imported on first access.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # At run time, names that `planner` exports need no entry here. These lines are for type checkers and editors;
    # a test compares the two.
    from planner import BoundNode as BoundNode
    from planner import BoundPlan as BoundPlan
    from planner import Diagnosis as Diagnosis
    from planner import Domain as Domain
    from planner import Entry as Entry
    from planner import Finding as Finding
    from planner import GraphError as GraphError
    from planner import Location as Location
    from planner import Network as Network
    from planner import Node as Node
    from planner import Plan as Plan
    from planner import PlannedNode as PlannedNode
    from planner import PlannerError as PlannerError
    from planner import Severity as Severity
    from planner import ShapeError as ShapeError
    from planner import SizeError as SizeError
    from planner import SpecError as SpecError
    from planner import Tensor as Tensor
    from planner import TrainSettings as TrainSettings
    from planner import check as check
    from planner import diagnose as diagnose
    from planner import draw as draw
    from planner import explain as explain
    from planner import fuse as fuse
    from planner import layer as layer
    from planner import load as load
    from planner import show as show
    from planner import solve as solve
    from planner.constructors import *  # noqa: F403  # a function for each kind of layer
    from runtime import Model as Model
else:
    from shapeplan._names import find, public, starred

    def __getattr__(name: str) -> object:
        if name == "__all__":
            return starred()
        globals()[name] = found = find(name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *public()})
