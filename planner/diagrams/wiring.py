"""Edges of a picture and their roles: spine, branch, or skip past other layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from planner.diagrams.diagram import Folded

OUTPUT = "\0"
"""Prefix of the names of output pills; it never occurs in the name of a layer."""

Part = Literal["spine", "branch", "skip", "shape_only"]
"""Role of an edge; `shape_only`: only the shape of the tensor is read."""


@dataclass(frozen=True)
class Edge:
    """An edge from the box that outputs a tensor to a box that reads it."""

    tail: str
    head: str
    part: Part


@dataclass(frozen=True)
class Wiring:
    """All edges of a picture in reading order, and the boxes on the spine."""

    edges: tuple[Edge, ...]
    spine: frozenset[str]


def wire(folded: Folded) -> Wiring:
    """Return the edges of a picture with their roles.

    The spine is a longest path to an output. An edge is a skip if its tensor also reaches the same
    box through other layers, or is read twice, as in ``add(x, x)``. Edges that are only read for their shape
    are not part of any path.

    Examples
    --------
    >>> from planner.diagrams.diagram import Diagram, DrawNode
    >>> from planner.diagrams.folding import fold
    >>> nodes = (DrawNode("x", "input", "io"), DrawNode("c", "conv", "conv", ("x",)),
    ...          DrawNode("s", "add", "merge", ("c", "x")))
    >>> [(edge.tail, edge.head, edge.part) for edge in wire(fold(Diagram("n", "", nodes))).edges]
    [('x', 'c', 'spine'), ('c', 's', 'spine'), ('x', 's', 'skip')]
    """
    inputs = {card.node.name: card.node.inputs for card in folded.cards}
    inputs |= {OUTPUT + public: (node,) for public, node in folded.outputs.items()}
    shape_only = {card.node.name: card.node.shape_only for card in folded.cards}
    read = {
        head: tuple(tail for slot, tail in enumerate(tails) if slot not in shape_only.get(head, ()))
        for head, tails in inputs.items()
    }
    before = _ancestors(read)
    spine = _spine(read)
    steps = set(pairwise(spine))
    edges = []
    for head, tails in inputs.items():
        for position, tail in enumerate(tails):
            again = tail in tails[:position]
            if position in shape_only.get(head, ()):
                if not again:
                    edges.append(Edge(tail, head, "shape_only"))
                continue
            if again or any(tail in before[other] for other in tails if other != tail):
                part: Part = "skip"
            else:
                part = "spine" if (tail, head) in steps else "branch"
            edges.append(Edge(tail, head, part))
    return Wiring(tuple(edges), frozenset(spine))


def _ancestors(inputs: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """Return all boxes that each box depends on; boxes are in execution order."""
    before: dict[str, frozenset[str]] = {}
    for name, tails in inputs.items():
        before[name] = frozenset(tails).union(*(before.get(tail, frozenset()) for tail in tails))
    return before


def _spine(inputs: Mapping[str, Sequence[str]]) -> list[str]:
    longest: dict[str, int] = {}
    source: dict[str, str] = {}
    for name, tails in inputs.items():
        known = [tail for tail in tails if tail in longest]
        if known:
            source[name] = max(known, key=longest.__getitem__)
        longest[name] = 1 + (longest[source[name]] if known else 0)
    ends = [name for name in inputs if name.startswith(OUTPUT)] or list(inputs)
    if not ends:
        return []
    path = [max(ends, key=longest.__getitem__)]
    while path[-1] in source:
        path.append(source[path[-1]])
    return path[::-1]
