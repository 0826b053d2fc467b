"""Solving backwards: from what is wanted to the sizes and settings that give it.

`wants` asks for output shapes, `settings` for settings of layers, `budgets` for the largest size within bytes or
multiply-accumulates, `nearest` for the accepted size next to a given one; `formulas` are the costs to solve.
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
