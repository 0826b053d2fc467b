"""Ways out of a finding, each proved by planning again before it is offered."""

from planner.fixes.freed import freed as freed
from planner.fixes.freed import freed_domain as freed_domain
from planner.fixes.proof import with_fixes as with_fixes
