"""Sets of sizes, exact and possibly infinite: arithmetic progressions and finitely many exceptions.

A set is stored by residues: for every remainder r of n modulo L, the runs of k with n = L*k + r in
the set. Intersection, membership and a minimal description follow without trying sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import gcd, lcm
from typing import Any, TypeAlias

Run: TypeAlias = tuple[int, int | None]
"""First and last k of a run, both included; the last is None if the run is infinite."""

LARGEST_PERIOD = 4096
"""Maximum period of a set; sets with a longer one are not computed."""

LISTED = 64
"""Maximum number of exceptions listed in text or JSON before only their number is given."""


class TooLong(ArithmeticError):
    """Error for a set with a period of more than LARGEST_PERIOD sizes."""


@dataclass(frozen=True, eq=False)
class SizeSet:
    """A set of whole numbers from 1 (default) or from 0.

    Attributes
    ----------
    modulus : int
    runs : tuple of tuple of (int, int or None)
        Sorted disjoint runs of k for each remainder.

    Examples
    --------
    >>> everything = SizeSet.everything()
    >>> 7 in everything, everything.text("H")
    (True, 'H >= 1')
    """

    modulus: int
    runs: tuple[tuple[Run, ...], ...]

    @classmethod
    def everything(cls, least: int = 1) -> SizeSet:
        """Return the set of all sizes from `least` on."""
        return cls(1, (((least, None),),))

    @classmethod
    def of(cls, *sizes: int) -> SizeSet:
        """Return a finite set.

        Examples
        --------
        >>> SizeSet.of(7, 9).text("H")
        'H in {7, 9}'
        """
        return cls(1, (_joined([(n, n) for n in sorted(set(sizes)) if n >= 0]),))

    def __contains__(self, size: object) -> bool:
        if not isinstance(size, int) or size < 0:
            return False
        k, residue = divmod(size, self.modulus)
        return any(first <= k and (last is None or k <= last) for first, last in self.runs[residue])

    def __bool__(self) -> bool:
        return any(self.runs)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SizeSet):
            return NotImplemented
        return self._canonical == other._canonical

    def __hash__(self) -> int:
        return hash(self._canonical)

    def __and__(self, other: SizeSet) -> SizeSet:
        """Return the sizes in both sets."""
        modulus = _common(self.modulus, other.modulus)
        runs: list[tuple[Run, ...]] = []
        for residue in range(modulus):
            if not (self.runs[residue % self.modulus] and other.runs[residue % other.modulus]):
                runs.append(())  # fast path: most residues are empty in multiples of a large number
                continue
            pieces = []
            for a, b in self._at(modulus, residue):
                for c, d in other._at(modulus, residue):
                    first, last = max(a, c), b if d is None else d if b is None else min(b, d)
                    if last is None or first <= last:
                        pieces.append((first, last))
            runs.append(_joined(pieces))
        return SizeSet(modulus, tuple(runs))

    def __or__(self, other: SizeSet) -> SizeSet:
        """Return the sizes in either set."""
        modulus = _common(self.modulus, other.modulus)
        runs = [[*self._at(modulus, residue), *other._at(modulus, residue)] for residue in range(modulus)]
        return SizeSet(modulus, tuple(_joined(pieces) for pieces in runs))

    def _at(self, modulus: int, residue: int) -> Iterator[Run]:
        """Yield the runs of one residue of a multiple of this set's modulus."""
        factor = modulus // self.modulus
        shift, own = divmod(residue, self.modulus)
        for first, last in self.runs[own]:  # own k = factor * k' + shift
            low = -((shift - first) // factor)
            high = None if last is None else (last - shift) // factor
            if high is None or low <= high:
                yield low, high

    @property
    def count(self) -> int | None:
        """Number of sizes, None if infinite.

        Examples
        --------
        >>> SizeSet.of(7, 9).count, SizeSet.everything().count
        (2, None)
        """
        total = 0
        for runs in self.runs:
            for first, last in runs:
                if last is None:
                    return None
                total += last - first + 1
        return total

    @property
    def minimum(self) -> int | None:
        """The smallest size, None if the set is empty."""
        firsts = [self.modulus * runs[0][0] + residue for residue, runs in enumerate(self.runs) if runs]
        return min(firsts, default=None)

    def next(self, size: int) -> int | None:
        """Return the smallest member at or above `size`.

        Examples
        --------
        >>> SizeSet.of(7, 9).next(8)
        9
        """
        found = []
        for residue, runs in enumerate(self.runs):
            k = -((residue - size) // self.modulus)
            for first, last in runs:
                if last is None or k <= last:
                    found.append(self.modulus * max(k, first) + residue)
                    break
        return min(found, default=None)

    def previous(self, size: int) -> int | None:
        """Return the largest member at or below `size`.

        Examples
        --------
        >>> SizeSet.of(7, 9).previous(8)
        7
        """
        found = []
        for residue, runs in enumerate(self.runs):
            k = (size - residue) // self.modulus
            for first, last in reversed(runs):
                if first <= k:
                    found.append(self.modulus * (k if last is None else min(k, last)) + residue)
                    break
        return max(found, default=None)

    def __iter__(self) -> Iterator[int]:
        """Yield members in ascending order, infinitely many if the set is infinite."""
        size = self.next(0)
        while size is not None:
            yield size
            size = self.next(size + 1)

    @cached_property
    def _canonical(self) -> tuple[int, frozenset[int], int, tuple[Run, ...]]:
        """Modulus and residues of the infinite part in lowest terms, its start, and the runs of smaller sizes."""
        infinite = {r for r, runs in enumerate(self.runs) if runs and runs[-1][1] is None}
        modulus = _smallest_modulus(self.modulus, infinite)
        residues = frozenset(r % modulus for r in infinite)
        ends = [self.modulus * runs[-1][0] + r for r, runs in enumerate(self.runs) if r in infinite]
        finite = [runs for r, runs in enumerate(self.runs) if r not in infinite]
        ends += [self.modulus * (runs[-1][1] or 0) + self.modulus for runs in finite if runs]
        start, least = max(ends, default=0), self.minimum or 0
        while start > least and (start - 1 in self) == ((start - 1) % modulus in residues):
            start -= 1
        return modulus, residues, start, self._members_below(start)

    def _members_below(self, limit: int) -> tuple[Run, ...]:
        if self.modulus == 1:
            ended = ((a, limit - 1 if b is None else min(b, limit - 1)) for a, b in self.runs[0])
            return tuple((a, b) for a, b in ended if a <= b)
        pieces: list[Run] = []
        size = self.next(0)
        while size is not None and size < limit and len(pieces) <= 100_000:
            pieces.append((size, size))
            size = self.next(size + 1)
        return _joined(pieces)

    @property
    def unbroken(self) -> bool:
        """Whether every size from the smallest one on is in the set."""
        modulus, residues, start, below = self._canonical
        return modulus == 1 and bool(residues) and not below and self.next(start) == self.minimum

    @property
    def exceptions(self) -> tuple[int, ...]:
        """The first 64 members below the size from which the set is periodic."""
        members = (n for first, last in self._canonical[3] for n in range(first, (last or first) + 1))
        return tuple(n for n, _ in zip(members, range(LISTED), strict=False))

    def text(self, name: str = "n") -> str:
        """Return a minimal description of the set for a size with the given name.

        Examples
        --------
        >>> (SizeSet(16, tuple(((12, None),) if r == 12 else () for r in range(16)))).text("H")
        'H = 16k + 12, H >= 204'
        """
        modulus, residues, _, below = self._canonical
        if not self:
            return f"no {name}"
        parts = []
        if residues:
            first = self.next(self._canonical[2])
            if modulus == 1:
                parts.append(f"{name} >= {first}")
            elif len(residues) == 1:
                (residue,) = residues
                parts.append(f"{name} = {modulus}k{f' + {residue}' if residue else ''}, {name} >= {first}")
            else:
                parts.append(f"{name} mod {modulus} {_residues_text(residues, modulus)}, {name} >= {first}")
        return " or ".join([*_finite_text(name, below), *parts])

    def json(self, name: str) -> dict[str, Any]:
        """Return the set as JSON: text, modulus, residues, minimum, start of the periodic part and exceptions."""
        modulus, residues, start, below = self._canonical
        return {
            "text": self.text(name),
            "modulus": modulus,
            "residues": sorted(residues),
            "minimum": self.minimum,
            "periodic_from": start if residues else None,
            "exceptions": list(self.exceptions) if below else [],
        }


def solve_residues(
    modulus: int,
    solve: Callable[[int], tuple[tuple[Run, ...], int]],
    member: Callable[[int], bool],
    least: int = 1,
) -> SizeSet:
    """Return the set of n >= `least` (0 or 1) from the runs of k of each residue and the k from which they are valid.

    Below that k, `member` is called for every size.
    """
    runs = []
    for residue in range(modulus):
        found, valid_from = solve(residue)
        lowest = least if residue == 0 else 0
        pieces: list[Run] = [(k, k) for k in range(lowest, valid_from) if member(modulus * k + residue)]
        floor = max(lowest, valid_from)
        pieces += [(max(a, floor), b) for a, b in found if b is None or b >= floor]
        runs.append(_joined(pieces))
    return SizeSet(modulus, tuple(runs))


def _joined(pieces: list[Run]) -> tuple[Run, ...]:
    if len(pieces) < 2:
        return tuple(pieces)
    joined: list[Run] = []
    for first, last in sorted(pieces, key=lambda run: run[0]):
        if joined and joined[-1][1] is not None and first <= joined[-1][1] + 1:
            before = joined.pop()
            end = None if last is None else max(last, before[1] or 0)
            joined.append((before[0], end))
        elif not joined or joined[-1][1] is not None:
            joined.append((first, last))
    return tuple(joined)


def _common(left: int, right: int) -> int:
    if lcm(left, right) > LARGEST_PERIOD:
        raise TooLong
    return lcm(left, right)


def _smallest_modulus(modulus: int, residues: set[int]) -> int:
    """Return the smallest divisor of the modulus that describes the same residues."""
    if not residues:
        return 1
    for divisor in range(1, modulus + 1):
        if modulus % divisor == 0 and all((r + divisor) % modulus in residues for r in residues):
            return gcd(divisor, modulus)
    return modulus


def _residues_text(residues: frozenset[int], modulus: int) -> str:
    """Return the allowed remainders as text: the members or the excluded ones, whichever list is shorter."""
    out = [residue for residue in range(modulus) if residue not in residues]
    word, few = ("in", sorted(residues)) if len(residues) <= max(len(out), 4) else ("not in", out)
    more = f", ... ({len(few)} in all)" if len(few) > LISTED else ""
    return f"{word} {{{', '.join(map(str, few[:LISTED]))}{more}}}"


def _finite_text(name: str, runs: tuple[Run, ...]) -> list[str]:
    singles = [str(n) for a, b in runs if b is not None and b - a < 2 for n in range(a, b + 1)]
    texts = [f"{a} <= {name} <= {b}" for a, b in runs if b is not None and b - a >= 2]
    if len(singles) > LISTED:
        singles = [*singles[:LISTED], f"... ({len(singles)} in all)"]
    if len(singles) == 1:
        return [f"{name} = {singles[0]}", *texts]
    return ([f"{name} in {{{', '.join(singles)}}}"] if singles else []) + texts
