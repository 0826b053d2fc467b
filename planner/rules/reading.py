"""Rules about reading a spec: P1xx."""

from __future__ import annotations

from planner.rules.rule import Rule, spec

_P105 = "$ shapeplan check lenet"

READING = (
    Rule(
        "P101",
        "not readable",
        "The text is not YAML, or not JSON where the file ends in .json, or not UTF-8, or empty. The place is where "
        "reading had to stop; the slip is there or a little before: a bracket or quote left open, a tab as "
        "indentation, a missing space after a colon.",
        spec("conv: {filters: 6, kernel: 5"),
        spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "P102",
        "duplicate key",
        "A key stands twice in one mapping. Most YAML readers keep the last one without a word, so that half of what "
        "you wrote has no effect; here both places are named and neither wins.",
        spec("conv: {filters: 6, kernel: 5, filters: 16}"),
        spec("conv: {filters: 16, kernel: 5}"),
    ),
    Rule(
        "P103",
        "too large or too deep",
        "A spec has at most 1,000,000 characters, 64 levels of nesting, 100,000 values with aliases written out, "
        "numbers of 40 characters and 10,000 layers with blocks written out. Networks stay far below; files that "
        "do not are usually something else, or an attack on the reader.",
        spec("conv: {filters: 100000000000000000000000000000000000000000, kernel: 5}"),
        spec("conv: {filters: 100, kernel: 5}"),
    ),
    Rule(
        "P104",
        "YAML feature refused",
        "Tags, merge keys (<<), several documents in one file and aliases without an anchor are refused: they make one "
        "text mean different things to different readers. Plain aliases work; for repeated layers there are blocks.",
        spec("conv: {filters: !!int 6, kernel: 5}"),
        spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "P105",
        "file cannot be opened",
        "The file is missing, is a directory, cannot be read, or does not end in .yaml, .yml or .json.",
        _P105,
        "$ shapeplan check lenet5.yaml",
    ),
    Rule(
        "P106",
        "wrong type of value",
        "A value has a different form than its key takes: a list where a mapping belongs, nothing where a number "
        "belongs, two keys in one layer.",
        spec("conv: [6, 5]"),
        spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "P107",
        "version of the format",
        "A spec says which version of the format it is written in, so that later programs can still read it. "
        "This one reads version 1.",
        spec("flatten").replace("spec: 1", "spec: 2"),
        spec("flatten"),
    ),
)
"""In the order of their codes."""
