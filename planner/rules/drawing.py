"""Rules about drawing: D6xx."""

from __future__ import annotations

from planner.rules.rule import Rule

DRAWING = (
    Rule(
        "D601",
        "no layout engine",
        "Graphviz places the cards of a diagram. It comes with pygraphviz from pip; a `dot` on PATH serves too. "
        "Without either the DOT text can still be written.",
        "$ shapeplan draw lenet5.yaml -o lenet5.svg",
        "$ pip install 'shapeplan[draw]'",
    ),
    Rule(
        "D602",
        "unknown drawing option",
        "Formats are svg, pdf, png and dot, taken from the suffix of the file; levels are overview, blocks and full; "
        "heat is macs, params or memory.",
        "$ shapeplan draw lenet5.yaml -o lenet5.jpg",
        "$ shapeplan draw lenet5.yaml -o lenet5.png",
    ),
    Rule(
        "D603",
        "heat of unknown sizes",
        "Heat compares layers by a number, and the number still depends on names.",
        "$ shapeplan draw resnet18.yaml -o net.svg --heat macs",
        "$ shapeplan draw resnet18.yaml -o net.svg --heat macs --at H=224,W=224",
    ),
    Rule(
        "D604",
        "PDF or PNG library missing",
        "SVG and DOT need nothing more; PDF is written by reportlab and PNG by pypdfium2.",
        "$ shapeplan draw lenet5.yaml -o lenet5.pdf",
        "$ pip install 'shapeplan[draw]'",
    ),
    Rule(
        "D605",
        "picture not written",
        "The file cannot be written there. An older picture of that name is as it was.",
        "$ shapeplan draw lenet5.yaml -o missing/lenet5.svg",
        "$ shapeplan draw lenet5.yaml -o lenet5.svg",
    ),
)
"""In the order of their codes."""
