"""Rules about reading a spec: P1xx."""

from __future__ import annotations

from planner.rules.rule import Rule, spec

_P105 = "$ shapeplan check lenet"

READING = (
    Rule(
        "P101",
        "not readable",
        "The text is not valid YAML (JSON if the file name ends in .json), not UTF-8, or empty. The place is where the "
        "parser stopped; the mistake is there or shortly before: an unclosed bracket or quote, a tab as "
        "indentation, a missing space after a colon.",
        spec("conv: {filters: 6, kernel: 5"),
        spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "P102",
        "duplicate key",
        "A key occurs twice in one mapping. Most YAML parsers silently keep the last one, so that half of what you "
        "wrote has no effect. shapeplan reports both places and uses neither.",
        spec("conv: {filters: 6, kernel: 5, filters: 16}"),
        spec("conv: {filters: 16, kernel: 5}"),
    ),
    Rule(
        "P103",
        "too large or too deep",
        "A spec has at most 1,000,000 characters, 64 levels of nesting, 100,000 values with aliases expanded, "
        "numbers of 40 characters, and 10,000 layers with blocks expanded. Networks stay far below these limits; a "
        "file that does not is usually not a spec, or an attack on the parser.",
        spec("conv: {filters: 100000000000000000000000000000000000000000, kernel: 5}"),
        spec("conv: {filters: 100, kernel: 5}"),
    ),
    Rule(
        "P104",
        "YAML feature refused",
        "Tags, merge keys (<<), several documents in one file and aliases without an anchor are refused, because "
        "different parsers read them differently. Plain aliases work; for repeated layers, use blocks.",
        spec("conv: {filters: !!int 6, kernel: 5}"),
        spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "P105",
        "file cannot be opened",
        "The file does not exist, is a directory, cannot be read, or does not end in .yaml, .yml or .json.",
        _P105,
        "$ shapeplan check lenet5.yaml",
    ),
    Rule(
        "P106",
        "wrong type of value",
        "A value has the wrong type for its key: a list instead of a mapping, nothing instead of a number, or two "
        "keys in one layer.",
        spec("conv: [6, 5]"),
        spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "P107",
        "version of the format",
        "A spec names the version of its format, so that later releases can still read it. This release reads "
        "version 1.",
        spec("flatten").replace("spec: 1", "spec: 2"),
        spec("flatten"),
    ),
)
"""In the order of their codes."""
