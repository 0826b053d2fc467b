"""What a drawing needs to know of a network, as plain text and numbers: no formulas, no colours, no places.

:mod:`planner.diagrams.source` makes a :class:`Diagram` from a plan; :mod:`planner.diagrams.folding` shortens it.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class DrawNode:
    """One layer as it will be drawn.

    Attributes
    ----------
    name, kind, category : str
        As in the plan.
    inputs : tuple of str
        Names of the nodes it reads, in order.
    label : str
        Kind with its window, such as ``conv 5x5``.
    details : tuple of str
        Settings worth showing, those that are not defaults.
    sizes : tuple of str or None
        Printed sizes of the output without the batch; None where a fault leaves them unknown.
    volume : tuple of int or None
        The same as numbers for the glyph; free sizes have typical values.
    parameter_count, macs, elements : int or None
        Trainable numbers, multiply-accumulates per image, numbers in the output per image; None where symbolic.
    cost : str
        Parameters and multiply-accumulates in short.
    note : str
        Further words for the title: receptive field, counts in full.
    lenders : frozenset of int
        Positions among the inputs of those that only lend their shape.
    same_as : Hashable
        Equal for two layers exactly when their settings are equal.
    owner : str
        The node whose weights it shares, "" for weights of its own.
    fault : str or None
        Why the network is broken here.
    ghost : bool
        Nothing is known of it because something before it is broken.
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
    lenders: frozenset[int] = frozenset()
    same_as: Hashable = None
    owner: str = ""
    fault: str | None = None
    ghost: bool = False


@dataclass(frozen=True)
class Stripe:
    """A normalisation or activation that belongs to the card before it."""

    kind: str
    category: str


@dataclass(frozen=True)
class Card:
    """A node with what is folded into it.

    Attributes
    ----------
    node : DrawNode
        Its output sizes are those after all stripes.
    names : tuple of str
        Every node of the network that this card stands for.
    stripes : tuple of Stripe
    group : str
        Name of the frame it stands in, or "".
    times : int
        How often the network holds it in equal repetitions.
    """

    node: DrawNode
    names: tuple[str, ...]
    stripes: tuple[Stripe, ...] = ()
    group: str = ""
    times: int = 1

    @property
    def title(self) -> str:
        """The name to print: without the frame it stands in."""
        return self.node.name.removeprefix(f"{self.group}.") if self.group else self.node.name


@dataclass(frozen=True)
class Frame:
    """A run of equal repetitions of a block, drawn once."""

    name: str
    label: str
    times: int = 1


@dataclass(frozen=True)
class Diagram:
    """A network to be drawn: nodes in execution order, or cards once folded.

    Attributes
    ----------
    name : str
    summary : str
        One line of totals.
    nodes : tuple of DrawNode
    outputs : Mapping of str to str
        Node names by public name.
    """

    name: str
    summary: str
    nodes: tuple[DrawNode, ...]
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Folded:
    """A diagram cut down to cards; `inputs` of their nodes name other cards' nodes."""

    diagram: Diagram
    cards: tuple[Card, ...]
    frames: tuple[Frame, ...]
    outputs: Mapping[str, str]


def short(count: int) -> str:
    """Return a count in at most three digits and a thousand's letter.

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
    """Return a printed formula with a dot for times and raised exponents.

    Examples
    --------
    >>> pretty("3*F**2*K + K"), pretty("2*floor((H - 12)/16) - 14")
    ('3·F²·K + K', '2·floor((H - 12)/16) - 14')
    """
    raised = re.sub(r"\*\*(\d+)", lambda found: found[1].translate(_RAISED), formula)
    return raised.replace("**", "^").replace("*", "·")


def cost_line(parameters: str, macs: str) -> str:
    """Return printed costs for the corner of a card; a lone one says what it counts.

    Examples
    --------
    >>> cost_line("156", "118 k"), cost_line("156", ""), cost_line("", "118 k")
    ('156 · 118 k', '156 params', '118 k MACs')
    """
    if parameters and macs:
        return f"{parameters} · {macs}"
    return f"{parameters} params" if parameters else f"{macs} MACs" if macs else ""


def shape_line(sizes: tuple[str, ...]) -> list[str]:
    """Return printed sizes ready to be joined by a multiplication sign: sums stand in brackets.

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
