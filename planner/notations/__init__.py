"""Accepted sizes in other notations: PyTorch, JAX, ONNX, bioimage.io, Python.

Each notation expresses as much of the rule as it can; the rest is always given in a comment.
"""

from planner.notations.written import NOTATIONS as NOTATIONS
from planner.notations.written import Notation as Notation
from planner.notations.written import written as written
