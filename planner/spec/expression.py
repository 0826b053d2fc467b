"""Expressions in block settings and ``if``: whole numbers, names, ``+ - * // /``, comparisons.

A tokenizer and a precedence parser convert text to a tree of frozen nodes; values are
sizes. Text is never evaluated by Python or sympy, and the size of every value is limited.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import planner.symbols as sy
from planner.conditions import AtLeast, Condition, Equal, Verdict
from planner.findings import nearest
from planner.symbols import Size

LONGEST = 400
"""Maximum number of characters in an expression."""

DEEPEST = 32
"""Maximum nesting of brackets and signs."""

LONGEST_FORMULA = 200
"""Maximum number of characters in a symbolic value; products are expanded, so a short text could become huge."""

HIGHEST_POWER = 8

Value: TypeAlias = bool | int | float | str | Size
"""Value of a parameter; a str is the name of a size or of an activation."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+)(?![\w.])|(?P<name>\$?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)|(?P<sign>\*\*|//|[<>=!]=|[-+*/()<>])|(?P<bad>\S))",
    re.ASCII,
)
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")


class ExpressionError(ValueError):
    """Error for an expression that cannot be parsed or has no value.

    Attributes
    ----------
    problem, fix : str
    start, end : int
        The range of characters with the fault, from 0.
    """

    def __init__(self, problem: str, start: int, end: int, fix: str = "") -> None:
        self.problem, self.start, self.end, self.fix = problem, start, max(end, start + 1), fix
        super().__init__(problem)


class UnknownSize(Exception):
    """Error for a value that depends on the shape of a faulty layer, which has been reported already."""


@dataclass(frozen=True)
class Scope:
    """The names that an expression can use.

    Attributes
    ----------
    parameters : Mapping
        By name, without ``$``.
    channels : callable
        Returns the channels of the block's input; None outside blocks. May raise UnknownSize.
    """

    parameters: Mapping[str, Value] = field(default_factory=dict)
    channels: Callable[[], Size] | None = None


@dataclass(frozen=True)
class Node:
    """One part of an expression: an operator or leaf, its operands, and its characters in the text."""

    operator: str
    parts: tuple[Node, ...]
    start: int
    end: int
    text: str = ""

    def value(self, scope: Scope) -> Value:
        """Return the value: a bool for a comparison, an int or a formula otherwise; ``$x`` alone is the value of x.

        Raises
        ------
        ExpressionError
            An unknown parameter, a division with a remainder, or a comparison that depends on free sizes.
        UnknownSize
            A required shape is unknown.

        Examples
        --------
        >>> parse("$c * 4 // 3").value(Scope({"c": 5}))
        6
        >>> parse("stride != 1 or c > 8").value(Scope({"c": 5, "stride": 2}))
        True
        """
        return _value(self, scope)


def parse(text: str) -> Node:
    """Return the tree of an expression; precedence, lowest first: or, and, not, comparison, + -, * / //, sign, ``**``.

    Raises
    ------
    ExpressionError
        The text is not an expression, is longer than 400 characters, or is nested more than 32 levels deep.

    Examples
    --------
    >>> parse("1 + 2 * 3").value(Scope())
    7
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression has at most {LONGEST} characters", 0, len(text))
    return _Parser(text).whole()


def is_expression(text: str) -> bool:
    """Return whether the text of a setting is a formula and not a single word.

    Examples
    --------
    >>> [is_expression(text) for text in ("$c", "4*K", "in.channels", "same", "batch-norm", "3x3")]
    [True, True, True, False, True, False]
    """
    return text.startswith("in.") or any(char in text for char in "$*+-/()=<>")


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int, int]] = []
        self.next = 0
        self.depth = 0
        for found in _TOKEN.finditer(text):
            kind = found.lastgroup or "bad"
            start, end = found.span(kind)
            if kind == "bad":
                raise self._unreadable(start)
            self.tokens.append((kind, found[kind], start, end))
        self.tokens.append(("end", "", len(text.rstrip()), len(text.rstrip()) + 1))

    def _unreadable(self, start: int) -> ExpressionError:
        if self.text[start].isdigit():
            return ExpressionError("only whole numbers are allowed in an expression", start, start + 1)
        fix = {"=": "compare with ==", "&": "write `and`", "|": "write `or`", "!": "write `not` or !=",
               "%": "write a // b for whole division", "$": "write $name"}.get(self.text[start], "")  # fmt: skip
        return ExpressionError(f"`{self.text[start]}` is not allowed in an expression", start, start + 1, fix)

    def whole(self) -> Node:
        tree = self.either()
        kind, text, start, end = self.tokens[self.next]
        if kind != "end":
            raise ExpressionError(f"expected an operator before `{text}`", start, end)
        return tree

    def take(self, *signs: str) -> str:
        _, text, _, _ = self.tokens[self.next]
        if text in signs:
            self.next += 1
            return text
        return ""

    def chain(self, operand: Callable[[], Node], *signs: str) -> Node:
        left = operand()
        while sign := self.take(*signs):
            right = operand()
            left = Node(sign, (left, right), left.start, right.end)
        return left

    def either(self) -> Node:
        return self.chain(self.both, "or")

    def both(self) -> Node:
        return self.chain(self.negation, "and")

    def negation(self) -> Node:
        start = self.tokens[self.next][2]
        if not self.take("not"):
            return self.comparison()
        inner = self.nested(self.negation)
        return Node("not", (inner,), start, inner.end)

    def comparison(self) -> Node:
        left = self.sum()
        sign = self.take(*_COMPARISONS)
        if not sign:
            return left
        right = self.sum()
        _, text, start, end = self.tokens[self.next]
        if text in _COMPARISONS:
            raise ExpressionError("comparisons cannot be chained", start, end, "join two of them with `and`")
        return Node(sign, (left, right), left.start, right.end)

    def sum(self) -> Node:
        return self.chain(self.term, "+", "-")

    def term(self) -> Node:
        return self.chain(self.signed, "*", "//", "/")

    def signed(self) -> Node:
        start = self.tokens[self.next][2]
        if not self.take("-"):
            return self.power()
        inner = self.nested(self.signed)
        return Node("negative", (inner,), start, inner.end)

    def power(self) -> Node:
        base = self.atom()
        if not self.take("**"):
            return base
        kind, text, start, end = self.tokens[self.next]
        if kind != "number" or len(text) > 1 or not 1 <= int(text) <= HIGHEST_POWER:
            raise ExpressionError(f"a power must be a whole number from 1 to {HIGHEST_POWER}", start, end)
        self.next += 1
        return Node("**", (base, Node("number", (), start, end, text)), base.start, end)

    def nested(self, operand: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            _, _, start, end = self.tokens[self.next]
            raise ExpressionError(f"nested more than {DEEPEST} levels deep", start, end)
        tree = operand()
        self.depth -= 1
        return tree

    def atom(self) -> Node:
        kind, text, start, end = self.tokens[self.next]
        if kind == "end":
            raise ExpressionError("the expression ends where a value is expected", start, end)
        self.next += 1
        if kind == "number":
            return Node("number", (), start, end, text)
        if text == "floor" and self.tokens[self.next][1] == "(":
            return self.floor(start)
        if kind == "name" and text not in ("and", "or", "not", "if", "else"):
            return Node("name", (), start, end, text)
        if text == "(":
            inner = self.nested(self.either)
            closed = self.tokens[self.next][3]
            if not self.take(")"):
                raise ExpressionError("this bracket is not closed", start, end)
            return Node("brackets", (inner,), start, closed)
        raise ExpressionError(f"expected a number, a name or a bracket, found `{text}`", start, end)

    def floor(self, start: int) -> Node:
        inner = self.atom().parts[0]
        end = self.tokens[self.next - 1][3]
        if inner.operator != "/":
            raise ExpressionError("floor(...) takes one division, such as floor((H - 1)/2)", start, end)
        return Node("//", inner.parts, start, end)


def _value(node: Node, scope: Scope) -> Value:
    if node.operator == "number":
        return _kept(int(node.text) if len(node.text) < 20 else sy.LARGEST * sy.LARGEST, node)
    if node.operator == "name":
        return _named(node, scope)
    if node.operator == "brackets":
        return _value(node.parts[0], scope)
    if node.operator in ("and", "or", "not"):
        return _logic(node, scope)
    sizes = [_size(part, scope) for part in node.parts]
    if node.operator == "negative":
        return _kept(-sizes[0], node)
    left, right = sizes
    if node.operator in _COMPARISONS:
        return _compared(node, left, right)
    return _kept(_computed(node, left, right), node)


def _named(node: Node, scope: Scope) -> Value:
    name = node.text.removeprefix("$")
    if name.startswith("in.") or "." in name:
        return _of_input(node, scope)
    if name in scope.parameters:
        return scope.parameters[name]
    if not node.text.startswith("$"):
        return _symbol(node, name)
    if not scope.parameters:
        fix = "write the name of a size without `$`, or declare it under `params:` of a block"
        raise ExpressionError(f"`{node.text}`: there are no parameters here", node.start, node.end, fix)
    close = nearest(name, scope.parameters)
    fix = f"did you mean `${close}`?" if close else f"declare it under `params:`, next to {', '.join(scope.parameters)}"
    raise ExpressionError(f"`{node.text}` is not a parameter of this block", node.start, node.end, fix)


def _of_input(node: Node, scope: Scope) -> Size:
    if node.text != "in.channels":
        raise ExpressionError(f"`{node.text}` is unknown", node.start, node.end, "only in.channels is available")
    if scope.channels is None:
        raise ExpressionError("`in` is the input of a block, and this is not in a block", node.start, node.end)
    return scope.channels()


def _symbol(node: Node, name: str) -> Value:
    try:
        sy.symbol(name)
    except ValueError as error:
        raise ExpressionError(str(error), node.start, node.end) from None
    return name


def _size(node: Node, scope: Scope) -> Size:
    value = _value(node, scope)
    if isinstance(value, bool):
        raise ExpressionError(
            "arithmetic on a truth value is not possible", node.start, node.end, "join comparisons with and, or"
        )
    if isinstance(value, float):
        raise ExpressionError(f"{value!r} is not a whole number", node.start, node.end)
    if isinstance(value, str):
        return sy.symbol(str(_symbol(node, value)))
    return value


def _logic(node: Node, scope: Scope) -> bool:
    values = []
    for part in node.parts:
        value = _value(part, scope)
        if not isinstance(value, bool):
            problem = f"`{node.operator}` joins comparisons, not sizes"
            raise ExpressionError(problem, part.start, part.end, "compare it, as in  c != 1")
        values.append(value)
        if value is (node.operator == "or") and node.operator != "not":
            return value
    return not values[0] if node.operator == "not" else values[-1]


def _compared(node: Node, left: Size, right: Size) -> bool:
    conditions: dict[str, tuple[Condition, bool]] = {
        "==": (Equal(left, right), True),
        "!=": (Equal(left, right), False),
        ">=": (AtLeast(sy.difference(left, right), 0), True),
        "<": (AtLeast(sy.difference(left, right), 0), False),
        "<=": (AtLeast(sy.difference(right, left), 0), True),
        ">": (AtLeast(sy.difference(right, left), 0), False),
    }
    condition, wanted = conditions[node.operator]
    verdict = condition.verdict()
    if verdict is Verdict.DEPENDS:
        written = f"{sy.text(left)} {node.operator} {sy.text(right)}"
        fix = "give the sizes as numbers, or add a parameter to the block that selects the case"
        raise ExpressionError(f"`{written}` depends on a size that is not known yet", node.start, node.end, fix)
    return (verdict is Verdict.HOLDS) is wanted


def _computed(node: Node, left: Size, right: Size) -> Size:
    if node.operator == "+":
        return left + right
    if node.operator == "-":
        return left - right
    if node.operator == "*":
        return left * right
    if node.operator == "**":
        power = left
        # Multiply step by step, so that the limit applies to every intermediate value.
        for _ in range(1, sy.constant(right) or 1):
            power = _kept(power * left, node)
        return power
    if AtLeast(right, 1).verdict() is not Verdict.HOLDS:
        raise ExpressionError(
            f"the divisor is {sy.text(right)}, but must be at least 1", node.parts[1].start, node.parts[1].end
        )
    if node.operator == "/" and not sy.divides(right, left):
        problem = f"{sy.text(left)}/{sy.text(right)} is not a whole number"
        if sy.free(left) or sy.free(right):
            problem = f"{sy.text(left)}/{sy.text(right)} is not a whole number for every size"
        raise ExpressionError(problem, node.start, node.end, "// rounds down")
    return sy.floor_div(left, right)


def _kept(value: Size, node: Node) -> Size:
    """Return a value in closed form; raise ExpressionError if it cannot be a size."""
    value = sy.total([value])
    if isinstance(value, int):
        if abs(value) > sy.LARGEST:
            raise ExpressionError("larger than any tensor (2^40)", node.start, node.end)
        return value
    written = sy.text(value)
    powers = [int(power) for power in re.findall(r"\*\*(\d+)", written)]
    if len(written) > LONGEST_FORMULA or max(powers, default=0) > HIGHEST_POWER:
        raise ExpressionError("the formula is too long", node.start, node.end)
    return value
