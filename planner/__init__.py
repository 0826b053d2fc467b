"""Read a network, compute every size symbolically, and report the accepted sizes and the errors.

>>> import planner
>>> net = planner.Network(name="lecture", input={"image": ("N", 3, 32, 32)},
...                       layers=[planner.layer("conv", name="c1", filters=6, kernel=5)])
>>> plan = net.check()
>>> plan.parameter_count, plan.output_shapes
(456, {'c1': (N, 6, 28, 28)})

This package never imports NumPy or the runtime, and imports each public name on first access, so that the
command line handles `--help` and Ctrl-C without waiting for sympy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.api import explain as explain
    from planner.api import show as show
    from planner.api import solve as solve
    from planner.diagrams.drawing import draw as draw
    from planner.domain.domain import Domain as Domain
    from planner.findings import Finding as Finding
    from planner.findings import GraphError as GraphError
    from planner.findings import Location as Location
    from planner.findings import PlannerError as PlannerError
    from planner.findings import Severity as Severity
    from planner.findings import ShapeError as ShapeError
    from planner.findings import SizeError as SizeError
    from planner.findings import SpecError as SpecError
    from planner.fixes.check import check as check
    from planner.lowering.node import BoundNode as BoundNode
    from planner.network.entry import Entry as Entry
    from planner.network.entry import Tensor as Tensor
    from planner.network.entry import layer as layer
    from planner.network.fusion import fuse as fuse
    from planner.network.network import Network as Network
    from planner.network.node import Node as Node
    from planner.plan.diagnose import Diagnosis as Diagnosis
    from planner.plan.diagnose import diagnose as diagnose
    from planner.plan.node import PlannedNode as PlannedNode
    from planner.plan.plan import BoundPlan as BoundPlan
    from planner.plan.plan import Plan as Plan
    from planner.spec import load as load
    from planner.training.settings import TrainSettings as TrainSettings

_PLACES = {
    "planner.lowering.node": ("BoundNode",),
    "planner.plan.diagnose": ("Diagnosis", "diagnose"),
    "planner.domain.domain": ("Domain",),
    "planner.api": ("explain", "show", "solve"),
    "planner.diagrams.drawing": ("draw",),
    "planner.fixes.check": ("check",),
    "planner.network.entry": ("Entry", "Tensor", "layer"),
    "planner.network.fusion": ("fuse",),
    "planner.findings": (
        "Finding", "GraphError", "Location", "PlannerError", "Severity", "ShapeError", "SizeError", "SpecError",
    ),
    "planner.network.network": ("Network",),
    "planner.network.node": ("Node",),
    "planner.plan.node": ("PlannedNode",),
    "planner.plan.plan": ("BoundPlan", "Plan"),
    "planner.spec": ("load",),
    "planner.training.settings": ("TrainSettings",),
}  # fmt: skip
_MODULES = {name: module for module, names in _PLACES.items() for name in names}

__all__ = sorted(_MODULES)


if not TYPE_CHECKING:  # type checkers must report unknown names

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(_MODULES[name]), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *_MODULES})
