"""Nodes of the layer graph, and the output shapes that an author asserts.

Records only: nothing here knows a network.
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
"""What may be said of outputs: names, with the shape of each, or with the layer it is `from` and its `shape`."""

INDICES = "indices"
"""Role of a node that holds the positions of a max pooling's maxima."""



@dataclass(frozen=True)
class Node:
    """One layer of a network with its name and the names of the nodes it reads, in order.

    `role` is "" for a written layer, ``norm`` or ``act`` for a layer that such a key stands for, and ``indices``
    for the positions of the maxima of a max pooling. `partner` is the node its layer takes its settings from, "" for a
    layer with settings of its own; `owner` the node whose settings and weights it uses (`use`).
    `layer` is None and `broken` true only in networks that have findings.
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
        """Return the place of one of its settings in the spec, where it came from one."""
        if self.entry is None:
            return None
        return self.entry.mark(key if self.role in ("", INDICES) else self.role)


@dataclass(frozen=True)
class Expectation:
    """An output shape that the author asserts for a node."""

    node: str
    shape: Shape
    where: Location | None = field(default=None, compare=False)
