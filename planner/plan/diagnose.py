"""Check a network: evaluate the requirements of every layer in execution order and find every fault in one run.

A faulty layer has an unknown shape, and faults that only follow from it are not reported: one cause,
one finding. :mod:`planner.fixes` searches for fixes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain
from math import prod

import planner.symbols as sy
from planner.conditions import AtLeast, Equal, Requirement, Verdict
from planner.domain.affine import solve_condition
from planner.domain.domain import Domain, Open, contradiction, solve
from planner.domain.sizeset import SizeSet
from planner.findings import Finding, Severity
from planner.layers.base import Parameter, by_name
from planner.layers.spatial import by, names, positions
from planner.network.network import Network
from planner.network.node import Expectation, Node
from planner.plan.node import PlannedNode
from planner.plan.plan import Plan
from planner.plan.receptive import ReceptiveFields, Seen
from planner.symbols import Shape, Size
from planner.training.augment import augment_finding
from planner.training.settings import loss_finding
from planner.wording import listed

LONGEST_FORMULA = 240
"""Maximum number of parts in the formula of a size; few in practice have 40, and longer ones are unreadable."""


@dataclass(frozen=True)
class Diagnosis:
    """Result of a check: all findings, the known shapes, and the plan if there is no error.

    Attributes
    ----------
    network : Network
    shapes : Mapping of str to Shape or None
        None for a faulty layer and for all layers that depend on it.
    findings : tuple of Finding
        Errors and warnings, in execution order.
    plan : Plan or None
    faults : tuple of (str, Requirement)
        The requirement that failed, for each faulty node that has one.
    open : tuple of Open
        Requirements that depend on free sizes, also if there is no plan.
    """

    network: Network
    shapes: Mapping[str, Shape | None]
    findings: tuple[Finding, ...]
    plan: Plan | None
    faults: tuple[tuple[str, Requirement], ...] = ()
    open: tuple[Open, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings with severity error."""
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)


def diagnose(network: Network) -> Diagnosis:
    """Return the result of a check without raising exceptions."""
    walk = _Walk(network)
    for node in network.nodes:
        walk.visit(node)
    for expectation in network.expectations:
        walk.compare(expectation)
    walk.solve()
    walk.warn_training()
    errors = any(f.severity is Severity.ERROR for f in walk.findings)
    complete = not errors and not any(node.broken for node in network.nodes)
    warnings = tuple(f for f in walk.findings if f.severity is Severity.WARNING)
    plan = Plan(network, tuple(walk.planned), tuple(walk.open), tuple(walk.borders), warnings) if complete else None
    return Diagnosis(network, walk.shapes, tuple(walk.findings), plan, tuple(walk.faults), tuple(walk.open))


class _Walk:
    """The state of one pass over a network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.shapes: dict[str, Shape | None] = {}
        self.fields = ReceptiveFields()
        self.planned: list[PlannedNode] = []
        self.open: list[Open] = []
        self.borders: list[Open] = []
        self.names: frozenset[str] = frozenset()
        self.findings: list[Finding] = []
        self.faults: list[tuple[str, Requirement]] = []
        self.conditional: set[tuple[str, SizeSet]] = set()
        self.arrays: dict[str, tuple[str, tuple[Parameter, ...]]] = {}
        self.owners = frozenset(node.owner for node in network.nodes if node.owner)

    def visit(self, node: Node) -> None:
        self.shapes[node.name] = None
        inputs = tuple(shape for name in node.inputs if (shape := self.shapes[name]) is not None)
        if node.layer is None or node.broken or len(inputs) != len(node.inputs):
            return
        depends = []
        for requirement in chain(node.layer.limits(), node.layer.requires(inputs), self.shared(node, inputs)):
            verdict = requirement.condition.verdict()
            if verdict is Verdict.FAILS:
                self.fault(node, requirement)
                return
            if verdict is Verdict.DEPENDS:
                depends.append(Open(node.name, requirement))
        self.open += depends
        output = node.layer.output_shape(inputs)
        for what, shape in (("output", output), *((f"`{p.name}`", p.shape) for p in node.layer.params(inputs))):
            if prod(size for each in shape if (size := sy.constant(each)) is not None) > sy.LARGEST:
                self.fault(node, _too_large(what, shape))
                return
        longest = max(output, key=sy.weight)
        if sy.weight(longest) > LONGEST_FORMULA:
            self.fault(node, _too_long(longest))
            return
        self.shapes[node.name] = output
        self.names = self.names.union(*map(sy.free, output))
        self.fields.add(node.name, Seen(node.layer, node.inputs, inputs, output))
        self.planned.append(
            PlannedNode(
                node.name,
                node.layer,
                node.inputs,
                inputs,
                output,
                by_name(() if node.owner else node.layer.params(inputs)),
                by_name(() if node.owner else node.layer.buffers(inputs)),
                self.fields,
                node.role,
                node.owner,
            )
        )
        if (dropped := node.layer.dropped(inputs)) is not None:
            self.warn_border(node, dropped, inputs[0])
        if (padded := node.layer.padded_windows(inputs)) is not None:
            self.warn_padding(node, dict(zip(names(inputs[0]), padded, strict=True)))

    def shared(self, node: Node, inputs: tuple[Shape, ...]) -> Iterator[Requirement]:
        """Yield the requirements that the arrays of a layer have the same shape in all its uses."""
        owner = node.owner or node.name
        if owner not in self.owners or node.layer is None:
            return
        own = (*node.layer.params(inputs), *node.layer.buffers(inputs))
        first, arrays = self.arrays.setdefault(owner, (node.name, own))
        for one, other in zip(own, arrays, strict=True):
            axes = [(len(one.shape), len(other.shape)), *zip(one.shape, other.shape, strict=False)]
            for here, there in axes:
                differ = partial(_other_arrays, one, other, first)
                yield Requirement("S219", Equal(here, there), differ, partial(differ, short=True), "use")

    def fault(self, node: Node, requirement: Requirement) -> None:
        self.faults.append((node.name, requirement))
        self.findings.append(
            Finding(
                requirement.code,
                f"`{node.name}`: {requirement.sentence}",
                layer=node.name,
                where=node.mark(requirement.setting),
                label=requirement.label,
            )
        )

    def warn_border(self, node: Node, dropped: tuple[Size, ...], shape: Shape) -> None:
        """Report the last rows and columns if no window sees them; if that depends on sizes, keep it as a condition."""
        for size in dropped:
            condition = AtLeast(-size, 0)
            if condition.verdict() is not Verdict.HOLDS:
                self.borders.append(Open(node.name, Requirement("S301", condition, partial(str, "drops a border"))))
        counts = [max(sy.constant(size) or 0, 0) for size in dropped]
        if any(counts):
            self.findings.append(_dropped(node, shape, counts))

    def warn_padding(self, node: Node, windows: Mapping[str, tuple[Size, Size, Size]]) -> None:
        """Report a convolution with windows that contain only padding: they give its bias for every input."""
        for axis, window in windows.items():
            extent, *sides = map(sy.constant, window)
            most = max(side or 0 for side in sides)
            if extent is not None and most >= extent:
                message = (
                    f"`{node.name}`: its padding of {most} along the {axis} contains whole windows, which see only "
                    f"zeros: its kernel extends over {extent}"
                )
                self.findings.append(
                    Finding("S303", message, Severity.WARNING, node.name, node.mark("pad"), "beyond the kernel")
                )
                return

    def compare(self, expected: Expectation) -> None:
        """Check an `expect` or `output` assertion."""
        actual = self.shapes.get(expected.node)
        if actual is None:
            return
        known = self.names
        unknown = sorted(frozenset().union(*map(sy.free, expected.shape)) - known)
        conditions = [Equal(len(actual), len(expected.shape))]
        conditions += [Equal(a, e) for a, e in zip(actual, expected.shape, strict=False)]
        sentence = f"is {sy.shape_text(actual)}, but {sy.shape_text(expected.shape)} is asserted"
        finding = Finding(
            "S205",
            f"`{expected.node}` {sentence}",
            layer=expected.node,
            where=expected.where,
            label=f"is {sy.shape_text(actual)}",
        )
        if unknown:
            note = f"{listed(unknown)} is not a size of this network"
            self.findings.append(replace(finding, notes=(note,)))
        elif any(condition.verdict() is Verdict.FAILS for condition in conditions):
            self.findings.append(finding)
        else:
            self.open += [
                Open(expected.node, Requirement("S205", condition, partial(str, sentence)))
                for condition in conditions
                if condition.verdict() is Verdict.DEPENDS
            ]

    def warn_conditional(self, opened: Open, domain: Domain) -> None:
        """Report branches that agree only for some sizes; a mere minimum size is not reported."""
        requirement, free = opened.requirement, opened.requirement.condition.free
        if requirement.code != "S202" or len(free) != 1:
            return
        (name,) = free
        agreed = solve_condition(requirement.condition, name)
        if agreed is None or not agreed or agreed.unbroken or (opened.node, agreed) in self.conditional:
            return
        self.conditional.add((opened.node, agreed))
        sentence, bad = _agreement(agreed, domain[name], name)
        left, right = (sy.evaluate(size, {name: bad}) for size in requirement.condition.sizes)
        node = self.network.by_name[opened.node]
        self.findings.append(
            Finding(
                "S302",
                f"`{opened.node}`: its branches agree only for {sentence}",
                Severity.WARNING,
                opened.node,
                node.mark(requirement.setting),
                f"{requirement.label} differ for other sizes",
                notes=(f"at {name} = {bad} they would be {left} and {right}",),
            )
        )

    def warn_training(self) -> None:
        """Report training settings that cannot be applied: a loss or an augmentation."""
        train, network = self.network.train, self.network
        if train is None:
            return
        for public, name in network.outputs.items():
            node = network.by_name[name]
            found = loss_finding(train.loss_of(public), node.layer.kind, name) if node.layer is not None else None
            if found is not None:
                where = node.mark() or network.marks.get(f"output.{public}")
                self.findings.append(replace(found, severity=Severity.WARNING, where=where))
        read = {name: [sy.constant(size) for size in shape[1:]] for name, shape in network.inputs.items()}
        found = augment_finding(train.augment, read, {})
        if found is not None:
            where = network.marks.get("train.augment")
            self.findings.append(replace(found, severity=Severity.WARNING, where=where))

    def solve(self) -> None:
        """Report free sizes without an accepted value: their requirements contradict each other."""
        names = sorted(frozenset().union(*(o.requirement.condition.free for o in self.open)))
        domain = solve(names, self.open)
        for opened in self.open:
            self.warn_conditional(opened, domain)
        reported: set[tuple[Open, ...]] = set()
        for name in domain.empty:
            culprits = contradiction(name, self.open)
            if culprits and culprits not in reported:
                reported.add(culprits)
                self.findings.append(self._impossible(culprits))

    def _impossible(self, culprits: tuple[Open, ...]) -> Finding:
        """Return the finding that no size meets one requirement, or several at once."""
        last = culprits[-1]
        node, requirement = self.network.by_name[last.node], last.requirement
        names = sorted(frozenset().union(*(o.requirement.condition.free for o in culprits)))
        if len(culprits) == 1:
            message = f"`{last.node}` needs {requirement.condition.text()}, which no {' and '.join(names)} can satisfy"
            return Finding(
                requirement.code,
                message,
                layer=last.node,
                where=node.mark(requirement.setting),
                label=requirement.label,
            )
        return Finding(
            "S207",
            f"no {' and '.join(names)} can meet every requirement",
            layer=last.node,
            where=node.mark(requirement.setting),
            label="conflicts with the other requirements",
            notes=tuple(f"`{o.node}` needs {o.requirement.condition.text()}" for o in culprits),
        )


@lru_cache(maxsize=256)
def _agreement(agreed: SizeSet, accepted: SizeSet, name: str) -> tuple[str, int]:
    """Return the accepted sizes for which branches agree, as text, and the first size for which they do not."""
    both = agreed & accepted
    bad = next(size for size in itertools.count(both.minimum or 1) if size not in both)
    return both.text(name), bad


def _other_arrays(here: Parameter, there: Parameter, first: str, *, short: bool = False) -> str:
    """Return the message that the inputs of a layer used twice need arrays of different shapes."""
    if short:
        return f"`{here.name}` would be {sy.shape_text(here.shape)}"
    return (
        f"it uses the weights of `{first}`, where `{there.name}` is {sy.shape_text(there.shape)}, but its input "
        f"needs {sy.shape_text(here.shape)}"
    )


def _too_large(what: str, shape: Shape) -> Requirement:
    return Requirement(
        "S214",
        AtLeast(0, 1),
        lambda: f"its {what} would be {sy.shape_text(shape)}: more numbers than any machine holds (2^40)",
        lambda: "too large",
    )


def _too_long(size: Size) -> Requirement:
    names = listed(sorted(sy.free(size)))
    return Requirement(
        "S215",
        AtLeast(LONGEST_FORMULA, sy.weight(size)),
        lambda: (
            f"a size of its output, as a formula, has {sy.weight(size)} parts, too many to reason about "
            f"(more than {LONGEST_FORMULA}); set some of its names to numbers: {names}"
        ),
        lambda: "formula too long",
    )


def _dropped(node: Node, shape: Shape, counts: list[int]) -> Finding:
    """Return the warning that the last rows and columns of the input are in no window."""
    lost = " and ".join(
        f"{lines} {word}{'s' if lines > 1 else ''}"
        for lines, word in zip(counts, positions(shape), strict=True)
        if lines
    )
    return Finding(
        "S301",
        f"`{node.name}`: no window sees the last {lost} of its {by(shape[2:])} input",
        Severity.WARNING,
        node.name,
        node.mark("stride") or node.mark("size"),
        f"{lost} left over",
    )
