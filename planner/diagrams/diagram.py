"""Contents of a diagram as plain text and numbers, without formulas, colours or positions.

:mod:`planner.diagrams.source` creates a :class:`Diagram` from a plan; :mod:`planner.diagrams.folding` folds it.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class DrawNode:
    """One layer to be drawn.

    Attributes
    ----------
    name, kind, category : str
        As in the plan.
    inputs : tuple of str
        Names of the input nodes, in order.
    label : str
        Kind with its window, such as ``conv 5x5``.
    details : tuple of str
        Settings that differ from their defaults.
    sizes : tuple of str or None
        Formatted output sizes without the batch; None if a fault leaves them unknown.
    volume : tuple of int or None
        Output sizes as numbers for the glyph; free sizes have typical values.
    parameter_count, macs, elements : int or None
        Trainable parameters, multiply-accumulates per image, output elements per image; None if symbolic.
    cost : str
        Parameters and multiply-accumulates, abbreviated.
    note : str
        Further text for the title: receptive field, full counts.
    shape_only : frozenset of int
        Indices of the inputs that are only read for their shape.
    same_as : Hashable
        Equal for two layers if and only if their settings are equal.
    owner : str
        The node with which it shares weights, "" if it shares none.
    fault : str or None
        Why the network is broken here.
    ghost : bool
        Whether nothing is known about it because a preceding layer is broken.
    """

    name: str
    kind: str
    category: str
    inputs: tuple[str, ...] = ()
    label: str = ""
    details: tuple[str, ...] = ()
    sizes: tuple[str, ...] | None = None
    volume: tuple[int, ...] | None = None
    parameter_count: int | None = None
    macs: int | None = None
    elements: int | None = None
    cost: str = ""
    note: str = ""
    shape_only: frozenset[int] = frozenset()
    same_as: Hashable = None
    owner: str = ""
    fault: str | None = None
    ghost: bool = False


@dataclass(frozen=True)
class Stripe:
    """A normalisation or activation that is folded into a card."""

    kind: str
    category: str


@dataclass(frozen=True)
class Card:
    """A node and the layers folded into it.

    Attributes
    ----------
    node : DrawNode
        The node, with the output sizes after all stripes.
    names : tuple of str
        All nodes of the network that this card represents.
    stripes : tuple of Stripe
    group : str
        Name of the frame that contains it, or "".
    times : int
        Number of equal repetitions in the network.
    """

    node: DrawNode
    names: tuple[str, ...]
    stripes: tuple[Stripe, ...] = ()
    group: str = ""
    times: int = 1

    @property
    def title(self) -> str:
        """The name to print, without the name of its frame."""
        return self.node.name.removeprefix(f"{self.group}.") if self.group else self.node.name


@dataclass(frozen=True)
class Frame:
    """Consecutive equal repetitions of a block, drawn once."""

    name: str
    label: str
    times: int = 1


@dataclass(frozen=True)
class Diagram:
    """A network to be drawn, with its nodes in execution order.

    Attributes
    ----------
    name : str
    summary : str
        Totals in one line.
    nodes : tuple of DrawNode
    outputs : Mapping of str to str
        Node names by public name of the output.
    """

    name: str
    summary: str
    nodes: tuple[DrawNode, ...]
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Folded:
    """A diagram folded into cards; the `inputs` of their nodes are nodes of other cards."""

    diagram: Diagram
    cards: tuple[Card, ...]
    frames: tuple[Frame, ...]
    outputs: Mapping[str, str]


def short(count: int) -> str:
    """Return a count with at most three digits and a unit prefix.

    Examples
    --------
    >>> short(156), short(9408), short(25_557_032), short(4_089_184_256)
    ('156', '9.41 k', '25.6 M', '4.09 G')
    """
    if count < 1000:
        return str(count)
    for unit, letter in ((10**3, "k"), (10**6, "M"), (10**9, "G"), (10**12, "T"), (10**15, "P")):
        if count < 999.5 * unit or letter == "P":
            value = count / unit
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{digits}f} {letter}"
    raise AssertionError("the last letter takes every count")


def pretty(formula: str) -> str:
    """Return a formula with dots for multiplication and superscript exponents.

    Examples
    --------
    >>> pretty("3*F**2*K + K"), pretty("2*floor((H - 12)/16) - 14")
    ('3·F²·K + K', '2·floor((H - 12)/16) - 14')
    """
    raised = re.sub(r"\*\*(\d+)", lambda found: found[1].translate(_RAISED), formula)
    return raised.replace("**", "^").replace("*", "·")


def cost_line(parameters: str, macs: str) -> str:
    """Return the costs for the corner of a card; a single cost includes its unit.

    Examples
    --------
    >>> cost_line("156", "118 k"), cost_line("156", ""), cost_line("", "118 k")
    ('156 · 118 k', '156 params', '118 k MACs')
    """
    if parameters and macs:
        return f"{parameters} · {macs}"
    return f"{parameters} params" if parameters else f"{macs} MACs" if macs else ""


def shape_line(sizes: tuple[str, ...]) -> list[str]:
    """Return formatted sizes with sums in brackets, ready to be joined by a multiplication sign.

    Examples
    --------
    >>> shape_line(("64", "H/2", "W - 4"))
    ['64', 'H/2', '(W - 4)']
    >>> shape_line(("1", "floor((H - 1)/2) + 1", "W"))
    ['1', '(floor((H - 1)/2) + 1)', 'W']
    """
    return [f"({size})" if len(sizes) > 1 and _is_sum(size) else size for size in sizes]


def _is_sum(size: str) -> bool:
    depth = 0
    for index, character in enumerate(size):
        depth += (character == "(") - (character == ")")
        if depth == 0 and character in "+-" and index > 0:
            return True
    return False
