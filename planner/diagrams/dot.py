"""A diagram as DOT text for Graphviz tools: labelled boxes in the colours of the families. No engine is needed."""

from __future__ import annotations

from planner.diagrams.cards import describe
from planner.diagrams.diagram import Card, Folded, shape_line
from planner.diagrams.palette import FAMILIES, LIGHT

_SHAPE_ONLY = ' [style=dashed, penwidth=0.6, arrowsize=0.6, tooltip="only its shape is read"]'


def dot_text(folded: Folded) -> str:
    """Return a folded diagram as DOT text that any Graphviz tool can lay out and render.

    Examples
    --------
    >>> from planner.diagrams.diagram import Diagram, DrawNode
    >>> from planner.diagrams.folding import fold
    >>> print(dot_text(fold(Diagram("n", "", (DrawNode("x", "input", "io"),)))).splitlines()[0])
    digraph "n" {
    """
    lines = [
        f"digraph {_quoted(folded.diagram.name)} {{",
        '  graph [rankdir=TB, fontname="Helvetica", nodesep=0.4, ranksep=0.5];',
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica", fontsize=11];',
        f'  edge [fontname="Helvetica", fontsize=9, color="{LIGHT["edge"]}", fontcolor="{LIGHT["soft"]}"];',
    ]
    ids = {card.node.name: f"n{index}" for index, card in enumerate(folded.cards)}
    for index, frame in enumerate(folded.frames):
        label = f"{frame.label}  ×{frame.times}" if frame.times > 1 else frame.label
        lines += [f"  subgraph cluster_{index} {{", f"    graph [label={_quoted(label)}, style=rounded];"]
        lines += [f"    {_node(card, ids)}" for card in folded.cards if card.group == frame.name] + ["  }"]
    lines += [f"  {_node(card, ids)}" for card in folded.cards if not card.group]
    for index, public in enumerate(folded.outputs):
        lines.append(f"  out{index} [label={_quoted(public)}, shape=oval];")
    sizes = {card.node.name: card.node.sizes for card in folded.cards}
    for card in folded.cards:
        for slot, tail in enumerate(card.node.inputs):
            shape_only = slot in card.node.shape_only
            lines.append(f"  {ids[tail]} -> {ids[card.node.name]}{_SHAPE_ONLY if shape_only else _label(sizes[tail])};")
    for index, node in enumerate(folded.outputs.values()):
        lines.append(f"  {ids[node]} -> out{index}{_label(sizes[node])};")
    return "\n".join([*lines, "}", ""])


def _node(card: Card, ids: dict[str, str]) -> str:
    node = card.node
    words = [node.name, " · ".join(part for part in (node.label, *node.details) if part)]
    words += [" · ".join(stripe.kind for stripe in card.stripes), node.cost, node.fault or ""]
    label = "\n".join(word for word in words if word)
    colour = LIGHT["fault"] if node.fault else LIGHT[FAMILIES[node.category]]
    style = ', style="rounded,dashed"' if node.ghost else ""
    return (
        f"{ids[node.name]} [label={_quoted(label)}, tooltip={_quoted(describe(card))}, "
        f'color="{colour}", fontcolor="{colour}"{style}];'
    )


def _label(sizes: tuple[str, ...] | None) -> str:
    return f" [label={_quoted(' × '.join(shape_line(sizes)))}]" if sizes else ""


def _quoted(text: str) -> str:
    safe = text.replace("\0", "").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{safe}"'
