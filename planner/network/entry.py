"""One layer as its author wrote it: kind, settings, and names not yet resolved.

Specs and Python callers both make these; :class:`planner.network.builder.Builder` turns them into a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, TypeAlias

from planner.findings import GraphError, Location

NormAct: TypeAlias = "str | Mapping[str, Mapping[str, Any] | None] | None"
"""What `norm` and `act` say: a word, or a word with its settings."""

Marks = Mapping[str, Location]
"""Where the keys of something stand in a file."""


@dataclass(frozen=True)
class Entry:
    """One layer as written, before any name is resolved.

    Attributes
    ----------
    kind : str
        Key of the layer in a spec, such as ``conv``.
    settings : Mapping
        Plain values; a str in the place of a size is the name of one.
    name : str or None
    from_ : str, tuple of str or None
        What it reads; None is the layer before.
    act, norm : str, Mapping or None
        Short for an activation and a normalisation behind the layer: its word, or its word with settings.
    expect : tuple of int or str, or None
        The output shape the author asserts.
    marks : Mapping
        Where each key stands in the file: settings by name, ``name``, ``from``, ``act``, ``norm``,
        ``expect``, and "" for the kind itself.
    broken : bool
        A finding has already been reported for this entry.
    use : str or None
        The layer that this one is once more, with its settings and weights.
    """

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    from_: str | tuple[str, ...] | None = None
    act: NormAct = None
    norm: NormAct = None
    expect: tuple[int | str, ...] | None = None
    marks: Marks = field(default_factory=dict, compare=False)
    broken: bool = False
    use: str | None = None

    def mark(self, key: str) -> Location | None:
        """Return where a key stands, or the kind where the key was not written."""
        return self.marks.get(key) or self.marks.get("")


def layer(
    kind: str,
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    act: NormAct = None,
    norm: NormAct = None,
    expect: Sequence[int | str] | None = None,
    use: str | None = None,
    **settings: Any,
) -> Entry:
    """Return one layer for :class:`Network`, in the words of a spec.

    ``layer("conv", name="c1", filters=6, kernel=5, act="tanh")`` is
    ``- conv: {name: c1, filters: 6, kernel: 5, act: tanh}``; `from` is spelled `from_`.
    ``layer("conv", use="c1", from_="right")`` is layer `c1` once more, with its weights, on another tensor.
    NumPy's numbers and arrays are settings like Python's own.

    Raises
    ------
    GraphError
        N107: `from_` is neither a name nor several, `expect` no shape, or `use` no name.

    Examples
    --------
    >>> layer("conv", name="c1", filters=6, kernel=5).settings
    {'filters': 6, 'kernel': 5}
    """
    _check_type("from_", from_, (str, Sequence, NoneType), "the name of a layer or a list of names")
    _check_type("expect", expect, (list, tuple, NoneType), "a shape, such as ('N', 10)")
    _check_type("use", use, (str, NoneType), "the name of a layer")
    sources = from_ if from_ is None or isinstance(from_, str) else tuple(from_)
    plain = {key: value.tolist() if hasattr(value, "tolist") else value for key, value in settings.items()}
    return Entry(kind, plain, name, sources, act, norm, None if expect is None else tuple(expect), use=use)


def _check_type(key: str, given: object, types: tuple[type, ...], what: str) -> None:
    if not isinstance(given, types):
        raise GraphError.of("N107", f"`{key}` takes {what}; got {given!r:.60}")
