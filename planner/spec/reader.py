"""Read spec files as networks and report every finding of a spec in one run.

This module reads the text and the top-level keys, and passes layers to :mod:`planner.spec.blocks`. Sizes are checked
later, by :mod:`planner.plan.diagnose`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping as Map
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from planner.findings import Finding, GraphError, Location, Related, SpecError, nearest
from planner.network.builder import Builder
from planner.network.network import Network
from planner.spec.blocks import MOST_LAYERS, Expansion, TooManyLayers
from planner.spec.drafts import Findings, read_blocks, read_drafts
from planner.spec.library import FILE, library
from planner.spec.source import compose, decode
from planner.spec.tree import LONGEST_TEXT, Mapping, Scalar, Sequence, Tree, clip, plain, span
from planner.spec.values import Frame

VERSION = 1
"""Version of the format, as written in `spec:`."""

SUFFIXES = (".yaml", ".yml", ".json")

ZOO = "zoo:"
"""Prefix of the name of a known network, to distinguish it from a file."""

KEYS = {
    "spec": "version of the format: 1",
    "name": "name of the network; default: the name of the file",
    "input": "shape of each input by name: [N, C, H, W] or [N, features], numbers or names",
    "blocks": "groups of layers with parameters, for use by `block`",
    "layers": "the layers in order; each reads the one before unless it has `from`",
    "output": "names of the outputs, with the shapes you expect; default: the last layer",
    "train": "how to train: loss, optimizer, epochs, batch",
}
"""Top-level keys of a spec, with their descriptions."""


def read(text: str, file: str) -> tuple[Network | None, tuple[Finding, ...]]:
    r"""Return the network of a spec and all findings, in the order of the file.

    With findings, the network may contain broken nodes; it is None if the spec cannot be read any further.

    Parameters
    ----------
    text : str
        YAML, or JSON if `file` ends in ``.json``.
    file : str
        Name for locations and messages; the file is not opened.

    Examples
    --------
    >>> text = "spec: 1\nname: tiny\ninput: {x: [N, 3, H, W]}\nlayers: [conv: {filters: 8, kernel: 3}, gap]"
    >>> network, findings = read(text, "tiny.yaml")
    >>> [node.name for node in network.nodes], findings
    (['x', 'conv1', 'gap1'], ())
    """
    tree, problems = compose(text, file)
    if tree is None:
        return None, problems
    network, found = _Reader(file).network(tree)
    return network, tuple(sorted([*problems, *found], key=_position))


def load(path: str | PurePath) -> Network:
    """Return the network of a spec file, of standard input (``-``), or a known network by name (``lenet5``).

    Raises
    ------
    SpecError
        Contains every finding, if the file or its text cannot be read.
    GraphError
        Contains every finding, if names, wiring or settings are wrong.

    Examples
    --------
    >>> load("missing.yaml")
    Traceback (most recent call last):
        ...
    planner.findings.SpecError: error[P105]: there is no file missing.yaml; check the path
    """
    text, file = read_file(path)
    network, findings = read(text, file)
    if network is not None and not findings:
        return network
    family = SpecError if network is None or any(f.code.startswith("P") for f in findings) else GraphError
    raise family(findings)


def read_file(path: str | PurePath) -> tuple[str, str]:
    """Return the text of a spec and the name to use in locations.

    ``-`` is standard input. ``zoo:resnet50``, or a bare name that is not a file, is a known network.

    Raises
    ------
    SpecError
        P105: missing, a directory, not readable or with an unknown suffix; P101: not UTF-8; P103: too large.
    """
    given: object = path
    if not isinstance(given, (str, PurePath)):
        raise _file_error(f"a spec must be a path, got {given!r:.60}", "give the path of a .yaml or .json file")
    file = str(path)
    if file == "-":
        return _limited(sys.stdin.buffer.read(LONGEST_TEXT + 1), "<stdin>"), "<stdin>"
    if not file.isprintable():
        raise _file_error("a path cannot contain control characters", "check the path")
    if file.startswith(ZOO) or (PurePath(file).name == file and "." not in file and not Path(file).exists()):
        return _known_network(file)
    if not file.lower().endswith(SUFFIXES):
        kind = "is a directory" if Path(file).is_dir() else f"does not end in {', '.join(SUFFIXES)}"
        fix = "name a file in it" if Path(file).is_dir() else "rename it, or pass it on standard input with `-`"
        raise _file_error(f"{file} {kind}", fix)
    try:
        with Path(file).open("rb") as stream:
            data = stream.read(LONGEST_TEXT + 1)
    except FileNotFoundError:
        raise _file_error(f"there is no file {file}", "check the path") from None
    except IsADirectoryError:
        raise _file_error(f"{file} is a directory", "name a file in it") from None
    except OSError as error:
        raise _file_error(
            f"{file} cannot be read: {error.strerror or error}", "check the path and its permissions"
        ) from None
    return _limited(data, file), file


def _known_network(file: str) -> tuple[str, str]:
    from planner.spec.documents import member_text
    from planner.zoo.catalogue import MEMBERS, member  # deferred: the catalogue imports every builder

    name = file.removeprefix(ZOO)
    if name in MEMBERS:
        return member_text(MEMBERS[name]), f"{ZOO}{name}"
    if file.startswith(ZOO):
        member(name)
    close = nearest(name, MEMBERS)
    fix = f"did you mean `{close}`?" if close else "files end in .yaml or .json; `shapeplan zoo` lists known networks"
    raise _file_error(f"there is no file {name} and no known network with that name", fix)


def _limited(data: bytes, file: str) -> str:
    if len(data) > LONGEST_TEXT:
        fixes = ("use `blocks:` to repeat layers, or check the file name",)
        where = Location(file, 1, 1, 2)
        raise SpecError([Finding("P103", f"longer than {LONGEST_TEXT:,} bytes", where=where, fixes=fixes)])
    return decode(data, file)


def _file_error(message: str, fix: str) -> SpecError:
    return SpecError([Finding("P105", message, fixes=(fix,))])


def _at_use(finding: Finding) -> Finding:
    """Return a finding with the location of the use instead of a location inside a ready block."""
    if finding.where is None or finding.where.file != FILE or not finding.related:
        return finding
    return replace(finding, where=finding.related[0].where, related=finding.related[1:])


def _position(finding: Finding) -> tuple[int, int]:
    return (finding.where.line, finding.where.column) if finding.where else (sys.maxsize, 0)


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.findings = Findings()
        self.report = self.findings.report
        self.marks: dict[str, Location] = {}

    def network(self, tree: Tree) -> tuple[Network | None, list[Finding]]:
        if not isinstance(tree, Mapping):
            self.report("P106", "a spec must be a mapping of keys", tree.where, "begin with  spec: 1")
            return None, list(self.findings.found.values())
        for key, _ in tree:
            if key.text not in KEYS:
                close = nearest(key.text, KEYS)
                fix = f"did you mean `{close}`?" if close else f"keys are {', '.join(KEYS)}"
                self.report("N101", f"a spec has no key `{clip(key.text)}`", key.where, fix)
        self._version(tree)
        shapes = self._input(tree)
        blocks = read_blocks(tree.get("blocks"), self.report, library())
        layers = tree.get("layers")
        drafts = None if layers is None else read_drafts(layers, "the network", blocks, self.report, inside=False)
        if layers is None:
            self.report("N108", "the spec has no `layers`", tree.where, "add  layers: [...]")
        builder = Builder(self._name(tree), shapes, self.marks)
        expansion = Expansion(builder, blocks, self.findings)
        frame = Frame()
        try:
            frame = expansion.top(drafts or ())
        except TooManyLayers:
            assert layers is not None
            self.report("P103", f"blocks expand to more than {MOST_LAYERS:,} layers", layers.where, "repeat less")
            return None, list(self.findings.found.values())
        output = None if drafts is None else self._output(tree, expansion, frame)
        train = self._train(tree)
        built = None if drafts is None else Network.of(**builder.finish(output, train))
        found = [_at_use(finding) for finding in self.findings.found.values()]
        return built, [*found, *self._of_builder(builder, expansion)]

    def _of_builder(self, builder: Builder, expansion: Expansion) -> list[Finding]:
        """Return the findings of the builder; one for each location in a block, with one use of that block."""
        kept: list[Finding] = []
        seen: set[tuple[str, Location]] = set()
        for finding in builder.findings:
            use = expansion.used.get(finding.layer or "")
            if use is None or finding.where is None or finding.where == use:
                kept.append(finding)
            elif (finding.code, finding.where) not in seen:
                seen.add((finding.code, finding.where))
                kept.append(replace(finding, related=(*finding.related, Related(use, "used here"))))
        return kept

    def _version(self, tree: Mapping) -> None:
        version = tree.get("spec")
        if version is None:
            self.report("P107", "the spec has no version", tree.where, "begin with  spec: 1")
        elif not (isinstance(version, Scalar) and version.value == VERSION and type(version.value) is int):
            shown = f"`{clip(version.text)}`" if isinstance(version, Scalar) else "no version"
            self.report(
                "P107",
                f"this program reads version {VERSION} of the format, not {shown}",
                version.where,
                "write  spec: 1",
            )

    def _name(self, tree: Mapping) -> str:
        stem = "network" if self.file == "<stdin>" else PurePath(self.file).stem
        key, name = tree.key("name"), tree.get("name")
        if key is None or name is None:
            return stem
        self.marks["name"] = span(key.where, name.where)
        if not isinstance(name, Scalar) or name.value is None or not name.text.isprintable() or len(name.text) > 100:
            self.report(
                "P106", "`name` must be one line of up to 100 characters", self.marks["name"], "write  name: lenet5"
            )
            return stem
        return name.text

    def _input(self, tree: Mapping) -> Map[str, Any]:
        """Return input shapes as written; the builder checks them."""
        self.marks["input"] = tree.where
        key, value = tree.key("input"), tree.get("input")
        if key is None or value is None or (isinstance(value, Scalar) and value.value is None):
            return {}
        self.marks["input"] = span(key.where, value.where)
        if not isinstance(value, Mapping):
            self.report(
                "P106",
                "`input` must be a mapping of names to shapes",
                value.where,
                "write  input: {image: [N, 3, H, W]}",
            )
            return {"input": ("N", "C", "H", "W")}
        shapes = {}
        for name, shape in value:
            self.marks[f"input.{name.text}"] = shape.where
            items = shape.items if isinstance(shape, Sequence) else ()
            for axis, item in enumerate(items):
                self.marks[f"input.{name.text}.{axis}"] = item.where
                if isinstance(item, Scalar) and item.value is None:
                    self.report(
                        "P106", f"a size of input `{clip(name.text)}` has no value", item.where, "write its name"
                    )
            # A missing size becomes a name, to avoid follow-up findings.
            shapes[name.text] = ["missing" if plain(item) is None else plain(item) for item in items]
        return shapes

    def _output(self, tree: Mapping, expansion: Expansion, frame: Frame) -> Any:
        """Return the outputs as the builder expects them, by the names in the spec."""
        key, value = tree.key("output"), tree.get("output")
        if key is None or value is None or (isinstance(value, Scalar) and value.value is None):
            return None
        pairs: list[tuple[Tree, Tree | None]]
        if isinstance(value, Mapping):
            pairs = list(value)
        else:
            pairs = [(item, None) for item in (value.items if isinstance(value, Sequence) else (value,))]
        outputs: dict[str, Any] = {}
        for name, shape in pairs:
            if not isinstance(name, Scalar) or name.value is None:
                self.report("N111", "`output` must be a name, a list of names, or names with shapes", name.where)
                continue
            source = name
            self.marks[f"output.{name.text}"] = name.where if shape is None else span(name.where, shape.where)
            if isinstance(shape, Mapping):
                source, shape = self._named_output(name, shape)
            public = frame.names.get(source.text, source.text)
            outputs[name.text] = None if public == name.text else {"from": public}
            if isinstance(shape, Sequence):
                asserted = expansion.values.shape(shape)
                outputs[name.text] = asserted if public == name.text else {"from": public, "shape": asserted}
            elif shape is not None and not (isinstance(shape, Scalar) and shape.value is None):
                self.report(
                    "N111", f"the shape of output `{clip(name.text)}` must be a list", shape.where, "write  [N, 10]"
                )
        return outputs or None

    def _named_output(self, name: Scalar, tree: Mapping) -> tuple[Scalar, Tree | None]:
        """Return the layer and the shape of an output that is named differently from its layer."""
        for key, _ in tree:
            if key.text not in ("from", "shape"):
                fix = "write  {from: layer, shape: [N, 10]}"
                self.report("N101", f"output `{clip(name.text)}` has no key `{clip(key.text)}`", key.where, fix)
        source = tree.get("from")
        if source is not None and not (isinstance(source, Scalar) and source.value is not None):
            message = f"`from` of output `{clip(name.text)}` must be the name of a layer"
            self.report("N111", message, source.where, "write  {from: layer}")
        return source if isinstance(source, Scalar) and source.value is not None else name, tree.get("shape")

    def _train(self, tree: Mapping) -> Map[str, Any] | None:
        key, value = tree.key("train"), tree.get("train")
        if key is None or value is None or (isinstance(value, Scalar) and value.value is None):
            return None
        self.marks["train"] = span(key.where, value.where)
        if not isinstance(value, Mapping):
            self.report("P106", "`train` must be a mapping", value.where, "write  train: {epochs: 10, batch: 64}")
            return None
        self._mark_train(value, "train")
        found: Map[str, Any] = plain(value)
        return found

    def _mark_train(self, tree: Mapping, path: str) -> None:
        for key, value in tree:
            where = span(key.where, value.where)
            self.marks[f"{path}.{key.text}"] = where
            if isinstance(value, Mapping):
                self._mark_train(value, f"{path}.{key.text}")
                if len(value.pairs) == 1 and isinstance(value.pairs[0][1], Mapping):
                    # `optimizer: {sgd: {lr: ...}}` is called optimizer.lr in findings
                    self._mark_train(value.pairs[0][1], f"{path}.{key.text}")
