"""The largest batch, image or width within a budget of bytes or multiply-accumulates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import and_
from typing import Any, Literal

import planner.symbols as sy
from planner.domain.sizeset import SizeSet
from planner.findings import Finding, SizeError
from planner.layers.source import Input
from planner.plan.memory_formula import memory_formula
from planner.plan.plan import Plan
from planner.solver.wants import loosened
from planner.wording import listed

Kind = Literal["inference memory", "training memory", "MACs"]

UNITS: Mapping[str, int] = {
    "": 1, "B": 1,
    "K": 1000, "KB": 1000, "M": 1000**2, "MB": 1000**2, "G": 1000**3, "GB": 1000**3, "T": 1000**4, "TB": 1000**4,
    "KIB": 1024, "MIB": 1024**2, "GIB": 1024**3, "TIB": 1024**4,
}  # fmt: skip
"""Factors by unit: KB is 1000 bytes, KiB is 1024 bytes."""

_AMOUNT = re.compile(r"\s*([0-9]{1,18})(?:\.([0-9]{1,9}))?\s*([A-Za-z]{0,3})\s*\Z", re.ASCII)

LARGEST = 2**40
PROBES = 256
"""Accepted sizes to plan after the first that does not fit: planned memory may drop again when blocks change."""

STEPS = 400
"""Maximum number of plans for one answer."""

MOST_JUDGED = 2000
"""Maximum number of values checked one by one if sizes are coupled."""


@dataclass(frozen=True)
class Budget:
    """Upper limit on bytes or multiply-accumulates."""

    kind: Kind
    limit: int

    @classmethod
    def read(cls, text: str, kind: Kind) -> Budget:
        """Return the budget for a text such as ``2GiB`` or ``600M``.

        Raises
        ------
        ValueError
            If the text has another form, or the amount is zero.

        Examples
        --------
        >>> Budget.read("2GiB", "training memory").limit, Budget.read("1.5M", "MACs").limit
        (2147483648, 1500000)
        """
        match = _AMOUNT.match(text)
        unit = UNITS.get(match[3].upper()) if match else None
        is_bytes = bool(match and match[3].upper().endswith("B"))
        if match is None or unit is None or (kind == "MACs" and is_bytes):
            example = "600M or 1.5G" if kind == "MACs" else "2GiB, 512MiB or 1.5GB"
            raise ValueError(f"{text!r} is not a number of {'MACs' if kind == 'MACs' else 'bytes'}; write  {example}")
        fraction = match[2] or ""
        limit = int(match[1] + fraction) * unit // 10 ** len(fraction)
        if limit < 1:
            raise ValueError(f"{text!r}: a budget must be at least 1")
        return cls(kind, limit)

    @property
    def unit(self) -> str:
        """Unit of the limit."""
        return "MACs" if self.kind == "MACs" else "bytes"


@dataclass(frozen=True)
class Largest:
    """The largest value within a budget.

    Attributes
    ----------
    names : tuple of str
        The sizes solved for; all have the same value.
    value : int
    used : int
        Bytes or MACs planned for that value.
    next_value, next_used : int or None
        The next accepted value and the bytes or MACs that it needs; None if there is none.
    at : Mapping of str to int
        The other sizes.
    proved : bool
        Whether every larger value is proved not to fit. If False, planning has shown this only for the next values.
    budget : Budget
    plan : Plan
        The plan that was solved; height and width of its input are free if they were solved for.
    """

    names: tuple[str, ...]
    value: int
    used: int
    next_value: int | None
    next_used: int | None
    at: Mapping[str, int]
    proved: bool
    budget: Budget
    plan: Plan

    def json(self) -> dict[str, Any]:
        """Return the answer as JSON-compatible data."""
        unit = self.budget.unit.lower()
        following = None if self.next_value is None else {"value": self.next_value, unit: self.next_used}
        return {
            "solved_for": list(self.names),
            "value": self.value,
            unit: self.used,
            "next": following,
            "at": dict(self.at),
            "limit": {"kind": self.budget.kind, unit: self.budget.limit},
            "proved": self.proved,
        }


def largest(plan: Plan, budget: Budget, given: Mapping[str, int] | None = None) -> Largest:
    """Return the largest batch, square image or width within a budget.

    For memory, the batch size is solved for if it is not given; for MACs, the default batch size is 1. If the batch
    size is known, height and width are solved for together (those that are not given; they are freed if the spec
    fixes them), or the single remaining size among the settings.

    Raises
    ------
    SizeError
        If given sizes are not accepted, more than one size is open, no size is left to solve for, or
        even the smallest accepted size does not fit (S209, S212).

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=[layer("conv", filters=2, kernel=3)])
    >>> found = largest(net.check(), Budget("MACs", 20_000))
    >>> found.names, found.value, found.used, found.next_used
    (('H', 'W'), 35, 19602, 20808)
    """
    values = dict(given or {})
    plan, names, values = _question(plan, budget, values)
    candidates = _Candidates(plan, names, values)
    measure = _measure(plan, names, values, budget)
    first = candidates.next(1)
    if first is None:
        at = _at(values)
        message = f"no {_named(names)} is accepted{f' at {at}' if at else ''}"
        raise SizeError([Finding("S209", message, notes=(f"accepted: {plan.domain.text()}",))])
    if measure(first) > budget.limit:
        message = (
            f"even {_named(names)} = {first}, the smallest, does not fit: it needs {measure(first):,} {budget.unit}"
        )
        fix = f"allow at least {measure(first)} {budget.unit}"
        raise SizeError([Finding("S212", message, notes=(f"the limit is {budget.limit:,}",), fixes=(fix,))])
    low, high = _bisect(candidates, measure, budget.limit, first)
    if high is None and candidates.sizes().count is None:
        message = f"{budget.unit} stay within {budget.limit:,} at every accepted {_named(names)}"
        raise SizeError([Finding("S212", message, notes=(f"accepted: {plan.domain.text()}",))])
    doubtful = _doubtful(plan, names, values, budget, candidates.walk(low + 1))
    beyond = list(islice(doubtful, PROBES))
    low = next((value for value in reversed(beyond) if measure(value) <= budget.limit), low)
    proved = next(doubtful, None) is None
    following = candidates.next(low + 1)
    used = None if following is None else measure(following)
    return Largest(names, low, measure(low), following, used, values, proved, budget, plan)


def _question(plan: Plan, budget: Budget, values: dict[str, int]) -> tuple[Plan, tuple[str, ...], dict[str, int]]:
    """Return the plan, the names to solve for and the values of all other names."""
    loose = loosened(plan)
    outside = [name for name in values if name not in plan.free]
    if loose is not None and outside and all(name in loose.free for name in outside):
        plan, loose = loose, None
    if not plan.accepts(**values):
        raise SizeError([Finding("S209", f"{_at(values)} is not accepted", notes=(f"accepted: {plan.domain.text()}",))])
    values = {name: size for name, size in values.items() if name in plan.free}
    batch = _axis_names(plan, slice(1))
    if budget.kind == "MACs":
        values = dict.fromkeys(batch, 1) | values
    missing = tuple(name for name in plan.free if name not in values)
    if batch and all(name in missing for name in batch):
        others = [name for name in missing if name not in batch]
        if others:
            message = f"the largest batch depends on {listed(others)}"
            wanted = ",".join(f"{name}=..." for name in others)
            fixes = (f"--at {wanted}  for the largest batch", f"--at {batch[0]}=1  for the largest image")
            raise SizeError([Finding("S212", message, fixes=fixes)])
        return plan, batch, values
    if not missing and loose is not None:
        plan, missing = loose, tuple(name for name in loose.free if name not in values)
    if not missing:
        fix = "omit the size to solve for"
        raise SizeError([Finding("S212", "every size is given or fixed: no size is left to solve for", fixes=(fix,))])
    maps = _axis_names(plan, slice(2, None))
    if len(missing) > 1 and not all(name in maps for name in missing):
        wanted = ",".join(f"{name}=..." for name in missing)
        fix = f"give all but one, or all but height and width:  --at {wanted}"
        raise SizeError([Finding("S212", f"more than one size is open: {listed(missing)}", fixes=(fix,))])
    return plan, missing, values


def _axis_names(plan: Plan, axes: slice) -> tuple[str, ...]:
    """Return the free names in the given axes of the inputs."""
    found: dict[str, None] = {}
    for node in plan.nodes:
        if isinstance(node.layer, Input):
            for size in node.output_shape[axes]:
                found.update(dict.fromkeys(sorted(sy.free(size))))
    return tuple(found)


@dataclass(frozen=True)
class _Candidates:
    """Accepted common values of the names solved for."""

    plan: Plan
    names: tuple[str, ...]
    values: Mapping[str, int]

    def sizes(self) -> SizeSet:
        return reduce(and_, (self.plan.domain[name] for name in self.names))

    def next(self, size: int) -> int | None:
        """Return the smallest accepted value at or above a size."""
        return next(self.walk(size), None)

    def last(self) -> int | None:
        """Return the largest accepted value up to 2^40."""
        sizes = self.sizes()
        found = sizes.previous(LARGEST)
        for _ in range(MOST_JUDGED):
            if found is None or self._accepts(found):
                return found
            found = sizes.previous(found - 1)
        return None

    def walk(self, size: int) -> Iterator[int]:
        """Yield accepted values from a size on; stop if none of the next 2000 values is accepted."""
        sizes = self.sizes()
        found = sizes.next(size)
        refused = 0
        while found is not None and found <= LARGEST and refused < MOST_JUDGED:
            if self._accepts(found):
                refused = 0
                yield found
            else:
                refused += 1
            found = sizes.next(found + 1)

    def _accepts(self, size: int) -> bool:
        domain = self.plan.domain
        if not domain.boxes and not domain.assumptions:
            return True
        return domain.accepts({**self.values, **dict.fromkeys(self.names, size)})


def _measure(plan: Plan, names: tuple[str, ...], values: Mapping[str, int], budget: Budget) -> Callable[[int], int]:
    """Return a cached function from a value to its bytes or MACs, computed by planning with that value."""
    known: dict[int, int] = {}
    macs = sy.substitute(sy.size(plan.macs), dict(values))

    def planned(value: int) -> int:
        if budget.kind == "MACs":
            return sy.evaluate(macs, dict.fromkeys(names, value))
        bound = plan.bind(dtype="float32", **values, **dict.fromkeys(names, value))
        return bound.memory.training_bytes if budget.kind == "training memory" else bound.memory.inference_bytes

    def measure(value: int) -> int:
        if value not in known:
            known[value] = planned(value)
        return known[value]

    return measure


def _bisect(candidates: _Candidates, measure: Callable[[int], int], limit: int, first: int) -> tuple[int, int | None]:
    """Return neighbouring accepted values of which the lower fits and the higher does not.

    The higher one is None if all values fit. Guesses alternate between linear interpolation and bisection.
    """
    low, high = first, candidates.next(2 * first)
    while high is not None and measure(high) <= limit:
        low, high = high, candidates.next(2 * high)
    if high is None:
        high = candidates.last() or low
        if measure(high) <= limit:
            return high, None
    for step in range(STEPS):
        middle = (low + high) // 2
        if step % 2 == 0:
            rise = max(1, measure(high) - measure(low))
            middle = low + (limit - measure(low)) * (high - low) // rise
        guess = candidates.next(min(max(middle, low + 1), high - 1)) if high - low > 1 else high
        if guess is None or guess >= high:
            guess = candidates.next(low + 1)
            if guess is None or guess >= high:
                break
        if measure(guess) <= limit:
            low = guess
        else:
            high = guess
    return low, high


def _doubtful(
    plan: Plan, names: tuple[str, ...], values: Mapping[str, int], budget: Budget, larger: Iterator[int]
) -> Iterator[int]:
    """Yield the larger values that a monotonic lower bound does not rule out."""
    if budget.kind == "MACs":
        return
    least = memory_formula(plan, values, training=budget.kind == "training memory")
    for value in larger:
        if least is not None and sy.evaluate(least, dict.fromkeys(names, value)) > budget.limit:
            return
        yield value


def _named(names: tuple[str, ...]) -> str:
    return " = ".join(names)


def _at(values: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in values.items())
