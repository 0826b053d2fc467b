"""Findings as text, JSON and SARIF, and the settings that decide which of them count."""
