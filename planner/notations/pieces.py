"""Sets of sizes in pieces that other notations can say: progressions, endless or not."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.domain.domain import Domain
from planner.domain.joint import boxes_text
from planner.domain.sizeset import SizeSet

MOST_LISTED = 4096
"""Sizes outside the endless part that are written out one by one."""


@dataclass(frozen=True)
class Piece:
    """The sizes ``first, first + step, ...`` up to `last`, without end where that is None.

    Examples
    --------
    >>> Piece(16, 12).text("H"), Piece(1, 5, 5).text("H"), Piece(1, 29).text("H")
    ('H = 16k + 12', 'H = 5', 'H >= 29')
    """

    step: int
    first: int
    last: int | None = None

    @property
    def only(self) -> int | None:
        """The one size of the piece, where it has but one."""
        return self.first if self.first == self.last else None

    def text(self, name: str) -> str:
        """Return the piece in a sentence."""
        if self.only is not None:
            return f"{name} = {self.first}"
        if self.step == 1:
            return f"{name} >= {self.first}" if self.last is None else f"{self.first} <= {name} <= {self.last}"
        rest = self.first % self.step
        below = "" if self.first <= self.step else f", {name} >= {self.first}"
        above = "" if self.last is None else f", {name} <= {self.last}"
        return f"{name} = {self.step}k{f' + {rest}' if rest else ''}{below}{above}"


def pieces(sizes: SizeSet) -> tuple[Piece, ...]:
    """Return a set as disjoint pieces: endless ones first, the smallest foremost, then runs of neighbours.

    Examples
    --------
    >>> pieces(SizeSet.of(3, 4, 5, 9))
    (Piece(step=1, first=3, last=5), Piece(step=1, first=9, last=9))
    """
    facts = sizes.json("n")
    start = facts["periodic_from"]
    endless = []
    if start is not None:
        modulus = facts["modulus"]
        firsts = (start + (residue - start) % modulus for residue in facts["residues"])
        endless = sorted((Piece(modulus, first) for first in firsts), key=lambda piece: piece.first)
    return (*endless, *_finite(sizes, start))


def _finite(sizes: SizeSet, start: int | None) -> list[Piece]:
    """Return the members below where the endless part begins: runs of neighbours, or steps where they are many."""
    found = []
    for residue, runs in enumerate(sizes.runs):
        for first, last in runs:
            end = last if start is None else (start - 1 - residue) // sizes.modulus
            end = end if last is None or end is None else min(last, end)
            if end is not None and first <= end:
                found.append(Piece(sizes.modulus, sizes.modulus * first + residue, sizes.modulus * end + residue))
    if sizes.modulus == 1:
        return found
    if sum(((piece.last or 0) - piece.first) // piece.step + 1 for piece in found) > MOST_LISTED:
        return sorted(found, key=lambda piece: piece.first)
    return _runs(sorted(n for piece in found for n in range(piece.first, (piece.last or 0) + 1, piece.step)))


def _runs(sizes: Iterable[int]) -> list[Piece]:
    found: list[Piece] = []
    for size in sizes:
        if found and found[-1].last == size - 1:
            found[-1] = Piece(1, found[-1].first, size)
        else:
            found.append(Piece(1, size, size))
    return found


@dataclass(frozen=True)
class Say:
    """One piece for every size that a notation can take, and in words what that leaves unsaid."""

    pieces: Mapping[str, Piece]
    unsaid: tuple[str, ...]


def simplest(domain: Domain) -> Say:
    """Return for each size the piece of it that holds most, for notations that know no "or"."""
    boxes = domain.boxes
    chosen = next((box for box in boxes if any(s.count is None for s in box.values())), boxes[0] if boxes else {})
    unsaid = []
    if len(boxes) > 1:
        unsaid.append(f"sizes belong together, and one group of {len(boxes)} is said here: {boxes_text([chosen])}")
    found: dict[str, Piece] = {}
    for name, whole in domain.items():
        sizes = whole & chosen[name] if name in chosen else whole
        parts = pieces(sizes)
        found[name] = parts[0]
        if len(parts) > 1:
            others = [part.text(name) for part in parts[1:6]] + ["..."] * (len(parts) > 6)
            unsaid.append(f"also accepted, to be exported apart: {'; '.join(others)}")
    unsaid += [f"not said here: {opened.requirement.condition.text()}" for opened in domain.assumptions]
    return Say(found, tuple(unsaid))


def identifier(name: str, taken: Iterable[str] = ()) -> str:
    """Return a name that Python takes for a variable, unlike those taken.

    Examples
    --------
    >>> identifier("lambda"), identifier("my-image"), identifier("N", ["N"])
    ('lambda_', 'my_image', 'N_')
    """
    found = "".join(c if c.isalnum() or c == "_" else "_" for c in name)
    found = found if found.isidentifier() else f"x_{found}"
    while keyword.iskeyword(found) or found in taken:
        found += "_"
    return found
