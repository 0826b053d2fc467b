"""The planner: reads a network, computes every size symbolically, says what it accepts and what is wrong.

>>> import planner
>>> net = planner.Network(name="lecture", input={"image": ("N", 3, 32, 32)},
...                       layers=[planner.layer("conv", name="c1", filters=6, kernel=5)])
>>> plan = net.check()
>>> plan.parameters, plan.output_shapes
(456, {'c1': (N, 6, 28, 28)})

Neither NumPy nor the runtime is ever imported from here.
"""

from planner.bound import BoundNode as BoundNode
from planner.bound import BoundPlan as BoundPlan
from planner.check import Diagnosis as Diagnosis
from planner.check import diagnose as diagnose
from planner.domain import Domain as Domain
from planner.entry import Entry as Entry
from planner.entry import layer as layer
from planner.findings import Finding as Finding
from planner.findings import GraphError as GraphError
from planner.findings import Location as Location
from planner.findings import PlannerError as PlannerError
from planner.findings import Severity as Severity
from planner.findings import ShapeError as ShapeError
from planner.findings import SizeError as SizeError
from planner.findings import SpecError as SpecError
from planner.network import Network as Network
from planner.network import Node as Node
from planner.plan import Plan as Plan
from planner.plan import PlannedNode as PlannedNode
from planner.spec import load as load
from planner.training import TrainSettings as TrainSettings
