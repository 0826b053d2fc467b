"""Where numbers come from: every number of a layer derived, other tools' counts, paths, and tiles that stitch."""

