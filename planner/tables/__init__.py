"""A plan as facts for machines, and as tables and charts for people."""

from planner.tables.facts import as_json as as_json
from planner.tables.facts import report as report
