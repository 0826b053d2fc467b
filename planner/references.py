"""Settings that name another layer: which layer is meant, and whether it can be.

Such a layer must be declared before; so no ring of names can come about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, fields
from typing import Any

from planner.findings import SettingError, nearest
from planner.layers import Layer
from planner.network import Node, listed

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


def named(item: Field[Any], given: object, known: Mapping[str, Node]) -> Node:
    """Return the node that a setting means.

    Parameters
    ----------
    item : Field
        One of :func:`naming`.
    given : object
        What the author wrote.
    known : Mapping of str to Node
        The layers declared so far.

    Raises
    ------
    SettingError
        N103: there is no such layer so far; N107: it is of another kind.
    """
    wanted: type[Layer] = item.metadata[NAMES]
    fitting = [name for name, node in known.items() if type(node.layer) is wanted]
    node = known.get(given) if isinstance(given, str) else None
    if node is None:
        close = nearest(given, known) if isinstance(given, str) else None
        there = f"there are {listed(fitting)}" if fitting else f"declare the {wanted.kind} first"
        shown = f"`{given}`" if isinstance(given, str) else repr(given)
        problem = f"`{item.name}` names {shown}, which is no layer before it"
        raise SettingError(item.name, problem, f"did you mean `{close}`?" if close else there, "N103")
    if node.layer is not None and type(node.layer) is not wanted:
        there = f"name one of {listed(fitting)}" if fitting else f"declare a {wanted.kind}, and name it"
        problem = f"`{item.name}` names `{given}`, which is a {node.layer.kind} and no {wanted.kind}"
        raise SettingError(item.name, problem, there)
    return node
