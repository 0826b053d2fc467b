"""The rule of accepted sizes in other people's notations: PyTorch, JAX, ONNX, bioimage.io, Python.

Each says as much of the rule as its notation can; what it cannot say stands in a comment, never nowhere.
"""

from planner.notations.written import NOTATIONS as NOTATIONS
from planner.notations.written import Notation as Notation
from planner.notations.written import written as written
