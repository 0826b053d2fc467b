"""Fixes for findings, each verified by planning again before it is offered."""

from planner.fixes.free_sizes import free_domain as free_domain
from planner.fixes.free_sizes import with_free_sizes as with_free_sizes
from planner.fixes.proof import with_fixes as with_fixes
