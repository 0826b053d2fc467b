"""A plan as facts for machines, and as tables and charts for people."""

from planner.report.facts import as_json as as_json
from planner.report.facts import report as report
