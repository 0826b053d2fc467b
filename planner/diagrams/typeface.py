"""Text widths, without reading a font file.

Widths are those of Bitstream Vera and DejaVu Sans, the widest faces in :data:`STACK`: text that fits
by this table fits in all of them, so that no text exceeds the edge of a card on any system.
"""

from __future__ import annotations

import unicodedata

STACK = "'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
"""Font stack for viewers."""

_REGULAR = (
    "318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636 636 "
    "636 337 337 838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787 603 787 "
    "695 635 611 732 684 989 685 611 685 390 337 390 838 500 500 613 635 550 635 615 352 635 634 278 278 "
    "579 278 974 634 612 635 635 411 521 392 634 592 818 592 592 525 636 337 636 838"
)
_BOLD = (
    "348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 696 696 696 "
    "696 400 400 838 838 838 580 1000 774 762 734 830 683 683 821 837 372 372 775 637 995 837 850 733 850 "
    "770 720 682 812 774 1103 771 724 725 457 365 457 838 500 500 675 716 593 716 678 435 716 712 343 343 "
    "665 343 1042 712 687 716 716 493 595 478 712 652 924 645 652 582 712 365 712 838"
)
_INDENT = "\N{NO-BREAK SPACE}" * 4
"""Spaces that SVG viewers keep at the beginning of a line."""

_SPECIAL = {"×": 838, "·": 318, "…": 1000, "−": 838}
_WIDTHS = {
    bold: {chr(32 + i): int(w) for i, w in enumerate(table.split())} | _SPECIAL
    for bold, table in ((False, _REGULAR), (True, _BOLD))
}


def width(text: str, size: float, bold: bool = False) -> float:
    """Return an upper estimate of the width of a line of text, in the unit of `size`.

    Examples
    --------
    >>> width("conv", 10) < width("conv", 10, bold=True) < width("convolution", 10)
    True
    """
    table = _WIDTHS[bold]
    return sum(table[c] if c in table else _foreign(c) for c in text) * size / 1000


def _foreign(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 1050 if unicodedata.east_asian_width(character) in "WF" else 900


def shorten(text: str, available: float, size: float, bold: bool = False) -> str:
    """Return the text, truncated with an ellipsis if it is wider than `available`.

    Examples
    --------
    >>> shorten("a long sentence", 60, 10)
    'a long se…'
    >>> shorten("short", 50, 10)
    'short'
    """
    if width(text, size, bold) <= available:
        return text
    kept = text
    while kept and width(kept + "…", size, bold) > available:
        kept = kept[:-1]
    return kept.rstrip(" ·,;:×") + "…"


def wrap_product(factors: list[str], available: float, size: float) -> list[str]:
    """Return a product of formulas in lines that fit: one line if possible, else one per factor.

    A factor that is still too long is broken at its outermost sums; nothing is omitted.

    Examples
    --------
    >>> wrap_product(["64", "H/2", "W/2"], 136, 9.5)
    ['64 × H/2 × W/2']
    >>> for line in wrap_product(["2", "(16·floor((H - 12)/16) - 124)", "W"], 136, 9.5):
    ...     print(line.strip())
    2
    × (16·floor((H - 12)/16)
    - 124)
    × W
    """
    whole = " × ".join(factors)
    if width(whole, size) <= available:
        return [whole]
    made: list[str] = []
    for index, factor in enumerate(factors):
        made += _broken(f"× {factor}" if index else factor, available, size)
    return made


def _broken(text: str, available: float, size: float) -> list[str]:
    """Return a formula in lines that fit; each line after the first begins with the sign at the break."""
    made: list[str] = []
    while width(text, size) > available:
        places = _signs(text)
        fitting = [place for place in places if width(text[: place[1]], size) <= available] or places[:1]
        if not fitting:
            break
        _, at = min(fitting, key=lambda place: (place[0], -place[1]))
        made.append(text[:at].rstrip())
        text = f"{_INDENT}{text[at:].strip()}"
    return [*made, text]


def _signs(text: str) -> list[tuple[int, int]]:
    """Return the bracket depth and the position of every sign at which a line may begin."""
    found, depth = [], 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        begun = bool(text[:index].strip(f"{_INDENT}× ("))
        if begun and (character in "·,/" or (character in "+-" and text[index - 1 : index] == " ")):
            found.append((depth + (character not in "+-"), index))
    return found


def wrap(parts: list[str], available: float, size: float, joint: str, lines: int, bold: bool = False) -> list[str]:
    """Return parts joined into as few lines as possible, at most `lines`; longer text is truncated.

    A continuation line begins with ``×`` if the joint contains it.

    Examples
    --------
    >>> wrap(["stride 2", "pad 3", "groups 32"], 90, 10, " · ", 2)
    ['stride 2 · pad 3', 'groups 32']
    """
    head = "× " if "×" in joint else ""
    made: list[str] = []
    for part in parts:
        longer = f"{made[-1]}{joint}{part}" if made else part
        if not made or (width(longer, size, bold) > available and len(made) < lines):
            made.append(f"{head}{part}" if made else part)
        else:
            made[-1] = longer
    return [shorten(line, available, size, bold) for line in made]
