"""Keys that name another layer: resolve the layer and check that the key may refer to it.

Such keys are settings (`pool` of an unpooling) and `use`, which applies a layer again with its weights. The named layer
must be declared before, so references cannot form a cycle.
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
"""Key in the metadata of a layer's field: the class of the layers that it may name."""


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
    """Return the node that a setting refers to.

    Parameters
    ----------
    item : Field
        One of :func:`naming`.
    given : object
        Value written in the spec.
    known : Mapping of str to Node
        The layers declared so far.
    guess : bool
        Suggest a close match for an unknown name; slow among thousands of names.

    Raises
    ------
    SettingError
        N103: no such layer is declared so far; N107: it is of another kind.
    """
    return _found(item.name, given, item.metadata[NAMES], known, guess)


def used(entry: Entry, known: Mapping[str, Node], guess: bool = True) -> tuple[Node, ...]:
    """Return the layer that an entry uses again, and its normalisation and activation.

    For the arguments see :func:`named`.

    Raises
    ------
    SettingError
        N103, N107: no such layer is declared so far, it is of another kind, or it has no weights; N101: the entry has a
        key that it takes from the layer it uses.
    """
    node = _found("use", entry.use, KINDS[entry.kind], known, guess)
    for key in (*entry.settings, *(key for key in ("norm", "act") if getattr(entry, key) is not None)):
        problem = f"`{key}` comes from `{entry.use}` (`use`) and cannot be set again"
        raise SettingError(key, problem, f"remove `{key}`", "N101")
    following = [known.get(f"{node.name}.{role}") for role in ("norm", "act") if not node.role]
    chain = (node, *(each for each in following if each is not None and each.role))
    if node.layer is not None and not any(map(_owns_arrays, chain)):
        problem = f"`use` names `{entry.use}`, a {entry.kind}, which has no weights to share"
        raise SettingError("use", problem, f"write a separate {entry.kind}, without `use`")
    return chain


def shareable(name: str, known: Mapping[str, Node]) -> bool:
    """Return whether a layer, its `norm` or its `act` may have weights or running statistics."""
    return any(_owns_arrays(known[each]) for each in (name, f"{name}.norm", f"{name}.act") if each in known)


def _owns_arrays(node: Node) -> bool:
    return node.layer is not None and node.layer.owns_arrays()


def _found(key: str, given: object, wanted: type[Layer], known: Mapping[str, Node], guess: bool) -> Node:
    """Return the layer of a kind that a key names; raise SettingError if none is declared so far."""
    node = known.get(given) if isinstance(given, str) else None
    if node is not None and (node.layer is None or type(node.layer) is wanted):
        return node
    fitting = [name for name, each in known.items() if type(each.layer) is wanted] if guess else []
    if node is None or node.layer is None:
        close = nearest(given, known) if guess and isinstance(given, str) else None
        hint = f"there are {listed(fitting)}" if fitting else f"name a {wanted.kind} that is declared before it"
        shown = f"`{given}`" if isinstance(given, str) else repr(given)
        problem = f"`{key}` names {shown}, which is not a layer before it"
        raise SettingError(key, problem, f"did you mean `{close}`?" if close else hint, "N103")
    hint = f"name one of {listed(fitting)}" if fitting else f"declare a {wanted.kind}, and name it"
    problem = f"`{key}` names `{given}`, which is of kind {node.layer.kind}, not {wanted.kind}"
    raise SettingError(key, problem, hint)
