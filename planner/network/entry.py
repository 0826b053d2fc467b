"""One layer as written in a spec or in Python: its kind, its settings, and names that are not resolved yet.

Specs and Python callers both create entries; :class:`planner.network.builder.Builder` turns them into a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from types import NoneType
from typing import Any, TypeAlias

from planner.findings import GraphError, Location

NormAct: TypeAlias = "str | Mapping[str, Mapping[str, Any] | None] | None"
"""Value of `norm` and `act`: a word, or a word with its settings."""

Marks = Mapping[str, Location]
"""Locations of keys in a file."""

LONGEST_NAME = 100
"""Maximum number of characters in the name of a layer."""


@dataclass(frozen=True)
class Entry:
    """One layer as written, before any name is resolved.

    Attributes
    ----------
    kind : str
        Key of the layer in a spec, such as ``conv``.
    settings : Mapping
        Plain values; a str instead of a size is the name of that size.
    name : str or None
    from_ : str, tuple of str or None
        Inputs of the layer; None is the previous layer.
    act, norm : str, Mapping or None
        Activation and normalisation after the layer: a word, or a word with its settings.
    expect : tuple of int or str, or None
        The output shape the author asserts.
    marks : Mapping
        Location of each key in the file: settings by name, ``name``, ``from``, ``act``, ``norm``,
        ``expect``, and "" for the kind itself.
    broken : bool
        A finding has already been reported for this entry.
    use : str or None
        The layer that this one uses again, with its settings and weights.
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
        """Return the location of a key, or of the kind if the key is not written."""
        return self.marks.get(key) or self.marks.get("")

    def __call__(self, *tensors: Tensor | Sequence[Tensor]) -> Tensor:
        """Return the output of this layer for some tensors: ``layer(x)``, ``layer(x, y)`` or ``layer([x, y])``.

        Nothing is computed. A layer that is called twice shares its weights between the two calls.

        Raises
        ------
        GraphError
            N107: an argument is not a tensor, or the layer has `from_` as well.

        Examples
        --------
        >>> x = input_tensor("image", ("N", 3, 32, 32))
        >>> y = layer("conv", filters=6, kernel=5)(x)
        >>> layer("add")(y, y)
        <Tensor: add of conv, conv>
        """
        listed = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
        given = tuple(each for each in listed if isinstance(each, Tensor))
        if not given or len(given) != len(listed):
            wrong = next((each for each in listed if not isinstance(each, Tensor)), "nothing")
            raise GraphError.of(
                "N107",
                f"{self.kind} is called on {wrong!r:.60}, which is not a tensor of a network",
                fixes=('start from  x = shapeplan.input("image", ("N", 3, 224, 224))',),
            )
        if self.from_ is not None:
            raise GraphError.of(
                "N107", f"{self.kind} has `from_` and is called on a tensor; only one of the two is allowed",
                fixes=("remove `from_`",),
            )  # fmt: skip
        return Tensor(self, given)


_SERIAL = count()


@dataclass(frozen=True, eq=False, repr=False)
class Tensor:
    """The output of a layer, or an input, in the functional form of a network. It has no numbers and no sizes.

    Calling a layer returns one, and so does :func:`input_tensor`; :meth:`planner.Network.functional` builds a network
    from them. A tensor is equal only to itself.

    Attributes
    ----------
    layer : Entry
        The layer that produces the tensor; of kind ``input`` for an input of the network.
    inputs : tuple of Tensor
        What the layer reads, in order.
    serial : int
        A counter, larger than that of every tensor created before.
    """

    layer: Entry
    inputs: tuple[Tensor, ...] = ()
    serial: int = field(default_factory=_SERIAL.__next__)

    def __repr__(self) -> str:
        """Return the layer and its inputs, each by name, or by kind if it has no name."""
        read = ", ".join(str(each.layer.name or each.layer.kind) for each in self.inputs)
        called = "" if self.layer.name is None else f" `{self.layer.name}`"
        return f"<Tensor: {self.layer.kind}{called}{' of ' if read else ''}{read}>"


def input_tensor(name: str, shape: Sequence[int | str]) -> Tensor:
    """Return an input of a network as a tensor, to call layers on.

    Parameters
    ----------
    name : str
    shape : sequence of int or str
        Sizes in the order N, C, H, W (or N, features; N, C, L; N, C, D, H, W); a str is a free size.

    Examples
    --------
    >>> input_tensor("image", ("N", 3, "H", "W"))
    <Tensor: input `image`>
    """
    return Tensor(Entry("input", {"shape": shape}, name))


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
    """Return one layer for :class:`Network`, with the keys of a spec.

    ``layer("conv", name="c1", filters=6, kernel=5, act="tanh")`` is
    ``- conv: {name: c1, filters: 6, kernel: 5, act: tanh}``; `from` is spelled `from_`.
    ``layer("conv", use="c1", from_="right")`` applies layer `c1` again, with the same weights, to another tensor.
    Settings may also be NumPy numbers and arrays.

    Raises
    ------
    GraphError
        N107: `from_` is neither a name nor a list of names, `expect` is not a shape, or `use` is not a name.

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


def fault_of_name(name: object, what: str = "`name`") -> str:
    """Return why an object cannot be the name of a layer, input, output, block or network, or "" if it can.

    Names reach terminals, CI logs, diagrams and documents: they are one visible line.

    Examples
    --------
    >>> fault_of_name("conv1"), fault_of_name(5)
    ('', '`name` must be printable text of up to 100 characters, got 5')
    """
    if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isprintable():
        return ""
    return f"{what} must be printable text of up to {LONGEST_NAME} characters, got {name!a:.80}"


def _check_type(key: str, given: object, types: tuple[type, ...], what: str) -> None:
    if not isinstance(given, types):
        raise GraphError.of("N107", f"`{key}` takes {what}; got {given!r:.60}")
