"""Values of layers and blocks: convert scalars of a spec to plain values, compute parameters and formulas.

This module works on one list of layers at a time, its :class:`Frame`, and does not change the network.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field, fields, replace

import planner.symbols as sy
from planner.findings import Location, Related
from planner.layers import KINDS
from planner.network.norm_act import EXAMPLES, ROLES
from planner.spec.drafts import CONDITION, Item, Report
from planner.spec.expression import ExpressionError, Scope, UnknownSize, Value, is_expression, parse
from planner.spec.tree import Mapping, Scalar, Sequence, Tree, clip, span

_COMPUTED = ("Size", "Size | None", "Any", "bool")
"""Annotations of settings for which text with an operator is a formula."""


class Unreadable(Exception):
    """Error for a value that cannot be read; it has been reported."""


@dataclass
class Frame:
    """Context of a list of layers: the network, or one repetition of a block.

    Attributes
    ----------
    block : str
        Name of the block, "" for the network.
    prefix : str
        Prefix of the names of layers.
    names : dict
        Names read so far -> their public names.
    declared : frozenset of str
        All names in the list, including later ones.
    previous, input : str or None
        Public names of the previous layer and of `in`.
    used : Location or None
        Location of the outermost use of a block.
    shared : str
        Prefix of the layers that share their weights with this list; "" for separate weights.
    """

    block: str = ""
    prefix: str = ""
    scope: Scope = field(default_factory=Scope)
    names: dict[str, str] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()
    previous: str | None = None
    input: str | None = None
    used: Location | None = None
    counts: dict[str, int] = field(default_factory=dict)
    shared: str = ""

    def fresh(self, kind: str) -> str:
        """Return an unused name: the kind and a number."""
        while True:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            name = f"{kind}{self.counts[kind]}"
            if name not in self.declared and name not in self.names:
                return name


class Values:
    """Reader of values; it reports faults and raises :class:`Unreadable`."""

    def __init__(self, report: Report) -> None:
        self.report = report

    def setting(self, item: Item, annotation: str, frame: Frame) -> object:
        """Return the value of a setting: a plain value, or a list of them."""
        compute = annotation in _COMPUTED
        if isinstance(item.value, Sequence):
            return [self.value(item, tree, frame, compute) for tree in item.value.items]
        value = self.value(item, item.value, frame, compute)
        if item.key.text == "pad" and isinstance(value, str) and value.lower() in ("same", "valid") and value != "same":
            fix = "write  pad: same" if value.lower() == "same" else "write  pad: 0"
            self.report("N107", f"`pad` cannot be `{value}`", item.where, fix)
            raise Unreadable
        return value

    def norm_act(self, item: Item, frame: Frame, role: str) -> str | dict[str, dict[str, object]] | None:
        """Return the value of `role` (`act` or `norm`): a word, or a word with its settings."""
        if not isinstance(item.value, Scalar):
            if not isinstance(item.value, Mapping) or len(item.value.pairs) != 1:
                what = f"`{role}` must be one word, or one word with its settings"
                self.report("P106", what, item.where, f"write  {EXAMPLES[role]}")
                raise Unreadable
            ((word, settings),) = item.value
            if not isinstance(settings, Mapping):
                if isinstance(settings, Scalar) and settings.value is None:
                    return word.text
                self.report("P106", f"the settings of `{clip(word.text)}` must be a mapping", settings.where,
                            f"write  {EXAMPLES[role]}")  # fmt: skip
                raise Unreadable
            cls = KINDS.get(ROLES[role].get(word.text, ""))
            types = {} if cls is None else {each.name: str(each.type) for each in fields(cls)}
            return {
                word.text: {key.text: self.setting(Item(key, value), types.get(key.text, "Any"), frame)
                            for key, value in settings}
            }  # fmt: skip
        if item.value.value is None:
            return None
        value = self.value(item, item.value, frame, compute=False)
        return value if isinstance(value, str) else str(value)

    def expected(self, item: Item, frame: Frame) -> tuple[object, ...]:
        if not isinstance(item.value, Sequence):
            self.report("P106", "`expect` must be a list of sizes", item.where, "write  expect: [N, 10]")
            raise Unreadable
        return tuple(self.value(item, tree, frame, compute=True) for tree in item.value.items)

    def shape(self, tree: Sequence) -> tuple[object, ...] | None:
        """Return the sizes of a shape asserted for an output; None if they cannot be read."""
        try:
            return tuple(self.value(None, item, Frame(), compute=True) for item in tree.items)
        except Unreadable:
            return None

    def value(self, item: Item | None, tree: Tree, frame: Frame, compute: bool) -> Value:
        """Return the value of a scalar: itself, a parameter, or, with `compute`, the value of a formula."""
        key = f"`{clip(item.key.text)}` " if item else "a size "
        if not isinstance(tree, Scalar):
            what = "cannot be a mapping" if not isinstance(tree, Sequence) else "cannot be a list of lists"
            self.report("P106", f"{key}{what}", tree.where, "give one value, or a list of values")
            raise Unreadable
        if tree.value is None:
            self.report("P106", f"{key}has no value", item.where if item else tree.where, "give one, or remove the key")
            raise Unreadable
        if not isinstance(tree.value, str):
            return tree.value
        text = tree.value
        formula = "$" in text or (compute and (is_expression(text) or bool(item and item.key.text == CONDITION)))
        if not formula:
            if compute and text in frame.scope.parameters:
                what = f"{key}is `{text}`, a name for a size, but this block has a parameter with that name"
                self.report("N112", what, tree.where, f"write  ${text}")
                raise Unreadable
            return text
        try:
            value = parse(text).value(frame.scope)
        except ExpressionError as error:
            self._report_expression(error, tree, frame)
            raise Unreadable from None
        except UnknownSize:
            raise Unreadable from None
        return _plain(value)

    def _report_expression(self, error: ExpressionError, tree: Scalar, frame: Frame) -> None:
        where = tree.where
        quotes = 1 if tree.quoted else 0
        if where.end_column - where.column == len(tree.text) + 2 * quotes:  # no escapes: columns can be counted
            first = where.column + quotes
            where = replace(where, column=first + error.start, end_column=first + error.end)
        related = (Related(frame.used, "used here"),) if frame.used is not None else ()
        self.report("N112", error.problem, where, error.fix, related=related)


def marks_norm_act(items: MappingType[str, Item]) -> dict[str, Location]:
    """Return the locations of the settings of `norm` and `act`, with keys such as ``norm.eps``."""
    written = {role: items[role].value for role in ROLES if role in items}
    return {
        f"{role}.{key.text}": span(key.where, value.where)
        for role, tree in written.items()
        if isinstance(tree, Mapping)
        for _, settings in tree
        if isinstance(settings, Mapping)
        for key, value in settings
    }


def _plain(value: Value) -> Value:
    """Return a formula that is a single name as that name."""
    if isinstance(value, (bool, int, float, str)):
        return value
    text = sy.text(value)
    return text if text.isidentifier() else value
