"""Explanations of a plan's numbers: derivations of layers, counts of other tools, paths, and tiled inference."""
