"""Sets of sizes as pieces that other notations can express: bounded or unbounded progressions."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.domain.domain import Domain
from planner.domain.joint import boxes_text
from planner.domain.sizeset import SizeSet

MOST_LISTED = 4096
"""Maximum number of sizes below the unbounded part that are listed one by one."""


@dataclass(frozen=True)
class Piece:
    """The sizes ``first, first + step, ...`` up to `last`; unbounded if that is None.

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
        """The size of the piece if it has only one, else None."""
        return self.first if self.first == self.last else None

    def text(self, name: str) -> str:
        """Return the piece as a formula in a name."""
        if self.only is not None:
            return f"{name} = {self.first}"
        if self.step == 1:
            return f"{name} >= {self.first}" if self.last is None else f"{self.first} <= {name} <= {self.last}"
        rest = self.first % self.step
        below = "" if self.first <= self.step else f", {name} >= {self.first}"
        above = "" if self.last is None else f", {name} <= {self.last}"
        return f"{name} = {self.step}k{f' + {rest}' if rest else ''}{below}{above}"


def pieces(sizes: SizeSet) -> tuple[Piece, ...]:
    """Return a set as disjoint pieces: unbounded ones in ascending order, then runs of consecutive sizes.

    Examples
    --------
    >>> pieces(SizeSet.of(3, 4, 5, 9))
    (Piece(step=1, first=3, last=5), Piece(step=1, first=9, last=9))
    """
    facts = sizes.json("n")
    start = facts["periodic_from"]
    unbounded = []
    if start is not None:
        modulus = facts["modulus"]
        firsts = (start + (residue - start) % modulus for residue in facts["residues"])
        unbounded = sorted((Piece(modulus, first) for first in firsts), key=lambda piece: piece.first)
    return (*unbounded, *_finite(sizes, start))


def _finite(sizes: SizeSet, start: int | None) -> list[Piece]:
    """Return the members below the unbounded part: runs of consecutive sizes, or progressions if there are many."""
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
class Simplified:
    """One piece for every size, and sentences on what this omits of the accepted sizes."""

    pieces: Mapping[str, Piece]
    omitted: tuple[str, ...]


def simplest(domain: Domain) -> Simplified:
    """Return the largest piece of each size, for notations without "or"."""
    boxes = domain.boxes
    chosen = next((box for box in boxes if any(s.count is None for s in box.values())), boxes[0] if boxes else {})
    omitted = []
    if len(boxes) > 1:
        omitted.append(f"sizes are coupled; this is one of {len(boxes)} groups: {boxes_text([chosen])}")
    found: dict[str, Piece] = {}
    for name, whole in domain.items():
        sizes = whole & chosen[name] if name in chosen else whole
        parts = pieces(sizes)
        found[name] = parts[0]
        if len(parts) > 1:
            others = [part.text(name) for part in parts[1:6]] + ["..."] * (len(parts) > 6)
            omitted.append(f"also accepted, export separately: {'; '.join(others)}")
    omitted += [f"not expressed here: {opened.requirement.condition.text()}" for opened in domain.assumptions]
    return Simplified(found, tuple(omitted))


def identifier(name: str, taken: Iterable[str] = ()) -> str:
    """Return a name as a valid Python identifier that is not in `taken`.

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
