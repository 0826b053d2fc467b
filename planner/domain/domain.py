"""The exact set of input sizes that a network accepts, for all sizes at once.

Requirements on one free size are solved by residues (:mod:`planner.domain.affine`), products of sizes with a known
value by their factors (:mod:`planner.domain.joint`). Other requirements that couple sizes are kept as assumptions and
checked when the sizes are known; none is dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Any

from planner.conditions import Condition, Requirement, Verdict
from planner.domain.affine import solve_condition
from planner.domain.joint import Box, boxes_text, count_boxes, cut, project, solve_product
from planner.domain.sizeset import SizeSet, TooLong


@dataclass(frozen=True)
class Open:
    """A requirement that depends on free sizes, and the node that it comes from."""

    node: str
    requirement: Requirement


@dataclass(frozen=True)
class Reason:
    """The layer and the rule that limit a size.

    Attributes
    ----------
    name : str
        The size.
    sizes : SizeSet
        The sizes that this requirement alone allows.
    open : Open
    """

    name: str
    sizes: SizeSet
    open: Open

    @property
    def text(self) -> str:
        """Reason as text: ``H >= 32 because of `c5`: floor(H/4) >= 8``."""
        solved, condition = self.sizes.text(self.name), self.open.requirement.condition.text()
        why = "" if solved == condition else f": {condition}"
        return f"{solved} because of `{self.open.node}`{why}"


@dataclass(frozen=True)
class Domain(Mapping[str, SizeSet]):
    """The accepted sizes by name, and the requirements that could not be solved.

    A network accepts exactly the sizes that are in every set, in one of the boxes (if there are boxes) and meet
    every assumption.

    Attributes
    ----------
    sets : Mapping of str to SizeSet
        The accepted values of every free size, regardless of the others.
    boxes : tuple of Mapping of str to SizeSet
        Sizes that depend on each other; empty if all sizes are independent.
    assumptions : tuple of Open
        Requirements that couple several sizes and could not be solved.
    solved : tuple of Reason
        Requirements on one size that reduced its set.

    Examples
    --------
    >>> import planner.symbols as sy
    >>> from planner.conditions import AtLeast
    >>> fits = Open("c", Requirement("S201", AtLeast(sy.symbol("H") - 5, 0), lambda: "does not fit"))
    >>> domain = solve(["H"], [fits])
    >>> domain["H"].text("H"), domain.reasons[0].text
    ('H >= 5', 'H >= 5 because of `c`')
    """

    sets: Mapping[str, SizeSet]
    boxes: tuple[Box, ...] = ()
    assumptions: tuple[Open, ...] = ()
    solved: tuple[Reason, ...] = field(default=(), compare=False)

    def __getitem__(self, name: str) -> SizeSet:
        return self.sets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.sets)

    def __len__(self) -> int:
        return len(self.sets)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Domain {self.text()}>"

    @property
    def empty(self) -> tuple[str, ...]:
        """Names of sizes without an accepted value."""
        return tuple(name for name, sizes in self.sets.items() if not sizes)

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """A minimal list of the requirements that limit each size."""
        found: list[Reason] = []
        for name in self.sets:
            needed = [reason for reason in self.solved if reason.name == name]
            suffixes = [SizeSet.everything()]
            for reason in reversed(needed):
                suffixes.append(suffixes[-1] & reason.sizes)
            whole, kept = suffixes.pop(), SizeSet.everything()
            for reason in needed:
                if kept & suffixes.pop() != whole:
                    found.append(reason)
                    kept &= reason.sizes
        return tuple(found)

    @property
    def count(self) -> int | None:
        """Number of combinations in the boxes; None if there are no boxes or infinitely many combinations."""
        return count_boxes(self.boxes) if self.boxes else None

    def accepts(self, values: Mapping[str, int]) -> bool:
        """Return whether these sizes are accepted; if some are missing, whether they can be chosen accordingly.

        An assumption that couples sizes that are not given counts as satisfiable.
        """
        if any(size not in self.sets[name] for name, size in values.items() if name in self.sets):
            return False
        if self.boxes and not any(all(values.get(n, s.minimum) in s for n, s in box.items()) for box in self.boxes):
            return False
        rest = [Open(o.node, _at(o.requirement, values)) for o in self.assumptions]
        if any(o.requirement.condition.verdict() is Verdict.FAILS for o in rest):
            return False
        left = solve([n for n in self.sets if n not in values], rest)
        return all(left.sets[name] & self.sets[name] for name in left.sets)

    def text(self) -> str:
        """Return the accepted sizes as text."""
        joint = frozenset().union(*self.boxes)
        parts = [found.text(name) for name, found in self.sets.items() if name not in joint]
        parts += [boxes_text(self.boxes)] if self.boxes else []
        parts += [opened.requirement.condition.text() for opened in self.assumptions]
        return ", ".join(parts)

    def json(self) -> dict[str, Any]:
        """Return every set by name with its reasons; ``joint`` and ``assumptions`` if there are any."""
        found: dict[str, Any] = {name: sizes.json(name) for name, sizes in self.sets.items()}
        for reason in self.reasons:
            found[reason.name].setdefault("because", []).append({"layer": reason.open.node, "text": reason.text})
        if self.boxes:
            listed = [{name: sizes.json(name) for name, sizes in box.items()} for box in self.boxes]
            found["joint"] = {"text": boxes_text(self.boxes), "count": self.count, "boxes": listed}
        if self.assumptions:
            found["assumptions"] = [o.requirement.condition.text() for o in self.assumptions]
        return found


def solve(names: Sequence[str], requirements: Sequence[Open], zeros: Collection[str] = ()) -> Domain:
    """Return the domain of the requirements over the given free names; those in `zeros` may be 0."""
    sets = {name: SizeSet.everything(0 if name in zeros else 1) for name in names}
    reasons: list[Reason] = []
    assumptions: list[Open] = []
    coupled: list[tuple[Open, tuple[Box, ...]]] = []
    seen: set[Condition] = set()
    for opened in requirements:
        condition = opened.requirement.condition
        if condition in seen:
            continue
        seen.add(condition)
        verdict = condition.verdict()
        if verdict is Verdict.FAILS:
            sets = dict.fromkeys(sets, SizeSet.of())
        if verdict is Verdict.HOLDS or (verdict is Verdict.FAILS and sets):
            continue
        free = condition.free
        alone = solve_condition(condition, *free) if len(free) == 1 else None
        if alone is None:
            boxes = solve_product(condition)
            assumptions += [opened] if boxes is None else []
            coupled += [] if boxes is None else [(opened, boxes)]
            continue
        (name,) = free
        try:
            smaller = sets.get(name, SizeSet.everything()) & alone
        except TooLong:  # checked at bind, like all unsolved requirements
            assumptions.append(opened)
            continue
        if smaller != sets.get(name):
            sets[name] = smaller
            reasons.append(Reason(name, alone, opened))
    joint: tuple[Box, ...] = ({},)
    for _, boxes in coupled:
        joint = cut(joint, boxes)
    joint = cut(joint, ({},), sets)
    for opened, _ in coupled:
        for name in opened.requirement.condition.free:
            sets[name] = project(joint, name)
            reasons.append(Reason(name, sets[name], opened))
    together = joint if any(len(box) > 1 for box in joint) else ()
    return Domain(sets, together, tuple(assumptions), tuple(reasons))


def contradiction(name: str, requirements: Sequence[Open]) -> tuple[Open, ...]:
    """Return a small set of requirements that contradict each other for a size; empty if the size has a value.

    Single requirements and pairs are tried first, then the set is reduced until it is irreducible.
    """
    involved = [o for o in requirements if name in o.requirement.condition.free]
    distinct = list({o.requirement.condition: o for o in involved}.values())
    whole = solve([name], distinct)
    if name not in whole.empty:
        return ()
    limiting = {reason.open.requirement.condition for reason in whole.solved}
    few = [o for o in distinct if o.requirement.condition in limiting or len(o.requirement.condition.free) > 1]
    for size in (1, 2):
        for group in combinations(few, size):
            if name in solve([name], group).empty:
                return group
    for candidate in list(few):
        rest = [o for o in few if o is not candidate]
        if name in solve([name], rest).empty:
            few = rest
    return tuple(few)


def _at(requirement: Requirement, values: Mapping[str, int]) -> Requirement:
    return replace(requirement, condition=requirement.condition.at(values))
