"""Folding of nodes into cards: norms and activations into stripes, equal repetitions into one.

Repetitions of a block are recognised by their names (``stage1.1.a``, ``stage1.2.a``). They are folded only if their
structure, settings and shapes are proved to be equal. Positions and colours are chosen elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from planner.diagrams.diagram import Card, Diagram, DrawNode, Folded, Frame, Stripe, cost_line, short
from planner.wording import plural

Level = Literal["overview", "blocks", "full"]
"""Level of detail: a card per block, equal repetitions once, or everything."""

LEVELS: tuple[Level, ...] = ("overview", "blocks", "full")

MANY = 40
"""Number of cards above which equal repetitions are folded by default."""


@dataclass(frozen=True)
class _Repetition:
    """The nodes of one repetition of a block, in order; `index` is None for a block without `repeat`."""

    block: str
    index: int | None
    nodes: tuple[DrawNode, ...]

    @property
    def name(self) -> str:
        return self.block if self.index is None else f"{self.block}.{self.index}"

    def local(self, name: str) -> str:
        return name.removeprefix(f"{self.name}.")


def fold(diagram: Diagram, level: Level | None = None) -> Folded:
    """Return the cards of a diagram at a level; default: ``full`` up to 40 cards, else ``blocks``.

    Examples
    --------
    >>> nodes = (DrawNode("x", "input", "io"), DrawNode("c", "conv", "conv", ("x",)),
    ...          DrawNode("c.act", "relu", "act", ("c",)))
    >>> [card.names for card in fold(Diagram("n", "", nodes, {"out": "c.act"})).cards]
    [('x',), ('c', 'c.act')]
    """
    chosen = level or "full"
    folded = _folded(diagram, chosen)
    return _folded(diagram, "blocks") if level is None and len(folded.cards) > MANY else folded


def _folded(diagram: Diagram, level: Level) -> Folded:
    repetitions = _repetitions(diagram)
    replaced_by: dict[str, str] = {}
    frames: dict[str, Frame] = {}
    group_of: dict[str, tuple[str, int]] = {}
    merged: dict[str, DrawNode] = {}
    for run in _runs(repetitions, diagram, level):
        first, last = run[0], run[-1]
        if level == "overview":
            nodes = tuple(node for repetition in run for node in repetition.nodes)
            merged[nodes[-1].name] = _merged(first.block, nodes, run, diagram)
            replaced_by |= {node.name: first.block for node in nodes}
            continue
        label = first.name if len(run) == 1 else f"{first.block}.{first.index}-{last.index}"
        frames[first.name] = Frame(first.name, label, len(run))
        group_of |= {node.name: (first.name, len(run)) for node in first.nodes}
        for repetition in run[1:]:
            replaced_by |= {node.name: drawn.name for node, drawn in zip(repetition.nodes, first.nodes, strict=True)}
    kept = [
        merged.get(node.name, node) for node in diagram.nodes if node.name in merged or node.name not in replaced_by
    ]
    cards = _striped(kept, group_of)
    return _closed(diagram, cards, replaced_by, frames)


def _repetitions(diagram: Diagram) -> list[_Repetition]:
    """Return the repetitions of blocks, in order of their first node."""
    names = {node.name for node in diagram.nodes}
    by_block: dict[str, list[DrawNode]] = {}
    for node in diagram.nodes:
        block = node.name.split(".")[0]
        if block != node.name and block not in names:
            by_block.setdefault(block, []).append(node)
    found = []
    for block, nodes in by_block.items():
        indices = [node.name.split(".")[1] for node in nodes]
        deep = all(len(node.name.split(".")) > 2 for node in nodes)
        if deep and all(index.isdecimal() for index in indices):
            parts: dict[int, list[DrawNode]] = {}
            for index, node in zip(indices, nodes, strict=True):
                parts.setdefault(int(index), []).append(node)
            found += [_Repetition(block, index, tuple(part)) for index, part in sorted(parts.items())]
        else:
            found.append(_Repetition(block, None, tuple(nodes)))
    return found


def _runs(repetitions: list[_Repetition], diagram: Diagram, level: Level) -> list[list[_Repetition]]:
    runs: list[list[_Repetition]] = []
    for repetition in repetitions:
        before = runs[-1][-1] if runs else None
        follows = before is not None and before.block == repetition.block
        joined = follows and (
            level == "overview" or (level == "blocks" and before is not None and _equal(before, repetition, diagram))
        )
        if joined:
            runs[-1].append(repetition)
        else:
            runs.append([repetition])
    return runs


def _equal(left: _Repetition, right: _Repetition, diagram: Diagram) -> bool:
    """Return whether the right repetition follows the left one and is identical in structure, settings and shapes."""
    if len(left.nodes) != len(right.nodes):
        return False
    matching = {b.name: a.name for a, b in zip(left.nodes, right.nodes, strict=True)}
    sizes = {node.name: node.sizes for node in diagram.nodes}
    outside = {name for node in left.nodes for name in node.inputs} - set(matching.values())
    for a, b in zip(left.nodes, right.nodes, strict=True):
        if left.local(a.name) != right.local(b.name) or a.kind != b.kind or a.same_as != b.same_as:
            return False
        if matching.get(b.owner, b.owner) != a.owner:
            return False
        if a.sizes is None or a.sizes != b.sizes or a.fault or b.fault or len(a.inputs) != len(b.inputs):
            return False
        for one, two in zip(a.inputs, b.inputs, strict=True):
            if two in matching:
                if one != matching[two]:
                    return False
            elif len(outside) != 1 or one not in outside or two != left.nodes[-1].name or sizes[one] != sizes[two]:
                return False
    return _reads_only_the_end(left, right, diagram)


def _reads_only_the_end(left: _Repetition, right: _Repetition, diagram: Diagram) -> bool:
    """Return whether only the next repetition reads the left one, and only its last node."""
    own = {node.name for node in left.nodes}
    following = {node.name for node in right.nodes}
    if own & set(diagram.outputs.values()):
        return False
    return all(
        source == left.nodes[-1].name and node.name in following
        for node in diagram.nodes
        if node.name not in own
        for source in node.inputs
        if source in own
    )


def _merged(block: str, nodes: tuple[DrawNode, ...], run: list[_Repetition], diagram: Diagram) -> DrawNode:
    """Return one node that represents all nodes of a block."""
    inside = {node.name for node in nodes}
    inputs = tuple(dict.fromkeys(name for node in nodes for name in node.inputs if name not in inside))
    real = {name for node in nodes for slot, name in enumerate(node.inputs) if slot not in node.shape_only}
    last = nodes[-1]
    by_name = {node.name: node for node in diagram.nodes}
    before = by_name[inputs[0]].sizes if inputs else None
    details: list[str] = []
    if before and last.sizes and before[0] != last.sizes[0]:
        details.append(f"{before[0]} to {last.sizes[0]} channel{'' if last.sizes[0] == '1' else 's'}")
    equal = all(_equal(left, right, diagram) for left, right in pairwise(run))
    if len(run) > 1 and not equal:
        details.insert(0, f"{len(run)} repeats")
    owners = {node.owner.split(".")[0] for node in nodes if node.owner and node.owner not in inside}
    if owners:
        details.insert(0, f"weights of {' and '.join(sorted(owners))}")
    kinds = [node.kind for node in nodes]
    convolutions = kinds.count("conv")
    details.append(f"{convolutions} conv" if convolutions else plural(len(nodes), "layer"))
    parameters, macs = _sum(node.parameter_count for node in nodes), _sum(node.macs for node in nodes)
    fault = next((f"{node.name}: {node.fault}" for node in nodes if node.fault), None)
    return replace(
        last,
        name=block,
        kind="block",
        category="block",
        inputs=inputs,
        shape_only=frozenset(slot for slot, name in enumerate(inputs) if name not in real),
        label=f"×{len(run)}" if len(run) > 1 and equal else "",
        details=tuple(details),
        parameter_count=parameters,
        macs=macs,
        elements=_sum(node.elements for node in nodes),
        cost=cost_line(*(short(count) if count else "" for count in (parameters, macs))),
        note=plural(len(nodes), "layer"),
        fault=fault,
        ghost=last.ghost and fault is None,
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count for count in known if count is not None)


def _striped(nodes: list[DrawNode], group_of: Mapping[str, tuple[str, int]]) -> list[Card]:
    """Return one card per node, with `c.norm` and `c.act` folded into the card `c`."""
    cards: dict[str, Card] = {}
    for node in nodes:
        base, _, role = node.name.rpartition(".")
        if role in ("norm", "act") and base in cards and node.fault is None:
            card = cards[base]
            if node.inputs == (card.names[-1],):
                grown = card.node if node.sizes is None else replace(card.node, sizes=node.sizes, volume=node.volume)
                grown = replace(
                    grown,
                    parameter_count=_sum((grown.parameter_count, node.parameter_count)),
                    macs=_sum((grown.macs, node.macs)),
                    elements=_sum((grown.elements, node.elements)),
                )
                stripe = Stripe(node.kind, node.category)
                cards[base] = replace(card, node=grown, names=(*card.names, node.name), stripes=(*card.stripes, stripe))
                continue
        group, times = group_of.get(node.name, ("", 1))
        cards[node.name] = Card(node, (node.name,), (), group, times)
    return list(cards.values())


def _closed(diagram: Diagram, cards: list[Card], replaced_by: Mapping[str, str], frames: Mapping[str, Frame]) -> Folded:
    """Return the folded diagram, with inputs and outputs renamed to the cards that represent them."""
    host = {name: card.node.name for card in cards for name in card.names}

    def card_of(name: str) -> str:
        while name in replaced_by:
            name = replaced_by[name]
        return host[name]

    wired = tuple(
        replace(card, node=replace(card.node, inputs=tuple(card_of(name) for name in card.node.inputs)))
        for card in cards
    )
    used = {card.group for card in wired}
    return Folded(
        diagram,
        wired,
        tuple(frame for name, frame in frames.items() if name in used),
        {public: card_of(name) for public, name in diagram.outputs.items()},
    )
