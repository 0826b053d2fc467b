"""Specs nobody would write: text thrown at the whole of ``shapeplan check``."""
