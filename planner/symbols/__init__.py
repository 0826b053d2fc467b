"""Sizes as formulas: the only package that knows sympy."""

from planner.symbols.notation import latex as latex
from planner.symbols.notation import shape_text as shape_text
from planner.symbols.notation import text as text
from planner.symbols.sizes import LARGEST as LARGEST
from planner.symbols.sizes import Shape as Shape
from planner.symbols.sizes import Size as Size
from planner.symbols.sizes import ceil_div as ceil_div
from planner.symbols.sizes import constant as constant
from planner.symbols.sizes import difference as difference
from planner.symbols.sizes import divides as divides
from planner.symbols.sizes import floor_div as floor_div
from planner.symbols.sizes import free as free
from planner.symbols.sizes import maximum as maximum
from planner.symbols.sizes import minimum as minimum
from planner.symbols.sizes import product as product
from planner.symbols.sizes import size as size
from planner.symbols.sizes import split_constant as split_constant
from planner.symbols.sizes import symbol as symbol
from planner.symbols.sizes import total as total
from planner.symbols.values import evaluate as evaluate
from planner.symbols.values import fold as fold
from planner.symbols.values import interval as interval
from planner.symbols.values import period as period
from planner.symbols.values import substitute as substitute
