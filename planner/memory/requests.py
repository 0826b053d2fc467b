"""Memory requests of a run: sizes, lifetimes and purposes.

:mod:`planner.memory.lifetimes` creates the requests of a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Role = Literal["value", "gradient", "partial", "weights", "saved", "workspace", "loss"]
"""Purpose of a piece of memory.

A `partial` is the contribution of one of several readers to a gradient. `weights` is the contribution of one of
several layers that share weights to the gradient of these weights.
"""

Key: TypeAlias = tuple[Role, str, int | str]
"""Key of a piece of memory: role, node, slot.

The slot is the array's name for `saved`, the input's position for the `partial` that the node writes in its
backward pass, the public name for the `partial` of an output that has several, ``forward`` or ``backward`` for the
`workspace` of that pass, and 0 for everything else.
"""

Span: TypeAlias = tuple[int, int]
"""First and last step, both included."""


@dataclass(frozen=True, slots=True)
class Request:
    """One piece of memory: its size, lifetime and purpose.

    Attributes
    ----------
    name : str
        The node that fills it; if several nodes fill it in turn, the first of them.
    role : Role
    bytes : int
    spans : tuple of Span
        The lifetime of its contents; several spans if the contents are unused in between.
    keys : tuple of Key
        All arrays in it, in order of time.
    starts : mapping of Key to int
        Offsets in bytes of arrays that do not begin at the beginning: inputs of a concat placed inside its output.
    """

    name: str
    role: Role
    bytes: int
    spans: tuple[Span, ...]
    keys: tuple[Key, ...]
    starts: Mapping[Key, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The memory requests of a plan in one mode, inference or training.

    Attributes
    ----------
    requests : tuple of Request
    steps : int
        Number of steps; spans lie in ``0 <= step < steps``.
    backward : tuple of str
        The nodes with a backward pass, in that order; empty for inference.
    """

    requests: tuple[Request, ...]
    steps: int
    backward: tuple[str, ...]
