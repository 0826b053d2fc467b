"""Inverse questions: find the sizes and settings that give a wanted result.

`wants` finds sizes for output shapes, `settings` finds settings of layers, `budgets` finds the largest size within a
number of bytes or multiply-accumulates, `nearest` finds the accepted sizes next to given ones, and `formulas` returns
costs as formulas in the free sizes.
"""

from planner.solver.budgets import Budget as Budget
from planner.solver.budgets import Largest as Largest
from planner.solver.budgets import largest as largest
from planner.solver.formulas import Formulas as Formulas
from planner.solver.formulas import formulas as formulas
from planner.solver.nearest import Near as Near
from planner.solver.nearest import near as near
from planner.solver.settings import Found as Found
from planner.solver.settings import Knob as Knob
from planner.solver.settings import settings_giving as settings_giving
from planner.solver.wants import Answer as Answer
from planner.solver.wants import Want as Want
from planner.solver.wants import example as example
from planner.solver.wants import loosened as loosened
from planner.solver.wants import sizes_giving as sizes_giving
