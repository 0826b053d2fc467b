"""Plans: a checked network with sizes as formulas or as numbers."""
