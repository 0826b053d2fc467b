"""Solving backwards: from what is wanted to the sizes and settings that give it.

`wants` asks for output shapes, `settings` for settings of layers, `budgets` for the largest size within bytes or
multiply-accumulates, `nearest` for the accepted size next to a given one; `formulas` are the costs to solve.
"""

from planner.solve.budgets import Budget as Budget
from planner.solve.budgets import Largest as Largest
from planner.solve.budgets import largest as largest
from planner.solve.formulas import Formulas as Formulas
from planner.solve.formulas import formulas as formulas
from planner.solve.nearest import Near as Near
from planner.solve.nearest import near as near
from planner.solve.settings import Found as Found
from planner.solve.settings import Knob as Knob
from planner.solve.settings import settings_giving as settings_giving
from planner.solve.wants import Answer as Answer
from planner.solve.wants import Want as Want
from planner.solve.wants import example as example
from planner.solve.wants import loosened as loosened
from planner.solve.wants import sizes_giving as sizes_giving
