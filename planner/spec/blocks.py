"""Convert drafts to entries: compute values, expand blocks, and prefix the names inside them.

Every layer is added to a :class:`planner.network.builder.Builder` immediately, because an ``if`` may need
the channels of a layer that was added before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import partial

from planner.findings import Location, nearest
from planner.layers import KINDS
from planner.network.builder import Builder
from planner.network.entry import Entry
from planner.network.references import naming, shareable
from planner.spec.arguments import Arguments
from planner.spec.drafts import BLOCK, CONDITION, Block, Draft, Findings, Item
from planner.spec.expression import ExpressionError, Scope, UnknownSize, Value
from planner.spec.library import FILE
from planner.spec.tree import Scalar, Sequence, clip
from planner.spec.values import Frame, Unreadable, Values, marks_norm_act
from planner.symbols import Size
from planner.wording import listed

MOST_LAYERS = 10_000
"""Maximum number of layers of a network, with blocks expanded."""

DEEPEST = 200
"""Maximum number of parts in the name of a layer: one for each block around it, two if the block repeats."""


class TooManyLayers(Exception):
    """Error for blocks that expand to more layers than the limit."""


@dataclass(frozen=True)
class Written:
    """An expanded use of a block: the block, the parameters of each repetition, and whether these are numbered."""

    block: str
    uses: tuple[dict[str, Value], ...]
    numbered: bool


class Expansion:
    """Expansion of drafts into the entries of a builder."""

    def __init__(self, builder: Builder, blocks: Mapping[str, Block], findings: Findings) -> None:
        self.builder, self.blocks, self.report = builder, blocks, findings.report
        self.findings = findings
        self.values = Values(findings.report)
        self.arguments = Arguments(self.values, findings.report)
        self.used: dict[str, Location] = {}
        self._steps = 0
        self._written: dict[str, Written] = {}
        self._later_uses: frozenset[str] = frozenset()

    def run(self, drafts: tuple[Draft, ...], frame: Frame) -> None:
        """Add the layers of one list.

        Raises
        ------
        TooManyLayers
            The network has more than 10,000 layers.
        """
        frame.declared = frozenset(
            item.value.text
            for draft in drafts
            if (item := draft.items.get("name")) is not None and isinstance(item.value, Scalar)
        )
        for draft in drafts:
            self._steps += 1
            if self._steps > MOST_LAYERS:
                raise TooManyLayers
            if draft.kind == BLOCK:
                self._use(draft, frame)
            else:
                self._layer(draft, frame)

    def _layer(self, draft: Draft, frame: Frame) -> None:
        local = self._name(draft, frame)
        sources, broken = self._sources(draft, frame)
        if self._is_off(draft, frame):
            self._pass_through(draft, local, sources, frame)
            return
        settings: dict[str, object] = {}
        types = {item.name: str(item.type) for item in fields(KINDS[draft.kind])} if draft.kind in KINDS else {}
        names = {item.name for item in naming(KINDS[draft.kind])} if draft.kind in KINDS else set()
        sugar: dict[str, object] = {}
        for key, item in draft.items.items():
            if key in ("name", "from", CONDITION):
                continue
            try:
                if key in names:
                    settings[key] = self._named(item, frame)
                elif key in types:
                    settings[key] = self.values.setting(item, types[key], frame)
                elif key in ("expect", "use"):
                    sugar[key] = self.values.expected(item, frame) if key == "expect" else self._named(item, frame)
                else:  # `key` is the corrected key; the written one may be misspelt
                    sugar[key] = self.values.norm_act(item, frame, key)
            except Unreadable:
                broken = True
        marks = {key: item.where for key, item in draft.items.items()} | {"": draft.where} | marks_norm_act(draft.items)
        if draft.where.file == FILE and frame.used is not None:  # users cannot edit ready blocks: point to the use
            marks = {"": frame.used}
        if frame.used is not None:
            marks["use"] = frame.used
        entry = Entry(
            draft.kind,
            settings,
            None if local is None else frame.prefix + local,
            self._from(sources, frame, broken),
            marks=marks,
            broken=broken or draft.broken,
            **sugar,  # type: ignore[arg-type]  # act, norm, expect and use have the types of Entry
        )
        if frame.shared and entry.use is None and shareable(f"{frame.shared}{local}", self.builder.nodes):
            entry = replace(entry, settings={}, act=None, norm=None, use=f"{frame.shared}{local}")
        public = self.builder.add(entry)
        frame.names[public if local is None else local] = public
        frame.previous = public
        if frame.used is not None:
            self.used[public] = frame.used

    def _named(self, item: Item, frame: Frame) -> str:
        """Return the public name of the layer that a setting names; a parameter of a block may name one outside.

        Raises
        ------
        Unreadable
            The value is not a name, or the block has no such layer; this has been reported.
        """
        if not isinstance(item.value, Scalar):
            key = item.key.text
            self.report("P106", f"`{key}` must be the name of one layer", item.where, f"write  {key}: name")
            raise Unreadable
        given = self.values.value(item, item.value, frame, compute=False)
        if "$" in item.value.text:
            return str(given)
        found = self._resolve(item.value, frame)
        if found is None:
            raise Unreadable
        return found

    def _from(self, sources: tuple[str, ...] | None, frame: Frame, broken: bool) -> str | tuple[str, ...] | None:
        """Return the `from` of an entry; None if the previous layer is the one that was added last."""
        if sources is None:
            if broken:
                return ()
            return None if frame.previous == self.builder.last else frame.previous
        return sources[0] if len(sources) == 1 else sources

    def _name(self, draft: Draft, frame: Frame) -> str | None:
        """Return the name of a draft within its list; None if the builder has to choose one."""
        item = draft.items.get("name")
        if item is not None:
            if not isinstance(item.value, Scalar) or item.value.value is None:
                self.report("P106", "`name` must be one word", item.where, "write  name: c1")
            elif frame.block and "$" in item.value.text:
                fix = "give the use of the block a name: it is the prefix of the names inside"
                self.report("N110", "a name in a block cannot contain a parameter", item.where, fix)
            elif item.value.text in frame.names and frame.names[item.value.text] != frame.prefix + item.value.text:
                name = clip(item.value.text)
                self.report(
                    "N104", f"there are a layer and a block named `{name}`", item.where, "give one another name"
                )
            else:
                return item.value.text
        return frame.fresh(draft.kind) if frame.block and draft.kind != BLOCK else None

    def _sources(self, draft: Draft, frame: Frame) -> tuple[tuple[str, ...] | None, bool]:
        """Return the public names that a draft reads (None for the previous layer), and whether some are wrong."""
        item = draft.items.get("from")
        if item is None:
            return None, False
        words = item.value.items if isinstance(item.value, Sequence) else (item.value,)
        names: list[str] = []
        broken = False
        for word in words:
            if not isinstance(word, Scalar) or word.value is None:
                self.report(
                    "P106", "`from` must be a name or a list of names", item.where, "write  from: c1, or  from: [a, b]"
                )
                return None, True
            found = self._resolve(word, frame)
            broken |= found is None
            names += [] if found is None else [found]
        return (None if broken else tuple(names)), broken

    def _resolve(self, word: Scalar, frame: Frame) -> str | None:
        """Return the public name for a word in a `from`; None if it is faulty, which has been reported."""
        name = word.text
        if name in frame.names:
            return frame.names[name]
        if not frame.block:
            if name not in frame.declared or name not in self._later_uses:
                return name
            self.report("N103", f"block `{clip(name)}` is used later and cannot be read here", word.where, "move it up")
            return None
        if name == "in":
            return frame.input
        if name.split(".")[0] in frame.declared:
            return frame.prefix + name
        close = nearest(name, ["in", *frame.declared, *frame.names])
        fix = f"did you mean `{close}`?" if close else "a block can read only its own layers and `in`"
        self.report("N103", f"`{clip(name)}` is not a layer of block `{frame.block}`", word.where, fix)
        return None

    def top(self, drafts: tuple[Draft, ...]) -> Frame:
        """Add the top-level layers of the network; return the frame with their names."""
        self._later_uses = frozenset(
            item.value.text
            for draft in drafts
            if draft.kind == BLOCK and (item := draft.items.get("name")) and isinstance(item.value, Scalar)
        )
        frame = Frame(previous=self.builder.last)
        self.run(drafts, frame)
        return frame

    def _is_off(self, draft: Draft, frame: Frame) -> bool:
        """Return whether an `if` switches a layer off; False if it cannot be evaluated."""
        item = draft.items.get(CONDITION)
        if item is None or not frame.block:
            return False
        try:
            value = self.values.value(item, item.value, frame, compute=True)
        except Unreadable:
            return False
        if not isinstance(value, bool):
            self.report("N112", "`if` must be true or false", item.where, 'compare, as in  if: "stride != 1"')
            return False
        return not value

    def _pass_through(self, draft: Draft, local: str | None, sources: tuple[str, ...] | None, frame: Frame) -> None:
        if sources is not None and len(sources) != 1:
            fix = "put the `if` on a layer with one input"
            self.report("N110", "only a layer with one input can be switched off", draft.items[CONDITION].where, fix)
        source = sources[0] if sources else frame.previous
        frame.previous = source
        if local is not None and source is not None:
            frame.names[local] = source

    def _use(self, draft: Draft, frame: Frame) -> None:
        name = self._name(draft, frame)
        target = draft.items["use"].value if "use" in draft.items else None
        block = self.blocks.get(target.text) if isinstance(target, Scalar) else None
        if name is None:
            name = frame.fresh(block.name if block else BLOCK)
        elif name in frame.names:
            what = f"there are two layers or blocks named `{clip(name)}`"
            self.report("N104", what, draft.items["name"].where, "give one another name")
            name = frame.fresh(name)
        sources, broken = self._sources(draft, frame)
        if self._is_off(draft, frame):
            self._pass_through(draft, name, sources, frame)
            return
        source = sources[0] if sources else frame.previous
        if sources is not None and len(sources) != 1:
            broken = True
            self.report(
                "N109",
                f"block `{clip(name)}` reads one tensor, but `from` names {len(sources)}",
                draft.items["from"].where,
                "join them first with `concat` or `add`" if sources else "name one",
            )
        elif source is None and not broken:
            broken = True
            self.report("N108", f"block `{clip(name)}` must name the input that it reads", draft.where, "add `from:`")
        uses: list[dict[str, Value]] = []
        if frame.prefix.count(".") >= DEEPEST:
            broken = True
            what = f"nested blocks give a name of more than {DEEPEST} parts"
            self.report("P103", what, draft.where, "write the inner layers without blocks")
        numbered, shared = "repeat" in draft.items, f"{frame.shared}{name}" if frame.shared else ""
        if block is not None and block.drafts is not None and not (broken or draft.broken):
            if "weights" in draft.items:
                shared, written = self._shared(draft, block, frame)
                uses, numbered = list(written.uses), written.numbered
            else:
                uses = self.arguments.of(draft, block, frame)
        if block is None or block.drafts is None or not uses:
            self._placeholder(draft, name, source, frame)
            return
        self._written[frame.prefix + name] = Written(block.name, tuple(uses), numbered)
        for number, parameters in enumerate(uses, start=1):
            suffix = f".{number}" if numbered else ""
            part = name + suffix
            inner = Frame(
                block.name, f"{frame.prefix}{part}.", previous=source, input=source, used=frame.used or draft.where
            )
            inner.shared = f"{shared}{suffix}." if shared else ""
            inner.scope = Scope(parameters, partial(self._channels, source))
            self.run(block.drafts, inner)
            source = inner.previous
            if source is not None:
                frame.names[part] = source
        if source is not None:
            frame.names[name] = source
        frame.previous = source

    def _shared(self, draft: Draft, block: Block, frame: Frame) -> tuple[str, Written]:
        """Return the full name of the earlier use that shares its weights, and that use; report faults."""
        item = draft.items["weights"]
        none = "", Written(block.name, (), False)
        if not isinstance(item.value, Scalar):
            self.report("P106", "`weights` must be the name of one use of a block", item.where, "write  weights: name")
            return none
        given = item.value.text
        full_name = frame.prefix + given
        written = self._written.get(full_name)
        same_block = [
            name.removeprefix(frame.prefix) for name, each in self._written.items() if each.block == block.name
        ]
        if written is None or written.block != block.name:
            what = (
                "which is not an earlier use of a block" if written is None else f"which is a use of `{written.block}`"
            )
            fix = (
                f"name one of {listed(same_block)}"
                if same_block
                else f"use block `{block.name}` before, and name that use"
            )
            self.report("N103", f"`weights` names `{clip(given)}`, {what}", item.where, fix)
            return none
        for key in draft.items:
            if key in block.parameters or key == "repeat":
                what = f"`{clip(key)}` comes from `{clip(given)}` (`weights`) and cannot be set again"
                self.report("N101", f"block `{block.name}`: {what}", draft.items[key].where, f"remove `{clip(key)}`")
        return full_name, written

    def _placeholder(self, draft: Draft, name: str, source: str | None, frame: Frame) -> None:
        """Add a layer of unknown shape instead of a block that cannot be expanded."""
        marks = {"": draft.where}
        public = self.builder.add(Entry(BLOCK, {}, frame.prefix + name, source or (), marks=marks, broken=True))
        frame.names[name] = frame.previous = public

    def _channels(self, name: str | None) -> Size:
        shape = None if name is None else self.builder.shape(name)
        if shape is not None and len(shape) > 1:
            return shape[1]
        if self.builder.findings or self.findings.found:
            raise UnknownSize
        raise ExpressionError(
            "the channels of the block's input are not known here", 0, 0, "move the layers it reads up"
        )
