"""Generator of the stub of the constructors, from which type checkers and editors read their parameters.

``python -m planner.constructors.stub``, or ``make stubs``, generates it.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from inspect import getdoc
from pathlib import Path
from textwrap import indent

from planner.constructors.docstring import summary
from planner.constructors.functions import NAMES, make
from planner.constructors.settings import COMMON, REQUIRED, Setting, settings_of
from planner.network.norm_act import ACTIVATIONS, NORMS

PLACE = Path(__file__).with_name("__init__.pyi")
"""Path of the stub."""

HEAD = '''\
"""One function for each kind of layer. Generated from the vocabulary by `make stubs`; do not edit."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from planner.network.entry import Entry, Tensor

Size: TypeAlias = int | str
"""A whole number, or the name of a free size."""
'''


def stub() -> str:
    """Return the text of the stub.

    Examples
    --------
    >>> "def conv(" in stub()
    True
    """
    exported = "".join(f'    "{name}",\n' for name in sorted(NAMES))
    aliases = [_alias("Norm", NORMS), _alias("Activation", ACTIVATIONS), f"__all__ = [\n{exported}]\n"]
    functions = [_input() if kind == "input" else _function(name, kind) for name, kind in sorted(NAMES.items())]
    return "\n".join([HEAD, *aliases, *functions])


def _alias(name: str, words: Mapping[str, str]) -> str:
    listed = "".join(f'    "{word}",\n' for word in words)
    return f"{name}: TypeAlias = Literal[\n{listed}]\n"


def _function(name: str, kind: str) -> str:
    parameters = "".join(f"    {_parameter(setting)},\n" for setting in (*settings_of(kind), *COMMON))
    noqa = "  # noqa: A001" if hasattr(builtins, name) else ""
    return f"def {name}({noqa}\n    *,\n{parameters}) -> Entry:\n{_documentation(summary(kind))}"


def _input() -> str:
    signature = "def input(name: str, shape: Sequence[Size]) -> Tensor:  # noqa: A001"
    return f"{signature}\n{_documentation(getdoc(make('input')) or '')}"


def _parameter(setting: Setting) -> str:
    default = "" if setting.default is REQUIRED else f" = {_literal(setting.default)}"
    return f"{setting.name}: {setting.annotation}{default}"


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _documentation(text: str) -> str:
    text = text.strip()
    end = "\n" if "\n" in text else ""
    return indent(f'"""{text}{end}"""', "    ") + "\n"


if __name__ == "__main__":
    PLACE.write_text(stub(), "utf-8", newline="\n")
