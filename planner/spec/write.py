"""Write networks as spec text, the inverse of :mod:`planner.spec.reader`, as one flat list of layers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import planner.symbols as sy
from planner.layers import Layer
from planner.network.network import Network
from planner.network.node import INDICES, Expectation, Node
from planner.network.norm_act import NORMS
from planner.network.references import naming
from planner.spec.tree import plain_value

_WORD = re.compile(r"\$?[A-Za-z_][A-Za-z0-9_./]*\Z")
_FORMULA = re.compile(r"[A-Za-z0-9_(][A-Za-z0-9_ ()+*/-]*\Z")


def write(network: Network) -> str:
    """Return the YAML text of a network; reading it gives an equal network.

    Blocks are expanded, comments are not kept, and every layer has a name.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="tiny", input={"x": ("N", 3, "H", "W")}, layers=[
    ...     layer("conv", name="c1", filters=8, kernel=3, act="relu"), layer("gap")])
    >>> print(write(net), end="")
    spec: 1
    name: tiny
    input: {x: [N, 3, H, W]}
    layers:
      - conv: {name: c1, filters: 8, kernel: 3, act: relu}
      - gap: {name: gap1}
    output: [gap1]
    """
    shapes, expected = _split_expectations(network)
    tails = _tails(network)
    outputs = {name: _asked(tails, name, network.outputs[name], shape) for name, shape in shapes.items()}
    lines = ["spec: 1", f"name: {_text(network.name)}"]
    lines.append(f"input: {{{', '.join(f'{_text(n)}: {flow(s)}' for n, s in network.inputs.items())}}}")
    lines.append("layers:")
    lines.extend(f"  - {item}" for item in _layers(network, expected))
    if any(asked is not None for asked in outputs.values()):
        pairs = (f"{_text(name)}: {'~' if asked is None else flow(asked)}" for name, asked in outputs.items())
        lines.append(f"output: {{{', '.join(pairs)}}}")
    elif outputs:
        lines.append(f"output: [{', '.join(map(_text, outputs))}]")
    if network.train is not None:
        lines.append("train:")
        lines.extend(f"  {key}: {flow(value)}" for key, value in network.train.write().items())
    return "\n".join(lines) + "\n"


def _asked(tails: Mapping[str, str], name: str, node: str, shape: Any) -> Any:
    """Return the value of an output in a spec: its shape, and its layer if the name differs, as for a block."""
    if tails.get(name, name) == node:
        return shape
    source = {"from": next((public for public, tail in tails.items() if tail == node), node)}
    return source if shape is None else source | {"shape": shape}


def _split_expectations(network: Network) -> tuple[dict[str, Any], dict[str, Expectation]]:
    """Return the outputs with the shapes asserted for them, and the shapes asserted at layers.

    A network keeps the shapes of layers first, followed by those of outputs, in their order.
    """
    left = list(network.expectations)
    outputs: dict[str, Any] = dict.fromkeys(network.outputs)
    for name, node in reversed(list(network.outputs.items())):
        if left and left[-1].node == node:
            outputs[name] = left.pop().shape
    return outputs, {item.node: item for item in left}


def _layers(network: Network, expected: Mapping[str, Expectation]) -> Iterable[str]:
    tails = _tails(network)
    public = {tail: name for name, tail in tails.items()}
    inputs = list(network.inputs)
    previous = inputs[0] if len(inputs) == 1 else None
    for node in network.nodes:
        if node.name in network.inputs or node.role:
            continue
        assert node.layer is not None  # only networks with findings have such nodes
        pairs = [f"name: {_text(node.name)}"]
        sources = [public.get(name, name) for name in node.inputs[: node.layer.inputs_at_most]]
        partners = [f"{item.name}: {_text(node.partner)}" for item in naming(type(node.layer))]
        if sources != [previous]:
            pairs.append(f"from: {flow(sources) if len(sources) != 1 else _text(sources[0])}")
        if node.owner:
            pairs.append(f"use: {_text(node.owner)}")
        else:
            pairs += partners or [f"{key}: {flow(value)}" for key, value in settings(node.layer).items()]
            pairs += _norm_act(network, node)
        tail = tails[node.name]
        if tail in expected:
            pairs.append(f"expect: {flow(expected[tail].shape)}")
        yield f"{node.layer.kind}: {{{', '.join(pairs)}}}"
        previous = node.name


def _tails(network: Network) -> dict[str, str]:
    """Return the node that the name of each written layer refers to in `from`."""
    found = {}
    owner = ""
    for node in network.nodes:
        if not node.role:
            owner = node.name
        if node.role != INDICES:
            found[owner] = node.name
    return found


def _norm_act(network: Network, node: Node) -> list[str]:
    """Return the `norm` and `act` of a layer."""
    pairs = []
    kinds = {layer: word for word, layer in NORMS.items()}
    for role in ("norm", "act"):
        following = network.by_name.get(f"{node.name}.{role}")
        if following is not None and following.role == role and following.layer is not None:
            word, given = kinds.get(following.layer.kind, following.layer.kind), settings(following.layer)
            pairs.append(f"{role}: {flow({word: given} if given else word)}")
    return pairs


def settings(layer: Layer) -> dict[str, Any]:
    """Return the settings of a layer that differ from their defaults, as written in a spec.

    A list of equal sizes stays a list, because its length is the number of axes.

    Examples
    --------
    >>> from planner.layers import Conv
    >>> settings(Conv(filters=6, kernel=(5, 3), pad=1))
    {'filters': 6, 'kernel': [5, 3], 'pad': 1}
    """
    given = {item.name: item for item in fields(layer)}
    found = layer.settings()
    for name, item in given.items():
        value = getattr(layer, name)
        if isinstance(value, tuple) and len(value) > 1 and (name in found or all(one == item.default for one in value)):
            found[name] = value
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}
    return {key: value for key, value in plain.items() if key not in given or value != given[key].default}


def flow(value: Any) -> str:
    """Return a value as text for use inside brackets.

    Raises
    ------
    TypeError
        The value does not occur in specs.

    Examples
    --------
    >>> flow({"filters": "$c", "kernel": [1, 7], "bias": False, "if": "c != 1"})
    '{filters: $c, kernel: [1, 7], bias: false, if: "c != 1"}'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, sy.Size):
        written = sy.text(value)
        return written if _FORMULA.match(written) else json.dumps(written)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_text(key)}: {flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(flow, value))}]"
    raise TypeError(f"{type(value).__name__} does not occur in specs")


def _text(word: str) -> str:
    """Return text that is read back unchanged: plain if that is safe, otherwise quoted."""
    plain = _WORD.match(word) and plain_value(word) == word
    return word if plain else json.dumps(word, ensure_ascii=False).replace("\x7f", "\\x7f")
