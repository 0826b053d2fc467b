"""Sizes that depend on each other: a product of sizes that must have a known value.

If a layer fixes the number of its input features, such as ``16*h*w = 400`` with h a size in H only and w a size in W
only, the finitely many factorizations of the value give all pairs. Their union is kept as boxes: in each box,
every size has a separate set of values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import planner.symbols as sy
from planner.conditions import Condition, Equal
from planner.domain.affine import solve_condition
from planner.domain.sizeset import SizeSet

Box: TypeAlias = Mapping[str, SizeSet]
"""Allowed sizes by name; within a box, all sizes are independent."""

MOST_SPLITS = 4096
"""Maximum number of factorizations that are tried; with more, the condition stays an assumption."""

LISTED = 6
"""Maximum number of boxes listed in a text before it gives only their number."""


def solve_product(condition: Condition) -> tuple[Box, ...] | None:
    """Return all sizes at which a product has the required value; None if the condition has another form.

    Examples
    --------
    >>> H, W = sy.symbol("H"), sy.symbol("W")
    >>> boxes = solve_product(Equal((H - 2) * (W - 3), 6))
    >>> boxes_text(boxes)
    '4 pairs: H = 3 with W = 9, H = 4 with W = 6, H = 5 with W = 5, H = 8 with W = 4'
    """
    if not isinstance(condition, Equal):
        return None
    left, right = condition.left, condition.right
    value = sy.constant(right)
    if value is None:
        left, value = right, sy.constant(left)
    if value is None or value < 1:
        return None
    split = sy.factors(left)
    if split is None:
        return None
    number, factors = split
    if value % number:
        return ()
    boxes: list[Box] = []
    for tried, parts in enumerate(_splits(value // number, len(factors))):
        if tried >= MOST_SPLITS:
            return None
        box: dict[str, SizeSet] = {}
        for (name, factor), part in zip(factors, parts, strict=True):
            found = solve_condition(Equal(factor, part), name)
            if found is None:
                return None
            box[name] = box[name] & found if name in box else found
        if all(box.values()):
            boxes.append(box)
    return tuple(sorted(boxes, key=lambda box: [sizes.minimum or 0 for sizes in box.values()]))


def cut(left: Sequence[Box], right: Sequence[Box], sets: Box | None = None) -> tuple[Box, ...]:
    """Return the intersection of two unions of boxes, limited to `sets`; empty boxes are left out."""
    found: list[Box] = []
    for a in left:
        for b in right:
            box = {name: _both(a.get(name), b.get(name)) for name in (*a, *(n for n in b if n not in a))}
            box = {name: sizes & sets[name] if sets and name in sets else sizes for name, sizes in box.items()}
            if all(box.values()):
                found.append(box)
    return tuple(found)


def project(boxes: Sequence[Box], name: str) -> SizeSet:
    """Return the sizes of a name in any of the boxes."""
    found = SizeSet.of()
    for box in boxes:
        found |= box[name]
    return found


def count_boxes(boxes: Sequence[Box]) -> int | None:
    """Return the number of combinations in the boxes, None if infinite; boxes never overlap."""
    total = 0
    for box in boxes:
        combinations = 1
        for sizes in box.values():
            if (count := sizes.count) is None:
                return None
            combinations *= count
        total += combinations
    return total


def boxes_text(boxes: Sequence[Box]) -> str:
    """Return the boxes as text."""
    if not boxes:
        return "no combination of sizes"
    listed = [" with ".join(sizes.text(name) for name, sizes in box.items()) for box in boxes[:LISTED]]
    listed += [f"... ({len(boxes)} groups)"] if len(boxes) > LISTED else []
    count = count_boxes(boxes)
    what = {2: "pairs", 3: "triples"}.get(len(boxes[0]), "combinations")
    return f"{'infinitely many' if count is None else count} {what}: {', '.join(listed)}"


def _both(left: SizeSet | None, right: SizeSet | None) -> SizeSet:
    if left is None or right is None:
        return left or right or SizeSet.everything()
    return left & right


def _splits(value: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Yield every factorization of a value into `parts` whole numbers, which may be negative."""
    if parts == 1:
        yield (value,)
        return
    for divisor in sy.divisors(abs(value)):
        for sign in (1, -1):
            for rest in _splits(value // (sign * divisor), parts - 1):
                yield (sign * divisor, *rest)
