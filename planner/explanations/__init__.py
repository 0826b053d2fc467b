"""Where numbers come from: every number of a layer derived, other tools' counts, paths, and tiles that stitch."""

from planner.explanations.layer import derivations as derivations
from planner.explanations.layer import explain as explain
