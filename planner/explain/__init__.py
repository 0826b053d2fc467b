"""Where numbers come from: every number of a layer derived, other tools' counts, paths, and tiles that stitch."""

from planner.explain.layer import derivations as derivations
from planner.explain.layer import explain as explain
