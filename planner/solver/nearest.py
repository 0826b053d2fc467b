"""Accepted sizes next to given ones, and the padding that reaches them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from planner.domain.domain import Domain
from planner.domain.sizeset import SizeSet
from planner.findings import Finding, SizeError, nearest
from planner.wording import listed

MOST_TRIES = 2000
"""Maximum number of combinations tried if a requirement could not be solved and is checked size by size."""


@dataclass(frozen=True)
class Near:
    """Accepted sizes around given ones.

    Attributes
    ----------
    given : Mapping of str to int
    accepted : bool
        Whether the given sizes are accepted unchanged.
    below, above : Mapping of str to int, or None
        The nearest accepted sizes with no size above (or below) the given one; None if there are none.
    """

    given: Mapping[str, int]
    accepted: bool
    below: Mapping[str, int] | None
    above: Mapping[str, int] | None

    @property
    def padding(self) -> Mapping[str, tuple[int, int]]:
        """Padding before and after each axis that reaches `above`; an odd position is added after."""
        if self.above is None:
            return {}
        missing = {name: self.above[name] - size for name, size in self.given.items()}
        return {name: (count // 2, count - count // 2) for name, count in missing.items()}

    def json(self) -> dict[str, Any]:
        """Return the answer as JSON-compatible data."""
        return {
            "given": dict(self.given),
            "accepted": self.accepted,
            "below": None if self.below is None else dict(self.below),
            "above": None if self.above is None else dict(self.above),
            "padding": {name: list(sides) for name, sides in self.padding.items()},
        }


def near(domain: Domain, given: Mapping[str, int]) -> Near:
    """Return the accepted sizes around given ones, in positions.

    Coupled sizes are changed together: `above` is the combination with no size below the given ones that adds the
    fewest positions in total, and `below` correspondingly.

    Raises
    ------
    SizeError
        If a name is not a free size of the domain.

    Examples
    --------
    >>> found = near(Domain({"H": SizeSet.of(16, 32), "W": SizeSet.everything()}), {"H": 30, "W": 7})
    >>> found.below, found.above, found.padding
    ({'H': 16, 'W': 7}, {'H': 32, 'W': 7}, {'H': (1, 1), 'W': (0, 0)})
    """
    unknown = [name for name in given if name not in domain]
    if unknown:
        raise SizeError([_unknown(name, domain) for name in unknown])
    return Near(
        dict(given),
        domain.accepts(given),
        _closest(domain, given, "previous"),
        _closest(domain, given, "next"),
    )


def _unknown(name: str, domain: Domain) -> Finding:
    close = nearest(name, domain)
    fix = f"did you mean {close}?" if close else f"free sizes are {listed(domain) or 'none'}"
    return Finding("S209", f"the network has no free size named {name}", fixes=(fix,))


def _closest(domain: Domain, given: Mapping[str, int], step: str) -> Mapping[str, int] | None:
    """Return the accepted sizes on one side of the given ones with the smallest total change."""
    boxes = domain.boxes or ({},)
    best: tuple[int, Mapping[str, int]] | None = None
    for box in boxes:
        moved = _accepted(domain, box, given, step)
        if moved is not None:
            distance = sum(abs(moved[name] - size) for name, size in given.items())
            best = (distance, moved) if best is None or distance < best[0] else best
    return None if best is None else best[1]


def _accepted(
    domain: Domain, box: Mapping[str, SizeSet], given: Mapping[str, int], step: str
) -> Mapping[str, int] | None:
    """Return the first accepted sizes of one box, starting at the given ones, in one direction."""
    walks = [_walk(domain[name] & box.get(name, SizeSet.everything()), size, step) for name, size in given.items()]
    if not domain.assumptions:
        firsts = [next(walk, None) for walk in walks]
        found = {name: size for name, size in zip(given, firsts, strict=True) if size is not None}
        return found if len(found) == len(given) else None
    reach = max(2, round(MOST_TRIES ** (1 / max(1, len(walks)))))
    columns = [list(islice(walk, reach)) for walk in walks]
    for chosen in sorted(_combined(columns), key=lambda sizes: sum(map(abs, map(int.__sub__, sizes, given.values())))):
        moved = dict(zip(given, chosen, strict=True))
        if domain.accepts(moved):
            return moved
    return None


def _combined(columns: list[list[int]]) -> Iterator[tuple[int, ...]]:
    if not columns:
        yield ()
        return
    for size in columns[0]:
        for rest in _combined(columns[1:]):
            yield (size, *rest)


def _walk(sizes: SizeSet, start: int, step: str) -> Iterator[int]:
    size = sizes.next(start) if step == "next" else sizes.previous(start)
    while size is not None:
        yield size
        size = sizes.next(size + 1) if step == "next" else sizes.previous(size - 1)
