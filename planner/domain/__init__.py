"""The exact set of input sizes that a network accepts: sets of sizes, solved conditions and joint sets."""

from planner.domain.affine import solve_condition as solve_condition
from planner.domain.domain import Domain as Domain
from planner.domain.domain import Open as Open
from planner.domain.domain import Reason as Reason
from planner.domain.domain import contradiction as contradiction
from planner.domain.domain import solve as solve
from planner.domain.joint import boxes_text as boxes_text
from planner.domain.sizeset import SizeSet as SizeSet
