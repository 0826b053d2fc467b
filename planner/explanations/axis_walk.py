"""Sizes, steps and spans of all nodes up to a target, along one axis of the image."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

from planner.explanations.spans import Shape, Sight, Span, carried, joined, step
from planner.findings import Finding, SizeError
from planner.plan.node import PlannedNode
from planner.plan.plan import Plan


class AxisWalk:
    """The sizes and spans of every node at known sizes, along one axis."""

    def __init__(self, plan: Plan, target: str, axis: int) -> None:
        self.plan, self.target, self.axis = plan, target, axis
        other = "HW"[1 - axis]
        self._values = {"N": 1, other: plan.domain[other].minimum or 1}
        self._shapes: dict[int, dict[str, Shape]] = {}

    def shapes(self, size: int) -> dict[str, Shape]:
        """Return the output shape of every node for an input of that size."""
        if size not in self._shapes:
            values = {**self._values, "HW"[self.axis]: size}
            found: dict[str, Shape] = {}
            for node in self.plan.nodes:
                layer = node.layer.bind(values)
                found[node.name] = layer.output_shape(tuple(found[source] for source in node.inputs))
            self._shapes[size] = found
        return self._shapes[size]

    def size(self, name: str, size: int) -> int:
        """Return the size of a node's map for an input of that size."""
        return int(self.shapes(size)[name][2 + self.axis])

    @cached_property
    def jumps(self) -> dict[str, Fraction]:
        """Distance in the image between neighbouring positions of each node.

        Raises
        ------
        SizeError
            If a node joins branches that advance by different steps.
        """
        found: dict[str, Fraction] = {}
        for node in self.plan.nodes:
            reads = _seen(node)
            steps = {found[source] for source in reads}
            if len(steps) > 1:
                message = f"`{node.name}` joins branches that advance by different steps; no tile fits both"
                raise SizeError([Finding("S209", message, layer=node.name)])
            view = node.layer.fields_of_view(node.input_shapes) if reads else None
            found[node.name] = step(view[self.axis] if view else None, steps.pop()) if steps else Fraction(1)
        return found

    def span(self, start: int, tile: int, image: int) -> Span:
        """Return the correct positions of the target for a tile that begins at `start`.

        Raises
        ------
        OutOfStepError
            If positions of the tile fall between those of the whole image.
        """
        ours, theirs = self.shapes(tile), self.shapes(image)
        spans: dict[str, Span] = {}
        for node in self.plan.nodes:
            reads = [spans[source] for source in _seen(node)]
            span = joined(reads) if reads else Span(start, 0, tile)
            views = [node.layer.fields_of_view(tuple(s[name] for name in node.inputs)) for s in (ours, theirs) if reads]
            if reads and views[0] is not None and views[1] is not None:
                span = carried(node.layer, Sight(views[0][self.axis], views[1][self.axis]), self.axis, span)
            sizes = (int(s[node.name][2 + self.axis]) for s in (ours, theirs))
            spans[node.name] = span.within(*sizes)
        return spans[self.target]


def _seen(node: PlannedNode) -> list[str]:
    return [source for slot, source in enumerate(node.inputs) if slot not in node.layer.shape_only]
