"""Descriptions of all rules: title, explanation, an example that breaks the rule, and the fixed example.

Texts only; each rule is implemented where its findings are made. ``shapeplan explain S201`` prints them.
"""

from collections.abc import Mapping
from types import MappingProxyType

from planner.rules.drawing import DRAWING
from planner.rules.reading import READING
from planner.rules.rule import Rule as Rule
from planner.rules.running import RUNNING
from planner.rules.sizes import SIZES
from planner.rules.wiring import WIRING

RULES: Mapping[str, Rule] = MappingProxyType(
    {rule.code: rule for rule in (*READING, *WIRING, *SIZES, *RUNNING, *DRAWING)}
)
"""Every rule by its code."""
