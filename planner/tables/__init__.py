"""The numbers of a plan as JSON values, and as tables and charts of text."""

from planner.tables.facts import as_json as as_json
from planner.tables.facts import report as report
