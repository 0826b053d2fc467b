"""Layers and blocks as written in a spec: kinds and keys are checked, values are not computed yet.

This module reports all faults that do not depend on the parameters of a block, once for all uses of the
block. :mod:`planner.spec.blocks` computes values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, fields

from planner.findings import Finding, Location, Related, nearest
from planner.layers import KINDS
from planner.network.entry import fault_of_name
from planner.spec.expression import Value
from planner.spec.tree import Mapping, Scalar, Sequence, Tree, clip, span
from planner.spec.words import ADVICE, KEY_HINTS, KIND_HINTS

COMMON = {
    "name": "name of the layer, for `from`, `output` and messages; default: its kind and a number",
    "from": "inputs of the layer: one name, or a list of names; default: the layer before",
    "act": "activation after the layer; with settings, {leaky_relu: {slope: 0.2}}",
    "norm": "normalisation after the layer and before `act`; with settings, {batch: {eps: 0.001}}",
    "expect": "the output shape you expect, [N, C, H, W]; checked",
    "use": "an earlier layer of the same kind to use again, with its settings, weights, `norm` and `act`",
}
"""Keys that every layer takes, with their descriptions."""

CONDITION = "if"
BLOCK = "block"

USE = {
    "use": "name of the block",
    "name": "name of this use; its layers are called name.layer",
    "from": "input of the block, called `in` inside it; default: the layer before",
    "repeat": "number of repetitions in a row; a parameter may then be a list with one value for each",
    "weights": "an earlier use of the same block to share weights with; it also gives the parameters and repetitions",
}
"""Keys that every use of a block takes in addition to the parameters of the block."""

PARAMETER_TYPES = {"int": "a whole number or a name", "bool": "true or false", "float": "a number", "str": "a word"}
"""Types that `params:` accepts instead of a default, with the values that such a parameter takes."""

Report = Callable[..., None]
"""``report(code, message, where, *fixes, related=())``."""


@dataclass(frozen=True)
class Item:
    """One key with its value."""

    key: Scalar
    value: Tree

    @property
    def where(self) -> Location:
        """Location of the key and the value."""
        return span(self.key.where, self.value.where)


@dataclass(frozen=True)
class Draft:
    """One item of a `layers:` list.

    Attributes
    ----------
    kind : str
        A key of :data:`planner.layers.KINDS`, ``block``, or an unknown word.
    items : Mapping
        The settings by key; a mistyped key is corrected if its meaning is clear.
    broken : bool
        A fault has been reported for this draft.
    """

    kind: str
    where: Location
    items: Map[str, Item]
    broken: bool = False


@dataclass(frozen=True)
class Parameter:
    """One parameter of a block; with `default` None it is required."""

    name: str
    type: str
    default: Value | None


@dataclass
class Block:
    """One entry of `blocks:`; `drafts` is None if it cannot be read."""

    name: str
    where: Location
    parameters: dict[str, Parameter] = field(default_factory=dict)
    drafts: tuple[Draft, ...] | None = None


class Findings:
    """Collection of findings, without duplicates of a code at a location."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, Location], Finding] = {}

    def report(self, code: str, message: str, where: Location, *fixes: str, related: tuple[Related, ...] = ()) -> None:
        """Keep a finding unless there is one with the same code and location."""
        kept = tuple(fix for fix in fixes if fix)
        self.found.setdefault((code, where), Finding(code, message, where=where, related=related, fixes=kept))


def read_blocks(tree: Tree | None, report: Report, ready: Map[str, Block] | None = None) -> dict[str, Block]:
    """Return the blocks of a spec by name, followed by the ready blocks; report faults.

    A block of the spec replaces a ready block with the same name.
    """
    ready = dict(ready or {})
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        return ready
    if not isinstance(tree, Mapping):
        report(
            "P106",
            "`blocks` must be a mapping of names to blocks",
            tree.where,
            "write  basic: {params: ..., layers: ...}",
        )
        return ready
    blocks = {key.text: Block(key.text, key.where) for key, _ in tree}
    bodies: list[tuple[Block, Tree | None]] = []
    for key, body in tree:
        fault = fault_of_name(key.text, "the name of a block")
        if fault:
            report("N110", fault, key.where, "rename it")
            del blocks[key.text]
            continue
        if not isinstance(body, Mapping):
            report(
                "P106",
                f"block `{key.text}` must be a mapping with `params` and `layers`",
                body.where,
                "write  {layers: [...]}",
            )
            continue
        for name, _ in body:
            if name.text not in ("params", "layers"):
                report(
                    "N101",
                    f"block `{key.text}` has no key `{clip(name.text)}`",
                    name.where,
                    *_meant(name.text, ["params", "layers"]),
                )
        blocks[key.text].parameters = _read_parameters(key.text, body.get("params"), report)
        layers = body.get("layers")
        if layers is None:
            report("N108", f"block `{key.text}` needs `layers`", key.where, "add  layers: [...]")
        bodies.append((blocks[key.text], layers))
    for block, layers in bodies:
        if layers is not None:
            block.drafts = read_drafts(layers, f"block `{block.name}`", {**ready, **blocks}, report, inside=True)
    _report_recursion(blocks, report)
    return blocks | {name: block for name, block in ready.items() if name not in blocks}


def read_drafts(
    tree: Tree, owner: str, blocks: Map[str, Block], report: Report, inside: bool
) -> tuple[Draft, ...] | None:
    """Return the layers of a list, including broken ones; None if it is not a list."""
    if not isinstance(tree, Sequence) or not tree.items:
        what = "is empty" if isinstance(tree, Sequence) else "must be a list"
        report("P106", f"`layers` of {owner} {what}", tree.where, "write  - conv: {filters: 6, kernel: 5}")
        return None
    return tuple(_read_draft(item, blocks, report, inside) for item in tree.items)


def _read_parameters(block: str, tree: Tree | None, report: Report) -> dict[str, Parameter]:
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        return {}
    if not isinstance(tree, Mapping):
        report(
            "P106", f"`params` of block `{block}` must be a mapping", tree.where, "write  params: {c: int, stride: 1}"
        )
        return {}
    found = {}
    for key, value in tree:
        name = key.text
        if name in USE or name in (CONDITION, "in") or not name.isidentifier() or not name.isascii():
            why = "is reserved" if name.isidentifier() else "is not a word of letters, digits and _"
            report(
                "N110",
                f"block `{block}`: a parameter cannot be called `{clip(name)}`, which {why}",
                key.where,
                "rename it",
            )
            continue
        if not isinstance(value, Scalar) or value.value is None:
            report(
                "N110",
                f"block `{block}`: `{name}` must be a default value or one of {', '.join(PARAMETER_TYPES)}",
                value.where,
            )
            continue
        if value.text in PARAMETER_TYPES:  # quoted too: in JSON every word is
            found[name] = Parameter(name, value.text, None)
        else:
            found[name] = Parameter(name, type(value.value).__name__, value.value)
    return found


def _read_draft(tree: Tree, blocks: Map[str, Block], report: Report, inside: bool) -> Draft:
    if isinstance(tree, Scalar) and isinstance(tree.value, str):
        return _with_kind(tree, {}, blocks, report)
    if not isinstance(tree, Mapping) or not tree.pairs:
        report(
            "P106",
            "a layer must be its kind, or its kind with settings",
            tree.where,
            "write  - conv: {filters: 6, kernel: 5}, or  - flatten",
        )
        return Draft("layer", tree.where, {}, True)
    kind, settings = tree.pairs[0]
    broken = False
    items: dict[str, Item] = {}
    if len(tree.pairs) > 1:
        broken = True
        other = tree.pairs[1][0]
        report(
            "P106",
            f"a layer has one key, its kind; got `{clip(kind.text)}` and `{clip(other.text)}`",
            other.where,
            "indent the settings below their kind, or write  - kind: {...}",
        )
    elif isinstance(settings, Mapping):
        items = {key.text: Item(key, value) for key, value in settings}
    elif not (isinstance(settings, Scalar) and settings.value is None):
        broken = True
        report(
            "P106",
            f"the settings of `{clip(kind.text)}` must be a mapping",
            settings.where,
            "write  - conv: {filters: 6, kernel: 5}",
        )
    if not inside and CONDITION in items:
        broken = True
        report(
            "N110",
            "`if` is only allowed in a block",
            items[CONDITION].where,
            "leave the layer out, or move it into a block",
        )
    return _with_kind(kind, items, blocks, report, broken)


def _with_kind(
    kind: Scalar, items: dict[str, Item], blocks: Map[str, Block], report: Report, broken: bool = False
) -> Draft:
    word = kind.text
    if word == BLOCK:
        return _use_draft(kind, items, blocks, report, broken)
    if word not in KINDS or word == "input":
        plain = word.lower().replace("_", "").replace("-", "").replace(" ", "")
        squeezed = {name.replace("_", ""): name for name in [*KINDS, BLOCK] if name != "input"}
        meant = squeezed.get(plain) or KIND_HINTS.get(plain) or nearest(word, squeezed.values())
        fix = f"did you mean `{meant}`?" if meant else f"kinds are {', '.join(squeezed.values())}"
        if word in blocks:
            meant, fix = None, f"write  - block: {{use: {word}}}"
        elif word == "input":
            meant, fix = None, "declare inputs under `input:`"
        elif word in ADVICE:
            meant, fix = None, ADVICE[word]
        report("N102", f"there is no layer kind `{clip(word)}`", kind.where, fix)
        broken = True
        if meant is None:
            return Draft(clip(word), kind.where, {k: v for k, v in items.items() if k in COMMON}, True)
        if meant == BLOCK:
            return _use_draft(kind, items, blocks, report, True)
        word = meant
    settings = [item.name for item in fields(KINDS[word])]
    known = [*settings, *COMMON, CONDITION]
    return Draft(word, kind.where, *_checked(word, items, known, settings, report, broken))


def _use_draft(kind: Scalar, items: dict[str, Item], blocks: Map[str, Block], report: Report, broken: bool) -> Draft:
    use = items.get("use")
    if use is None:
        report(
            "N108",
            "`block` needs `use`, the name of a block",
            kind.where,
            *(f"add  use: {name}" for name in list(blocks)[:1]),
        )
        return Draft(BLOCK, kind.where, items, True)
    name = use.value.text if isinstance(use.value, Scalar) else ""
    if name not in blocks:
        fixes = _meant(name, list(blocks)) if blocks else ["declare it under `blocks:`"]
        report("N110", f"there is no block `{clip(name)}`", use.where, *fixes)
        return Draft(BLOCK, kind.where, items, True)
    parameters = list(blocks[name].parameters)
    known = [*parameters, *USE, CONDITION]
    found, broken = _checked(f"block `{name}`", items, known, [*parameters, *USE], report, broken)
    for parameter in blocks[name].parameters.values():
        if parameter.default is None and parameter.name not in found and not broken and "weights" not in found:
            report("N108", f"block `{name}` needs `{parameter.name}`", use.where, f"add  {parameter.name}: ...")
            broken = True
    return Draft(BLOCK, kind.where, found, broken)


def _checked(
    owner: str, items: dict[str, Item], known: list[str], own: list[str], report: Report, broken: bool
) -> tuple[dict[str, Item], bool]:
    """Return the items after reporting unknown keys; correct an unknown key if its meaning is clear."""
    kept = {key: item for key, item in items.items() if key in known}
    for key, item in items.items():
        if key in known:
            continue
        broken = True
        hint = next((word for word in KEY_HINTS.get(key.lower(), ()) if word in known), None)
        meant = hint or nearest(key, known)
        # A word with an entry in ADVICE must not be read as a key that it happens to resemble.
        advice = ADVICE.get(key) if key != "ceil_mode" or "rounding" in known else None
        if advice:
            fixes = [advice]
        else:
            fixes = [f"did you mean `{meant}`?"] if meant else [f"{owner} takes {', '.join(own) or 'no settings'}"]
            if meant:
                kept.setdefault(meant, item)
        report("N101", f"{owner} has no setting `{clip(key)}`", item.key.where, *fixes)
    return kept, broken


def _meant(word: str, known: Iterable[str]) -> list[str]:
    names = list(known)
    close = nearest(word, names)
    return [f"did you mean `{close}`?"] if close else [f"there are {', '.join(f'`{name}`' for name in names[:12])}"]


def _report_recursion(blocks: dict[str, Block], report: Report) -> None:
    """Report every cycle of blocks that use each other, once, and make its blocks unusable."""
    uses: dict[str, list[tuple[str, Location]]] = {}
    for block in blocks.values():
        found = [draft.items["use"] for draft in block.drafts or () if draft.kind == BLOCK and "use" in draft.items]
        uses[block.name] = [(item.value.text, item.where) for item in found if isinstance(item.value, Scalar)]
    reach = {name: _reached(name, uses) for name in blocks}
    for name in blocks:
        if name not in reach[name] or blocks[name].drafts is None:
            continue
        report("N110", f"block `{clip(name)}` contains itself", reach[name][name], "use `repeat` to repeat layers")
        for other in blocks:
            if name in reach[other] and other in reach[name]:
                blocks[other].drafts = None


def _reached(name: str, uses: Map[str, list[tuple[str, Location]]]) -> dict[str, Location]:
    """Return every block that a block uses, directly or indirectly, with the location of one such use."""
    seen: dict[str, Location] = {}
    waiting = list(uses[name])
    while waiting:
        target, where = waiting.pop()
        if target in uses and target not in seen:
            seen[target] = where
            waiting.extend(uses[target])
    return seen
