"""The layer graph: nodes with names resolved, in execution order.

A :class:`Network` holds nodes: each is one layer and an ordered tuple of the names it reads. That tuple,
not the graph, is authoritative (a graph merges the two edges of ``add(x, x)``). :mod:`planner.network.builder`
builds a network from entries and collects findings; :mod:`planner.plan.diagnose` checks sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from planner.findings import Finding, GraphError, SettingError
from planner.layers import Input, Layer
from planner.mappings import FrozenMapping
from planner.network.builder import Builder, Parts
from planner.network.entry import LONGEST_NAME, Entry, Marks, fault_of_name
from planner.network.functional import Named, Tensors, declare
from planner.network.node import Expectation, Node, Outputs
from planner.symbols import Shape
from planner.training.settings import TrainSettings
from planner.wording import listed, outline

if TYPE_CHECKING:
    from planner.fixes.check import Plan


@dataclass(frozen=True, init=False)
class Network:
    """A named layer graph; its nodes are in execution order, ties broken by declaration order.

    Parameters
    ----------
    name : str
    input : Mapping of str to sequence of int or str
        Shape of each input in the order N, C, H, W (or N, features); a str is a free size.
    layers : iterable of Entry
        Made with :func:`planner.layer`; each reads the previous one unless it has `from_`.
    output : str, sequence of str, or Mapping of str to shape, optional
        Names of the outputs; a mapping also gives asserted shapes. Default: the last layer. To give an output another
        name than its layer, map it to ``{"from": layer, "shape": shape}``; the shape is optional.
    train : Mapping, optional
        The `train:` section of a spec.

    Raises
    ------
    GraphError
        With every finding about names, wiring and settings.

    Examples
    --------
    >>> from planner import layer
    >>> net = Network(name="tiny", input={"image": ("N", 1, "H", "W")}, layers=[
    ...     layer("conv", name="c1", filters=6, kernel=5, act="relu"), layer("gap"), layer("flatten")])
    >>> [node.name for node in net.nodes]
    ['image', 'c1', 'c1.act', 'gap1', 'flatten1']
    """

    name: str
    nodes: tuple[Node, ...]
    outputs: Mapping[str, str]
    expectations: tuple[Expectation, ...]
    train: TrainSettings | None
    marks: Marks = field(compare=False)

    def __init__(
        self,
        name: str,
        input: Mapping[str, Sequence[int | str]],
        layers: Iterable[Entry],
        output: Outputs = None,
        train: Mapping[str, Any] | None = None,
    ) -> None:
        layers = _listed(layers)
        _check_arguments(name, input, layers, output)
        builder = Builder(name, input)
        for entry in layers:
            builder.add(entry)
        parts = builder.finish(output, train)
        if builder.findings:
            raise GraphError(builder.findings)
        self._fill(parts)

    @classmethod
    def sequential(
        cls,
        name: str,
        /,
        *,
        layers: Iterable[Entry],
        output: Outputs = None,
        train: Mapping[str, Any] | None = None,
        **input: Sequence[int | str],
    ) -> Network:
        """Return a network of layers in sequence; each reads the previous one.

        Parameters
        ----------
        name : str
        layers, output, train
            As for :class:`Network`.
        **input : sequence of int or str
            The name of the input and its shape: ``image=("N", 3, 224, 224)``. An input named `layers`, `output` or
            `train` needs :class:`Network` itself.

        Raises
        ------
        GraphError
            With every finding about names, wiring and settings.

        Examples
        --------
        >>> from planner import layer
        >>> Network.sequential("tiny", image=("N", 1, "H", "W"), layers=[
        ...     layer("conv", filters=6, kernel=5, act="relu"), layer("gap"), layer("flatten")])
        <Network tiny: 4 layers, image N x 1 x H x W -> flatten1>
        """
        return cls(name, input, layers, output, train)

    @classmethod
    def functional(
        cls, name: str, inputs: Tensors, outputs: Named, *, train: Mapping[str, Any] | None = None
    ) -> Network:
        """Return the network of the layers that were called to get from `inputs` to `outputs`.

        A layer that was called several times shares its weights between the calls, which are named ``c1``, ``c1_2``,
        and so on. A layer without weights is repeated.

        Parameters
        ----------
        name : str
        inputs : Tensor or sequence of Tensor
            Every input that the outputs need, made with ``shapeplan.input``.
        outputs : Tensor, sequence of Tensor, or Mapping of str to Tensor
            The outputs are named after their layers, or by the keys of a mapping.
        train : Mapping, optional
            The `train:` section of a spec.

        Raises
        ------
        GraphError
            With every finding about names, wiring and settings. N108: the outputs need an input that `inputs` does
            not list.

        Examples
        --------
        >>> from planner.constructors import add, conv, input
        >>> x = input("image", ("N", 3, "H", "W"))
        >>> y = conv(filters=8, kernel=3, pad=1, act="relu")(x)
        >>> z = add()(y, conv(filters=8, kernel=1)(x))
        >>> Network.functional("residual", inputs=x, outputs=z)
        <Network residual: 4 layers, image N x 3 x H x W -> add1>
        """
        made = declare(inputs, outputs)
        try:
            network = cls(name, made.input, made.layers, made.output, train)
        except GraphError as error:
            raise GraphError([*made.findings, *error.findings]) from None
        if made.findings:
            raise GraphError(made.findings)
        return network

    @classmethod
    def of(cls, **parts: Unpack[Parts]) -> Network:
        """Return a network of resolved parts, as :class:`planner.network.builder.Builder` returns them."""
        network = object.__new__(cls)
        network._fill(parts)
        return network

    def _fill(self, parts: Parts) -> None:
        for name, part in {**parts, "outputs": FrozenMapping(parts["outputs"])}.items():
            object.__setattr__(self, name, part)

    def __repr__(self) -> str:
        layers = sum(not isinstance(node.layer, Input) for node in self.nodes)
        return outline(f"Network {self.name}", layers, None, self.inputs, dict.fromkeys(self.outputs, ()))

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for a copy or a pickle: the fields, without cached values."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def check(self) -> Plan:
        """Return the plan of every size, count and requirement.

        Raises
        ------
        planner.ShapeError
            Contains every finding.
        """
        from planner.fixes.check import check  # a public method; the import contract allows this

        return check(self)

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        """Nodes by name."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def inputs(self) -> Mapping[str, Shape]:
        """Shapes of the inputs by name."""
        return {n.name: n.layer.output_shape(()) for n in self.nodes if isinstance(n.layer, Input)}

    def readers(self, name: str) -> tuple[Node, ...]:
        """Return the nodes that read a node, without duplicates, in execution order."""
        return tuple(node for node in self.nodes if name in node.inputs)

    def with_nodes(self, changed: Mapping[str, Layer]) -> Network:
        """Return a copy of the network with some layers replaced (used to try fixes and other input sizes)."""
        changed = {self.by_name[name].owner or name: layer for name, layer in changed.items()}
        made = {node.name: changed.get(node.name, node.layer) for node in self.nodes}
        for node in self.nodes:
            layer, partner = node.layer, made.get(node.owner or node.partner)
            if layer is not None and partner is not None and node.name not in changed:
                made[node.name] = partner if node.owner else layer.after(partner)
        return self.altered(nodes=tuple(replace(node, layer=made[node.name]) for node in self.nodes))

    def altered(self, **changes: Any) -> Network:
        """Return a copy of the network with some of its parts replaced, without checks."""
        parts: Any = {item.name: getattr(self, item.name) for item in fields(self)} | changes
        return Network.of(**parts)

    def with_input(self, /, **shapes: Sequence[int | str]) -> Network:
        """Return a copy of the network with other input shapes.

        Raises
        ------
        GraphError
            There is no input with that name, or it cannot have that shape.

        Examples
        --------
        >>> from planner import layer
        >>> net = Network(name="n", input={"x": ("N", 1, 8, 8)}, layers=[layer("relu")])
        >>> net.with_input(x=("N", 1, "H", "W")).inputs
        {'x': (N, 1, H, W)}
        """
        for name in shapes:
            if name not in self.inputs:
                raise GraphError.of("N103", f"there is no input `{name}`; inputs are {listed(self.inputs)}")
        try:
            return self.with_nodes({name: Input(shape=shape) for name, shape in shapes.items()})
        except SettingError as error:
            raise GraphError.of(
                error.code, error.problem, fixes=("give [N, C, H, W]: whole numbers or names",)
            ) from None


def _listed(layers: Any) -> Any:
    """Return an iterable of layers as a list; return anything else unchanged, to be rejected later."""
    return layers if isinstance(layers, (str, Mapping)) or not isinstance(layers, Iterable) else list(layers)


def _check_arguments(name: object, input: object, layers: object, output: object) -> None:
    """Check the types of the arguments; the builder checks each entry.

    Raises
    ------
    GraphError
        N107, one finding for each argument.
    """
    wrong = []
    if fault_of_name(name):
        wrong.append(("name", f"printable text of up to {LONGEST_NAME} characters", name))
    if not isinstance(input, Mapping):
        wrong.append(("input", 'a mapping of names to shapes, {"image": ("N", 3, 224, 224)}', input))
    if isinstance(layers, (str, Mapping, Entry)) or not isinstance(layers, Iterable):
        wrong.append(("layers", 'a list of layers, [planner.layer("conv", filters=6, kernel=5), ...]', layers))
    else:
        other = next((each for each in layers if not isinstance(each, Entry)), None)
        if other is not None:
            wrong.append(("layers", 'made with planner.layer("conv", filters=6, kernel=5)', other))
    if output is not None and not _names_only(output):
        wrong.append(("output", "a name, a list of names, or a mapping of names to shapes", output))
    found = [Finding("N107", f"`{key}` must be {what}; got {given!r:.80}") for key, what, given in wrong]
    for name, asked in output.items() if isinstance(output, Mapping) else ():
        named = isinstance(asked, Mapping) and asked.keys() <= {"from", "shape"} and isinstance(asked.get("from"), str)
        shape = asked.get("shape") if named else asked
        if shape is not None and (isinstance(shape, str) or not isinstance(shape, Sequence)):
            message = f"the shape of output `{name}` must be a list of sizes, such as ('N', 10); got {shape!r:.60}"
            found.append(Finding("N107", message))
    if found:
        raise GraphError(found)


def _names_only(output: object) -> bool:
    """Return whether outputs are given as a name, a sequence of names, or a mapping with names as keys."""
    if isinstance(output, str):
        return True
    return isinstance(output, (Mapping, Sequence)) and all(isinstance(name, str) for name in output)
