"""Findings as text, JSON and SARIF, and the settings that select and suppress them."""
