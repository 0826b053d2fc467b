"""Add derivations, accepted sizes and fixes, verified by planning again, to findings.

A candidate is offered only if the finding is gone and no new error appears.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import planner.symbols as sy
from planner.conditions import AtLeast
from planner.domain.affine import solve_condition
from planner.findings import Finding, Location, Related, Severity
from planner.fixes.candidates import Candidate, candidates
from planner.fixes.free_sizes import with_free_sizes
from planner.fixes.kinds import MOST_TRIES
from planner.layers.spatial import by, is_map
from planner.network.network import Network
from planner.network.node import Node
from planner.plan.derivation import chain, path_to
from planner.plan.diagnose import Diagnosis, diagnose

MOST_FIXES = 3
"""Maximum number of fixes offered for one finding."""

LARGEST_GRAPH = 2000
"""Maximum number of nodes of a network for which fixes are searched."""

MOST_EXPLAINED = 50
"""Maximum number of findings of a run for which derivations and fixes are searched; the first ones come first."""

NOT_EXPLAINED = f"fixes were searched for the first {MOST_EXPLAINED} findings only"

MOST_LAYERS = 5_000
"""Maximum number of layers that are planned to verify fixes, over all findings of a run."""


def with_fixes(found: Diagnosis) -> Diagnosis:
    """Return the diagnosis with derivations, accepted sizes and verified fixes added to its errors.

    Examples
    --------
    >>> from planner import Network, diagnose, layer
    >>> net = Network(name="n", input={"x": ("N", 1, 4, 4)}, layers=[layer("conv", name="c", filters=1, kernel=5)])
    >>> with_fixes(diagnose(net)).findings[0].fixes[0]
    'feed 5x5 images:  x: [N, 1, 5, 5]'
    """
    loose = with_free_sizes(found.network)
    free = diagnose(loose) if loose is not None and found.findings else None
    findings, budget = [], _Budget(_work(found))
    for number, finding in enumerate(found.findings):
        node = found.network.by_name.get(finding.layer or "")
        if node is not None and number < MOST_EXPLAINED:
            finding = _explained(found, finding, node, free, budget)
        elif node is not None:
            finding = replace(finding, notes=(*finding.notes, NOT_EXPLAINED))
        findings.append(finding)
    return replace(found, findings=tuple(findings))


def _explained(found: Diagnosis, finding: Finding, node: Node, free: Diagnosis | None, budget: _Budget) -> Finding:
    """Return the finding with its derivation, the accepted sizes and verified fixes; H and W are free in `free`."""
    domain = free.plan.domain if free is not None and free.plan is not None else None
    notes = list(finding.notes)
    related = list(finding.related)
    if finding.code in ("S201", "S208", "S301"):
        derivations = [chain(found.network, found.shapes, node.name, axis) for axis in (2, 3)]
        notes += [text for text in dict.fromkeys(derivations) if "->" in text]
        related += _input_place(found.network, path_to(found.network, node.name)[0])
    if finding.code == "S301" and free is not None:
        notes += _clean_sizes(free, node)
    elif domain is not None:
        notes.append(f"accepted: {domain.text()}")
    fixes: tuple[str, ...] = ()
    if (finding.severity is Severity.ERROR or finding.code in ("S301", "S302", "S303")) and len(
        found.network.nodes
    ) <= LARGEST_GRAPH:
        fixes = tuple(_verified(found, finding, candidates(found, node, finding, free), budget))
    return replace(finding, notes=tuple(notes), related=tuple(related), fixes=finding.fixes + fixes)


def _clean_sizes(free: Diagnosis, node: Node) -> list[str]:
    """Return the input sizes for which the windows of a layer see its whole input."""
    shapes = [free.shapes.get(name) for name in node.inputs]
    known = tuple(shape for shape in shapes if shape is not None)
    dropped = node.layer.dropped(known) if node.layer is not None and len(known) == len(shapes) else None
    texts = []
    for unseen in dropped or ():
        names = sy.free(unseen)
        if len(names) == 1:
            (name,) = names
            fits = [o.requirement.condition for o in free.plan.requirements] if free.plan else []
            clean = solve_condition(AtLeast(-unseen, 0), name)
            for condition in fits:
                allowed = solve_condition(condition, name) if condition.free == names else None
                clean = clean & allowed if clean is not None and allowed is not None else clean
            if clean is not None:
                texts.append(clean.text(name))
    return [f"nothing is dropped here for {', '.join(texts)}"] if texts else []


def _input_place(network: Network, name: str) -> list[Related]:
    shape = network.inputs.get(name)
    if shape is None or not is_map(shape):
        return []
    first, last = network.marks.get(f"input.{name}.2"), network.marks.get(f"input.{name}.{len(shape) - 1}")
    if first is None or last is None or first.line != last.line:
        return []
    where = Location(first.file, first.line, first.column, last.end_column)
    return [Related(where, f"`{name}` is {by(shape[2:])} here")]


def _verified(found: Diagnosis, finding: Finding, candidates: Iterator[Candidate], budget: _Budget) -> Iterator[str]:
    """Yield the texts of candidates that remove the finding and add no new error."""
    before = {(f.code, f.layer) for f in found.findings}
    # Layers after the fault were not checked yet; their findings are not caused by the candidate.
    unseen = {name for name, shape in found.shapes.items() if shape is None and name != finding.layer}
    given: set[str] = set()
    for _, candidate in zip(range(MOST_TRIES), candidates, strict=False):
        if (candidate.group or candidate.text) in given:
            continue
        if not budget.spend():
            return
        again = diagnose(candidate.network).findings
        counted = (f for f in again if (_counts(f) and f.layer not in unseen) or f.code == finding.code)
        after = {(f.code, f.layer) for f in counted}
        if after <= before - {(finding.code, finding.layer)}:
            given.add(candidate.group or candidate.text)
            yield candidate.text
        if len(given) == MOST_FIXES:
            return


class _Budget:
    """Number of layers that may still be planned to verify fixes; counted, so that all machines offer the same."""

    def __init__(self, each: int) -> None:
        self.each, self.left = each, MOST_LAYERS

    def spend(self) -> bool:
        self.left -= self.each
        return self.left >= 0


def _work(found: Diagnosis) -> int:
    """Return the cost of planning again in layers: one residue of a period takes about as long as a layer."""
    conditions = {opened.requirement.condition for opened in found.open}
    solved = [condition for condition in conditions if len(condition.free) == 1]
    return len(found.network.nodes) + sum(sy.period(size) for condition in solved for size in condition.sizes)


def _counts(finding: Finding) -> bool:
    """Return whether a finding invalidates a fix: an error, or branches that agree only for some sizes."""
    return finding.severity is Severity.ERROR or finding.code == "S302"
