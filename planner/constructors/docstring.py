"""Docstrings of constructors: a description, shapes, all settings, and an executable example."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from doctest import DocTestParser
from textwrap import indent, wrap
from typing import Any

import planner.symbols as sy
from planner.constructors.settings import COMMON, PER_AXIS, Setting, settings_of
from planner.findings import SettingError
from planner.layers import KINDS, Layer
from planner.layers.spatial import letters
from planner.symbols import Shape

WIDTH = 100

_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)
_CLASS = re.compile(r":class:`(\w+)`|\b([A-Z]\w+)(?=\()")
_OF_CLASS = {cls.__name__: kind for kind, cls in KINDS.items()}

RETURNS = """\
Entry
    A layer for `Network(layers=[...])`. Call it on tensors to use it in a functional network.
    Settings are checked when the network is built, so that you see all mistakes at once."""


@dataclass(frozen=True)
class Example:
    """Settings and input shapes of the example of a kind of layer."""

    settings: Mapping[str, Any]
    inputs: tuple[tuple[int, ...], ...] = ((8, 64, 28, 28),)


def docstring(kind: str, name: str) -> str:
    """Return the docstring of a kind of layer as numpydoc; :func:`summary` is the first half of it.

    Parameters
    ----------
    kind : str
    name : str
        The name of the function.

    Examples
    --------
    >>> print(docstring("dense", "dense").splitlines()[0])
    Fully connected layer, (N, features) -> (N, units). Parameters ``weight`` (units, features), ``bias`` (units,).
    """
    cls = KINDS[kind]
    if sys.flags.optimize > 1:  # `python -OO` strips the docstrings that this one is generated from
        return cls.summary
    prose, references = _written(cls)
    return _joined(
        prose,
        Parameters=_listed((*settings_of(kind), *COMMON)),
        Returns=RETURNS,
        Shapes=_filled(_shapes(cls, kind)),
        References=references,
        Examples=_doctest(kind, name),
    )


def summary(kind: str) -> str:
    """Return the description and the settings of a kind of layer, which editors show next to the parameters.

    Examples
    --------
    >>> "filters : int or str" in summary("conv"), "name : str" in summary("conv")
    (True, False)
    """
    return _joined(_written(KINDS[kind])[0], Parameters=_listed(settings_of(kind)))


def example(cls: type[Layer]) -> Example:
    """Return the example in the docstring of a layer, or the layer without settings.

    Examples
    --------
    >>> from planner.layers import Conv, Relu
    >>> example(Conv), example(Relu).settings
    (Example(settings={'filters': 6, 'kernel': 5}, inputs=((1, 3, 32, 32),)), {})
    """
    for shown in DocTestParser().get_examples(inspect.getdoc(cls) or ""):
        for node in ast.walk(ast.parse(shown.source)):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Call(func=ast.Name(id=made), args=[], keywords=settings)),
                    args=[ast.Tuple() as shapes, *_],
                ) if made == cls.__name__:
                    given = {str(each.arg): ast.literal_eval(each.value) for each in settings}
                    return Example(given, ast.literal_eval(shapes))
    return Example({})


def _joined(prose: str, **sections: str) -> str:
    parts = [prose, *(f"{title}\n{'-' * len(title)}\n{text}" for title, text in sections.items() if text)]
    return "\n\n".join(parts) + "\n"


def _listed(settings: Iterable[Setting]) -> str:
    return "\n".join(map(_described, settings))


def _written(cls: type[Layer]) -> tuple[str, str]:
    """Return parts of the docstring of a layer: the text before its first section, and its references."""
    text = inspect.getdoc(cls) or f"{cls.summary}."
    pieces = _SECTION.split(text)
    found = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    return _by_kind(pieces[0].strip()), _by_kind(found.get("References", "").strip())


def _by_kind(text: str) -> str:
    """Return a text in which layers have the names of their kinds instead of their classes."""
    return _CLASS.sub(lambda m: f"`{_OF_CLASS.get(m[1], m[1])}`" if m[1] else _OF_CLASS.get(m[2], m[2]), text)


def _described(setting: Setting) -> str:
    text = setting.description
    text = f"{text[0].upper()}{text[1:]}".removesuffix(".") + "."
    return f"{setting.name} : {setting.words}\n{indent(_filled(text), '    ')}"


def _filled(text: str) -> str:
    return "\n".join(wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False))


def _shapes(cls: type[Layer], kind: str) -> str:
    """Return the input and output shapes as text, with formulas of the settings if these can be names."""
    shown = example(cls)
    if any("names" in item.metadata for item in fields(cls)):
        return ""
    inputs: tuple[Shape, ...] = shown.inputs
    settings = dict(shown.settings)
    if len(inputs) == 1:
        inputs = (tuple(sy.symbol(letter) for letter in letters(inputs[0])),)
        lists = {"groups", *(item.name for item in fields(cls) if "lengths" in item.metadata)}
        sizes = [each.name for each in settings_of(kind) if each.type in ("Size", PER_AXIS)]
        settings |= {size: size for size in sizes if size not in lists}
    for given in (settings, shown.settings):
        try:
            output = cls(**given).output_shape(inputs)
        except SettingError:
            continue
        chosen = {key: value for key, value in given.items() if value != key and output != inputs[0]}
        return f"Input {' and '.join(map(_shape, inputs))}, output {_shape(output)}{_with(chosen)}."
    return ""


def _shape(shape: Shape) -> str:
    return f"({', '.join(map(sy.text, shape))})"


def _with(settings: Mapping[str, Any]) -> str:
    return f", with {', '.join(f'{key}={value!r}' for key, value in settings.items())}" if settings else ""


def _doctest(kind: str, name: str) -> str:
    """Return the lines of an example and their output."""
    cls = KINDS[kind]
    shown = example(cls)
    inputs = "x" if len(shown.inputs) == 1 else "abc"[: len(shown.inputs)]
    lines = ["import shapeplan"]
    lines += [f'{x} = shapeplan.input("{x}", {shape})' for x, shape in zip(inputs, shown.inputs, strict=True)]
    arguments = [f"{key}={value!r}" for key, value in shown.settings.items()]
    read = ", ".join(inputs)
    for item in fields(cls):
        if "names" in item.metadata:
            other = item.metadata["names"]
            given = ", ".join(f"{key}={value!r}" for key, value in example(other).settings.items())
            lines.append(f"{item.name} = shapeplan.{other.kind}({given})({read})")
            arguments.append(f"{item.name}={item.name}")
            read = item.name
    lines.append(f"y = shapeplan.{name}({', '.join(arguments)})({read})")
    listed = inputs if len(inputs) == 1 else f"[{', '.join(inputs)}]"
    lines.append(f'shapeplan.Network.functional("n", {listed}, y).check().output_shapes')
    return "\n".join([*(f">>> {line}" for line in lines), _printed(kind, shown)])


def _printed(kind: str, shown: Example) -> str:
    """Return the output of the last line of the example."""
    cls = KINDS[kind]
    named = any("names" in item.metadata for item in fields(cls))
    output = shown.inputs[0] if named else cls(**shown.settings).output_shape(shown.inputs)
    return f"{{'{kind}1': {tuple(map(int, output))}}}"
