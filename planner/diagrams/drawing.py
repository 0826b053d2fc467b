"""The one entry to diagrams: choose what, how much of it, and the format; write it whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeVar, get_args

from planner.diagrams.diagram import Folded
from planner.diagrams.dot import dot_text
from planner.diagrams.fault import DrawError
from planner.diagrams.folding import LEVELS, Level, fold
from planner.diagrams.pdf import pdf_bytes, png_bytes
from planner.diagrams.picture import HEATS, Heat, paint
from planner.diagrams.scene import Scene
from planner.diagrams.source import Subject, diagram_of
from planner.diagrams.svg import svg_text
from planner.findings import nearest

Format = Literal["svg", "dot", "png", "pdf"]
"""File formats, which are also the suffixes."""

FORMATS: tuple[Format, ...] = get_args(Format)

Word = TypeVar("Word", bound=str)


def draw(
    subject: Subject,
    path: str | os.PathLike[str] | None = None,
    *,
    level: Level | None = None,
    heat: Heat | None = None,
    format: Format | None = None,
    at: Mapping[str, int] | None = None,
) -> str | bytes:
    """Return a diagram, and write it to a file when a path is given.

    Text for ``svg`` and ``dot``, bytes for ``png`` and ``pdf``; the same input always gives the same output.

    Parameters
    ----------
    subject : Plan, BoundPlan, Diagnosis, Network or Diagram
        A network with a fault is drawn up to the fault, the rest as ghosts.
    path : str or path, optional
        Written under another name first and then renamed, so that it never holds half a picture.
    level : {"overview", "blocks", "full"}, optional
        A card per block, equal repetitions once, or everything; by default everything up to 40 cards.
    heat : {"macs", "params", "memory"}, optional
        Tint each card by its share.
    format : {"svg", "dot", "png", "pdf"}, optional
        The suffix of `path` unless told, and svg without one.
    at : Mapping of str to int, optional
        Numbers for sizes that are names.

    Raises
    ------
    DrawError
        Unknown format, level or heat; no library for the format; a file that cannot be written; heat that
        depends on names; no layout engine, and then the graph is written as DOT text beside `path`.
    SizeError
        A size in `at` is not accepted.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="tiny", input={"x": ("N", 1, 8, 8)}, layers=[layer("conv", name="c", filters=2, kernel=3)])
    >>> str(draw(net, format="dot")).startswith('digraph "tiny"')
    True
    """
    chosen = _format(path, format)
    folded = fold(diagram_of(subject, at), _one_of("level", level, LEVELS))
    _one_of("heat", heat, HEATS)
    try:
        made = _rendered(folded, chosen, heat)
    except DrawError as error:
        if path is None or error.findings[0].code != "D601":
            raise
        raise _with_dot_beside(error, Path(path), chosen, dot_text(folded)) from None
    if path is not None:
        _write(Path(path), made)
    return made


def _rendered(folded: Folded, format: Format, heat: Heat | None) -> str | bytes:
    if format == "dot":
        return dot_text(folded)
    return _painted(paint(folded, heat), format)


def _painted(scene: Scene, format: Format) -> str | bytes:
    if format == "svg":
        return svg_text(scene)
    return pdf_bytes(scene) if format == "pdf" else png_bytes(scene)


def save(scene: Scene, path: str | os.PathLike[str]) -> None:
    """Write a scene as the picture its suffix says, whole or not at all.

    Raises
    ------
    DrawError
        No picture format, no library for it, or a file that cannot be written.
    """
    chosen = _format(path, None)
    if chosen == "dot":
        raise DrawError.of("D602", f"`{os.fspath(path)}`: no graph to write as DOT text", fixes=("end it in .svg",))
    _write(Path(path), _painted(scene, chosen))


def _with_dot_beside(error: DrawError, path: Path, format: Format, text: str) -> DrawError:
    """Write a graph that could not be laid out as DOT text, over no other file, and return the error that tells so."""
    beside = path.with_suffix(".dot")
    if beside.exists() and not _holds(beside, text):
        beside = path.with_name(f"{path.name}.dot")
    _write(beside, text)
    told = f"the graph was written to {beside} instead; with Graphviz:  dot -T{format} {beside} -o {path}"
    first, *others = error.findings
    return DrawError([replace(first, notes=(*first.notes, told)), *others])


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


def _format(path: str | os.PathLike[str] | None, format: Format | None) -> Format:
    wanted = format or (Path(path).suffix.removeprefix(".").lower() if path is not None else "svg")
    for known in FORMATS:
        if wanted == known:
            return known
    what = f"`{os.fspath(path)}`" if path is not None else "this picture"
    close = nearest(wanted, FORMATS) if wanted else None
    raise DrawError.of(
        "D602",
        f"{what}: {f'`{wanted}` is' if wanted else 'without a suffix there is'} no picture format that can be written",
        fixes=(f"did you mean .{close}?" if close else "end the name in .svg, .dot, .png or .pdf",),
    )


def _one_of(what: str, given: Word | None, known: tuple[Word, ...]) -> Word | None:
    if given is None or given in known:
        return given
    close = nearest(str(given), known)
    fix = f"did you mean {close}?" if close else f"{what} is one of {', '.join(known)}"
    raise DrawError.of("D602", f"`{given}` is no {what} of a diagram", fixes=(fix,))


def _write(path: Path, made: str | bytes) -> None:
    content = made.encode() if isinstance(made, str) else made
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise DrawError.of(
            "D605",
            f"`{path}` cannot be written: {error.strerror or error}",
            fixes=("choose a place that exists and that you may write to",),
        ) from None


def _umask() -> int:
    """Return the process's mask of permissions, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
