"""Rules about drawing: D6xx."""

from __future__ import annotations

from planner.rules.rule import Rule

DRAWING = (
    Rule(
        "D601",
        "no layout engine",
        "Graphviz computes the layout of a diagram. It comes with pygraphviz from pip; a `dot` on PATH also works. "
        "Without either, only DOT files can be written.",
        "$ shapeplan draw lenet5.yaml -o lenet5.svg",
        "$ pip install 'shapeplan[draw]'",
    ),
    Rule(
        "D602",
        "unknown drawing option",
        "Formats are svg, pdf, png and dot, selected by the suffix of the file. Levels are overview, blocks and full. "
        "Heat is macs, params or memory.",
        "$ shapeplan draw lenet5.yaml -o lenet5.jpg",
        "$ shapeplan draw lenet5.yaml -o lenet5.png",
    ),
    Rule(
        "D603",
        "heat of unknown sizes",
        "Heat compares layers by a number, but here the number depends on free sizes. Give them values with --at.",
        "$ shapeplan draw resnet18.yaml -o net.svg --heat macs",
        "$ shapeplan draw resnet18.yaml -o net.svg --heat macs --at H=224,W=224",
    ),
    Rule(
        "D604",
        "PDF or PNG library missing",
        "SVG and DOT need no other library; PDF is written by reportlab and PNG by pypdfium2.",
        "$ shapeplan draw lenet5.yaml -o lenet5.pdf",
        "$ pip install 'shapeplan[draw]'",
    ),
    Rule(
        "D605",
        "picture not written",
        "The file cannot be written to this path. An existing picture of that name is unchanged.",
        "$ shapeplan draw lenet5.yaml -o missing/lenet5.svg",
        "$ shapeplan draw lenet5.yaml -o lenet5.svg",
    ),
)
"""In the order of their codes."""
