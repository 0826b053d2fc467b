"""Immutable mappings, for frozen values that a dict would make unhashable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class FrozenMapping(Mapping[Key, Value], Generic[Key, Value]):
    """An immutable mapping that can be hashed, copied and pickled.

    Equal to every mapping with the same items in any order; printed like a dict.

    Parameters
    ----------
    items : Mapping

    Examples
    --------
    >>> sizes = FrozenMapping({"N": 8, "H": 32})
    >>> sizes, sizes["N"], hash(sizes) == hash(FrozenMapping({"H": 32, "N": 8}))
    ({'N': 8, 'H': 32}, 8, True)
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[Key, Value]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: Key) -> Value:
        return self._items[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)

    def __reduce__(self) -> tuple[type[FrozenMapping[Key, Value]], tuple[dict[Key, Value]]]:
        return FrozenMapping, (self._items,)
