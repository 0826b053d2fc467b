"""JSON Schema of the spec format, for completion and hover in editors.

It is generated from the fields of the layers, so it is always up to date. It describes only the form; the reader
checks references (names, parameters, sizes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from planner.layers import KINDS, Layer
from planner.layers.spatial import MOST
from planner.network.norm_act import ACTIVATIONS, NORMS
from planner.network.references import NAMES
from planner.spec.drafts import BLOCK, COMMON, CONDITION, PARAMETER_TYPES, USE
from planner.spec.reader import KEYS, VERSION
from planner.training.augment import FLIPS, Augment
from planner.training.optimizers import OPTIMIZERS
from planner.training.settings import LOSSES, SCHEDULES, TrainSettings

_NAME = {"type": ["string", "integer", "number"]}
_ARGUMENT = {"type": "string", "pattern": "\\$"}


def schema() -> dict[str, Any]:
    """Return the draft-07 JSON Schema of a spec, with a description for every key.

    Examples
    --------
    >>> schema()["properties"]["layers"]["type"]
    'array'
    """
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "shapeplan spec",
        "type": "object",
        "additionalProperties": False,
        "required": ["spec", "input", "layers"],
        "properties": _described(
            KEYS,
            {
                "spec": {"const": VERSION},
                "name": _NAME,
                "input": {"type": "object", "minProperties": 1, "additionalProperties": _shape([2, 5])},
                "blocks": {"type": ["object", "null"], "additionalProperties": {"$ref": "#/definitions/block"}},
                "layers": {"$ref": "#/definitions/layers", "type": "array"},
                "output": _output(),
                "train": _train(),
            },
        ),
        "definitions": {
            "size": {"type": ["integer", "string"], "description": "a whole number, or the name of a free size"},
            "per_axis": {
                "description": "one size, or one for each axis: [height, width]",
                "anyOf": [_size(), {"type": "array", "items": _size(), "minItems": 1, "maxItems": MOST}],
            },
            "layers": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/layer"}},
            "layer": {
                "anyOf": [_bare(), *(_layer(kind, cls) for kind, cls in KINDS.items() if kind != "input"), _use()]
            },
            "block": _block(),
            "act": _norm_act(ACTIVATIONS),
            "norm": _norm_act(NORMS),
        },
    }


def _size() -> dict[str, Any]:
    return {"$ref": "#/definitions/size"}


def _shape(lengths: list[int] | None = None) -> dict[str, Any]:
    array: dict[str, Any] = {"type": "array", "items": _size()}
    return array | ({"minItems": min(lengths), "maxItems": max(lengths)} if lengths else {})


def _described(texts: Mapping[str, str], schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {key: {**value, "description": texts[key]} for key, value in schemas.items()}


def _required(cls: type[Layer]) -> list[str]:
    return [item.name for item in fields(cls) if item.default is MISSING]


def _bare() -> dict[str, Any]:
    words = [kind for kind, cls in KINDS.items() if kind != "input" and not _required(cls)]
    return {"enum": words, "description": "a layer without settings"}


def _own(cls: type[Layer]) -> dict[str, Any]:
    """Return the schemas of the settings of a layer."""
    texts = {item.name: str(item.metadata["description"]) for item in fields(cls)}
    return _described(texts, {item.name: _setting(item) for item in fields(cls)})


def _norm_act(words: Mapping[str, str]) -> dict[str, Any]:
    """Return the schema of `norm` or `act`: a word, or one word with its settings."""
    kinds = {
        word: {
            "type": ["object", "null"],
            "additionalProperties": False,
            "properties": _own(KINDS[kind]),
            "description": KINDS[kind].summary,
        }
        for word, kind in words.items()
    }
    whole = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False}
    return {"anyOf": [{"enum": [*words, None]}, _ARGUMENT, {**whole, "properties": kinds}]}


def _layer(kind: str, cls: type[Layer]) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": _own(cls) | _common(),
    }
    if _required(cls):
        settings["anyOf"] = [{"required": _required(cls)}, {"required": ["use"]}]
    else:
        settings["type"] = ["object", "null"]
    return _one_key(kind, settings, cls.summary)


def _one_key(key: str, value: dict[str, Any], text: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [key],
        "properties": {key: {**value, "description": text}},
    }


def _common() -> dict[str, Any]:
    found = {
        "name": _NAME,
        "from": _from(),
        "act": {"$ref": "#/definitions/act"},
        "norm": {"$ref": "#/definitions/norm"},
        "expect": _shape(),
        "use": _NAME,
    }
    condition = {
        "type": ["string", "boolean"],
        "description": "in a block: if this is false, leave the layer out and pass its input on",
    }
    return {**_described(COMMON, found), CONDITION: condition}


def _from() -> dict[str, Any]:
    return {"anyOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1}]}


def _setting(item: Field[Any]) -> dict[str, Any]:
    """Return the schema of one setting, from its annotation and its choices."""
    choices = item.metadata.get("choices")
    if choices:
        return {"anyOf": [{"enum": list(choices)}, _ARGUMENT]}
    if NAMES in item.metadata:
        return {**_NAME}
    annotation = str(item.type)
    if annotation == "bool":
        return {"type": ["boolean", "string"]}
    if annotation == "float":
        return {"anyOf": [{"type": "number"}, _ARGUMENT]}
    if "lengths" in item.metadata:
        shortest, longest = item.metadata["lengths"]
        one = {"anyOf": [{"type": "number"}, _ARGUMENT]} if item.metadata.get("numbers") else _size()
        array = {"type": "array", "items": one, "minItems": shortest}
        array |= {} if longest is None else {"maxItems": longest}
        return {"anyOf": [one, array]}
    if item.name == "pad":
        sides = {"type": "array", "items": _size(), "minItems": 4, "maxItems": 2 * MOST}
        return {"anyOf": [{"$ref": "#/definitions/per_axis"}, sides]}
    per_axis = {"$ref": "#/definitions/per_axis"}
    if item.metadata.get("fractions"):
        numbers = {"type": "array", "items": {"anyOf": [{"type": "number"}, _size()]}, "minItems": 1, "maxItems": MOST}
        return {"anyOf": [per_axis, {"type": "number"}, numbers]}
    return per_axis if annotation == "Any" else _size()


def _use() -> dict[str, Any]:
    found = {
        "use": {"type": "string"},
        "name": _NAME,
        "from": _NAME,
        "repeat": {"type": ["integer", "string"], "minimum": 1},
        "weights": _NAME,
    }
    value = {
        "type": "object",
        "required": ["use"],
        "properties": _described(USE, found),
        "additionalProperties": {"description": "a parameter: one value, or a list with one for each repetition"},
    }
    return _one_key(BLOCK, value, "the layers of a block")


def _block() -> dict[str, Any]:
    types = ", ".join(f"{word} ({text})" for word, text in PARAMETER_TYPES.items())
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["layers"],
        "description": "layers with parameters; `in` is the input of the block",
        "properties": {
            "params": {
                "type": ["object", "null"],
                "description": f"parameters by name: a default, or one of {types}",
                "additionalProperties": {"type": ["string", "number", "boolean"]},
            },
            "layers": {"$ref": "#/definitions/layers", "description": "the layers; $c is the parameter c"},
        },
    }


def _output() -> dict[str, Any]:
    named = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "from": _NAME | {"description": "the layer of this output, if its name differs"},
            "shape": _shape() | {"description": "the shape it must have"},
        },
    }
    shape = {"anyOf": [{"type": "null"}, _shape(), named]}
    return {
        "anyOf": [
            _NAME,
            {"type": "array", "items": _NAME},
            {"type": "object", "additionalProperties": shape},
            {"type": "null"},
        ]
    }


def _train() -> dict[str, Any]:
    optimizers = {
        kind: {
            "type": ["object", "null"],
            "description": cls.summary,
            "additionalProperties": False,
            "properties": {item.name: _number(item) for item in fields(cls)},
        }
        for kind, cls in OPTIMIZERS.items()
    }
    words = {"schedule": list(SCHEDULES)}
    properties: dict[str, Any] = {}
    for item in fields(TrainSettings):
        text = str(item.metadata["description"])
        if item.name == "optimizer":
            one = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False}
            choices = [{"enum": list(OPTIMIZERS)}, {**one, "properties": optimizers}]
            properties[item.name] = {"anyOf": choices, "description": text}
        elif item.name == "augment":
            moves = {each.name: _number(each) for each in fields(Augment)}
            moves["flip"] = {"enum": list(FLIPS), "description": moves["flip"]["description"]}
            properties[item.name] = {
                "type": ["object", "null"], "description": text, "additionalProperties": False, "properties": moves
            }  # fmt: skip
        elif item.name == "loss":
            one = {"enum": list(LOSSES)}
            choices = [one, {"type": "object", "additionalProperties": one}]
            properties[item.name] = {"anyOf": choices, "description": text}
        elif item.name == "loss_weights":
            each = {"type": "number", "minimum": 0}
            properties[item.name] = {"type": "object", "additionalProperties": each, "description": text}
        elif item.name in words:
            properties[item.name] = {"enum": words[item.name], "description": text}
        else:
            properties[item.name] = _number(item)
    return {"type": ["object", "null"], "additionalProperties": False, "properties": properties}


def _number(item: Field[Any]) -> dict[str, Any]:
    kinds = {"int": "integer", "float": "number", "bool": "boolean", "Any": "array", "str": "string"}
    return {"type": kinds[str(item.type)], "description": str(item.metadata["description"])}
