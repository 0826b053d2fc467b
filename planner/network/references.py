"""Keys that name another layer: which layer is meant, and whether it is allowed.

A setting may (`pool` of an unpooling), and `use`, by which a layer is used again with its weights. Such a layer
must be declared before, so there are no cycles of names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, fields
from typing import Any

from planner.findings import SettingError, nearest
from planner.layers import KINDS, Layer
from planner.network.entry import Entry
from planner.network.node import Node
from planner.wording import listed

NAMES = "names"
"""In the metadata of a layer's field: the class of the layers it may name."""


def naming(cls: type[Layer]) -> Iterator[Field[Any]]:
    """Yield the settings of a kind of layer that name another layer.

    Examples
    --------
    >>> from planner.layers import Conv, Unpool
    >>> [item.name for item in naming(Unpool)], list(naming(Conv))
    (['pool'], [])
    """
    return (item for item in fields(cls) if NAMES in item.metadata)


def named(item: Field[Any], given: object, known: Mapping[str, Node], guess: bool = True) -> Node:
    """Return the node that a setting means.

    Parameters
    ----------
    item : Field
        One of :func:`naming`.
    given : object
        What the author wrote.
    known : Mapping of str to Node
        The layers declared so far.
    guess : bool
        Look for what an unknown name may mean, which takes long among thousands.

    Raises
    ------
    SettingError
        N103: there is no such layer so far; N107: it is of another kind.
    """
    return _found(item.name, given, item.metadata[NAMES], known, guess)


def used(entry: Entry, known: Mapping[str, Node], guess: bool = True) -> tuple[Node, ...]:
    """Return the layer that an entry uses again, with the normalisation and activation after it.

    The arguments are those of :func:`named`.

    Raises
    ------
    SettingError
        N103, N107: there is no such layer so far, it is of another kind, or has no weights; N101: the entry says
        something that the layer it uses has said.
    """
    node = _found("use", entry.use, KINDS[entry.kind], known, guess)
    for key in (*entry.settings, *(key for key in ("norm", "act") if getattr(entry, key) is not None)):
        problem = f"`{key}` is that of `{entry.use}`, which it uses, and cannot be another one"
        raise SettingError(key, problem, f"remove `{key}`", "N101")
    following = [known.get(f"{node.name}.{role}") for role in ("norm", "act") if not node.role]
    chain = (node, *(each for each in following if each is not None and each.role))
    if node.layer is not None and not any(map(_owns_arrays, chain)):
        problem = f"`use` names `{entry.use}`, a {entry.kind}, which has no weights to share"
        raise SettingError("use", problem, f"write a {entry.kind} of its own, without `use`")
    return chain


def shareable(name: str, known: Mapping[str, Node]) -> bool:
    """Return whether a layer, or its `norm` or `act`, may have weights or running statistics."""
    return any(_owns_arrays(known[each]) for each in (name, f"{name}.norm", f"{name}.act") if each in known)


def _owns_arrays(node: Node) -> bool:
    return node.layer is not None and node.layer.owns_arrays()


def _found(key: str, given: object, wanted: type[Layer], known: Mapping[str, Node], guess: bool) -> Node:
    """Return the layer of a kind that a key names; raises SettingError where there is none so far."""
    node = known.get(given) if isinstance(given, str) else None
    if node is not None and (node.layer is None or type(node.layer) is wanted):
        return node
    fitting = [name for name, each in known.items() if type(each.layer) is wanted] if guess else []
    if node is None or node.layer is None:
        close = nearest(given, known) if guess and isinstance(given, str) else None
        there = f"there are {listed(fitting)}" if fitting else f"name a {wanted.kind} that stands before it"
        shown = f"`{given}`" if isinstance(given, str) else repr(given)
        problem = f"`{key}` names {shown}, which is no layer before it"
        raise SettingError(key, problem, f"did you mean `{close}`?" if close else there, "N103")
    there = f"name one of {listed(fitting)}" if fitting else f"declare a {wanted.kind}, and name it"
    problem = f"`{key}` names `{given}`, which is a {node.layer.kind}, not a {wanted.kind}"
    raise SettingError(key, problem, there)
