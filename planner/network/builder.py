"""Build a network from entries: assign and resolve names, check the wiring, collect findings.

Shapes are computed only if a block of a spec asks for them (``in.channels``). They are checked in
:mod:`planner.plan.diagnose`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypedDict

from planner.findings import Finding, Location, SettingError, nearest
from planner.layers import KINDS, Input, Layer
from planner.layers.settings import count
from planner.network.entry import Entry, Marks, fault_of_name
from planner.network.graph import cycles, execution_order, unread
from planner.network.instantiate import make, one_meaning, shape_of
from planner.network.node import INDICES, Expectation, Node, Outputs
from planner.network.norm_act import ROLES, make_norm_act
from planner.network.references import used
from planner.symbols import Shape
from planner.training.settings import TrainSettings, read_settings
from planner.wording import listed

MOST_GUESSES = 10
"""Number of findings after which no more close matches are suggested: the search is slow among thousands of names."""


class Parts(TypedDict):
    """The fields of a :class:`planner.Network`."""

    name: str
    nodes: tuple[Node, ...]
    outputs: Mapping[str, str]
    expectations: tuple[Expectation, ...]
    train: TrainSettings | None
    marks: Marks


class Builder:
    """Builder of a network from entries. It collects findings instead of raising exceptions.

    Parameters
    ----------
    name, input
        As for :class:`planner.Network`.
    marks : Mapping
        Locations in a file, by key: ``name``, ``input.image``, ``input.image.2`` (one size), ``output.out``, ``train``,
        ``train.optimizer.lr``.
    """

    def __init__(self, name: str, input: Mapping[str, Sequence[int | str]], marks: Marks | None = None) -> None:
        self.name = name
        self.marks: Marks = marks or {}
        self.findings: list[Finding] = []
        self.last: str | None = None
        self._nodes: dict[str, Node] = {}
        self._waiting: dict[str, tuple[str, ...]] = {}
        self._public: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._shapes: dict[str, Shape | None] = {}
        self._expectations: list[Expectation] = []
        if not input:
            self._find("N108", "the network has no input", "input", fixes=("add  input: {image: [N, 1, H, W]}",))
        for key, shape in input.items():
            self._add_input(key, shape)
        self.last = next(iter(input)) if len(input) == 1 else None

    def add(self, entry: Entry) -> str:
        """Add one layer and the layers of its `norm` and `act`; return the name that other layers read it by."""
        public = self._name(entry)
        sources = self._sources(entry, public)
        if entry.use is not None and not entry.broken and KINDS.get(entry.kind, Input) is not Input:
            return self._add_again(entry, public, sources)
        made, partner = (None, "") if entry.broken else make(entry, public, self._nodes, self._report, self._guesses)
        broken = made is None or sources is None
        broken = broken or (_reads_companion(made) and not self._put_indices(made, partner, public))
        self._put(Node(public, made, (), "", entry, broken, partner), sources or ())
        tail = public
        for role in ROLES:
            following = make_norm_act(entry, public, role, self._report)
            if following is None:
                continue
            name = f"{public}.{role}"
            if name in self._nodes:
                message = f"`{role}` of `{public}` adds a layer `{name}`, but another layer already has that name"
                self._report("N104", message, entry, role, ("give the other layer another name",))
                continue
            self._put(Node(name, following, (tail,), role, entry, broken))
            self._public[name] = name
            tail = name
        return self._end(entry, public, tail)

    def _add_again(self, entry: Entry, public: str, sources: tuple[str, ...] | None) -> str:
        """Add a second use of a layer that was declared before: the same weights, applied to another tensor."""
        chain: tuple[Node, ...] = ()
        try:
            chain = used(entry, self._nodes, self._guesses)
        except SettingError as error:
            self._report(error.code, f"`{public}`: {error.problem}", entry, error.setting, (error.fix,))
        if not chain:
            self._put(Node(public, None, (), "", entry, True), sources or ())
        tail = public
        for index, node in enumerate(chain):
            name = public if not index else f"{public}.{node.role}"
            broken = node.broken or sources is None
            again = Node(name, node.layer, (tail,) if index else (), node.role if index else "", entry, broken)
            self._put(replace(again, owner=node.owner or node.name), () if index else sources or ())
            self._public[name] = tail = name
        return self._end(entry, public, tail)

    def _end(self, entry: Entry, public: str, tail: str) -> str:
        """Make the name of an entry refer to the last of its layers."""
        self._public[public] = tail
        if entry.expect is not None:
            self._expect(tail, entry.expect, entry.mark("expect"), f"`{public}`: `expect`")
        self.last = public
        return public

    def alias(self, name: str, target: str) -> None:
        """Make `name` another name of the layer `target`, as the name of a block refers to its last layer."""
        self._public[name] = self._public.get(target, target)

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Layers added so far, by name; the names they read are not resolved yet."""
        return self._nodes

    def shape(self, name: str) -> Shape | None:
        """Return the shape of a layer added so far; None if it is faulty or reads a layer that is not added yet."""
        wanted = [self._public.get(name, name)]
        begun: set[str] = set()
        while wanted:
            node = self._nodes.get(wanted[-1])
            if node is None or node.broken or node.layer is None:
                self._shapes[wanted.pop()] = None
                continue
            sources = self._reads(node)
            # A node that was begun and is still unknown is on a cycle, which `finish` reports.
            missing = [s for s in sources if s not in self._shapes and s not in begun]
            begun.add(node.name)
            if missing:
                wanted.extend(missing)
                continue
            self._shapes[wanted.pop()] = shape_of(node.layer, [self._shapes.get(s) for s in sources])
        return self._shapes[self._public.get(name, name)]

    def finish(
        self,
        output: Outputs = None,
        train: Mapping[str, Any] | None = None,
    ) -> Parts:
        """Return the parts of the network. If :attr:`findings` is not empty, some nodes may be broken."""
        nodes = one_meaning([self._wire(node) for node in self._in_order()])
        nodes = self._order(nodes)
        outputs = self._outputs(output)
        if all(name in outputs for name in _names(output)):  # else layers may be unread only because of it
            self._find_dead_ends(nodes, outputs)
        settings = None if train is None else self._train(train, outputs)
        return Parts(
            name=self.name,
            nodes=tuple(nodes),
            outputs=MappingProxyType(outputs),
            expectations=tuple(self._expectations),
            train=settings,
            marks=self.marks,
        )

    def _train(self, train: Mapping[str, Any], outputs: Iterable[str]) -> TrainSettings | None:
        """Read the training settings and report every faulty one."""
        settings, errors = read_settings(train)
        for path, finding in settings.unknown_outputs(outputs) if settings is not None else ():
            where = self.marks.get(f"train.{path}") or self.marks.get("train")
            self.findings.append(replace(finding, where=where))
        for error in errors:
            where = self.marks.get(f"train.{error.setting}") or self.marks.get("train")
            fixes = (error.fix,) if error.fix else ()
            self.findings.append(Finding(error.code, f"train: {error.problem}", where=where, fixes=fixes))
        return None if errors else settings

    def _add_input(self, key: str, shape: Sequence[int | str]) -> None:
        marks = {"": self.marks[f"input.{key}"]} if f"input.{key}" in self.marks else {}
        entry = Entry("input", {"shape": shape}, key, marks=marks)
        fault = fault_of_name(key, "the name of an input")
        if fault:
            self._find("N107", fault, f"input.{key}", ("name it  image",))
            self._public[key] = name = f"input{len(self._nodes) + 1}"
            self._put(Node(name, None, (), "", replace(entry, name=name), True))
            return
        try:
            made: Input | None = Input(shape=shape)
        except SettingError as error:
            made = None
            where = self.marks.get(f"input.{key}.{_first_bad(shape)}") or self.marks.get(f"input.{key}")
            self.findings.append(
                Finding(error.code, f"input `{key}`: {error.problem}", layer=key, where=where,
                        fixes=("write  [N, 3, 224, 224]: whole numbers or names",))
            )  # fmt: skip
        self._public[key] = key
        self._put(Node(key, made, (), "", entry, made is None))

    @property
    def _guesses(self) -> bool:
        return len(self.findings) < MOST_GUESSES

    def _put(self, node: Node, sources: tuple[str, ...] = ()) -> None:
        """Keep a node; `sources` are the names that still have to be resolved, in addition to its inputs."""
        self._nodes[node.name] = node
        self._waiting[node.name] = sources

    def _put_indices(self, made: Layer | None, pool: str, reader: str) -> bool:
        """Keep the node that holds the positions of the maxima of a max pooling; return whether that was possible."""
        node, name = self._nodes[pool], f"{pool}.{INDICES}"
        existing = self._nodes.get(name)
        if existing is not None and existing.role == INDICES:
            return True
        companion = None if made is None or node.layer is None else made.companion(node.layer)
        if existing is not None or reader == name or companion is None:
            message = f"`{name}` holds the positions of the maxima of `{pool}`, but another layer already has that name"
            self._report("N104", message, node.entry, "name", ("give the other layer another name",))
            return False
        self._put(Node(name, companion, (), INDICES, node.entry, node.broken, pool), self._waiting[pool])
        return True

    def _in_order(self) -> Iterator[Node]:
        """Yield the nodes in declaration order, the positions of maxima directly after their pooling."""
        for node in self._nodes.values():
            indices = self._nodes.get(f"{node.name}.{INDICES}")
            if node.role != INDICES:
                yield node
            if indices is not None and indices.role == INDICES:
                yield indices

    def _reads(self, node: Node) -> tuple[str, ...]:
        """Return the names of the nodes that a node reads, as far as they are resolved."""
        own = node.inputs + self._resolve(self._waiting[node.name])
        if not _reads_companion(node.layer):
            return own
        return (*own, f"{node.partner}.{INDICES}", *self._resolve(self._waiting[node.partner]))

    def _name(self, entry: Entry) -> str:
        if entry.name is None:
            while True:
                self._counts[entry.kind] = self._counts.get(entry.kind, 0) + 1
                name = f"{entry.kind}{self._counts[entry.kind]}"
                if name not in self._nodes:
                    return name
        given = entry.name
        fault = fault_of_name(given)
        if fault:
            self._report("N107", fault, entry, "name")
            return self._name(replace(entry, name=None))
        if given in self._nodes:
            first = self._nodes[given].mark("name")
            place = f" (first in line {first.line})" if first else ""
            self._report(
                "N104", f"there are two layers named `{given}`{place}", entry, "name", ("give one another name",)
            )
            return self._name(replace(entry, name=None))
        return given

    def _sources(self, entry: Entry, public: str) -> tuple[str, ...] | None:
        """Return the public names that an entry reads, or None if they cannot be determined."""
        if entry.from_ is not None:
            return (entry.from_,) if isinstance(entry.from_, str) else tuple(entry.from_)
        if self.last is None:
            fix = f"add `from:` with one of {listed(self._nodes)}"
            self._report("N108", f"`{public}` must name the input that it reads", entry, "", (fix,))
            return None
        return (self.last,)

    def _resolve(self, sources: Iterable[str]) -> tuple[str, ...]:
        return tuple(self._public.get(source, source) for source in sources)

    def _wire(self, node: Node) -> Node:
        """Return the node with its inputs resolved to node names; report unknown names and leave them out."""
        wired, broken = list(node.inputs), node.broken
        for source, target in zip(self._waiting[node.name], self._resolve(self._waiting[node.name]), strict=True):
            if target in self._nodes:
                wired.append(target)
                continue
            broken = True
            if node.role == INDICES:  # reported for the pooling itself
                continue
            close = nearest(source, self._public) if self._guesses else None
            fixes = (f"did you mean `{close}`?",) if close else (f"layers are {listed(self._public)}",)
            self._report("N103", f"`{node.name}` reads `{source}`, which is not a layer", node.entry, "from", fixes)
        if node.layer is not None and not broken:
            low, high = node.layer.inputs_at_least, node.layer.inputs_at_most
            if len(wired) < low or (high is not None and len(wired) > high):
                broken = True
                wants = f"{low} or more tensors" if high is None else "one tensor" if high == 1 else f"{low} tensors"
                self._report(
                    "N109",
                    f"`{node.name}`: {node.layer.kind} reads {wants}, but `from` names {len(wired)}",
                    node.entry,
                    "from",
                    ("join them first with `concat` or `add`",) if high == 1 else ("write  from: [a, b]",),
                )
        companions = self._reads(node)[len(wired) :] if _reads_companion(node.layer) and not broken else ()
        broken = broken or not all(name in self._nodes for name in companions)
        return replace(node, inputs=(*wired, *(() if broken else companions)), broken=broken)

    def _order(self, nodes: list[Node]) -> list[Node]:
        """Return nodes in execution order; report cycles and disconnect the nodes on them."""
        for cycle in cycles(nodes):
            self._report(
                "N105",
                f"`{cycle[0]}` reads its own output: {' -> '.join([*cycle, cycle[0]])}",
                next(node.entry for node in nodes if node.name == cycle[0]),
                "from",
                ("let one of them read an earlier layer",),
            )
            nodes = [replace(n, broken=True, inputs=()) if n.name in cycle else n for n in nodes]
        return execution_order(nodes)

    def _outputs(self, output: Outputs) -> dict[str, str]:
        if not output:
            return {} if self.last is None else {self.last: self._public[self.last]}
        shapes: Mapping[str, Any] = output if isinstance(output, Mapping) else dict.fromkeys(_names(output))
        outputs = {}
        for name, asked in shapes.items():
            where = self.marks.get(f"output.{name}")
            fault = fault_of_name(name, "the name of an output")
            if fault:
                self._find("N107", fault, f"output.{name}", ("name it after its layer",))
                continue
            source, shape = (
                (asked.get("from", name), asked.get("shape")) if isinstance(asked, Mapping) else (name, asked)
            )
            if source not in self._public:
                close = nearest(source, self._public)
                fixes = (f"did you mean `{close}`?",) if close else (f"layers are {listed(self._public)}",)
                subject = f"output `{name}`" if source == name else f"output `{name}` reads `{source}`, which"
                self.findings.append(Finding("N111", f"{subject} is not a layer", where=where, fixes=fixes))
                continue
            outputs[name] = self._public[source]
            if shape is not None:
                self._expect(outputs[name], tuple(shape), where, f"output `{name}`")
        return outputs

    def _expect(self, node: str, shape: Sequence[int | str], where: Location | None, what: str) -> None:
        try:
            sizes = tuple(count("shape", item) for item in shape)
        except SettingError as error:
            self.findings.append(Finding(error.code, f"{what}: {error.problem}", layer=node, where=where))
            return
        self._expectations.append(Expectation(node, sizes, where))

    def _find_dead_ends(self, nodes: list[Node], outputs: Mapping[str, str]) -> None:
        if not outputs or any(node.broken for node in nodes):
            return
        partners = {node.partner for node in nodes}
        for node in unread(nodes, outputs.values()):
            if node.role == INDICES or node.name in partners:
                continue
            what = "input" if isinstance(node.layer, Input) else "layer"
            name = node.entry.name if node.entry and node.entry.name else node.name
            self._report(
                "N106",
                f"no output depends on {what} `{name}`",
                node.entry,
                "name",
                (f"name it under `output:`, let another layer read it with `from: {name}`, or remove it",),
            )

    def _report(self, code: str, message: str, entry: Entry | None, key: str, fixes: Sequence[str] = ()) -> None:
        where = entry.mark(key) if entry else None
        name = entry.name if entry else None
        self.findings.append(Finding(code, message, layer=name, where=where, fixes=tuple(f for f in fixes if f)))

    def _find(self, code: str, message: str, mark: str, fixes: Sequence[str] = ()) -> None:
        self.findings.append(Finding(code, message, where=self.marks.get(mark), fixes=tuple(fixes)))


def _names(output: Outputs) -> tuple[str, ...]:
    """Return the names of outputs, given in any of the accepted forms."""
    return (output,) if isinstance(output, str) else tuple(output or ())


def _reads_companion(layer: Layer | None) -> bool:
    """Return whether a layer reads a companion of another layer, such as the positions of maxima."""
    return layer is not None and layer.reads_companion()


def _first_bad(shape: object) -> int:
    if not isinstance(shape, Sequence):
        return 0
    for axis, item in enumerate(shape):
        try:
            count("shape", item)
        except SettingError:
            return axis
    return 0
