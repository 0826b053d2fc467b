"""The constructors: each returns one layer and has the signature and the docstring of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, Signature
from keyword import iskeyword
from types import MappingProxyType
from typing import Any

from planner.constructors.docstring import docstring
from planner.constructors.settings import COMMON, REQUIRED, Setting, settings_of
from planner.layers import KINDS
from planner.network.entry import Entry, Tensor, input_tensor
from planner.network.entry import layer as make_layer

MODULE = "planner.constructors"
"""Module from which users import the functions."""


def python_name(kind: str) -> str:
    """Return the name of the constructor of a kind of layer; a keyword of Python gets a ``_``, as in `from_`.

    Examples
    --------
    >>> python_name("conv"), python_name("lambda")
    ('conv', 'lambda_')
    """
    return f"{kind}_" if iskeyword(kind) else kind


NAMES: Mapping[str, str] = MappingProxyType({python_name(kind): kind for kind in KINDS})
"""Kind of layer by function name; ``input`` returns a tensor instead."""


def make(name: str) -> Callable[..., Any]:
    """Return the function with the given name.

    Examples
    --------
    >>> make("conv")(filters=6, kernel=5).settings
    {'filters': 6, 'kernel': 5}
    """
    kind = NAMES[name]
    return input if kind == "input" else _constructor(name, kind)


def _constructor(name: str, kind: str) -> Callable[..., Entry]:
    def constructor(**settings: Any) -> Entry:
        return make_layer(kind, **settings)

    constructor.__name__ = constructor.__qualname__ = name
    constructor.__module__ = MODULE
    constructor.__doc__ = docstring(kind, name)
    parameters = [_parameter(setting) for setting in (*settings_of(kind), *COMMON)]
    constructor.__dict__["__signature__"] = Signature(parameters, return_annotation=Entry)
    return constructor


def _parameter(setting: Setting) -> Parameter:
    default = Parameter.empty if setting.default is REQUIRED else setting.default
    return Parameter(setting.name, Parameter.KEYWORD_ONLY, default=default)


def input(name: str, shape: Sequence[int | str]) -> Tensor:  # noqa: A001  # users write shapeplan.input
    """Return an input of a network as a tensor, to call layers on.

    Parameters
    ----------
    name : str
    shape : sequence of int or str
        Sizes in the order N, C, H, W (or N, features; N, C, L; N, C, D, H, W); a str is a free size.

    Returns
    -------
    Tensor

    Examples
    --------
    >>> import shapeplan
    >>> shapeplan.input("image", ("N", 3, "H", "W"))
    <Tensor: input `image`>
    """
    return input_tensor(name, shape)


input.__module__ = MODULE
input.__dict__["__signature__"] = Signature(
    [Parameter(key, Parameter.POSITIONAL_OR_KEYWORD) for key in ("name", "shape")], return_annotation=Tensor
)
