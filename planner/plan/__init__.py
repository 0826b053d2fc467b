"""Plans: a checked network as formulas, and the same at known sizes."""
