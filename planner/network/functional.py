"""The functional form of a network: convert tensors, each the output of a layer, to layers with names.

A tensor holds its layer and the inputs of that layer, so all ancestors of an output are found by walking back from it.
This module names the layers in the order of the calls; :class:`planner.network.network.Network` builds the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from planner.findings import Finding, GraphError
from planner.layers import KINDS
from planner.network.entry import Entry, Tensor, fault_of_name

Tensors: TypeAlias = "Tensor | Sequence[Tensor]"
Named: TypeAlias = "Tensor | Sequence[Tensor] | Mapping[str, Tensor]"


@dataclass
class Declaration:
    """Arguments for :class:`planner.network.network.Network`, and the findings about the tensors they come from."""

    input: dict[str, Sequence[int | str]] = field(default_factory=dict)
    layers: list[Entry] = field(default_factory=list)
    output: dict[str, dict[str, str] | None] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def declare(inputs: Tensors, outputs: Named) -> Declaration:
    """Return the inputs, layers and outputs of the graph between tensors, in the order of the calls.

    Parameters
    ----------
    inputs : Tensor or sequence of Tensor
        Made with :func:`planner.network.entry.input_tensor`.
    outputs : Tensor, sequence of Tensor, or Mapping of str to Tensor

    Raises
    ------
    GraphError
        N107: an argument is not a tensor.

    Examples
    --------
    >>> from planner.network.entry import input_tensor, layer
    >>> x = input_tensor("image", ("N", 3, 32, 32))
    >>> y = layer("conv", filters=6, kernel=5)(x)
    >>> declare(x, layer("gap")(y)).layers[1].from_
    ('conv1',)
    """
    given = _listed("inputs", inputs)
    asked = outputs if isinstance(outputs, Mapping) else _listed("outputs", outputs)
    ends = _listed("outputs", list(asked.values())) if isinstance(asked, Mapping) else asked
    return _Naming(given, ends).declaration(asked)


def ancestors(ends: Iterable[Tensor]) -> list[Tensor]:
    """Return tensors and all their ancestors, in the order of the calls.

    Examples
    --------
    >>> from planner.network.entry import input_tensor, layer
    >>> x = input_tensor("image", ("N", 3, 32, 32))
    >>> ancestors([layer("add")(layer("relu")(x), x)])
    [<Tensor: input `image`>, <Tensor: relu of image>, <Tensor: add of relu, image>]
    """
    found: set[Tensor] = set()
    waiting = list(ends)
    while waiting:
        tensor = waiting.pop()
        if tensor not in found:
            found.add(tensor)
            waiting += [*tensor.inputs, *_named_by(tensor.layer)]
    return sorted(found, key=lambda tensor: tensor.serial)


class _Naming:
    """Assignment of a name to every tensor that the outputs need."""

    def __init__(self, given: Sequence[Tensor], ends: Sequence[Tensor]) -> None:
        self.made = Declaration()
        self.names: dict[Tensor, str] = {}
        self.tensors = ancestors(ends)
        self.first: dict[int, str] = {}
        """Name of the first call, by ``id(layer)``: two layers that are equal do not share weights."""
        self.counts: dict[str, int] = {}
        self.taken: set[str] = set()
        for tensor in given:
            self._take_input(tensor)
        listed = ", ".join(self.names.values())
        for tensor in self.tensors:
            if tensor.layer.kind == "input" and tensor not in self.names:
                self._report_unlisted(tensor, listed)
                self._keep_input(tensor, self._free(str(tensor.layer.name)))

    def declaration(self, asked: Sequence[Tensor] | Mapping[str, Tensor]) -> Declaration:
        calls = [tensor for tensor in self.tensors if tensor not in self.names]
        layers = {id(tensor.layer): tensor.layer for tensor in calls}
        own = {key: self._own_name(layer) for key, layer in layers.items()}
        for tensor in calls:
            self._call(tensor, own[id(tensor.layer)])
        pairs = asked.items() if isinstance(asked, Mapping) else [(self.names[tensor], tensor) for tensor in asked]
        for name, tensor in pairs:
            source = self.names[tensor]
            self.made.output[name] = None if name == source else {"from": source}
        return self.made

    def _take_input(self, tensor: Tensor) -> None:
        name = tensor.layer.name
        if tensor.layer.kind != "input" or tensor.inputs:
            problem = f"`inputs` lists the output of {tensor.layer.kind}, which is not an input"
            self._report("N107", problem, name, 'make it with  shapeplan.input("image", ("N", 3, 224, 224))')
            return
        fault = fault_of_name(name)
        if fault:
            self._report("N107", f"input: {fault}", None, "give it another name")
        elif name in self.taken:
            self._report("N104", f"`inputs` lists two inputs named `{name}`", name, "give one another name")
        self._keep_input(tensor, "input" if name is None or fault else self._free(name))

    def _keep_input(self, tensor: Tensor, name: str) -> None:
        self.taken.add(name)
        self.names[tensor] = name
        self.made.input[name] = tensor.layer.settings["shape"]

    def _report_unlisted(self, tensor: Tensor, listed: str) -> None:
        name = str(tensor.layer.name)
        reader = next((each.layer for each in self.tensors if tensor in each.inputs), None)
        reading = "an output is" if reader is None else f"`{reader.name or reader.kind}` reads"
        if name in self.taken:
            problem = f"{reading} an input named `{name}`, but not the one that `inputs` lists"
            self._report("N108", problem, name, "make the input once, and use the same tensor everywhere")
            return
        inputs = f"[{listed}, {name}]" if listed else name
        self._report("N108", f"{reading} input `{name}`, which `inputs` does not list", name, f"write  inputs={inputs}")

    def _own_name(self, layer: Entry) -> str | None:
        """Return the name that was given to a layer. If it cannot have that name, report it and return None."""
        if layer.name is None:
            return None
        fault = fault_of_name(layer.name)
        if fault:
            self._report("N107", fault, None)
            return None
        if layer.name in self.taken:
            self._report("N104", f"there are two layers named `{layer.name}`", layer.name, "give one another name")
            return None
        self.taken.add(layer.name)
        return layer.name

    def _call(self, tensor: Tensor, own: str | None) -> None:
        layer = tensor.layer
        first = self.first.get(id(layer))
        called = own if first is None or own is None else self._free(own)
        name = called or self._numbered(layer.kind)
        self.taken.add(name)
        self.names[tensor] = name
        read = tuple(self.names[each] for each in tensor.inputs)
        settings = {
            key: self.names[value] if isinstance(value, Tensor) else value for key, value in layer.settings.items()
        }
        if first is None:
            self.first[id(layer)] = name
            self.made.layers.append(replace(layer, name=name, from_=read, settings=settings))
        elif _has_weights(layer) and layer.use is None:
            self.made.layers.append(Entry(layer.kind, name=name, from_=read, expect=layer.expect, use=first))
        else:
            self.made.layers.append(replace(layer, name=name, from_=read, settings=settings))

    def _numbered(self, kind: str) -> str:
        while True:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            name = f"{kind}{self.counts[kind]}"
            if name not in self.taken:
                return name

    def _free(self, name: str) -> str:
        """Return a name that is not taken: the name itself or the name with a number."""
        number, found = 1, name
        while found in self.taken:
            number += 1
            found = f"{name}_{number}"
        return found

    def _report(self, code: str, problem: str, layer: str | None, fix: str = "") -> None:
        self.made.findings.append(Finding(code, problem, layer=layer, fixes=(fix,) if fix else ()))


def _listed(what: str, given: object) -> list[Tensor]:
    """Return one or several tensors as a list.

    Raises
    ------
    GraphError
        N107: an object is not a tensor.
    """
    found = given if isinstance(given, (list, tuple)) else [given]
    tensors = [each for each in found if isinstance(each, Tensor)]
    if len(tensors) != len(found) or not found:
        wrong = next((each for each in found if not isinstance(each, Tensor)), found)
        fix = "give  shapeplan.input(...)" if what == "inputs" else "call a layer on a tensor:  layer(x)"
        problem = f"`{what}` takes tensors of a network, one or a list; got {wrong!r:.60}"
        raise GraphError.of("N107", problem, fixes=(fix,))
    return tensors


def _named_by(layer: Entry) -> Iterator[Tensor]:
    """Yield the tensors among the settings of a layer, such as the `pool` of an unpooling."""
    return (value for value in layer.settings.values() if isinstance(value, Tensor))


def _has_weights(layer: Entry) -> bool:
    """Return whether a layer, its normalisation or its activation may have weights or running statistics."""
    kind: Any = next(iter(layer.act), None) if isinstance(layer.act, Mapping) else layer.act
    classes = [KINDS.get(name) for name in (layer.kind, kind) if isinstance(name, str)]
    return layer.norm is not None or any(cls is not None and cls.owns_arrays() for cls in classes)
