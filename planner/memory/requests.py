"""What a run asks of memory: stretches of it, when their contents matter, and what for.

Which requests a plan makes is the business of :mod:`planner.memory.lifetimes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Role = Literal["value", "gradient", "partial", "weights", "saved", "workspace", "loss"]
"""What memory is for.

A `partial` is the part of a gradient that one of several readers contributes, `weights` the part of the gradient of
weights that one of several layers that share them contributes.
"""

Key: TypeAlias = tuple[Role, str, int | str]
"""What a place is asked for by: role, node, slot.

The slot is the array's name for `saved`, the input's position for the `partial` that the node writes in its
backward pass, the public name for the `partial` of an output that has several, ``forward`` or ``backward`` for the
`workspace` of that pass, and 0 for everything else.
"""

Span: TypeAlias = tuple[int, int]
"""First and last step, both included."""


@dataclass(frozen=True, slots=True)
class Request:
    """One stretch of memory: how much, when, and for what.

    Attributes
    ----------
    name : str
        The node whose array fills it; where several do in turn, the first of them.
    role : Role
    bytes : int
    spans : tuple of Span
        When its contents matter; several where they do not in between.
    keys : tuple of Key
        Everything that lives in it, in order of time.
    starts : mapping of Key to int
        Bytes before what does not begin where the memory does: inputs of a concat placed inside its output.
    """

    name: str
    role: Role
    bytes: int
    spans: tuple[Span, ...]
    keys: tuple[Key, ...]
    starts: Mapping[Key, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timeline:
    """What one mode of running a plan needs.

    Attributes
    ----------
    requests : tuple of Request
    steps : int
        Number of steps; spans lie in ``0 <= step < steps``.
    backward : tuple of str
        The nodes whose backward pass runs, in that order; empty for inference.
    """

    requests: tuple[Request, ...]
    steps: int
    backward: tuple[str, ...]
