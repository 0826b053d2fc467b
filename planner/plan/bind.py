"""Bind the free sizes of a plan to numbers: check the values, explain rejected ones, and compute the bound nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import planner.symbols as sy
from planner.conditions import Condition, Verdict
from planner.domain.affine import solve_condition
from planner.domain.domain import Domain, Open
from planner.findings import Finding, SizeError, nearest
from planner.layers.base import by_name
from planner.layers.spatial import letters
from planner.lowering.node import BoundNode
from planner.plan.node import PlannedNode
from planner.symbols import Shape
from planner.wording import listed


def read_sizes(
    sizes: Mapping[str, int], free: Sequence[str], zeros: frozenset[str], shapes: Iterable[Shape]
) -> tuple[dict[str, int], list[Finding]]:
    """Return the values of free names, and a finding for every unknown name and every invalid value.

    Parameters
    ----------
    sizes : Mapping of str to int
        As given to :meth:`planner.Plan.bind`.
    free : sequence of str
        The names that need a value.
    zeros : frozenset of str
        The free names that may be 0.
    shapes : iterable of Shape
        Shapes of the inputs. An axis that all of them fix at the same number may be given too, with that number.

    Examples
    --------
    >>> values, findings = read_sizes({"H": 8, "C": 4}, ["H"], frozenset(), [(1, 3, sy.symbol("H"), 8)])
    >>> values, [finding.message for finding in findings]
    ({'H': 8}, ['the spec fixes C = 3, but C = 4 was given'])
    """
    fixed = _fixed_axes(list(shapes))
    values: dict[str, int] = {}
    findings: list[Finding] = []
    for name, given in sizes.items():
        size = sy.whole(given)
        least = 0 if name in zeros else 1
        if size is None or not least <= size <= sy.LARGEST:
            message = f"{name} must be a whole number from {least} to 2^40, got {given!r}"
            findings.append(Finding("S209", message, fixes=(f"give {name} a whole number",)))
        elif name in free:
            values[name] = size
        elif name in fixed:
            if size != fixed[name]:
                message = f"the spec fixes {name} = {fixed[name]}, but {name} = {size} was given"
                fix = f"leave {name} out, or write the name {name} in the spec's input"
                findings.append(Finding("S209", message, label="fixed", fixes=(fix,)))
        else:
            close = nearest(name, free)
            known = f"did you mean {close}?" if close else f"free sizes are {listed(free) or 'none'}"
            findings.append(Finding("S209", f"the network has no size named {name}", fixes=(known,)))
    return values, findings


def refusals(requirements: Iterable[Open], domain: Domain, values: Mapping[str, int]) -> list[Finding]:
    """Return a finding for every layer with a violated requirement, for the first violation of each.

    Parameters
    ----------
    requirements : iterable of Open
    domain : Domain
        The sizes that meet all requirements, for notes and fixes.
    values : Mapping of str to int
        A value for every free name.
    """
    findings: dict[str, Finding] = {}
    for opened in requirements:
        condition = opened.requirement.condition
        if opened.node in findings or condition.holds(values):
            continue
        at = ", ".join(f"{name} = {values[name]}" for name in sorted(condition.free))
        near = [
            f"nearest accepted: {name} = {size}"
            for name in sorted(condition.free)
            for size in _neighbours(domain, name, values[name])
        ]
        findings[opened.node] = Finding(
            "S209",
            f"`{opened.node}` cannot run at {at}: it needs {_solved_text(condition)}",
            layer=opened.node,
            notes=(f"accepted: {domain.text()}",),
            fixes=tuple(near),
        )
    return list(findings.values())


def bound_nodes(nodes: Iterable[PlannedNode], values: Mapping[str, int]) -> tuple[BoundNode, ...]:
    """Return the nodes with plain ints, by evaluating the rules of every layer at these values.

    Raises
    ------
    SizeError
        S209: a layer rejects a size; S214: an output would be too large for any machine.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    bound = []
    for node in nodes:
        layer = node.layer.bind(values)
        inputs = tuple(shapes[name] for name in node.inputs)
        for requirement in layer.requires(inputs):
            if requirement.condition.verdict() is Verdict.FAILS:
                raise SizeError([Finding("S209", f"`{node.name}`: {requirement.sentence}", layer=node.name)])
        output = layer.output_shape(inputs)
        if sy.product(output) > sy.LARGEST:
            message = f"`{node.name}` would be {sy.shape_text(output)}: more numbers than any machine holds (2^40)"
            raise SizeError([Finding("S214", message, layer=node.name, fixes=("give smaller sizes",))])
        shapes[node.name] = output
        bound.append(
            BoundNode(
                node.name,
                node.kind,
                layer,
                node.inputs,
                inputs,
                output,
                by_name(() if node.owner else layer.params(inputs)),
                by_name(() if node.owner else layer.buffers(inputs)),
                layer.macs(inputs, output),
                node.owner,
            )
        )
    return tuple(bound)


def _fixed_axes(shapes: Sequence[Shape]) -> dict[str, int]:
    """Return the axes, such as N, C, H, W, that every input fixes at the same number."""
    alike = len({len(shape) for shape in shapes}) == 1
    axes = zip(letters(shapes[0]), zip(*shapes, strict=True), strict=True) if alike else ()
    found = {}
    for letter, sizes in axes:
        known = {sy.constant(size) for size in sizes}
        if len(known) == 1 and (value := known.pop()) is not None:
            found[letter] = value
    return found


def _solved_text(condition: Condition) -> str:
    """Return a condition solved for its size if it has only one: ``H >= 32`` for ``floor(H/4) >= 8``."""
    names = condition.free
    solved = solve_condition(condition, *names) if len(names) == 1 else None
    return condition.text() if solved is None else solved.text(*names)


def _neighbours(domain: Domain, name: str, size: int) -> list[int]:
    if name not in domain:
        return []
    found = (domain[name].previous(size), domain[name].next(size))
    return [n for n in found if n is not None and n != size]
