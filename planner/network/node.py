"""Nodes of the layer graph, and the output shapes that a spec asserts.

These are plain records that do not depend on a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from planner.findings import Location
from planner.layers import Layer
from planner.network.entry import Entry
from planner.symbols import Shape

Outputs: TypeAlias = "str | Sequence[str] | Mapping[str, Sequence[int | str] | Mapping[str, Any] | None] | None"
"""Outputs of a network: names, a shape by name, or the layer (`from`) and the `shape` by name."""

INDICES = "indices"
"""Role of a node that holds the positions of the maxima of a max pooling."""


@dataclass(frozen=True)
class Node:
    """One layer of a network with its name and the names of the nodes it reads, in order.

    `role` is "" for a written layer, ``norm`` or ``act`` for a layer that these keys add after it, and ``indices``
    for the positions of the maxima of a max pooling. `partner` is the node that the layer takes its settings from, ""
    if it has its own; `owner` is the node that it uses again, with its settings and weights (`use`). Only in networks
    with findings, `layer` may be None and `broken` true.
    """

    name: str
    layer: Layer | None
    inputs: tuple[str, ...]
    role: str = ""
    entry: Entry | None = field(default=None, compare=False)
    broken: bool = False
    partner: str = ""
    owner: str = ""

    def mark(self, key: str = "") -> Location | None:
        """Return the location of a setting in the spec; None if the node does not come from a spec."""
        if self.entry is None:
            return None
        return self.entry.mark(key if self.role in ("", INDICES) else self.role)


@dataclass(frozen=True)
class Expectation:
    """An output shape that the spec asserts for a node."""

    node: str
    shape: Shape
    where: Location | None = field(default=None, compare=False)
