"""Settings of a layer as keyword arguments of a Python function: type, default and description of each."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, Final

from planner.layers import KINDS

REQUIRED: Final = object()
"""Marker for a setting without a default."""

PER_AXIS: Final = "Size | Sequence[Size]"

WORDS: Final = {
    "Size": "int or str",
    PER_AXIS: "int, str or sequence of them",
    "float | Sequence[float]": "float or sequence of float",
    "Size | float | Sequence[Size | float]": "int, float, str or sequence of them",
    "Tensor | str": "Tensor or str",
    "str | Sequence[str]": "str or sequence of str",
    "Sequence[Size]": "sequence of int or str",
    "Norm | Mapping[Norm, Mapping[str, Any] | None]": "str or mapping",
    "Activation | Mapping[Activation, Mapping[str, Any] | None]": "str or mapping",
}
"""Names of types in docstrings."""


@dataclass(frozen=True)
class Setting:
    """One keyword argument of a constructor.

    Attributes
    ----------
    name : str
    type : str
        As in the stub, without ``| None``.
    default : object
        :data:`REQUIRED` if there is none.
    description : str
    """

    name: str
    type: str
    default: Any
    description: str

    @property
    def annotation(self) -> str:
        """Type annotation in the stub."""
        return f"{self.type} | None" if self.default is None else self.type

    @property
    def words(self) -> str:
        """Type and default as written in a docstring.

        Examples
        --------
        >>> [setting.words for setting in settings_of("conv")][::7]
        ['int or str', "{'floor', 'exact'}, default 'floor'"]
        """
        plain = WORDS.get(self.type, self.type)
        if plain.startswith("Literal["):
            plain = f"{{{plain.removeprefix('Literal[').removesuffix(']').replace(chr(34), chr(39))}}}"
        if self.default is REQUIRED:
            return plain
        return f"{plain}, optional" if self.default is None else f"{plain}, default {self.default!r}"


COMMON: Final = (
    Setting(
        "name",
        "str",
        None,
        "name of the layer, for `from_`, outputs and messages; default: its kind and a number, such as conv1",
    ),
    Setting(
        "from_",
        "str | Sequence[str]",
        None,
        "names of the input layers; default: the layer before, or the tensors it is called on",
    ),
    Setting(
        "norm",
        "Norm | Mapping[Norm, Mapping[str, Any] | None]",
        None,
        "normalisation after the layer: 'batch', 'layer', 'group', 'instance', or with settings "
        "{'batch': {'eps': 0.001}}",
    ),
    Setting(
        "act",
        "Activation | Mapping[Activation, Mapping[str, Any] | None]",
        None,
        "activation after the layer and its normalisation: 'relu', 'tanh', ..., or with settings "
        "{'leaky_relu': {'slope': 0.2}}",
    ),
    Setting("expect", "Sequence[Size]", None, "expected output shape, such as ('N', 10), which is checked"),
)
"""Keyword arguments that every constructor takes after the settings of its kind."""


def settings_of(kind: str) -> tuple[Setting, ...]:
    """Return the settings of a kind of layer, those without a default first.

    Examples
    --------
    >>> [(setting.name, setting.annotation) for setting in settings_of("maxpool")][:2]
    [('size', 'Size | Sequence[Size]'), ('stride', 'Size | Sequence[Size] | None')]
    """
    found = (
        Setting(
            item.name,
            _type(item),
            REQUIRED if item.default is MISSING else item.default,
            str(item.metadata["description"]),
        )
        for item in fields(KINDS[kind])
    )
    return tuple(sorted(found, key=lambda setting: setting.default is not REQUIRED))


def _type(item: Field[Any]) -> str:
    """Return the type of a setting from its annotation, its metadata and its choices."""
    choices = item.metadata.get("choices")
    if choices:
        quoted = ", ".join(f'"{word}"' for word in choices)
        return f"Literal[{quoted}]"
    if "names" in item.metadata:
        return "Tensor | str"
    if "lengths" in item.metadata:
        return "float | Sequence[float]" if item.metadata.get("numbers") else PER_AXIS
    if item.metadata.get("fractions"):
        return "Size | float | Sequence[Size | float]"
    annotation = str(item.type).removesuffix(" | None")
    return PER_AXIS if annotation == "Any" else annotation
